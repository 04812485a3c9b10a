// Memory layout: a monitor inside a record, 2 + 2 n words from `base` on. All zero = free.
//
//   word        name     written by    meaning
//   base        HOLDER   any thread    bits 0-29 id of the thread inside, 0 = none; bit 31: others may be asleep on it
//   base + 1    COMMIT   the holder    how many entries of JOURNAL still have to be carried out; 0 = none
//   base + 2 …  JOURNAL  the holder    n pairs of word index (in the record) and value
//
// The internal lock of everything whose state is more than one word. A thread may die at any instruction inside;
// so changes are written into the journal first, committed by one store, then carried out, then the commit is
// cleared. Whoever finds the holder dead takes its place and carries out what was committed: the change happened
// wholly, or not at all.
//
// HOLDER, COMMIT as a pair:
//   0, 0     free
//   t, 0     t is inside; what it has journalled so far means nothing
//   t, n     t has committed: the n entries are carried out, by t or by who finds t dead
//   0, n     never: COMMIT is cleared before HOLDER
//
// Invariants:
//   1. The words that a monitor guards change only between commit() and the next store of 0 to COMMIT, or in one store, or
//      in writes that mean nothing once their thread is dead.
//   2. Carrying out a journal twice gives the same as once: entries are values, not differences.
//   3. Nobody waits inside, and nobody calls user code inside: it is held for about a microsecond.
//   4. A thread sleeps on HOLDER only with bit 31 set; who was asleep enters with bit 31 set.
//
// So a thread that may not block (a browser's main thread) turns in a loop instead of sleeping.
// A dead holder's wake-ups may be lost: every sleeper looks up after a slice, and takeOver() tells the primitive.
//
// A thread that runs out of stack inside is cut off there by a RangeError, and lives on. What it has left is mended as
// if it had died, by itself: whenever it next enters any monitor or begins to wait.
//
// A monitor may be entered from inside another one of the same record, always in the same order (_ring.ts), and is left first.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { cas, load, pause, store, write } from "./_atomics.ts";
import { now } from "./_deadline.ts";
import { mayBlock } from "./_park.ts";
import type { Roster } from "./_roster.ts";
import { spinUntil } from "./_spin.ts";
import { LayoutError } from "./errors.ts";

const HOLDER_MASK = 0x3fffffff;
const SLEEPERS_BIT = 0x80000000 | 0;
const COMMIT = 1;
const JOURNAL = 2;

/** The longest sleep before looking whether the holder still lives, in ms. */
const GLANCE = 5;
/** ms of waiting after which a holder that lives, yet never leaves, shows that the record is damaged. */
const DAMAGED = 10_000;

/** How many words a monitor with a journal of that many entries takes. */
export function monitorWords(entries: number): number {
  return JOURNAL + 2 * entries;
}

/** The internal lock of a record whose changes survive the death of whoever makes them. */
export class Monitor {
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #base: number;
  readonly #entries: number;
  readonly #me: number;
  #staged = 0;
  /** What the journal holds, as words and values by turns: it is written to memory for others, who find this thread dead. */
  readonly #changes: number[] = [];
  #outer: Monitor | undefined = undefined;
  /** Whether the journal is being carried out. */
  #carrying = false;
  /** Called inside, after the place of a dead thread was taken and its changes are complete. */
  takeOver: (() => void) | undefined = undefined;

  /** The monitor of a record, at word `base`, with room for that many changes at once. */
  constructor(words: Words, roster: Roster, base: number, entries: number) {
    this.#words = words;
    this.#roster = roster;
    this.#base = base;
    this.#entries = entries;
    this.#me = roster.me;
  }

  /** Goes inside; a few instructions later, leave(). From inside another monitor, that one is `outer`. */
  enter(outer?: Monitor): void {
    if (agent.inside !== outer) mendMonitor();
    this.#outer = outer;
    agent.inside = this; // before it is so: a call may be cut off at its very start
    if (cas(this.#words, this.#base, 0, this.#me) !== 0) this.#enterSlow();
    this.#staged = 0;
  }

  /** Does for itself what others would do if it had died inside; likewise in the monitors around. */
  mend(): void {
    const outer = this.#outer;
    this.#mendThis();
    outer?.mend();
  }

  #mendThis(): void {
    if ((load(this.#words, this.#base) & HOLDER_MASK) === this.#me) {
      try {
        this.#takePlace();
        this.leave();
      } catch (error) {
        if (!(error instanceof LayoutError)) throw error;
        // Damaged: whoever uses the record is told so, and this agent goes on with others.
      }
    } else {
      agent.inside = this.#outer;
      this.#outer = undefined;
    }
  }

  /** The monitors entered from inside this one, in which the stack ended. */
  #mendInner(): void {
    for (let inner = agent.inside; inner !== undefined && inner !== this; inner = agent.inside) {
      (inner as Monitor).#mendThis();
    }
  }

  /** In the place of a holder that died, or was cut off: completes what it had committed. */
  #takePlace(): void {
    try {
      this.#redo();
      this.takeOver?.();
    } catch (error) {
      if (error instanceof LayoutError) this.leave(); // nobody can do more for a damaged record
      throw error;
    }
  }

  #enterSlow(): void {
    const words = this.#words;
    const base = this.#base;
    const me = this.#me;
    if (spinUntil(() => load(words, base) === 0 && cas(words, base, 0, me) === 0)) return;
    const sleeps = mayBlock();
    let time = now();
    let waited = 0; // for this holder; a look takes no longer than a glance: the whole program may have been stopped in between
    let last = 0;
    for (let slept = 0;;) {
      const seen = load(words, base);
      if (seen === 0) {
        if (cas(words, base, 0, me | slept) === 0) return;
        continue;
      }
      const holder = seen & HOLDER_MASK;
      if (holder === 0 || !this.#roster.alive(holder)) {
        if (cas(words, base, seen, me | SLEEPERS_BIT) !== seen) continue;
        return this.#takePlace();
      }
      if (holder !== last) waited = 0;
      last = holder;
      const before = time;
      time = now();
      waited += Math.min(time - before, GLANCE);
      if (holder === me || waited > DAMAGED) {
        agent.inside = this.#outer;
        this.#outer = undefined;
        throw new LayoutError(
          `Cannot use this record as it is damaged: its internal lock is held by thread ${holder} and never released`,
        );
      }
      if (!sleeps) {
        for (let i = 0; i < 64; i++) pause();
        continue;
      }
      if (seen >= 0 && cas(words, base, seen, seen | SLEEPERS_BIT) !== seen) continue;
      this.#roster.parker.park(words, base, seen | SLEEPERS_BIT, GLANCE);
      slept = SLEEPERS_BIT;
    }
  }

  /** Adds a change to the journal: it shows after commit(). */
  set(index: number, value: number): void {
    if (this.#staged === this.#entries) throw new Error(`Bug in Monitor: more than ${this.#entries} changes at once`);
    const entry = 2 * this.#staged++;
    const at = this.#base + JOURNAL + entry;
    write(this.#words, at, index); // commit() publishes it
    write(this.#words, at + 1, value);
    this.#changes[entry] = index;
    this.#changes[entry + 1] = value;
  }

  /** Makes all changes of the journal happen, wholly or not at all. More may follow. */
  commit(): void {
    const words = this.#words;
    const changes = this.#changes;
    const staged = this.#staged;
    this.#staged = 0;
    if (staged === 0) return;
    if (staged === 1) return store(words, changes[0]!, changes[1]!); // one store is whole by itself
    this.#carrying = true;
    store(words, this.#base + COMMIT, staged);
    for (let i = 0; i < 2 * staged; i += 2) write(words, changes[i]!, changes[i + 1]!);
    store(words, this.#base + COMMIT, 0); // publishes them, to those outside in no order
    this.#carrying = false;
  }

  // What a dead holder had committed; any bytes may stand there.
  #redo(): void {
    const words = this.#words;
    const first = this.#base + JOURNAL;
    const count = Math.min(load(words, this.#base + COMMIT) >>> 0, this.#entries);
    for (let i = 0; i < count; i++) {
      const index = load(words, first + 2 * i);
      if (index > 2 && index < words.length) store(words, index, load(words, first + 2 * i + 1));
    }
    store(words, this.#base + COMMIT, 0);
    this.#carrying = false;
  }

  /** Goes outside. What was not committed is forgotten. */
  leave(): void {
    if (agent.inside !== this) this.#mendInner();
    if (this.#carrying) this.#redo(); // cut off in commit(), and not so deep any more
    const words = this.#words;
    if (cas(words, this.#base, this.#me, 0) !== this.#me) {
      store(words, this.#base, 0);
      this.#roster.parker.unpark(words, this.#base, 1);
    }
    agent.inside = this.#outer;
    this.#outer = undefined;
  }
}

/** Mends the monitor in which this agent was cut off, if there is one. Only outside of all monitors. */
export function mendMonitor(): void {
  (agent.inside as Monitor | undefined)?.mend(); // which leaves it undefined
}
