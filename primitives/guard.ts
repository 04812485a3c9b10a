/**
 * What everything that must be let go is returned as.
 *
 * @module
 */

/**
 * Something held until `release()`: a lock, a permit, one side of an RWLock.
 *
 * `using guard = lock.acquire()` lets go at the end of the block, also when it throws. Releasing
 * a second time does nothing, and a guard whose hold somebody else has ended is spent: it
 * never lets go of a later hold.
 *
 * @example Let go at the end of a block, in engines without `using`
 * ```ts
 * import { Lock } from "@lockstep/lockstep";
 * const lock = new Lock();
 * const guard = lock.acquire();
 * try {
 *   // … the critical section …
 * } finally {
 *   guard.release();
 * }
 * ```
 */
export interface Guard extends Disposable {
  /** Lets go, once; does nothing afterwards. */
  release(): void;
}
