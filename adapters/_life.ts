// Web Locks as a sign of life, in Deno and browsers: a worker holds one as long as it
// lives, and who is granted it next knows that it has stopped. (In Node the lock of a
// worker that died is not granted; Bun has none. Both have events instead.)

interface Locks {
  request(name: string, granted: () => unknown): Promise<unknown>;
}

const realm = globalThis as {
  navigator?: { locks?: Locks };
  process?: { versions?: { node?: string } };
  Deno?: unknown;
};

/** The locks, where they tell of a death. */
const locks: Locks | undefined = realm.Deno === undefined && realm.process?.versions?.node !== undefined
  ? undefined
  : realm.navigator?.locks;

/** Whether lives can be watched here. */
export const tellsLives: boolean = locks !== undefined;

/** Holds a sign of life for good. Resolves to whether it does: workers of opaque origins, as data: has, cannot. */
export function hold(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    locks!.request(name, () => {
      resolve(true);
      return new Promise(() => {});
    }).catch(() => resolve(false));
  });
}

/** Calls back when the agent that holds it has stopped. */
export function onDeath(name: string, listener: () => void): void {
  locks!.request(name, () => listener()).catch(() => {});
}

/** Longer than any browser lets a worker go on that it was told to stop: Chromium 2 s. */
const LAST_MS = 5000;

/** The same for an agent that was stopped, and may never have come to hold it: now it never will. */
export function onStop(name: string, listener: () => void): void {
  locks!.request(name, () => {
    listener();
    return new Promise<void>((resolve) => setTimeout(resolve, LAST_MS));
  }).catch(() => {});
}
