/**
 * Lock: one holder at a time, among all threads of a program.
 *
 * The record and the proof of why it works are in the header of `_lock_word.ts`.
 *
 * @module
 */

import { checkInteger, checkName, describe, optionsObject, signalOf } from "./_arguments.ts";
import { cas } from "./_atomics.ts";
import { deadlineOf } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle, shareable } from "./_handle.ts";
import { tracking } from "./_held.ts";
import { inspectable } from "./_inspect.ts";
import type { Placement } from "./_layout.ts";
import { holding, holdingAsync, LockGuard } from "./_lock_guard.ts";
import { fillLock, LOCK_BYTES, LockWord, OWNER } from "./_lock_word.ts";
import { createRecord } from "./_memory.ts";
import type { Guard } from "./guard.ts";

/** Options of `new Lock()` and `new RLock()`. */
export interface LockOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** A whole number of 32 bits: while holding it, only locks of a higher rank may be taken. */
  rank?: number;
  /** Taken here and released elsewhere by design: takes no part in the detection of deadlocks. */
  handoff?: boolean;
  /** A place for the record, 64 bytes; by default it has memory of its own. */
  at?: Placement;
}

/** Checks a lock's options. */
export function checkLockOptions(options: LockOptions | undefined): Required<Pick<LockOptions, "name" | "handoff">> & {
  rank: number | undefined;
  at: Placement | undefined;
} {
  const { name = "", rank, handoff = false, at } = optionsObject<LockOptions>(options);
  checkName("a lock", name);
  if (typeof handoff !== "boolean") {
    throw new TypeError(`Cannot make a lock as handoff must be a boolean: it is ${describe(handoff)}`);
  }
  if (rank !== undefined) checkInteger("rank", rank, -0x80000000, 0x7fffffff);
  return { name, rank, handoff, at };
}

let coreOfLock: (lock: Lock) => LockWord;

/** The word and the slow paths of a lock, for Condition and the like. */
export function lockCore(lock: Lock): LockWord {
  return coreOfLock(lock);
}

/**
 * A mutual exclusion lock that threads share. Not re-entrant; any thread may release it.
 *
 * - **Memory:** 64 bytes.
 * - **Cost:** one atomic operation to take it and one to release it, when nobody else wants it.
 * - **Fairness:** a thread that runs may pass those asleep; one that was passed for 10 ms gets the next release.
 * - **Death of the holder:** every acquire throws `OwnerDiedError` until somebody calls `recover()`.
 * - **Algorithm:** a three-state futex mutex with its owner in the word; U. Drepper, "Futexes Are Tricky".
 *
 * @example Two threads take turns
 * ```ts
 * import { Lock } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const lock = new Lock({ name: "accounts" });
 * const guard = lock.acquire();
 * try {
 *   assert(lock.heldByCurrentThread);
 * } finally {
 *   guard.release();
 * }
 * assert.equal(lock.locked, false);
 * ```
 */
export class Lock {
  readonly #core: LockWord;
  readonly #plain: boolean;

  /**
   * Makes a free lock.
   *
   * @param options Its name, rank, place and whether it is handed over.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options?: LockOptions) {
    if (options instanceof LockWord) {
      this.#core = options; // attach
    } else {
      const { name, rank, handoff, at } = checkLockOptions(options);
      const { words, roster } = createRecord("Lock", LOCK_BYTES, at, (words) => fillLock(words, { handoff, rank }));
      this.#core = new LockWord("Lock", words, roster, name);
    }
    this.#plain = this.#core.rank === undefined;
  }

  /**
   * The lock that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a Lock, or damaged.
   */
  static attach(handle: Handle): Lock {
    const { words, roster, name } = openHandle("Lock", handle, LOCK_BYTES);
    return new Lock(new LockWord("Lock", words, roster, name) as LockOptions);
  }

  /** What crosses threads in its place: post it, and `Lock.attach()` it there. */
  get handle(): Handle {
    const { words, roster, name } = this.#core;
    return makeHandle("Lock", words, roster, name);
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

  /**
   * Takes the lock.
   *
   * - **Waits for:** the lock to be free, blocking the thread.
   * - **Woken by:** a release, one waiter for each.
   * - **Returns early:** never.
   * - **Cost:** one atomic operation when the lock is free.
   *
   * @returns A guard for this hold; its `release()` lets go.
   * @throws {DeadlockError} If this thread holds it already, or a closed circle of waits is found.
   * @throws {OwnerDiedError} If the thread that held it died.
   * @throws {LockOrderError} If a lock of the same or a higher rank is held.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Hold it for the rest of the block
   * ```ts
   * import { Lock } from "@lockstep/lockstep";
   * const lock = new Lock();
   * {
   *   using _guard = lock.acquire();
   *   // … nobody else is in here …
   * }
   * ```
   */
  acquire(): Guard {
    const core = this.#core;
    if (this.#plain && !tracking && cas(core.words, OWNER, 0, core.me) === 0) {
      core.local.task = false;
      return new LockGuard(core, core.local.serial = ++core.local.issued);
    }
    core.acquire(Infinity);
    return new LockGuard(core, core.local.serial);
  }

  /**
   * Takes the lock if it can be had in time.
   *
   * - **Waits for:** the lock to be free, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a release.
   * - **Returns early:** `undefined` when the time is over; also when this thread itself holds it all the while.
   *
   * @param options `timeout` in milliseconds, 0 or more; `Infinity` counts as `acquire()`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All else that `acquire()` throws; `DeadlockError` only if the timeout is `Infinity`.
   *
   * @example Do something else instead of waiting
   * ```ts
   * import { Lock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const lock = new Lock();
   * const guard = lock.acquire();
   * assert.equal(lock.tryAcquire({ timeout: 5 }), undefined);
   * guard.release();
   * lock.tryAcquire()!.release();
   * ```
   */
  tryAcquire(options?: { timeout?: number }): Guard | undefined {
    const core = this.#core;
    return core.acquire(deadlineOf(options)) ? new LockGuard(core, core.local.serial) : undefined;
  }

  /**
   * Takes the lock without blocking the thread. Tasks of one thread exclude each other, first come first served.
   *
   * - **Waits for:** the lock to be free.
   * - **Woken by:** a release, one task in each thread.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws {OwnerDiedError} If the thread that held it died.
   * @throws {LockOrderError} If the thread itself, not a task, holds a lock of the same or a higher rank.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Wait where blocking is not allowed
   * ```ts
   * import { Lock } from "@lockstep/lockstep";
   * const lock = new Lock();
   * const guard = await lock.acquireAsync({ signal: AbortSignal.timeout(1000) });
   * guard.release();
   * ```
   */
  acquireAsync(options?: { signal?: AbortSignal }): Promise<Guard> {
    const core = this.#core;
    if (
      options === undefined && this.#plain && !tracking && core.local.line.length === 0 &&
      cas(core.words, OWNER, 0, core.me) === 0
    ) {
      core.local.task = true;
      return Promise.resolve(new LockGuard(core, core.local.serial = ++core.local.issued));
    }
    return this.#acquireAsyncSlow(options);
  }

  async #acquireAsyncSlow(options: { signal?: AbortSignal } | undefined): Promise<Guard> {
    return new LockGuard(this.#core, await this.#core.acquireAsync(signalOf(options)));
  }

  /**
   * Lets go of the lock, whoever holds it; the holder's guard is spent then.
   *
   * @throws {NotHeldError} If it is free.
   * @throws {OwnerDiedError} If its holder died: use `recover()`.
   *
   * @example Release what was acquired elsewhere
   * ```ts
   * import { Lock } from "@lockstep/lockstep";
   * const lock = new Lock({ handoff: true });
   * lock.acquire();
   * lock.release();
   * ```
   */
  release(): void {
    this.#core.releaseAny();
  }

  /**
   * Takes over a lock whose holder died, and clears the mark. Repair what it protects, then release the guard.
   *
   * @returns A guard, or `undefined` when nobody died holding it, or somebody was faster.
   *
   * @example Nothing to recover
   * ```ts
   * import { Lock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new Lock().recover(), undefined);
   * ```
   */
  recover(): Guard | undefined {
    const core = this.#core;
    return core.recover() ? new LockGuard(core, core.local.serial) : undefined;
  }

  /**
   * Runs `body` while holding the lock; lets go when it returns or throws.
   *
   * @throws All that `acquire()` and `body` throw.
   *
   * @example Add under the lock
   * ```ts
   * import { Lock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new Lock().withLock(() => 1 + 1), 2);
   * ```
   */
  withLock<T>(body: () => T): T {
    return holding(this, body);
  }

  /**
   * Runs `body` while holding the lock, without blocking; lets go when its promise settles.
   *
   * @param options `signal` gives up the wait for the lock.
   * @throws All that `acquireAsync()` and `body` throw.
   *
   * @example Hold it across an await
   * ```ts
   * import { Lock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(await new Lock().withLockAsync(async () => await Promise.resolve(3)), 3);
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
    coreOfLock = (lock) => lock.#core;
  }
}
shareable("Lock", Lock.prototype, Lock.attach);
inspectable(Lock.prototype);
