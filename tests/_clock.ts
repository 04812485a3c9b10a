/**
 * A clock that stands still, for what is decided by how much time has passed.
 *
 * @module
 */

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
