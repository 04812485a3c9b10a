/**
 * Condition: waiting under a lock until somebody says that something has changed.
 *
 * The record and the proof of why it works are in the header of `_grants.ts`, the steps of a wait in that of
 * `_condition_core.ts`.
 *
 * @module
 */

import { checkInteger, describe, optionsObject, signalOf } from "./_arguments.ts";
import type { ConditionOptions } from "./_condition_core.ts";
import { ConditionCore } from "./_condition_core.ts";
import { deadlineOf, remaining } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { Guard } from "./guard.ts";
import type { Lock } from "./lock.ts";
import type { RLock } from "./rlock.ts";

export type { ConditionOptions } from "./_condition_core.ts";

/** Options of `waitAsync()` and `waitForAsync()`. */
export interface ConditionWaitOptions {
  /** The guard of the hold that the wait lets go of: checked to stand, and good again after the wait. */
  guard?: Guard;
  /** Gives up the wait. */
  signal?: AbortSignal;
}

/**
 * Waits under a lock until another thread has changed something and says so.
 *
 * A wait lets go of the lock, however deep an RLock is held, sleeps until it is notified, and takes the lock
 * back before it returns or throws. It returns for a notification and for nothing else.
 *
 * - **Memory:** 128 bytes, 32 for each of the `threads` that may wait at a time, and 64 for a lock of its own.
 * - **Cost:** a notify that finds nobody reads one word for each thread that has ever waited.
 * - **Order:** none promised; about first come first served among the threads, those that can run before those that
 *   are blocked elsewhere.
 * - **Death:** what was granted to a waiter that died goes to a living one.
 *
 * @example Wait for a task without blocking
 * ```ts
 * import { Condition } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const changed = new Condition();
 * let ready = false;
 * const waiting = changed.withLockAsync(() => changed.waitForAsync(() => ready));
 * await changed.withLockAsync(() => {
 *   ready = true;
 *   assert.equal(changed.notify(), 1);
 * });
 * await waiting;
 * ```
 */
export class Condition {
  readonly #core: ConditionCore;

  /**
   * Makes a condition.
   *
   * @param lock The lock that it works under; an RLock of its own by default.
   * @param options Its name, how many threads may wait, and its place.
   * @throws {TypeError} If the lock is neither a Lock nor an RLock.
   * @throws {RangeError} If `threads` is less than 1, more than 4096 or no whole number.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(lock?: Lock | RLock, options?: ConditionOptions) {
    const given: unknown = lock; // attach
    this.#core = given instanceof ConditionCore ? given : ConditionCore.create(lock, options);
  }

  /**
   * The condition that a handle stands for, over the same lock.
   *
   * @throws {LayoutError} If it is no handle of a Condition, or damaged.
   */
  static attach(handle: Handle): Condition {
    return new Condition(ConditionCore.open(handle) as never);
  }

  /** What crosses threads in its place: post it, and `Condition.attach()` it there. It carries the lock. */
  get handle(): Handle {
    return this.#core.handle;
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** The lock that it works under. */
  get lock(): Lock | RLock {
    return this.#core.lock;
  }

  /** Whether anybody holds the lock, at this moment: `lock.locked`. */
  get locked(): boolean {
    return this.lock.locked;
  }

  /** The id of the thread that holds the lock, at this moment: `lock.owner`. */
  get owner(): number | undefined {
    return this.lock.owner;
  }

  /** Whether the calling thread, or one of its tasks, holds the lock: `lock.heldByCurrentThread`. */
  get heldByCurrentThread(): boolean {
    return this.lock.heldByCurrentThread;
  }

  /** Takes the lock, blocking the thread: `lock.acquire()`. */
  acquire(): Guard {
    return this.lock.acquire();
  }

  /** Takes the lock if it can be had in time: `lock.tryAcquire()`. */
  tryAcquire(options?: { timeout?: number }): Guard | undefined {
    return this.lock.tryAcquire(options);
  }

  /** Takes the lock without blocking the thread: `lock.acquireAsync()`. */
  acquireAsync(options?: { signal?: AbortSignal }): Promise<Guard> {
    return this.lock.acquireAsync(options);
  }

  /** Lets go of the lock: `lock.release()`. */
  release(): void {
    this.lock.release();
  }

  /** Takes over the lock from a thread that died: `lock.recover()`. */
  recover(): Guard | undefined {
    return this.lock.recover();
  }

  /** Runs `body` while holding the lock: `lock.withLock()`. A `waitAsync()` in there ends with it: see `withLockAsync()`. */
  withLock<T>(body: () => T): T {
    return this.lock.withLock(body);
  }

  /** Runs `body` while holding the lock, without blocking: `lock.withLockAsync()`. */
  withLockAsync<T>(body: () => T | PromiseLike<T>, options?: { signal?: AbortSignal }): Promise<T> {
    return this.lock.withLockAsync(body, options);
  }

  /**
   * Lets go of the lock, waits to be notified, and takes the lock back.
   *
   * - **Waits for:** a notification, then for the lock, blocking the thread.
   * - **Woken by:** `notify()` and `notifyAll()`.
   * - **Returns early:** never.
   *
   * @throws {NotHeldError} If this thread does not hold the lock.
   * @throws {OwnerDiedError} If a thread died holding the lock; only then, and on a deadlock, it is not held again.
   * @throws {RangeError} If more threads wait than the option `threads` says.
   * @throws {BlockingUnavailableError} If this thread may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Wait inside a loop, as what one waits for may be gone again
   * ```ts
   * import { Condition, SharedValue } from "@lockstep/lockstep";
   * const condition = new Condition();
   * const jobs = new SharedValue("i32", 1);
   * condition.withLock(() => {
   *   while (jobs.value === 0) condition.wait();
   *   jobs.sub(1);
   * });
   * ```
   */
  wait(): void {
    this.#core.wait(Infinity);
  }

  /**
   * The same with a time limit for the notification.
   *
   * - **Waits for:** a notification, at most `timeout` ms (by default not at all), then for the lock however
   *   long that takes, blocking the thread.
   * - **Woken by:** `notify()` and `notifyAll()`.
   * - **Returns early:** `false` when the time is over, the lock held again.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `wait()` throws.
   *
   * @example A bounded wait
   * ```ts
   * import { Condition } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const condition = new Condition();
   * condition.withLock(() => assert.equal(condition.tryWait({ timeout: 5 }), false));
   * ```
   */
  tryWait(options?: { timeout?: number }): boolean {
    return this.#core.wait(deadlineOf(options));
  }

  /**
   * Lets go of the lock, waits to be notified without blocking the thread, and takes the lock back.
   *
   * - **Waits for:** a notification, then for the lock.
   * - **Woken by:** `notify()` and `notifyAll()`.
   * - **Returns early:** rejects with `signal.reason`, once the lock is held again. Rejects with `NotHeldError` as soon
   *   as the guard of the hold is released, by the end of a scope that the wait outlives: then it takes nothing, and what
   *   was granted to it goes to another waiter.
   *
   * @param options `signal` gives up the wait; `guard` is checked to hold the lock.
   * @throws {TypeError} If the guard is none of a lock.
   * @throws {NotHeldError} If this thread, or the guard, does not hold the lock, or the guard is released meanwhile.
   * @throws {OwnerDiedError} If a thread died holding the lock; only then it is not held again.
   * @throws {RangeError} If more threads wait than the option `threads` says.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example The guard is good again afterwards
   * ```ts
   * import { Condition } from "@lockstep/lockstep";
   * const condition = new Condition();
   * const guard = await condition.acquireAsync();
   * setTimeout(() => condition.withLock(() => condition.notify()), 5);
   * await condition.waitAsync({ guard });
   * guard.release();
   * ```
   */
  async waitAsync(options?: ConditionWaitOptions): Promise<void> {
    const signal = signalOf(options);
    const core = this.#core;
    await core.waitAsync(core.holdOf(optionsObject<ConditionWaitOptions>(options).guard), signal);
  }

  /**
   * Waits until the predicate is true, testing it first and after each notification, with the lock held.
   *
   * - **Waits for:** notifications, blocking the thread; not at all if the predicate is true.
   * - **Woken by:** `notify()` and `notifyAll()`.
   * - **Returns early:** never; what the predicate throws comes out, with the lock held.
   *
   * @throws {NotHeldError} If this thread does not hold the lock, even if the predicate is true.
   * @throws {TypeError} If the predicate is no function, or returns a promise: `waitForAsync()` takes those.
   * @throws All else that `wait()` and the predicate throw.
   *
   * @example True already
   * ```ts
   * import { Condition } from "@lockstep/lockstep";
   * const condition = new Condition();
   * condition.withLock(() => condition.waitFor(() => true));
   * ```
   */
  waitFor(predicate: () => unknown): void {
    this.#waitFor(predicate, Infinity);
  }

  /**
   * The same with one time limit for all of it.
   *
   * - **Waits for:** notifications, at most `timeout` ms in all (by default not at all), blocking the thread.
   * - **Woken by:** `notify()` and `notifyAll()`.
   * - **Returns early:** `false` when the time is over and the predicate is still false.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `waitFor()` throws.
   *
   * @example One test, no wait
   * ```ts
   * import { Condition } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const condition = new Condition();
   * condition.withLock(() => assert.equal(condition.tryWaitFor(() => false), false));
   * ```
   */
  tryWaitFor(predicate: () => unknown, options?: { timeout?: number }): boolean {
    return this.#waitFor(predicate, deadlineOf(options));
  }

  #waitFor(predicate: () => unknown, deadline: number): boolean {
    const core = this.#core;
    checkPredicate(predicate);
    core.checkHeld("wait on");
    for (;;) {
      const answer = predicate();
      if (isThenable(answer)) {
        throw new TypeError(`Cannot wait on ${core.title} as the predicate returned a promise: use waitForAsync()`);
      }
      if (answer) return true;
      if (remaining(deadline) <= 0) return false;
      core.wait(deadline);
    }
  }

  /**
   * Waits until the predicate is true, without blocking the thread. The predicate may return a promise: the
   * lock is held until that settles.
   *
   * - **Waits for:** notifications, and the lock after each.
   * - **Woken by:** `notify()` and `notifyAll()`.
   * - **Returns early:** rejects with `signal.reason`, once the lock is held again; with `NotHeldError` as soon as the
   *   guard of the hold is released.
   *
   * @param options As for `waitAsync()`.
   * @throws {TypeError} If the guard is none of a lock, or the predicate no function.
   * @throws {NotHeldError} If this thread, or the guard, does not hold the lock, even if the predicate is true, or the
   * guard is released meanwhile.
   * @throws All else that `waitAsync()` and the predicate throw.
   *
   * @example True already
   * ```ts
   * import { Condition } from "@lockstep/lockstep";
   * const condition = new Condition();
   * await condition.withLockAsync(() => condition.waitForAsync(() => true));
   * ```
   */
  async waitForAsync(predicate: () => unknown, options?: ConditionWaitOptions): Promise<void> {
    const core = this.#core;
    checkPredicate(predicate);
    const signal = signalOf(options);
    const { guard } = optionsObject<ConditionWaitOptions>(options);
    const hold = core.holdOf(guard);
    signal?.throwIfAborted();
    for (;;) {
      const answer = predicate();
      if (isThenable(answer)) {
        const met = await answer;
        core.checkHold(hold);
        if (met) return;
      } else if (answer) return;
      await core.waitAsync(hold, signal);
      core.checkHold(hold); // before the predicate sees what the lock protects
    }
  }

  /**
   * Wakes waiters: exactly `n` of them, or all if fewer wait. They go on once the lock is free. Never waits for
   * them, and is not stored: with nobody waiting it does nothing.
   *
   * @param n How many, 0 or more; 1 by default.
   * @returns How many were woken.
   * @throws {NotHeldError} If this thread does not hold the lock.
   * @throws {RangeError} If `n` is negative or no whole number.
   *
   * @example Nobody waits
   * ```ts
   * import { Condition } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const condition = new Condition();
   * condition.withLock(() => assert.equal(condition.notify(3), 0));
   * ```
   */
  notify(n = 1): number {
    checkInteger("n", n, 0, Number.MAX_SAFE_INTEGER);
    return this.#core.notify(n);
  }

  /**
   * Wakes everybody who waits at this moment.
   *
   * @returns How many were woken.
   * @throws {NotHeldError} If this thread does not hold the lock.
   */
  notifyAll(): number {
    return this.#core.notify(Infinity);
  }

  /** What printing it shows: class, name, how many wait, and the lock. */
  toString(): string {
    const { title, grants, lock } = this.#core;
    return `${title} (${grants.waiting} waiting) over ${lock}`;
  }
}
shareable("Condition", Condition.prototype, Condition.attach);
inspectable(Condition.prototype);

function checkPredicate(predicate: unknown): void {
  if (typeof predicate === "function") return;
  throw new TypeError(`Cannot wait as the predicate must be a function: it is ${describe(predicate)}`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}
