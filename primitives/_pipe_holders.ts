// Who holds which end of a pipe, as counts per thread: so an end whose last holder dies is closed,
// and one on its way to a thread that is just starting is not. The words are in the header of _pipe_record.ts.

import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { Cells } from "./_cells.ts";
import { Monitor } from "./_monitor.ts";
import { CELL_WORDS, CELLS, CLOSED, type EndNumber, MONITOR } from "./_pipe_record.ts";
import type { Roster } from "./_roster.ts";
import { ClosedError } from "./errors.ts";

const HOLDS = 1;
const FLAGS = 3;
const OPEN_MASK = 0xffff;
const ONE_GIVEN = 0x10000;

/** Writes into a fresh record that its maker holds both ends. */
export function holdBoth(words: Words, maker: number): void {
  store(words, CELLS, maker);
  store(words, CELLS + HOLDS, 1);
  store(words, CELLS + HOLDS + 1, 1);
}

/** The holders of both ends of one pipe, as one agent sees them. */
export class Holders {
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #cells: Cells;
  readonly #monitor: Monitor;
  /** Called when an end was found closed because its last holder died. */
  onClosed: () => void = () => {};

  constructor(words: Words, roster: Roster, threads: number) {
    this.#words = words;
    this.#roster = roster;
    this.#cells = new Cells(words, roster, CELLS, CELL_WORDS, threads);
    this.#monitor = new Monitor(words, roster, MONITOR, 0);
  }

  /** Whether nobody holds that end any more. */
  gone(end: EndNumber): boolean {
    if (this.#cells.newDeaths()) this.#reap();
    return load(this.#words, CLOSED + end) !== 0;
  }

  /** This thread holds an end once more, by a Connection made here or given to it with its start. */
  hold(end: EndNumber, title: string): void {
    this.#inside(() => {
      const at = this.#cell(end, title, this.#roster.me) + HOLDS + end;
      const holds = load(this.#words, at);
      store(this.#words, at, holds + 1 - (holds >= ONE_GIVEN ? ONE_GIVEN : 0));
    });
  }

  /** A thread that is about to start will hold an end: from now on, though it attaches later. */
  give(end: EndNumber, title: string, thread: number): void {
    this.#inside(() => {
      const at = this.#cell(end, title, thread) + HOLDS + end;
      store(this.#words, at, load(this.#words, at) + ONE_GIVEN);
    });
  }

  /** This thread holds it once less. Returns whether it holds that end no longer. */
  release(end: EndNumber): boolean {
    return this.#inside(() => {
      const cell = this.#cells.mine();
      if (cell < 0) return true; // somebody wrote there who should not
      const words = this.#words;
      const holds = load(words, cell + HOLDS + end);
      if ((holds & OPEN_MASK) > 0) store(words, cell + HOLDS + end, holds - 1);
      const last = (holds & OPEN_MASK) <= 1;
      if (last) store(words, cell + FLAGS, load(words, cell + FLAGS) & ~(1 << end));
      this.#settle();
      return last;
    });
  }

  /** This thread receives at an end. */
  receives(end: EndNumber): void {
    this.#inside(() => {
      const cell = this.#cells.mine();
      if (cell >= 0) store(this.#words, cell + FLAGS, load(this.#words, cell + FLAGS) | (1 << end));
    });
  }

  /** Whether another thread may receive there: see _pipe_record.ts. A look in passing. */
  othersMayReceive(end: EndNumber): boolean {
    const words = this.#words;
    for (const cell of this.#cells.used()) {
      const thread = load(words, cell);
      if (thread === this.#roster.me || load(words, cell + HOLDS + end) === 0) continue;
      const receives = (load(words, cell + FLAGS) & (1 << end)) !== 0;
      if ((receives || load(words, cell + HOLDS + 1 - end) === 0) && this.#roster.alive(thread)) return true;
    }
    return false;
  }

  #inside<T>(change: () => T): T {
    this.#monitor.enter();
    try {
      return change();
    } finally {
      this.#monitor.leave();
    }
  }

  #cell(end: EndNumber, title: string, thread: number): number {
    if (this.#cells.newDeaths()) this.#clearDead();
    if (load(this.#words, CLOSED + end) !== 0) {
      throw new ClosedError(`Cannot attach ${title} as this end is closed: its last holder closed it or has ended`);
    }
    return this.#cells.claimFor(thread, title);
  }

  #reap(): void {
    if (this.#inside(() => this.#clearDead())) this.onClosed();
  }

  #clearDead(): boolean {
    const words = this.#words;
    for (const cell of this.#cells.dead()) {
      for (let i = 1; i < CELL_WORDS; i++) store(words, cell + i, 0);
      store(words, cell, 0);
    }
    return this.#settle();
  }

  /** Closes the ends that nobody holds (invariant 1); whether there were any. */
  #settle(): boolean {
    const words = this.#words;
    let closed = false;
    for (const end of [0, 1]) {
      if (load(words, CLOSED + end) !== 0) continue;
      let held = false;
      for (const cell of this.#cells.used()) held ||= load(words, cell + HOLDS + end) !== 0;
      if (held) continue;
      store(words, CLOSED + end, 1);
      closed = true;
    }
    return closed;
  }
}
