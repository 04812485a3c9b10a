/**
 * Latch: a count that threads bring down to zero, and others wait for.
 *
 * @module
 */

// Memory layout: Latch, 16 words (64 bytes, align 64).
//
//   word  name    written by      meaning
//   0 1 2 TAG ID  creator, once   see _layout.ts
//   3     COUNT   any thread      bits 0-29  COUNT_MASK   what is left to count down
//                                 bit  31    WAITERS_BIT  somebody waits for zero, or gave up waiting
//   4 - 15 spare, zero
//
// COUNT as { count, waiters }:
//   { n, 0 }  closed; nobody is asleep
//   { n, 1 }  closed; somebody is asleep on it, or about to be, or gave up
//   { 0, 0 }  open, for ever
//   { 0, 1 }  never: the last countDown() clears both at once
//
// Transitions:
//   { n, w } -> { n - k, w }   countDown(k), k < n    cas
//   { n, w } -> { 0, 0 }       countDown(n)           cas; if w, wake all
//   { n, 0 } -> { n, 1 }       before sleeping        cas
//
// Invariants:
//   1. Somebody sleeps on COUNT only with the whole value that was compared, WAITERS_BIT set. A change to another
//      count wakes nobody and need not: only zero is waited for.
//   2. COUNT never goes up.
//
// Publication: each cas in countDown() publishes every plain write made before it.
// One word for blocking and async waiters, as they are always woken all together.

import { checkInteger, checkName, optionsObject, signalOf } from "./_arguments.ts";
import type { Words } from "./_atomics.ts";
import { cas, load, store } from "./_atomics.ts";
import { deadlineOf, POLL } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle, shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { Placement } from "./_layout.ts";
import { FIRST } from "./_layout.ts";
import { AsyncLine } from "./_line.ts";
import { localOf } from "./_local.ts";
import { createRecord } from "./_memory.ts";
import type { Roster } from "./_roster.ts";
import { spinUntil } from "./_spin.ts";
import type { Wanted } from "./_wait.ts";
import { BlockedWait, checkStop, title, waitAsync } from "./_wait.ts";

const LATCH_BYTES = 64;
const COUNT = FIRST;
const COUNT_MASK = 0x3fffffff;
const WAITERS_BIT = 0x80000000 | 0;

/** Options of `new Latch()`. */
export interface LatchOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** A place for the record, 64 bytes; by default it has memory of its own. */
  at?: Placement;
}

/** One latch as this agent sees it. */
class LatchWord implements Wanted {
  readonly kind = "Latch";
  readonly verb = "wait";
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  readonly line: AsyncLine;

  constructor(words: Words, roster: Roster, name: string) {
    this.words = words;
    this.roster = roster;
    this.name = name;
    this.line = localOf(words, () => new AsyncLine());
  }

  owners(): readonly number[] {
    return []; // anybody may count down
  }

  get count(): number {
    return load(this.words, COUNT) & COUNT_MASK;
  }

  /** Marks it as waited for; returns the value to sleep on, 0 when it is open. */
  mark(): number {
    for (;;) {
      const seen = load(this.words, COUNT);
      if ((seen & COUNT_MASK) === 0) return 0;
      const marked = seen | WAITERS_BIT;
      if (seen === marked || cas(this.words, COUNT, seen, marked) === seen) return marked;
    }
  }
}

/**
 * A gate that opens once a count has come down to zero, and stays open: Java's CountDownLatch, Go's
 * WaitGroup for work whose amount is known.
 *
 * - **Memory:** 64 bytes.
 * - **Cost:** one atomic operation to count down or to pass; one wake-up for all, only if somebody waits.
 * - **Death:** a waiter that dies disturbs nobody; what a dead thread did not count down stays to be counted.
 *
 * @example Wait for three parts of a job
 * ```ts
 * import { Latch } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const done = new Latch(3);
 * for (let part = 0; part < 3; part++) setTimeout(() => done.countDown(), part);
 * await done.waitAsync();
 * assert.equal(done.count, 0);
 * ```
 */
export class Latch {
  readonly #core: LatchWord;

  /**
   * Makes a latch that is closed, or open if the count is 0.
   *
   * @param count How often it has to be counted down: a whole number from 0 to 2^30 - 1.
   * @param options Its name and place.
   * @throws {RangeError} If the count is negative, too large or no whole number.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(count: number, options?: LatchOptions) {
    if (options instanceof LatchWord) {
      this.#core = options; // attach
      return;
    }
    checkInteger("count", count, 0, COUNT_MASK);
    const { name = "", at } = optionsObject<LatchOptions>(options);
    checkName("a Latch", name);
    const { words, roster } = createRecord("Latch", LATCH_BYTES, at, (words) => store(words, COUNT, count));
    this.#core = new LatchWord(words, roster, name);
  }

  /**
   * The latch that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a Latch, or damaged.
   */
  static attach(handle: Handle): Latch {
    const { words, roster, name } = openHandle("Latch", handle, LATCH_BYTES);
    return new Latch(0, new LatchWord(words, roster, name) as LatchOptions);
  }

  /** What crosses threads in its place: post it, and `Latch.attach()` it there. */
  get handle(): Handle {
    const { words, roster, name } = this.#core;
    return makeHandle("Latch", words, roster, name);
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** How much is left to count down, at this moment; it never goes up. */
  get count(): number {
    return this.#core.count;
  }

  /**
   * Counts down, and frees everybody who waits when it reaches zero. Never waits, and may be called from anywhere.
   *
   * @param n By how much: a whole number of at least 1.
   * @throws {RangeError} If less than `n` is left; the count is unchanged then.
   *
   * @example Count several parts at once
   * ```ts
   * import { Latch } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const latch = new Latch(5);
   * latch.countDown(3);
   * assert.equal(latch.count, 2);
   * ```
   */
  countDown(n = 1): void {
    checkInteger("n", n, 1, COUNT_MASK);
    const { words, roster } = this.#core;
    for (;;) {
      const seen = load(words, COUNT);
      const left = seen & COUNT_MASK;
      if (n > left) {
        throw new RangeError(`Cannot count ${title("Latch", this.name)} down by ${n} as less is left: ${left}`);
      }
      if (cas(words, COUNT, seen, n === left ? 0 : seen - n) !== seen) continue;
      if (n === left && seen < 0) roster.parker.unpark(words, COUNT, Infinity);
      return;
    }
  }

  /**
   * Waits until the count is zero.
   *
   * - **Waits for:** the count to reach zero, blocking the thread; not at all once it has.
   * - **Woken by:** the last `countDown()`, everybody at once.
   * - **Returns early:** never.
   *
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Open from the start
   * ```ts
   * import { Latch } from "@lockstep/lockstep";
   * new Latch(0).wait();
   * ```
   */
  wait(): void {
    this.#wait(Infinity);
  }

  /**
   * Waits until the count is zero, if that happens in time.
   *
   * - **Waits for:** the count to reach zero, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** the last `countDown()`, everybody at once.
   * - **Returns early:** `false` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `wait()` throws.
   *
   * @example A bounded wait
   * ```ts
   * import { Latch } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new Latch(1).tryWait({ timeout: 5 }), false);
   * ```
   */
  tryWait(options?: { timeout?: number }): boolean {
    return this.#wait(deadlineOf(options));
  }

  #wait(deadline: number): boolean {
    const core = this.#core;
    if (core.count === 0) return true;
    if (deadline === POLL) return false;
    if (spinUntil(() => core.count === 0)) return true;
    const wait = BlockedWait.begin(core, deadline);
    try {
      for (;;) {
        const marked = core.mark();
        if (marked === 0) return true;
        if (wait.expired) return false;
        wait.park(core.words, COUNT, marked);
      }
    } finally {
      wait.end();
    }
  }

  /**
   * Waits until the count is zero, without blocking the thread.
   *
   * - **Waits for:** the count to reach zero.
   * - **Woken by:** the last `countDown()`, everybody at once.
   * - **Returns early:** rejects with `signal.reason`.
   *
   * @param options `signal` gives up the wait.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Give up after a second
   * ```ts
   * import { Latch } from "@lockstep/lockstep";
   * const latch = new Latch(1);
   * setTimeout(() => latch.countDown(), 5);
   * await latch.waitAsync({ signal: AbortSignal.timeout(1000) });
   * ```
   */
  async waitAsync(options?: { signal?: AbortSignal }): Promise<void> {
    const core = this.#core;
    const signal = signalOf(options);
    signal?.throwIfAborted();
    if (core.count === 0) return;
    checkStop(core);
    await core.line.enter(signal);
    try {
      await waitAsync(core, () => {
        const expected = core.mark();
        if (expected === 0) return { done: true, value: undefined };
        return { done: false, sleep: { words: core.words, index: COUNT, expected } };
      }, { signal });
    } finally {
      core.line.leave();
    }
  }

  /** What printing it shows: class, name and state. */
  toString(): string {
    const { count } = this;
    return `${title("Latch", this.name)} (${count === 0 ? "open" : `${count} left`})`;
  }
}
shareable("Latch", Latch.prototype, Latch.attach);
inspectable(Latch.prototype);
