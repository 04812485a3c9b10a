/**
 * A clock that stands still, for what is decided by how much time has passed.
 *
 * @module
 */

/** Stops the clock while `body` runs, which says how many ms have passed. */
export function withStoppedClock<T>(body: (pass: (ms: number) => void) => T): T {
  const real = performance.now;
  let time = Math.ceil(real.call(performance)); // whole, so that sums are exact
  performance.now = () => time;
  try {
    return body((ms) => time += ms);
  } finally {
    performance.now = real;
  }
}
