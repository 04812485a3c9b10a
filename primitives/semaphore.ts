/**
 * Semaphore: a number of permits, taken one by one, among all threads of a program; and BoundedSemaphore, whose
 * permits never grow in number.
 *
 * The record and the proof of why it works are in the header of `_permits_state.ts`.
 *
 * @module
 */

import { checkInteger, checkName, optionsObject, signalOf } from "./_arguments.ts";
import { checkThreads } from "./_cells.ts";
import { deadlineOf } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle, shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { Kind, Placement } from "./_layout.ts";
import { createRecord } from "./_memory.ts";
import { Permits } from "./_permits.ts";
import { fillPermits, LEAST_BYTES, MOST_PERMITS, permitsBytes } from "./_permits_state.ts";
import type { Guard } from "./guard.ts";

/** Options of `new Semaphore()` and `new BoundedSemaphore()`. */
export interface SemaphoreOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** How many threads may hold permits or wait for one at a time: 64 by default. One more gets a `RangeError`. */
  threads?: number;
  /** A place for the record, `64 + 16 × threads` bytes; by default it has memory of its own. */
  at?: Placement;
}

type SemaphoreKind = Kind & ("Semaphore" | "BoundedSemaphore");

function create(kind: SemaphoreKind, value: unknown, options: unknown): Permits {
  const permits = checkInteger("value", value, 0, MOST_PERMITS);
  const { name = "", threads, at } = optionsObject<SemaphoreOptions>(options);
  checkName("a semaphore", name);
  const count = checkThreads(threads);
  const bound = kind === "BoundedSemaphore" ? permits : MOST_PERMITS;
  const { words, roster } = createRecord(
    kind,
    permitsBytes(count),
    at,
    (words) => fillPermits(words, permits, bound, count),
  );
  return new Permits(kind, words, roster, name);
}

function open(kind: SemaphoreKind, handle: Handle): Permits {
  const { words, roster, name } = openHandle(kind, handle, LEAST_BYTES);
  return new Permits(kind, words, roster, name);
}

/**
 * A counter of permits that threads share: taking one waits while there is none.
 *
 * - **Memory:** 64 bytes, and 16 for each of the `threads` that may use it.
 * - **Cost:** four atomic operations to take a permit and four to give it back, when no one waits.
 * - **Fairness:** a thread that runs may pass those asleep; one that was passed for 10 ms gets the next permit.
 * - **Death of a thread:** the permits come back that a thread held when it exited, threw or was stopped. One that another
 *   thread has given back in its place, by a plain `release()`, does not come back a second time. What a thread still
 *   holds when its target returns stays taken, as in Python: anybody's `release()` gives it back.
 * - **Guards and plain `release()`** mix in any way. For whom a `release()` was by a thread that holds nothing itself, others'
 *   guards show when they give back theirs. Who dies before that without having given back counts as the one it was for:
 *   so rather than that a permit comes back twice, one may stay away until the end of the thread that it was really for.
 * - **Algorithm:** E. W. Dijkstra's counting semaphore, sleeping on the counter as on a futex.
 *
 * @example At most two at a time
 * ```ts
 * import { Semaphore } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const seats = new Semaphore(2, { name: "seats" });
 * const guard = seats.acquire();
 * try {
 *   assert.equal(seats.value, 1);
 * } finally {
 *   guard.release();
 * }
 * assert.equal(seats.value, 2);
 * ```
 */
export class Semaphore {
  readonly #core: Permits;

  /**
   * Makes a semaphore.
   *
   * @param value How many permits there are at the start, 0 or more; 1 by default.
   * @param options Its name, how many threads may use it, and its place.
   * @throws {RangeError} If the value is negative, or no whole number.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(value: number = 1, options?: SemaphoreOptions) {
    const given: unknown = value; // attach, and BoundedSemaphore
    this.#core = given instanceof Permits ? given : create("Semaphore", value, options);
  }

  /**
   * The semaphore that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a Semaphore, or damaged.
   */
  static attach(handle: Handle): Semaphore {
    return new Semaphore(open("Semaphore", handle) as never);
  }

  /** What crosses threads in its place: post it, and `attach()` it there. */
  get handle(): Handle {
    const { kind, words, roster, name } = this.#core;
    return makeHandle(kind, words, roster, name);
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** How many permits are free, at this moment. */
  get value(): number {
    return this.#core.value;
  }

  /**
   * Takes a permit.
   *
   * - **Waits for:** a free permit, blocking the thread.
   * - **Woken by:** a release, one waiter for each permit, and the end of a thread that held some.
   * - **Returns early:** never.
   * - **Cost:** four atomic operations when a permit is free.
   *
   * @returns A guard for this permit; its `release()` gives it back, once.
   * @throws {RangeError} If more threads use the semaphore than its option `threads` says.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Hold it for the rest of the block
   * ```ts
   * import { Semaphore } from "@lockstep/lockstep";
   * const files = new Semaphore(16);
   * {
   *   using _permit = files.acquire();
   *   // … at most 16 threads are in here …
   * }
   * ```
   */
  acquire(): Guard {
    return this.#core.acquire(Infinity)!;
  }

  /**
   * Takes a permit if one can be had in time.
   *
   * - **Waits for:** a free permit, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a release.
   * - **Returns early:** `undefined` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more; `Infinity` counts as `acquire()`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All else that `acquire()` throws.
   *
   * @example Two seats for three
   * ```ts
   * import { Semaphore } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const seats = new Semaphore(2);
   * assert(seats.tryAcquire());
   * assert(seats.tryAcquire());
   * assert.equal(seats.tryAcquire({ timeout: 5 }), undefined);
   * ```
   */
  tryAcquire(options?: { timeout?: number }): Guard | undefined {
    return this.#core.acquire(deadlineOf(options));
  }

  /**
   * Takes a permit without blocking the thread. Tasks of one thread are served in the order in which they asked.
   *
   * - **Waits for:** a free permit.
   * - **Woken by:** a release, one task in each thread.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws {RangeError} If more threads use the semaphore than its option `threads` says.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Wait where blocking is not allowed
   * ```ts
   * import { Semaphore } from "@lockstep/lockstep";
   * const seats = new Semaphore(2);
   * const permit = await seats.acquireAsync({ signal: AbortSignal.timeout(1000) });
   * permit.release();
   * ```
   */
  async acquireAsync(options?: { signal?: AbortSignal }): Promise<Guard> {
    return await this.#core.acquireAsync(signalOf(options));
  }

  /**
   * Adds permits, whoever took them, and wakes as many waiters. Permits that this thread holds count as given back
   * first, then those that threads have left behind, then those of other threads; beyond these the number of permits grows.
   *
   * A guard taken from a Semaphore still gives one permit back when it is released, as in Python. The guard of
   * a BoundedSemaphore whose permit was given back here is spent. If it may have been one of several, the guards that are
   * released first are good, and those for which no permit is left are spent.
   *
   * @param n How many, 1 or more; 1 by default.
   * @throws {RangeError} If n is less than 1 or no whole number, or the value would exceed 2^31 - 1, or the start
   * value of a BoundedSemaphore; the value stays as it is.
   *
   * @example Let three in
   * ```ts
   * import { Semaphore } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const gate = new Semaphore(0);
   * gate.release(3);
   * assert.equal(gate.value, 3);
   * ```
   */
  release(n: number = 1): void {
    this.#core.release(checkInteger("n", n, 1, MOST_PERMITS));
  }

  /** What printing it shows: class, name and value. */
  toString(): string {
    return this.#core.toString();
  }
}
shareable("Semaphore", Semaphore.prototype, Semaphore.attach);
inspectable(Semaphore.prototype);

/**
 * A Semaphore whose value never exceeds its start value: to give back more than was taken is an error.
 *
 * @example A release too many
 * ```ts
 * import { BoundedSemaphore } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const seats = new BoundedSemaphore(2);
 * seats.acquire().release();
 * assert.throws(() => seats.release(), RangeError);
 * assert.equal(seats.value, 2);
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  /**
   * Makes a bounded semaphore.
   *
   * @param value How many permits there are, 0 or more; 1 by default.
   * @param options Its name, how many threads may use it, and its place.
   * @throws {RangeError} If the value is negative, or no whole number.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(value: number = 1, options?: SemaphoreOptions) {
    const given: unknown = value; // attach
    super((given instanceof Permits ? given : create("BoundedSemaphore", value, options)) as never);
  }

  /**
   * The bounded semaphore that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a BoundedSemaphore, or damaged.
   */
  static override attach(handle: Handle): BoundedSemaphore {
    return new BoundedSemaphore(open("BoundedSemaphore", handle) as never);
  }
}
shareable("BoundedSemaphore", BoundedSemaphore.prototype, BoundedSemaphore.attach);
