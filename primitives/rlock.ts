/**
 * RLock: a lock that the thread which holds it may take again.
 *
 * The record and the proof of why it works are in the header of `_lock_word.ts`; the depth is the
 * holder's own business and stands in its agent, not in shared memory.
 *
 * @module
 */

import { signalOf } from "./_arguments.ts";
import { cas } from "./_atomics.ts";
import { deadlineOf } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle, shareable } from "./_handle.ts";
import { tracking } from "./_held.ts";
import { inspectable } from "./_inspect.ts";
import { holding, holdingAsync, LockGuard } from "./_lock_guard.ts";
import { fillLock, LOCK_BYTES, LockWord, OWNER } from "./_lock_word.ts";
import { createRecord } from "./_memory.ts";
import type { Guard } from "./guard.ts";
import type { LockOptions } from "./lock.ts";
import { checkLockOptions } from "./lock.ts";

/** Options of `new RLock()`: those of a Lock, save `handoff`, as only its owner may release an RLock. */
export type RLockOptions = Omit<LockOptions, "handoff">;

let coreOfRLock: (lock: RLock) => LockWord;

/** The word and the slow paths of a lock, for Condition and the like. */
export function rlockCore(lock: RLock): LockWord {
  return coreOfRLock(lock);
}

/**
 * A mutual exclusion lock that its owner, a thread, may take again and again; it is free when every
 * level has been given back. Only the owner may release it.
 *
 * Held through `acquireAsync()` it belongs to that one guard: other tasks of the same thread wait, a
 * blocking `acquire()` there throws `DeadlockError`, and so nothing nests across an `await` by accident.
 *
 * - **Memory:** 64 bytes.
 * - **Cost:** one atomic operation to take it and one to release it, when nobody else wants it; a nested
 *   level costs as much to take and nothing to release.
 * - **Fairness:** a thread that runs may pass those asleep; one that was passed for 10 ms gets the next release.
 * - **Death of the holder:** every acquire throws `OwnerDiedError` until somebody calls `recover()`.
 *
 * @example A function that locks may call another one that locks
 * ```ts
 * import { RLock } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const lock = new RLock();
 * const outer = lock.acquire();
 * const inner = lock.acquire();
 * assert.equal(lock.depth, 2);
 * inner.release();
 * outer.release();
 * assert.equal(lock.locked, false);
 * ```
 */
export class RLock {
  readonly #core: LockWord;
  readonly #plain: boolean;

  /**
   * Makes a free lock.
   *
   * @param options Its name, rank and place.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options?: RLockOptions) {
    if (options instanceof LockWord) {
      this.#core = options; // attach
    } else {
      const { name, rank, handoff, at } = checkLockOptions(options);
      if (handoff) {
        throw new TypeError("Cannot make an RLock with handoff as only its owner may release it: use a Lock");
      }
      const { words, roster } = createRecord("RLock", LOCK_BYTES, at, (words) => fillLock(words, { handoff, rank }));
      this.#core = new LockWord("RLock", words, roster, name);
    }
    this.#plain = this.#core.rank === undefined;
  }

  /**
   * The lock that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of an RLock, or damaged.
   */
  static attach(handle: Handle): RLock {
    const { words, roster, name } = openHandle("RLock", handle, LOCK_BYTES);
    return new RLock(new LockWord("RLock", words, roster, name) as RLockOptions);
  }

  /** What crosses threads in its place: post it, and `RLock.attach()` it there. */
  get handle(): Handle {
    const { words, roster, name } = this.#core;
    return makeHandle("RLock", words, roster, name);
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** Whether anybody holds it, at this moment. */
  get locked(): boolean {
    return this.#core.owner !== 0;
  }

  /** The id of the thread that holds it, at this moment. */
  get owner(): number | undefined {
    return this.#core.owner || undefined;
  }

  /** Whether the calling thread, or one of its tasks, holds it. */
  get heldByCurrentThread(): boolean {
    return this.#core.mine;
  }

  /** How many levels the calling thread holds: 0 in every thread but the owner. */
  get depth(): number {
    const core = this.#core;
    return core.mine ? Math.max(core.local.depth, 1) : 0;
  }

  /**
   * Takes the lock, or one level more of it.
   *
   * - **Waits for:** the lock to be free, blocking the thread; not at all in the thread that owns it.
   * - **Woken by:** the release of the last level, one waiter for each.
   * - **Returns early:** never.
   * - **Cost:** one atomic operation when the lock is free or nested.
   *
   * @returns A guard for this level; its `release()` gives it back.
   * @throws {DeadlockError} If a task of this thread holds it, or a closed circle of waits is found.
   * @throws {OwnerDiedError} If the thread that held it died.
   * @throws {LockOrderError} If a lock of the same or a higher rank is held.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Hold it for the rest of the block
   * ```ts
   * import { RLock } from "@lockstep/lockstep";
   * const lock = new RLock();
   * {
   *   using _outer = lock.acquire();
   *   using _inner = lock.acquire();
   * }
   * ```
   */
  acquire(): Guard {
    const core = this.#core;
    if (this.#plain && !tracking && cas(core.words, OWNER, 0, core.me) === 0) {
      const { local } = core;
      local.task = false;
      local.depth = 1;
      return new LockGuard(core, local.serial = ++local.issued);
    }
    if (!core.nest()) core.acquire(Infinity);
    return new LockGuard(core, core.local.serial);
  }

  /**
   * Takes the lock, or one level more of it, if it can be had in time.
   *
   * - **Waits for:** the lock to be free, at most `timeout` ms (by default not at all), blocking the
   *   thread; not at all in the thread that owns it.
   * - **Woken by:** the release of the last level.
   * - **Returns early:** `undefined` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more; `Infinity` counts as `acquire()`.
   * @throws {RangeError} If the timeout is negative or NaN, also when the level could be had at once.
   * @throws All else that `acquire()` throws; `DeadlockError` only if the timeout is `Infinity`.
   *
   * @example Do something else instead of waiting
   * ```ts
   * import { RLock } from "@lockstep/lockstep";
   * const guard = new RLock().tryAcquire({ timeout: 50 });
   * if (guard !== undefined) guard.release();
   * ```
   */
  tryAcquire(options?: { timeout?: number }): Guard | undefined {
    const deadline = deadlineOf(options); // checks them, also where there is nothing to wait for
    const core = this.#core;
    return core.nest() || core.acquire(deadline) ? new LockGuard(core, core.local.serial) : undefined;
  }

  /**
   * Takes the lock without blocking the thread, for this task alone: it never nests.
   *
   * - **Waits for:** the lock to be free, also of holds of the same thread and of its other tasks.
   * - **Woken by:** the release of the last level, one task in each thread.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws {OwnerDiedError} If the thread that held it died.
   * @throws {LockOrderError} If the thread itself, not a task, holds a lock of the same or a higher rank.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Tasks of one thread take turns
   * ```ts
   * import { RLock } from "@lockstep/lockstep";
   * const lock = new RLock();
   * const guard = await lock.acquireAsync();
   * guard.release(); // only the guard lets go of it: lock.release() would throw
   * ```
   */
  acquireAsync(options?: { signal?: AbortSignal }): Promise<Guard> {
    const core = this.#core;
    const { local } = core;
    if (
      options === undefined && this.#plain && !tracking && local.line.length === 0 &&
      cas(core.words, OWNER, 0, core.me) === 0
    ) {
      local.task = true;
      local.depth = 1;
      return Promise.resolve(new LockGuard(core, local.serial = ++local.issued));
    }
    return this.#acquireAsyncSlow(options);
  }

  async #acquireAsyncSlow(options: { signal?: AbortSignal } | undefined): Promise<Guard> {
    return new LockGuard(this.#core, await this.#core.acquireAsync(signalOf(options)));
  }

  /**
   * Gives back one level; the lock is free after the last one.
   *
   * @throws {NotHeldError} If the calling thread does not hold it, or holds it through `acquireAsync()`.
   * @throws {OwnerDiedError} If its holder died: use `recover()`.
   *
   * @example Without guards
   * ```ts
   * import { RLock } from "@lockstep/lockstep";
   * const lock = new RLock();
   * lock.acquire();
   * lock.release();
   * ```
   */
  release(): void {
    this.#core.releaseOwn();
  }

  /**
   * Takes over a lock whose holder died, and clears the mark. Repair what it protects, then release the guard.
   *
   * @returns A guard, at depth 1, or `undefined` when nobody died holding it, or somebody was faster.
   *
   * @example Nothing to recover
   * ```ts
   * import { RLock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new RLock().recover(), undefined);
   * ```
   */
  recover(): Guard | undefined {
    const core = this.#core;
    return core.recover() ? new LockGuard(core, core.local.serial) : undefined;
  }

  /**
   * Runs `body` while holding the lock; gives the level back when it returns or throws.
   *
   * @throws All that `acquire()` and `body` throw.
   *
   * @example Nested scopes
   * ```ts
   * import { RLock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const lock = new RLock();
   * assert.equal(lock.withLock(() => lock.withLock(() => lock.depth)), 2);
   * ```
   */
  withLock<T>(body: () => T): T {
    return holding(this, body);
  }

  /**
   * Runs `body` while holding the lock, without blocking; lets go when its promise settles. It does not nest.
   *
   * @param options `signal` gives up the wait for the lock.
   * @throws All that `acquireAsync()` and `body` throw.
   *
   * @example Hold it across an await
   * ```ts
   * import { RLock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(await new RLock().withLockAsync(async () => await Promise.resolve(3)), 3);
   * ```
   */
  withLockAsync<T>(body: () => T | PromiseLike<T>, options?: { signal?: AbortSignal }): Promise<T> {
    return holdingAsync(this, body, options);
  }

  /** What printing it shows: class, name and state. */
  toString(): string {
    return this.#core.toString();
  }

  static {
    coreOfRLock = (lock) => lock.#core;
  }
}
shareable("RLock", RLock.prototype, RLock.attach);
inspectable(RLock.prototype);
