// Memory layout: Semaphore and BoundedSemaphore, 16 + 4 t words for t threads (1088 bytes for 64, align 64).
//
//   word  name      written by      meaning
//   0 1 2 TAG ID    creator, once   see _layout.ts
//   3     VALUE     inside          free permits, 0 to 2^31 - 1; blocked waiters sleep on it
//   4     TOTAL     inside          permits in the world: those free and those taken; modulo 2^32
//   5     BOUND     creator, once   VALUE never exceeds it: the start value when bounded, else 2^31 - 1
//   6     THREADS   creator, once   t, the number of cells
//   7     SLEEPERS  inside          how many threads wait blocked
//   8     TASKS     inside          how many agents have an async waiter at the head of their line
//   9     GATE      inside          counts releases while TASKS is not 0, wraps, only compared; async waiters sleep on it
//   10    HEIR      inside          the waiter that gets the next permit, see _heir.ts
//   11 12 monitor   any thread      see _monitor.ts; its journal is empty
//   13    LEFT      inside          permits taken by threads whose target has returned since, without giving them back
//   14 15 spare, zero
//   16 …  cells     inside          t times THREAD, HELD, WAITS: see _cells.ts
//           HELD    permits that the thread holds
//           WAITS   BLOCKED_BIT: it waits blocked; TASK_BIT: the head of its async waiters waits
//   … end ENDED     inside          t words, one for each cell: counts the permits of its thread that somebody gave
//                                   back by a plain release(), wraps, is never reset, outlives the cell's thread
// "Inside" is inside the monitor. The end of a thread takes nothing back by itself: see reap().
//
// Invariants, whenever nobody is inside:
//   1. VALUE + sum of HELD + LEFT = TOTAL; SLEEPERS and TASKS are the sums of WAITS.
//   2. 0 <= VALUE <= BOUND; when bounded TOTAL = BOUND, so that every permit missing from VALUE is in HELD or LEFT.
//   3. A thread sleeps on VALUE only counted in SLEEPERS, and only on a value that gave it no permit; a task sleeps on
//      GATE only counted in TASKS, on the value that it read inside, in the same visit that gave it no permit.
//   4. Whoever makes permits free wakes as many threads from VALUE, and all from GATE; a waiter that gives up
//      while permits are free wakes another one in its place.
//   5. With nobody holding or waiting, all but VALUE, TOTAL, LEFT, GATE, THREAD and ENDED is 0.
//
// Death inside: each change is one store to HELD, LEFT, TOTAL or WAITS, and VALUE, SLEEPERS and TASKS follow from these. So
//   nothing is journalled, and who takes the place of a dead thread counts anew. (One that dies inside release(n) may
//   have given back fewer than n.) Death outside: reap() gives back HELD and takes away WAITS.
// Death and return: what a thread holds that dies (exits, throws, is stopped) comes back. What it holds when its target
//   returns was left taken on purpose, as in Python: it moves to LEFT, for anybody's release() to give back.
// Wake-ups lost to the dead: a waiter looks again after a slice.
// Publication: leaving the monitor after a release publishes every plain write before it; entering it to take, receives.
// Fairness: a thread that runs may barge; a waiter passed for 10 ms is kept the next permit (_heir.ts).
// Guards: in a bounded semaphore every plain release() ends a hold, so a guard may find its own hold ended. Then it is
//   spent: when its cell was given up since (a cell is given up only idle), or when of the holds ended since it was
//   taken one is not yet accounted to another guard. In an unbounded one release() may mean a new permit, as in
//   Python, so guards always give one back.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { add, load, store, write } from "./_atomics.ts";
import { Cells } from "./_cells.ts";
import { Heir } from "./_heir.ts";
import type { Kind } from "./_layout.ts";
import { FIRST } from "./_layout.ts";
import { AsyncLine } from "./_line.ts";
import { localOf } from "./_local.ts";
import { Monitor } from "./_monitor.ts";
import type { Roster } from "./_roster.ts";
import type { Wanted } from "./_wait.ts";
import { title } from "./_wait.ts";
import { LayoutError } from "./errors.ts";

export const VALUE: number = FIRST;
export const TOTAL = 4;
const BOUND = 5;
const THREADS = 6;
const SLEEPERS = 7;
const TASKS = 8;
export const GATE = 9;
export const HEIR = 10;
const MONITOR = 11;
export const LEFT = 13;
const CELLS = 16;

const CELL_WORDS = 3;
export const HELD = 1;
export const WAITS = 2;
export const BLOCKED_BIT = 1;
export const TASK_BIT = 2;

/** The largest value of a semaphore. */
export const MOST_PERMITS = 0x7fffffff;
/** Bytes of the smallest record. */
export const LEAST_BYTES: number = permitsBytes(1);

/** Bytes of a semaphore that so many threads may use. */
export function permitsBytes(threads: number): number {
  return 4 * (CELLS + (CELL_WORDS + 1) * threads);
}

/** Writes a fresh record. */
export function fillPermits(words: Words, value: number, bound: number, threads: number): void {
  store(words, VALUE, value);
  store(words, TOTAL, value);
  store(words, BOUND, bound);
  store(words, THREADS, threads);
}

/** What this agent knows of a semaphore, shared by all its objects for it. */
export class PermitsLocal {
  readonly line: AsyncLine = new AsyncLine();
  /** Counts the cells that this agent has claimed one after the other. */
  tenancy = 0;
  /** ENDED of the present cell when it was claimed. */
  base = 0;
  /** How many guards have found their hold ended since. */
  spent = 0;
}

/** The record of a semaphore as this agent sees it. Unless told otherwise its methods are called inside the monitor. */
export class PermitsState implements Wanted {
  readonly words: Words;
  readonly roster: Roster;
  readonly kind: Kind;
  readonly name: string;
  readonly verb: string = "acquire";
  /** The largest value. */
  readonly bound: number;
  readonly bounded: boolean;
  readonly monitor: Monitor;
  readonly cells: Cells;
  readonly heir: Heir;
  readonly local: PermitsLocal;
  readonly ended: number;
  /** ENDED of our cell when the last permit was taken. */
  mark = 0;

  constructor(kind: Kind, words: Words, roster: Roster, name: string) {
    const threads = load(words, THREADS);
    const bound = load(words, BOUND);
    if (threads < 1 || threads > 4096 || permitsBytes(threads) > words.byteLength || bound < 0) {
      throw new LayoutError(`Cannot attach ${kind} as its record is damaged: it has room for ${threads} threads`, {
        expected: kind,
        actual: "a damaged record",
      });
    }
    this.words = words;
    this.roster = roster;
    this.kind = kind;
    this.name = name;
    this.bound = bound;
    this.bounded = kind === "BoundedSemaphore";
    this.cells = new Cells(words, roster, CELLS, CELL_WORDS, threads);
    this.heir = new Heir(words, HEIR, roster.me);
    this.ended = CELLS + CELL_WORDS * threads;
    this.local = localOf(words, () => new PermitsLocal());
    this.monitor = new Monitor(words, roster, MONITOR, 0);
    this.monitor.takeOver = () => this.countAnew();
    sweep();
  }

  /** Its class and name, for messages. */
  get title(): string {
    return title(this.kind, this.name);
  }

  /** Free permits, those of threads that died among them. */
  get value(): number {
    if (this.cells.newDeaths()) this.reap();
    return load(this.words, VALUE);
  }

  /** What printing a semaphore shows. */
  toString(): string {
    return `${this.title} (value=${this.value}${this.bounded ? `/${this.bound}` : ""})`;
  }

  /** Anybody may release: nobody in particular. */
  owners(): readonly number[] {
    return [];
  }

  /** Whether a permit is there for this agent. */
  isFree(): boolean {
    const value = load(this.words, VALUE);
    return value > 0 && (value > 1 || !this.heir.named || !this.heir.keeps());
  }

  /** Our cell, claimed if need be. Leaves the monitor when it throws. */
  cell(): number {
    const { words } = this;
    const mine = this.cells.mine();
    if (mine >= 0) return mine;
    try {
      if (this.cells.newDeaths()) this.reapInside();
      const cell = this.cells.claim(this.title);
      const local = this.local;
      local.tenancy++;
      local.base = load(words, this.endedOf(cell));
      local.spent = 0;
      if (agent.started) agent.leaving.add(this);
      return cell;
    } catch (error) {
      this.monitor.leave();
      throw error;
    }
  }

  /** Takes one that is there; `mark` says what the guard has to know. */
  take(cell: number): void {
    const { words } = this;
    write(words, cell + HELD, load(words, cell + HELD) + 1); // from here on the permit is ours, dead or alive
    write(words, VALUE, load(words, VALUE) - 1);
    if (this.bounded) this.mark = load(words, this.endedOf(cell));
  }

  /** Where ENDED of a cell stands. */
  endedOf(cell: number): number {
    return this.ended + (cell - CELLS) / CELL_WORDS;
  }

  /** Who waits in a thread has changed. */
  setWaits(cell: number, waits: number): void {
    const { words } = this;
    const changed = load(words, cell + WAITS) ^ waits;
    if (changed === 0) return;
    store(words, cell + WAITS, waits);
    if ((changed & BLOCKED_BIT) !== 0) {
      store(words, SLEEPERS, load(words, SLEEPERS) + ((waits & BLOCKED_BIT) !== 0 ? 1 : -1));
    }
    if ((changed & TASK_BIT) !== 0) store(words, TASKS, load(words, TASKS) + ((waits & TASK_BIT) !== 0 ? 1 : -1));
  }

  /** VALUE, SLEEPERS and TASKS from what they follow from (invariant 1). Returns how many permits became free. */
  countAnew(): number {
    const { words } = this;
    let [held, sleepers, tasks] = [0, 0, 0];
    for (const cell of this.cells.used()) {
      const waits = load(words, cell + WAITS);
      held += load(words, cell + HELD);
      if ((waits & BLOCKED_BIT) !== 0) sleepers++;
      if ((waits & TASK_BIT) !== 0) tasks++;
    }
    const before = load(words, VALUE);
    const value = (load(words, TOTAL) - load(words, LEFT) - held) | 0;
    store(words, VALUE, value);
    store(words, SLEEPERS, sleepers);
    store(words, TASKS, tasks);
    return value - before;
  }

  /** Gives back what dead threads held, and forgets that they waited. Returns how many permits became free. */
  reapInside(): number {
    const { words } = this;
    for (const cell of this.cells.dead()) {
      this.heir.forget(load(words, cell));
      store(words, cell + HELD, 0);
      store(words, cell + WAITS, 0);
      store(words, cell, 0);
    }
    return this.countAnew();
  }

  /** Leaves the monitor after that many permits became free, and wakes who waits for them (invariant 4). */
  leaveAndWake(freed: number): void {
    const { words, roster } = this;
    const sleepers = freed > 0 && load(words, SLEEPERS) !== 0;
    const tasks = freed > 0 && load(words, TASKS) !== 0;
    const heir = sleepers && load(words, HEIR) !== 0; // it may be any of those asleep
    if (tasks) add(words, GATE, 1);
    this.monitor.leave();
    if (sleepers) roster.parker.unpark(words, VALUE, heir ? Infinity : freed);
    if (tasks) roster.parker.unpark(words, GATE, Infinity);
  }

  /** The same from outside. */
  reap(): void {
    this.monitor.enter();
    this.leaveAndWake(this.reapInside());
  }

  /** Whether somebody ended the hold of a guard taken in that tenancy, at that mark. */
  isSpent(cell: number, tenancy: number, mark: number): boolean {
    const local = this.local;
    if (cell < 0 || tenancy !== local.tenancy) return true;
    const ended = load(this.words, this.endedOf(cell));
    if (ended !== mark && ((ended - local.base) | 0) !== local.spent) {
      local.spent++;
      return true;
    }
    return load(this.words, cell + HELD) <= 0;
  }

  /** Ends up to n of the holds of a cell's thread; returns how many. */
  discharge(cell: number, n: number): number {
    const { words } = this;
    const held = load(words, cell + HELD);
    const ended = Math.min(n, held);
    if (ended <= 0) return 0;
    store(words, cell + HELD, held - ended);
    add(words, this.endedOf(cell), ended);
    return ended;
  }

  /** Outside: gives up this agent's cell, if it holds nothing and waits for nothing. Returns whether it has none now. */
  forgo(): boolean {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cells.mine();
    const idle = cell < 0 || (load(words, cell + HELD) === 0 && load(words, cell + WAITS) === 0);
    if (idle && cell >= 0) store(words, cell, 0);
    this.monitor.leave();
    return idle;
  }

  /** Outside: this thread's target has returned; what it holds is nobody's in particular any more. */
  leave(): void {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cells.mine();
    const held = cell < 0 ? 0 : load(words, cell + HELD);
    if (held > 0) {
      store(words, cell + HELD, 0); // dying here it would give them back
      store(words, LEFT, load(words, LEFT) + held);
    }
    this.monitor.leave();
  }

  /** Leaves the monitor and says that n permits are too many. */
  refuse(n: number): never {
    const value = load(this.words, VALUE);
    this.monitor.leave();
    throw new RangeError(
      `Cannot release ${this.title} ${n} ${n === 1 ? "time" : "times"} as its value may not exceed ${this.bound}: ` +
        `it is ${value}`,
    );
  }
}

/** How many semaphores a thread may use before those that it holds nothing of are forgotten. */
let most = 64;

/** Keeps the list of those that the return of this thread's target has to be told of from growing for ever. */
function sweep(): void {
  const { leaving } = agent;
  if (leaving.size <= most) return;
  for (const used of leaving) {
    // Who has no cell claims one before it holds anything, and is on the list again.
    if (used instanceof PermitsState && used.forgo()) leaving.delete(used);
  }
  most = Math.max(64, 2 * leaving.size);
}
