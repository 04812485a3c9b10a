/**
 * Event: a flag that threads wait for.
 *
 * @module
 */

// Memory layout: Event, 16 words (64 bytes, align 64). TAG set, the rest zero = unset.
//
//   word  name    written by      meaning
//   0 1 2 TAG ID  creator, once   see _layout.ts
//   3     STATE   any thread      bit  0      SET_BIT      the event is set
//                                 bit  1      WAITERS_BIT  the next set() owes a wake-up
//                                 bits 2-31   generation: counts the times it was set, wraps
//   4 - 15 spare, zero
//
// STATE as { generation, waiters, set }:
//   { g, 0, 0 }  unset; nobody is asleep
//   { g, 1, 0 }  unset; somebody is asleep on it, or about to be, or gave up since it was last set
//   { g, 0, 1 }  set; those who slept have been woken or are about to be
//   { g, 1, 1 }  never: set() clears WAITERS_BIT, and nobody marks a set event
//
// Transitions:
//   { g, w, 0 } -> { g + 1, 0, 1 }  set()               cas; if w, wake all
//   { g, w, 1 } -> { g, w, 0 }      clear()             one atomic and
//   { g, 0, 0 } -> { g, 1, 0 }      before sleeping     cas
//
// Invariants:
//   1. Somebody sleeps on STATE only with the whole value that was compared, WAITERS_BIT set.
//   2. The generation changes only in set(). So a waiter that finds another one than at its start may go,
//      whatever was cleared meanwhile; and one that finds the same, unset, has to go on waiting.
//
// Publication: the cas in set() publishes every plain write made before it.
// One word for blocking and async waiters: they are always woken all together, so none can take another's wake-up.
// A waiter that gives up or dies may leave WAITERS_BIT behind: the next set() wakes nobody, and clears it.

import { checkName, optionsObject, signalOf } from "./_arguments.ts";
import type { Words } from "./_atomics.ts";
import { and, cas, load } from "./_atomics.ts";
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

const EVENT_BYTES = 64;
const STATE = FIRST;
const SET_BIT = 1;
const WAITERS_BIT = 2;
const ONE_GENERATION = 4;
const GENERATION_MASK = ~3;

/** Options of `new Event()`. */
export interface EventOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** A place for the record, 64 bytes; by default it has memory of its own. */
  at?: Placement;
}

/** One event as this agent sees it. */
class EventWord implements Wanted {
  readonly kind = "Event";
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
    return []; // anybody may set it
  }

  /** Whether a waiter that came at this state may go now (invariant 2). */
  passed(came: number): boolean {
    const seen = load(this.words, STATE);
    return (seen & SET_BIT) !== 0 || (seen & GENERATION_MASK) !== (came & GENERATION_MASK);
  }

  /** Marks it as waited for; returns the value to sleep on, 0 when there is nothing to wait for any more. */
  mark(came: number): number {
    for (;;) {
      const seen = load(this.words, STATE);
      if ((seen & SET_BIT) !== 0 || (seen & GENERATION_MASK) !== (came & GENERATION_MASK)) return 0;
      const marked = seen | WAITERS_BIT;
      if (seen === marked || cas(this.words, STATE, seen, marked) === seen) return marked;
    }
  }
}

/**
 * A flag that is set or unset. Waiting passes at once while it is set, and else until somebody sets it.
 * The web has an `Event` too: import this one.
 *
 * - **Memory:** 64 bytes.
 * - **Cost:** one atomic operation to set, to clear or to pass; one wake-up for all, only if somebody waits.
 * - **Promise:** `set()` frees everybody who was waiting, also when `clear()` follows at once; and nothing else does.
 * - **Death:** a waiter that dies disturbs nobody.
 *
 * @example Wait for a start signal
 * ```ts
 * import { Event } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const ready = new Event();
 * const waiting = ready.waitAsync();
 * ready.set();
 * await waiting;
 * assert(ready.isSet);
 * ```
 */
export class Event {
  readonly #core: EventWord;

  /**
   * Makes an unset event.
   *
   * @param options Its name and place.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options?: EventOptions) {
    if (options instanceof EventWord) {
      this.#core = options; // attach
      return;
    }
    const { name = "", at } = optionsObject<EventOptions>(options);
    checkName("an Event", name);
    const { words, roster } = createRecord("Event", EVENT_BYTES, at);
    this.#core = new EventWord(words, roster, name);
  }

  /**
   * The event that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of an Event, or damaged.
   */
  static attach(handle: Handle): Event {
    const { words, roster, name } = openHandle("Event", handle, EVENT_BYTES);
    return new Event(new EventWord(words, roster, name) as EventOptions);
  }

  /** What crosses threads in its place: post it, and `Event.attach()` it there. */
  get handle(): Handle {
    const { words, roster, name } = this.#core;
    return makeHandle("Event", words, roster, name);
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** Whether it is set, at this moment. */
  get isSet(): boolean {
    return (load(this.#core.words, STATE) & SET_BIT) !== 0;
  }

  /**
   * Sets it, and frees everybody who waits. Does nothing when it is set already. Never waits, and may be
   * called from anywhere.
   *
   * @example Setting twice is setting once
   * ```ts
   * import { Event } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const event = new Event();
   * event.set();
   * event.set();
   * assert(event.tryWait());
   * ```
   */
  set(): void {
    const { words, roster } = this.#core;
    for (;;) {
      const seen = load(words, STATE);
      if ((seen & SET_BIT) !== 0) return;
      const next = ((seen & GENERATION_MASK) + ONE_GENERATION) | SET_BIT;
      if (cas(words, STATE, seen, next) !== seen) continue;
      if ((seen & WAITERS_BIT) !== 0) roster.parker.unpark(words, STATE, Infinity);
      return;
    }
  }

  /**
   * Unsets it; later waits wait again. Who was freed by a `set()` before stays free.
   *
   * @example Use it again
   * ```ts
   * import { Event } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const event = new Event();
   * event.set();
   * event.clear();
   * assert.equal(event.tryWait({ timeout: 5 }), false);
   * ```
   */
  clear(): void {
    and(this.#core.words, STATE, ~SET_BIT);
  }

  /**
   * Waits until it is set.
   *
   * - **Waits for:** the event to be set, blocking the thread; not at all while it is set.
   * - **Woken by:** `set()`, everybody at once.
   * - **Returns early:** never.
   *
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Already set
   * ```ts
   * import { Event } from "@lockstep/lockstep";
   * const event = new Event();
   * event.set();
   * event.wait();
   * ```
   */
  wait(): void {
    this.#wait(Infinity);
  }

  /**
   * Waits until it is set, if that happens in time.
   *
   * - **Waits for:** the event to be set, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** `set()`, everybody at once.
   * - **Returns early:** `false` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `wait()` throws.
   *
   * @example A bounded wait
   * ```ts
   * import { Event } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new Event().tryWait({ timeout: 5 }), false);
   * ```
   */
  tryWait(options?: { timeout?: number }): boolean {
    return this.#wait(deadlineOf(options));
  }

  #wait(deadline: number): boolean {
    const core = this.#core;
    const came = load(core.words, STATE);
    if ((came & SET_BIT) !== 0) return true;
    if (deadline === POLL) return false;
    if (spinUntil(() => core.passed(came))) return true;
    const wait = BlockedWait.begin(core, deadline);
    try {
      for (;;) {
        const marked = core.mark(came);
        if (marked === 0) return true;
        if (wait.expired) return false;
        wait.park(core.words, STATE, marked);
      }
    } finally {
      wait.end();
    }
  }

  /**
   * Waits until it is set, without blocking the thread.
   *
   * - **Waits for:** the event to be set.
   * - **Woken by:** `set()`, everybody at once.
   * - **Returns early:** rejects with `signal.reason`.
   *
   * @param options `signal` gives up the wait.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Give up after a second
   * ```ts
   * import { Event } from "@lockstep/lockstep";
   * const event = new Event();
   * setTimeout(() => event.set(), 5);
   * await event.waitAsync({ signal: AbortSignal.timeout(1000) });
   * ```
   */
  async waitAsync(options?: { signal?: AbortSignal }): Promise<void> {
    const core = this.#core;
    const signal = signalOf(options);
    signal?.throwIfAborted();
    const came = load(core.words, STATE); // now, not when its turn in the line has come
    if ((came & SET_BIT) !== 0) return;
    checkStop(core);
    await core.line.enter(signal);
    try {
      await waitAsync(core, () => {
        const expected = core.mark(came);
        if (expected === 0) return { done: true, value: undefined };
        return { done: false, sleep: { words: core.words, index: STATE, expected } };
      }, { signal });
    } finally {
      core.line.leave();
    }
  }

  /** What printing it shows: class, name and state. */
  toString(): string {
    return `${title("Event", this.name)} (${this.isSet ? "set" : "unset"})`;
  }
}
shareable("Event", Event.prototype, Event.attach);
inspectable(Event.prototype);
