// Memory layout: a lobby inside a record, 3 words from `base` on. All zero = nobody waits.
//
//   word  name    written by            meaning
//   0     BELL    waiters and changers  bit 0      WAITING_BIT  threads are asleep, or about to be, or gave up a moment ago:
//                                                               the next change owes a wake-up
//                                       bit 1      ALL_BIT      they need different things: waking one may wake the wrong one
//                                       bits 2-31  counts wake-ups, wraps, only compared; blocked waiters sleep on the word
//   1     GATE    changers              counts wake-ups while TASKS is not 0, wraps, only compared; async waiters sleep on it
//   2     TASKS   async waiters         how many agents have an async waiter; those that died still count (costs, never harms)
//
// Where threads wait until a condition holds that many threads can bring about or take away: a message is there, there is
// room. The condition itself stands elsewhere in the record; a changer first changes it, then looks at BELL.
//
// Invariants:
//   1. A blocked waiter sleeps only on a BELL that it has seen with WAITING_BIT set before it looked at the condition; an
//      async one only on the GATE that it read before that, and after it was counted in TASKS.
//   2. A changer that sees WAITING_BIT after its change clears it, counts, and wakes: `count` blocked waiters (all with
//      ALL_BIT), and every async one.
//   3. Whoever was asleep sets WAITING_BIT again before it looks at the condition, so it is set when it goes on, sleeps again
//      or gives up: those who sleep behind it are not forgotten.
//   4. Whoever was asleep and goes on or gives up, looks whether another could go on too (readyForOthers, where others may
//      do with less than it needs), and then wakes it: several changes may have found the bit cleared by the first of them.
//
// Why no wake-up is lost: by 1 and 2 the last change before a sleep is either seen by the waiter or sees the bit. A wake-up
// that goes to a thread that can run is passed on by 3 and 4. One that went to a thread that died is made good by the slice:
// every sleeper looks again by itself. And once threads are known to have died, the next wake-up goes to all, which flushes
// the dead that some engines keep among the sleepers.
// Why two words: unpark(BELL, 1) has to reach a thread that can run; an async waiter's event loop may be busy.

import type { Words } from "./_atomics.ts";
import { add, cas, load } from "./_atomics.ts";
import { now } from "./_deadline.ts";
import { PATIENCE } from "./_heir.ts";
import type { AsyncLine } from "./_line.ts";
import type { Roster } from "./_roster.ts";
import { spinUntil } from "./_spin.ts";
import type { Attempt, Wanted } from "./_wait.ts";
import { BlockedWait, waitAsync } from "./_wait.ts";

/** Words of a lobby. */
export const LOBBY_WORDS = 3;
const GATE = 1;
const TASKS = 2;

const WAITING_BIT = 1;
const ALL_BIT = 2;
const BITS = 3;
const ONE_BELL = 4;

/** What an attempt gives when it has to wait. */
export const NOT_YET: unique symbol = Symbol("not yet");

/** What somebody waits for. */
export interface LobbyCondition<T> {
  readonly wanted: Wanted;
  /** Whether waiters need different things, as a message that is larger than another's; attempt() may change it. */
  readonly all: boolean;
  /** One try; NOT_YET when it has to wait. Whatever it throws ends the wait. */
  attempt(): T | typeof NOT_YET;
  /** Whether a try may be worth it, for spinning and to wake those behind: a cheap look that never throws. */
  ready(): boolean;
  /** Whether a try of some other waiter may be worth it, where that is not the same. */
  readyForOthers?(): boolean;
  /** The longest sleep, in ms, where that is shorter than usual; attempt() may change it. */
  readonly atMost?: number;
  /** Called by a waiter that was woken in vain after PATIENCE ms, each time: sees to it that it is not passed for ever. */
  insist?(task: boolean): void;
  /** Called at the end of a wait in which it insisted. */
  relent?(task: boolean): void;
}

/** The waiting room of one condition of a record. */
export class Lobby {
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #base: number;
  #deaths: number;

  /** The lobby at word `base` of a record. */
  constructor(words: Words, roster: Roster, base: number) {
    this.#words = words;
    this.#roster = roster;
    this.#base = base;
    this.#deaths = roster.deaths;
  }

  /** Whether somebody waits here, or gave up since it was last woken. */
  get waiting(): boolean {
    return (load(this.#words, this.#base) & WAITING_BIT) !== 0;
  }

  /** Wakes waiters, if there are any, after a change that lets `count` of them go on. */
  wake(count: number): void {
    if ((load(this.#words, this.#base) & WAITING_BIT) !== 0) this.#wakeSlow(count);
  }

  #wakeSlow(count: number): void {
    const words = this.#words;
    const base = this.#base;
    const { parker, deaths } = this.#roster;
    for (;;) {
      const seen = load(words, base);
      if ((seen & WAITING_BIT) === 0) return; // somebody was faster, and whom it woke wakes others
      if (cas(words, base, seen, (seen & ~BITS) + ONE_BELL) !== seen) continue;
      parker.unpark(words, base, (seen & ALL_BIT) !== 0 || deaths !== this.#deaths ? Infinity : count);
      this.#deaths = deaths;
      break;
    }
    if (load(words, base + TASKS) === 0) return;
    add(words, base + GATE, 1);
    parker.unpark(words, base + GATE, Infinity);
  }

  #passesOn<T>(condition: LobbyCondition<T>): boolean {
    return condition.readyForOthers?.() ?? condition.ready();
  }

  /** Announces a waiter; returns the BELL to sleep on. */
  #announce(all: boolean): number {
    const words = this.#words;
    const base = this.#base;
    const bits = all ? BITS : WAITING_BIT;
    for (;;) {
      const seen = load(words, base);
      if ((seen & bits) === bits || cas(words, base, seen, seen | bits) === seen) return seen | bits;
    }
  }

  /** Blocks the thread until an attempt succeeds, or returns NOT_YET once the deadline is over. */
  wait<T>(condition: LobbyCondition<T>, deadline: number): T | typeof NOT_YET {
    if (spinUntil(condition.ready)) {
      const result = condition.attempt();
      if (result !== NOT_YET) return result;
    }
    const wait = BlockedWait.begin(condition.wanted, deadline);
    let slept = false;
    let passed = false;
    let insists = false;
    try {
      for (;;) {
        if (passed && wait.elapsed > PATIENCE) {
          insists = true;
          condition.insist?.(false);
        }
        const { all } = condition;
        const bell = this.#announce(all); // before the look at the condition (invariants 1 and 3)
        const result = condition.attempt();
        if (result !== NOT_YET) return result;
        if (wait.expired) return NOT_YET;
        if (condition.all !== all) continue; // it has learnt what it waits for
        slept = true;
        wait.park(this.#words, this.#base, bell, condition.atMost);
        passed = load(this.#words, this.#base) !== bell;
      }
    } finally {
      wait.end();
      if (insists) condition.relent?.(false);
      if (slept && this.#passesOn(condition)) this.wake(1); // invariant 4
    }
  }

  /** Resolves when an attempt succeeds; rejects with what it throws, or with `signal.reason`. One task after the other. */
  async waitAsync<T>(
    condition: LobbyCondition<T>,
    line: AsyncLine,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (line.length === 0) {
      const result = condition.attempt();
      if (result !== NOT_YET) return result;
    }
    await line.enter(signal);
    try {
      return await this.#sleepAsync(condition, signal);
    } finally {
      line.leave();
    }
  }

  #sleepAsync<T>(condition: LobbyCondition<T>, signal: AbortSignal | undefined): Promise<T> {
    const words = this.#words;
    const base = this.#base;
    let counted = false;
    let since = 0;
    let insists = false;
    const leave = (): void => {
      if (counted) add(words, base + TASKS, -1);
      counted = false;
      if (insists) condition.relent?.(true);
      insists = false;
    };
    const attempt = (): Attempt<T> => {
      if (!counted) add(words, base + TASKS, 1);
      const slept = counted;
      counted = true;
      if (!slept) since = now();
      else if (now() - since > PATIENCE) {
        insists = true;
        condition.insist?.(true);
      }
      for (;;) {
        const { all } = condition;
        const gate = load(words, base + GATE); // both before the look at the condition (invariants 1 and 3)
        this.#announce(all);
        const result = condition.attempt();
        if (result === NOT_YET) {
          if (condition.all !== all) continue;
          return { done: false, sleep: { words, index: base + GATE, expected: gate, ...limit(condition.atMost) } };
        }
        leave();
        if (slept && this.#passesOn(condition)) this.wake(1); // invariant 4
        return { done: true, value: result };
      }
    };
    const giveUp = (): void => {
      leave();
      if (this.#passesOn(condition)) this.wake(1); // invariant 4
    };
    return waitAsync(condition.wanted, attempt, { signal, onGiveUp: giveUp });
  }
}

function limit(atMost: number | undefined): { atMost?: number } {
  return atMost === undefined ? {} : { atMost };
}
