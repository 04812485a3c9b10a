/**
 * Seeing who is woken: a wake-up that is left out costs a waiter the rest of its slice, which no other test notices.
 *
 * @module
 */

/** Calls `body`; returns the indices of the words in that buffer that were notified meanwhile. */
export function notified(buffer: ArrayBufferLike, body: () => void): number[] {
  return wakeUps(buffer, body).map(([index]) => index);
}

/** The same, with how many sleepers were to be woken. */
export function wakeUps(buffer: ArrayBufferLike, body: () => void): [index: number, count: number][] {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  const woken: [number, number][] = [];
  realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
  Object.defineProperty(realm.Atomics, "notify", {
    value(view: Int32Array, index: number, count = Infinity) {
      if (view.buffer === buffer) woken.push([index, count]);
      return real.notify(view, index, count);
    },
  });
  try {
    body();
  } finally {
    realm.Atomics = real;
  }
  return woken;
}
