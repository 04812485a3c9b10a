// Memory layout: cells inside a record, `count` times `size` words from `base` on. All zero = nobody.
//
//   cell word  name    written by                meaning
//   0          THREAD  its thread, or a reaper   id of the thread that the cell belongs to, 0 = none
//   1 …        -       as the primitive says     what that thread holds or waits for, as counts
//
// What a thread holds or waits for in a primitive stands in a cell that names it,
// not in an anonymous counter: so what a dead thread held can be given back, and
// what it waited for can go to another. Cells are claimed and reaped inside the
// record's monitor. An idle cell (all counts zero) may be claimed by another
// thread, so a cell is looked up again on each use.

import { checkInteger } from "./_arguments.ts";
import type { Words } from "./_atomics.ts";
import { read, store } from "./_atomics.ts";
import type { Roster } from "./_roster.ts";

/** How many threads may use one primitive at a time, by default. */
export const THREADS = 64;
/** The most that may be asked for: looks at all cells, as when somebody has died, are to stay short. */
export const MOST_THREADS = 4096;

/** Checks the option `threads`. */
export function checkThreads(threads: unknown): number {
  return threads === undefined ? THREADS : checkInteger("threads", threads, 1, MOST_THREADS);
}

/** The cells of one record, as one agent sees them. */
export class Cells {
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #base: number;
  readonly #size: number;
  readonly #me: number;
  #mine: number;
  #deaths: number;
  /** How many threads may use the primitive at a time. */
  readonly count: number;

  /** The cells at word `base`: `count` of them, `size` words each, THREAD included. */
  constructor(words: Words, roster: Roster, base: number, size: number, count: number) {
    this.#words = words;
    this.#roster = roster;
    this.#base = base;
    this.#size = size;
    this.count = count;
    this.#me = roster.me;
    this.#mine = base;
    this.#deaths = roster.deaths - 1; // look once
  }

  /** The first word of this agent's cell, -1 when it has none. Valid inside the monitor. */
  mine(): number {
    if (read(this.#words, this.#mine) === this.#me) return this.#mine;
    for (let i = 0, at = this.#base; i < this.count; i++, at += this.#size) {
      if (read(this.#words, at) === this.#me) return this.#mine = at;
    }
    return -1;
  }

  /**
   * The same, claiming a free or idle cell when it has none. Inside the monitor.
   * Throws RangeError when as many threads use the primitive as have cells.
   */
  claim(what: string): number {
    const found = this.mine();
    return found >= 0 ? found : this.#mine = this.#take(what, this.#me);
  }

  /** The same for any thread, one that is about to start too. */
  claimFor(thread: number, what: string): number {
    if (thread === this.#me) return this.claim(what);
    for (const at of this.used()) if (read(this.#words, at) === thread) return at;
    return this.#take(what, thread);
  }

  #take(what: string, thread: number): number {
    const words = this.#words;
    for (const wanted of [0, 1]) { // free ones first
      for (let i = 0, at = this.#base; i < this.count; i++, at += this.#size) {
        const holder = read(words, at);
        if (wanted === 0 ? holder !== 0 : !this.#idle(at)) continue;
        store(words, at, thread);
        return at;
      }
    }
    throw new RangeError(
      `Cannot use ${what} in one more thread as ${
        this.count === 1 ? "1 thread uses" : `${this.count} threads use`
      } it: ` +
        "raise its option threads",
    );
  }

  #idle(at: number): boolean {
    for (let i = 1; i < this.#size; i++) if (read(this.#words, at + i) !== 0) return false;
    return true;
  }

  /** Whether threads have died since the last call, so that it is worth looking for their cells. */
  newDeaths(): boolean {
    const { deaths } = this.#roster;
    if (deaths === this.#deaths) return false;
    this.#deaths = deaths;
    return true;
  }

  /** The cells of threads that are dead, by first word. Inside the monitor. */
  *dead(): Generator<number, void, void> {
    for (let i = 0, at = this.#base; i < this.count; i++, at += this.#size) {
      const thread = read(this.#words, at);
      if (thread !== 0 && !this.#roster.alive(thread)) yield at;
    }
  }

  /** The cells that belong to a thread, dead or alive, by first word. */
  *used(): Generator<number, void, void> {
    for (let i = 0, at = this.#base; i < this.count; i++, at += this.#size) {
      if (read(this.#words, at) !== 0) yield at;
    }
  }
}
