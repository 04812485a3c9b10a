/**
 * A clock that stands still, for what is decided by how much time has passed: on a busy machine any time may pass anywhere.
 *
 * @module
 */

import { agent } from "../primitives/_agent.ts";

/** Stops the clock while `body` runs, until its promise is settled if it gives one; it says how many ms have passed. */
export function withStoppedClock<T>(body: (pass: (ms: number) => void) => T): T {
  const real = performance.now;
  let time = Math.ceil(real.call(performance)); // whole, so that sums are exact
  performance.now = () => time;
  const restore = (): void => void (performance.now = real);
  let result: T | undefined;
  try {
    return result = body((ms) => time += ms);
  } finally {
    if (result instanceof Promise) result.then(restore, restore);
    else restore();
  }
}

/**
 * Runs a call that blocks, on a clock that goes only while it sleeps: each time until its time is over. Before that `look`
 * is told for how many ms it has slept so far. Returns for how many it slept in all.
 */
export function timeAsleep(call: () => void, look: (slept: number) => void = () => {}): number {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  const { spins } = agent;
  let slept = 0;
  try {
    withStoppedClock((pass) => {
      agent.spins = false; // or it would turn until time has passed
      realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
      Object.defineProperty(realm.Atomics, "wait", {
        value(view: Int32Array, index: number, expected: number, ms: number) {
          if (real.load(view, index) !== expected) return "not-equal";
          look(slept);
          slept += ms;
          pass(ms);
          return "timed-out";
        },
      });
      call();
    });
  } finally {
    realm.Atomics = real;
    agent.spins = spins;
  }
  return slept;
}
