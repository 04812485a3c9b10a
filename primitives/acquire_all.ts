/**
 * Taking several locks at once: all or none, in any order, without a deadlock.
 *
 * Everybody takes what is asked for in one order that all threads share: by rank, then by the random identity
 * of the record. So among calls of `acquireAll()` a closed circle of waits cannot come about: whoever holds something
 * waits only for what comes later in the order, and whoever holds the last of it waits for nothing. Each lock is waited for
 * once; nothing is taken, given back and taken again, so contention adds waiting but no work.
 *
 * @module
 */

import type { Acquirable } from "./_acquirable.ts";
import { inOrder } from "./_acquirable.ts";
import { agent } from "./_agent.ts";
import { signalOf } from "./_arguments.ts";
import { deadlineAfter, remaining, timeoutOf } from "./_deadline.ts";
import { guarding } from "./_dispose.ts";
import { checkRank } from "./_held.ts";
import type { Guard } from "./guard.ts";

export type { Acquirable } from "./_acquirable.ts";

/** Options of `acquireAll()` and `acquireAllAsync()`. */
export interface AcquireAllOptions {
  /** How long it may take in all, in ms; then the answer is `undefined`. */
  timeout?: number;
  /** Gives up: what was taken so far is released, and `signal.reason` is thrown. */
  signal?: AbortSignal;
}

/** Releases all of it, last taken first. */
class GuardOfAll implements Guard {
  declare readonly [Symbol.dispose]: () => void;
  readonly #guards: Guard[];

  constructor(guards: Guard[]) {
    this.#guards = guards;
  }

  release(): void {
    releaseAll(this.#guards); // and leaves none: a second call finds nothing to release
  }
}
guarding(GuardOfAll.prototype);

/**
 * Takes several locks: all of them, or none.
 *
 * The order in which they are given does not matter, and any number of threads may ask for any sets of them:
 * among `acquireAll()` calls there is no deadlock. A lock may also be held or wanted by plain `acquire()` calls; circles
 * through those are found as always.
 *
 * - **Waits for:** each of the locks to be free, one after the other, blocking the thread.
 * - **Woken by:** the release of the lock that it waits for.
 * - **Returns early:** `undefined` when `timeout` is over, having released what it had taken. Without a
 *   `timeout`, never; a `signal` is looked at before each lock, as no event reaches a blocked thread.
 * - **Ranks:** all are checked before anything is taken; within one call locks of equal rank are fine.
 * - **Cost:** the sum of the single acquires, and sorting.
 *
 * @param locks Locks, RLocks, Conditions (for their lock), Semaphores (one permit), and sides of RWLocks as
 * `{ read: lock }` or `{ write: lock }`. Each record once.
 * @param options `timeout` in ms for all together; `signal`.
 * @returns A guard that releases all of them, last taken first.
 * @throws {TypeError} If something is listed twice, or is no lock.
 * @throws {DeadlockError} If this thread holds one of them already (an RLock nests), or a circle of waits is found.
 * @throws {LockOrderError} If a lock of the same or a higher rank is held; what this thread takes once more, an RLock or
 * a side that it reads, may have any rank.
 * @throws {OwnerDiedError} If a thread died holding one of them.
 * @throws {RangeError} If the timeout is negative or NaN.
 * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
 * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
 *
 * @example Move money between any two accounts
 * ```ts
 * import { acquireAll, Lock } from "@lockstep/lockstep";
 * const checking = new Lock({ name: "checking" });
 * const savings = new Lock({ name: "savings" });
 * const guard = acquireAll([savings, checking]); // others may say [checking, savings]
 * guard.release();
 * ```
 */
export function acquireAll(locks: Iterable<Acquirable>, options?: { signal?: AbortSignal }): Guard;
/** Takes several locks, or none if they are not free in time: then it returns `undefined`. */
export function acquireAll(locks: Iterable<Acquirable>, options: AcquireAllOptions): Guard | undefined;
export function acquireAll(locks: Iterable<Acquirable>, options?: AcquireAllOptions): Guard | undefined {
  const signal = signalOf(options);
  const timeout = timeoutOf(options, Infinity);
  const deadline = deadlineAfter(timeout);
  const items = inOrder(locks);
  signal?.throwIfAborted();
  for (const { ranked, refuseOwn } of items) {
    if (ranked !== undefined) checkRank(ranked, false);
    if (timeout === Infinity) refuseOwn();
  }
  const guards: Guard[] = [];
  const { together } = agent;
  try {
    for (const item of items) {
      signal?.throwIfAborted();
      const guard = timeout === Infinity ? item.take() : item.tryTake({ timeout: remaining(deadline) });
      if (guard === undefined) {
        releaseAll(guards);
        return undefined;
      }
      guards.push(guard);
      together.push(item.record);
    }
  } catch (error) {
    releaseAll(guards);
    throw error;
  } finally {
    together.length = 0;
  }
  return new GuardOfAll(guards);
}

/**
 * Takes several locks without blocking the thread: all of them, or none.
 *
 * - **Waits for:** each of the locks to be free, one after the other.
 * - **Woken by:** the release of the lock that it waits for.
 * - **Returns early:** `undefined` when `timeout` is over; rejects with `signal.reason`. Either way what was
 *   taken is released.
 *
 * Holding one of them already in another task, also of this thread, means waiting for that task.
 *
 * @param locks As for `acquireAll()`.
 * @param options `timeout` in ms for all together; `signal` gives up the wait.
 * @returns A guard that releases all of them, last taken first.
 * @throws {TypeError} If something is listed twice, or is no lock.
 * @throws {LockOrderError} If the thread itself, not a task, holds a lock of the same or a higher rank.
 * @throws {OwnerDiedError} If a thread died holding one of them.
 * @throws {RangeError} If the timeout is negative or NaN.
 * @throws {ThreadStoppedError} If this thread was told to stop.
 *
 * @example Wait where blocking is not allowed
 * ```ts
 * import { acquireAllAsync, Lock, Semaphore } from "@lockstep/lockstep";
 * const table = new Lock({ name: "table" });
 * const files = new Semaphore(8, { name: "files" });
 * const guard = await acquireAllAsync([table, files], { timeout: 1000 });
 * if (guard !== undefined) guard.release();
 * ```
 */
export function acquireAllAsync(locks: Iterable<Acquirable>, options?: { signal?: AbortSignal }): Promise<Guard>;
/** Takes several locks without blocking, or none if they are not free in time: then it gives `undefined`. */
export function acquireAllAsync(locks: Iterable<Acquirable>, options: AcquireAllOptions): Promise<Guard | undefined>;
export async function acquireAllAsync(
  locks: Iterable<Acquirable>,
  options?: AcquireAllOptions,
): Promise<Guard | undefined> {
  const signal = signalOf(options);
  const timeout = timeoutOf(options, Infinity);
  const items = inOrder(locks);
  signal?.throwIfAborted();
  for (const { ranked } of items) if (ranked !== undefined) checkRank(ranked, true);
  const limit = new Limit(signal, timeout);
  const guards: Guard[] = [];
  try {
    for (const item of items) guards.push(await item.takeAsync({ signal: limit.signal }));
    limit.signal.throwIfAborted();
    return new GuardOfAll(guards);
  } catch (error) {
    releaseAll(guards);
    if (limit.over && error === limit.signal.reason) return undefined;
    throw error;
  } finally {
    limit.end();
  }
}

/** A signal that is aborted with another one, or after some time. */
class Limit {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer!.reason);
  #timer: number | undefined;
  /** Whether the time was over before anything else happened. */
  over = false;

  constructor(outer: AbortSignal | undefined, timeout: number) {
    this.#outer = outer;
    outer?.addEventListener("abort", this.#onAbort);
    this.#arm(deadlineAfter(timeout));
  }

  /** A timer holds 2^31 ms at most. */
  #arm(deadline: number): void {
    const left = remaining(deadline);
    if (left === Infinity) return;
    this.#timer = setTimeout(() => {
      if (remaining(deadline) > 0) return this.#arm(deadline);
      if (this.signal.aborted) return;
      this.over = true;
      this.#controller.abort();
    }, Math.min(left, 0x7fffffff)) as unknown as number;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}

/** Releases them, last taken first; all of them, also when one release throws. */
function releaseAll(guards: Guard[]): void {
  let failure: { readonly error: unknown } | undefined;
  for (let guard = guards.pop(); guard !== undefined; guard = guards.pop()) {
    try {
      guard.release();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}
