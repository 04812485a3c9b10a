/**
 * Barrier: threads that wait until all of them are there, round after round.
 *
 * The record and the proof of why it works are in the header of `_barrier_round.ts`.
 *
 * @module
 */

import { checkFunction, checkInteger, checkName, optionsObject, signalOf } from "./_arguments.ts";
import { BarrierCore } from "./_barrier_core.ts";
import { barrierBytes, fillBarrier, LEAST_BYTES, MOST_PARTIES } from "./_barrier_round.ts";
import { checkThreads, MOST_THREADS, THREADS } from "./_cells.ts";
import { checkTimeout, deadlineAfter, timeoutOf } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle, shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { Placement } from "./_layout.ts";
import { createRecord } from "./_memory.ts";

/** What belongs to one object for a barrier, and does not cross threads. */
export interface BarrierAttachOptions {
  /**
   * Runs once each round, when all are there and before any `wait()` returns: in the last party to arrive if its object
   * has an action, else in another party whose object has one.
   */
  action?: () => void;
  /** How long `wait()` waits when it is not told, in milliseconds; `Infinity` by default. */
  timeout?: number;
}

/** Options of `new Barrier()`. */
export interface BarrierOptions extends BarrierAttachOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** How many threads may have parties waiting at a time: 64 by default, or the number of parties if that is more. */
  threads?: number;
  /**
   * A place for the record, 112 bytes, 4 for each 32 parties begun and 16 for each of `threads`; by default it has
   * memory of its own.
   */
  at?: Placement;
}

/** Options of `wait()`. */
export interface BarrierWaitOptions {
  /** A time limit in milliseconds, 0 or more, or `Infinity`: when it is over, the barrier breaks for all. */
  timeout?: number;
}

/**
 * A meeting point for a fixed number of parties: each waits until all are there, then all go on. It can be used again
 * at once; a party that comes back early counts for the next round.
 *
 * - **Memory:** 116 bytes and more, and 16 for each of the `threads` that may use it.
 * - **Promise:** each round gives each of 0 … parties - 1 to exactly one party.
 * - **Broken:** by a party whose time is over, by `abort()`, by an action that throws, and by the end of a thread with
 *   a party waiting. Then every wait throws `BrokenBarrierError`, until `reset()`.
 * - **Algorithm:** a counter and a generation, as in CPython's threading.Barrier, without its draining phase.
 *
 * @example Two parties of one thread meet
 * ```ts
 * import { Barrier } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const barrier = new Barrier(2, { action: () => console.log("both are here") });
 * const places = await Promise.all([barrier.waitAsync(), barrier.waitAsync()]);
 * assert.deepEqual(places.sort(), [0, 1]);
 * ```
 */
export class Barrier {
  readonly #core: BarrierCore;
  readonly #action: (() => void) | undefined;
  readonly #timeout: number;

  /**
   * Makes a barrier.
   *
   * @param parties How many have to arrive, 1 or more.
   * @param options Its action, time limit, name, how many threads may use it, and its place.
   * @throws {RangeError} If parties is less than 1 or no whole number, or the timeout is negative or NaN.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(parties: number, options?: BarrierOptions) {
    const given: unknown = parties; // attach
    const { action, timeout, name = "", threads, at } = optionsObject<BarrierOptions>(options);
    if (action !== undefined) checkFunction("a Barrier's action", action);
    this.#action = action;
    if (given instanceof BarrierCore) {
      this.#core = given;
      this.#timeout = checkTimeout(timeout, given.timeout);
      return;
    }
    const count = checkInteger("parties", parties, 1, MOST_PARTIES);
    this.#timeout = checkTimeout(timeout, Infinity);
    checkName("a Barrier", name);
    const cells = threads === undefined ? Math.min(Math.max(THREADS, count), MOST_THREADS) : checkThreads(threads);
    const { words, roster } = createRecord(
      "Barrier",
      barrierBytes(count, cells),
      at,
      (words) => fillBarrier(words, count, cells, this.#timeout),
    );
    this.#core = new BarrierCore(words, roster, name);
  }

  /**
   * The barrier that a handle stands for. The time limit given to its constructor holds here too; an action does not
   * cross threads, and may be given anew.
   *
   * @throws {LayoutError} If it is no handle of a Barrier, or damaged.
   *
   * @example The action runs in the party whose object has one
   * ```ts
   * import { Barrier } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const { handle } = new Barrier(1);
   * let rounds = 0;
   * Barrier.attach(handle, { action: () => rounds++ }).wait();
   * assert.equal(rounds, 1);
   * ```
   */
  static attach(handle: Handle, options?: BarrierAttachOptions): Barrier {
    const { words, roster, name } = openHandle("Barrier", handle, LEAST_BYTES);
    const { action, timeout } = optionsObject<BarrierAttachOptions>(options);
    return new Barrier(new BarrierCore(words, roster, name) as never, { action, timeout } as BarrierOptions);
  }

  /** What crosses threads in its place: post it, and `Barrier.attach()` it there. */
  get handle(): Handle {
    const { words, roster, name } = this.#core;
    return makeHandle("Barrier", words, roster, name);
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** How many parties make a round. */
  get parties(): number {
    return this.#core.parties;
  }

  /** How many parties wait in the present round, at this moment; 0 when it is broken. */
  get waiting(): number {
    return this.#core.waiting;
  }

  /** Whether it is broken: every wait throws, until `reset()`. */
  get broken(): boolean {
    return this.#core.broken;
  }

  /**
   * Arrives, and waits for the other parties.
   *
   * - **Waits for:** the last party to arrive, and the action, blocking the thread.
   * - **Woken by:** the end of the round, everybody at once.
   * - **Returns early:** never; when the time is over, the barrier breaks for all parties. The time does not count
   *   while all are there and the action runs. It does for a party that comes meanwhile, too early for the next round:
   *   when its time is over it leaves with `BrokenBarrierError`, the others pass, and then the barrier is broken.
   *
   * @param options `timeout` in milliseconds; by default that of the constructor.
   * @returns This party's place in the round: each of 0 … parties - 1 is given once.
   * @throws {BrokenBarrierError} If the barrier is or gets broken, or its round was ended by `reset()`.
   * @throws {RangeError} If the timeout is negative or NaN, or more threads wait than its option `threads` says.
   * @throws {DeadlockError} If it is called by the action.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits; the barrier breaks for the others.
   *
   * @example A barrier for one never waits
   * ```ts
   * import { Barrier } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new Barrier(1).wait(), 0);
   * ```
   */
  wait(options?: BarrierWaitOptions): number {
    return this.#core.wait(deadlineAfter(timeoutOf(options, this.#timeout)), this.#action);
  }

  /**
   * Arrives, and waits for the other parties without blocking the thread.
   *
   * - **Waits for:** the last party to arrive, and the action.
   * - **Woken by:** the end of the round.
   * - **Returns early:** rejects with `signal.reason`; then this party counts as not arrived, and the others go on waiting.
   *   When the time is over, the barrier breaks for all parties.
   *
   * @param options `signal` withdraws the party; `timeout` in milliseconds, by default that of the constructor.
   * @returns This party's place in the round: each of 0 … parties - 1 is given once.
   * @throws {BrokenBarrierError} If the barrier is or gets broken, or its round was ended by `reset()`.
   * @throws {RangeError} If the timeout is negative or NaN, or more threads wait than its option `threads` says.
   * @throws {ThreadStoppedError} If this thread was told to stop; the barrier breaks for the others.
   *
   * @example Leave again
   * ```ts
   * import { Barrier } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const barrier = new Barrier(2);
   * await barrier.waitAsync({ signal: AbortSignal.timeout(5) }).catch(() => {});
   * assert.equal(barrier.waiting, 0);
   * assert.equal(barrier.broken, false);
   * ```
   */
  async waitAsync(options?: BarrierWaitOptions & { signal?: AbortSignal }): Promise<number> {
    const deadline = deadlineAfter(timeoutOf(options, this.#timeout));
    const signal = signalOf(options);
    signal?.throwIfAborted();
    return await this.#core.waitAsync(deadline, this.#action, signal);
  }

  /**
   * Breaks the barrier: all who wait, and all who come later, get `BrokenBarrierError`.
   *
   * @example Nobody passes any more
   * ```ts
   * import { Barrier } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const barrier = new Barrier(1);
   * barrier.abort();
   * assert.throws(() => barrier.wait(), { code: "broken-barrier" });
   * ```
   */
  abort(): void {
    this.#core.abort();
  }

  /**
   * Makes it as good as new; those who wait at this moment get `BrokenBarrierError`.
   *
   * @example After an abort
   * ```ts
   * import { Barrier } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const barrier = new Barrier(1);
   * barrier.abort();
   * barrier.reset();
   * assert.equal(barrier.wait(), 0);
   * ```
   */
  reset(): void {
    this.#core.reset();
  }

  /** What printing it shows: class, name and state. */
  toString(): string {
    return this.#core.toString();
  }
}
shareable("Barrier", Barrier.prototype, Barrier.attach);
inspectable(Barrier.prototype);
