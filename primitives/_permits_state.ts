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
//   14    OWED      inside          how many of the holds in OLD were ended by a release(); which ones is not known yet
//   15    EPOCH     inside          bits 1-31 count how often OLD was taken anew, wrap; bit 0: OWED is being settled
//   16 …  cells     inside          t times THREAD, HELD, WAITS: see _cells.ts
//           HELD    permits that the thread holds, for all that is known
//           WAITS   BLOCKED_BIT: it waits blocked; TASK_BIT: the head of its async waiters waits
//   … end OLD       inside          t words, one for each cell: those of HELD that OWED may be about; of no meaning
//                                   beyond HELD, or while OWED is 0
// "Inside" is inside the monitor. The end of a thread takes nothing back by itself: see reap().
//
// Who gives back what. A permit that is taken is a hold of its thread, and a hold ends once. Every acquire() returns a guard,
// so whether a hold is a guard's or will be ended by a plain release() shows only at its end:
//   a guard's release()   ends the guard's own hold, if it has not ended yet. If it has, the guard is spent: it does nothing
//                         in a bounded semaphore. In an unbounded one it adds a permit, as every release in Python: then
//                         the release() that ended the hold was not for it, but for a new permit, or, if it was its
//                         own thread's, for what others hold.
//   a plain release()     ends a hold of its thread if there surely is one, else one in LEFT, else one of any thread, else
//                         (if unbounded) makes a new permit. All holds that there are at that time, and no later ones,
//                         may be the one: they are candidates, until their guards prove the contrary.
//   a thread's death      ends its holds and gives back their permits, each once: not those a release() may have ended.
//   a thread's return     moves its holds to LEFT, as they were left taken on purpose, for anybody's release() to give back.
// Within one thread, holds are alike: the guards that come first are good, and those are spent for which none is left
//   (_permits_local.ts). So g = acquire(); acquire(); release(); g.release() gives back two.
// Among threads, a release() that may be for several of them is OWED: VALUE goes up at once, no HELD goes down. A candidate
//   whose guard gives it back is none any more. OWED is settled (HELD goes down) as soon as there is one answer only:
//     one thread has candidates left         it was for that one
//     no more candidates than OWED           it was for all of them, and the rest new permits (bounded: for any holds)
//     very much is owed                      it was for any: nobody takes these permits to give them back
//     a candidate's thread dies, or returns  it was for that one, which did not give its permit back
//   The last is a choice, for want of knowledge: who dies with a guard leaves the same traces as who dies with nothing, after
//   another gave back its permit. So rather than admit one too many, the permit of a guard may stay away that died while
//   one handed over was still counted to a living thread. It comes back with the death of that thread, or, if that
//   returns, with anybody's release().
//
// Invariants, whenever nobody is inside:
//   1. VALUE + sum of HELD + LEFT - OWED = TOTAL; SLEEPERS and TASKS are the sums of WAITS.
//   2. 0 <= VALUE <= BOUND; when bounded TOTAL = BOUND, so that every permit missing from VALUE is in HELD or LEFT.
//   3. A thread sleeps on VALUE only counted in SLEEPERS, and only on a value that gave it no permit; a task sleeps on
//      GATE only counted in TASKS, on the value that it read inside, in the same visit that gave it no permit.
//   4. Whoever makes permits free wakes as many threads from VALUE, and all from GATE; a waiter that gives up
//      while permits are free wakes another one in its place.
//   5. With nobody holding or waiting, all but VALUE, TOTAL, LEFT, GATE, EPOCH, THREAD and OLD is 0.
//   6. While OWED is not 0, it is less than the sum of OLD, and OLD is not 0 in two cells or more.
//
// Death inside: each change is one store to HELD, LEFT, TOTAL, OWED or WAITS, and VALUE, SLEEPERS and TASKS follow.
//   Only settling OWED is more than one store, which leaves VALUE as it is: while bit 0 of EPOCH says so, OWED follows from
//   VALUE and the others. So nothing is journalled, and who takes the place of a dead thread counts anew. (One that
//   dies inside release(n) may have given back fewer than n.) Death outside: reap() gives back HELD and takes away WAITS.
// Wake-ups lost to the dead: a waiter looks again after a slice.
// Publication: leaving the monitor after a release publishes every plain write before it; entering it to take, receives.
// Fairness: a thread that runs may barge; a waiter passed for 10 ms is kept the next permit (_heir.ts).

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { add, load, read, store, write } from "./_atomics.ts";
import { Cells, MOST_THREADS } from "./_cells.ts";
import { Heir } from "./_heir.ts";
import type { Kind } from "./_layout.ts";
import { FIRST } from "./_layout.ts";
import { localOf } from "./_local.ts";
import { Monitor } from "./_monitor.ts";
import { PermitsLocal } from "./_permits_local.ts";
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
export const OWED = 14;
export const EPOCH = 15;
const SETTLING_BIT = 1;
export const ONE_EPOCH = 2;
/** Beyond that OWED is settled for anybody: who gives signals by release() and never gives back would have it grow for ever. */
const MOST_OWED = 1 << 20;
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
  readonly #old: number;

  constructor(kind: Kind, words: Words, roster: Roster, name: string) {
    const threads = load(words, THREADS);
    const bound = load(words, BOUND);
    if (threads < 1 || threads > MOST_THREADS || permitsBytes(threads) > words.byteLength || bound < 0) {
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
    this.#old = CELLS + CELL_WORDS * threads;
    this.local = localOf(words, () => new PermitsLocal());
    this.monitor = new Monitor(words, roster, MONITOR, 0);
    this.monitor.takeOver = () => {
      this.countAnew();
      this.settle();
    };
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
    if (value === 1) return !this.heir.keeps();
    this.heir.rests();
    return value > 0;
  }

  /** Our cell, claimed if need be. Leaves the monitor when it throws. */
  cell(): number {
    const { words } = this;
    const mine = this.cells.mine();
    if (mine >= 0) return mine;
    try {
      if (this.cells.newDeaths()) this.reapInside();
      const cell = this.cells.claim(this.title);
      store(words, this.oldOf(cell), 0);
      this.local.ended(0); // a cell is given up only idle
      if (agent.started) agent.leaving.add(this);
      return cell;
    } catch (error) {
      this.monitor.leave();
      throw error;
    }
  }

  /** Takes one that is there. Its guard is as old as `local.clock` says. */
  take(cell: number): void {
    const { words, local } = this;
    const held = this.heldIn(cell);
    write(words, cell + HELD, held + 1); // from here on the permit is ours, dead or alive
    write(words, VALUE, load(words, VALUE) - 1);
    local.held = held + 1;
  }

  /** HELD of our own cell, having noted what others did to it. */
  heldIn(cell: number): number {
    const { words, local } = this;
    const held = read(words, cell + HELD);
    if (held < local.held) local.ended(held);
    else local.held = held;
    const epoch = read(words, EPOCH);
    if (epoch !== local.epoch) {
      local.epoch = epoch;
      local.doubt = ++local.clock;
    }
    return held;
  }

  /** Where OLD of a cell stands. */
  oldOf(cell: number): number {
    return this.#old + (cell - CELLS) / CELL_WORDS;
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

  /** VALUE or OWED, SLEEPERS and TASKS from what they follow from (invariant 1). Returns how many permits became free. */
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
    const taken = load(words, LEFT) + held;
    const epoch = load(words, EPOCH);
    if ((epoch & SETTLING_BIT) !== 0) {
      store(words, OWED, (before + taken - load(words, TOTAL)) | 0);
      store(words, EPOCH, epoch & ~SETTLING_BIT);
    }
    const value = (load(words, TOTAL) - taken + load(words, OWED)) | 0;
    store(words, VALUE, value);
    store(words, SLEEPERS, sleepers);
    store(words, TASKS, tasks);
    return value - before;
  }

  /** Gives back what dead threads held, and forgets that they waited. Returns how many permits became free. */
  reapInside(): number {
    const { words } = this;
    if (load(words, OWED) !== 0) {
      for (const cell of this.cells.dead()) this.#settleFor(cell); // first of all, as VALUE has to be right
    }
    for (const cell of this.cells.dead()) {
      this.heir.forget(load(words, cell));
      store(words, cell + HELD, 0);
      store(words, cell + WAITS, 0);
      store(words, cell, 0);
    }
    const freed = this.countAnew();
    this.settle();
    return freed;
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

  /** Settles what is owed if there is one answer only (invariant 6). VALUE has to be right, and stays as it is. */
  settle(): void {
    const { words } = this;
    for (;;) {
      const owed = load(words, OWED);
      if (owed <= 0) return;
      let [sum, threads] = [0, 0];
      for (const cell of this.cells.used()) {
        const candidates = this.#candidates(cell);
        store(words, this.oldOf(cell), candidates); // or permits taken from now on would count as such
        sum += candidates;
        if (candidates > 0) threads++;
      }
      if (threads > 1 && owed < sum && owed < MOST_OWED) return;
      for (const cell of this.cells.used()) this.#settleFor(cell);
      if (!this.#settleRest()) return;
    }
  }

  /** What is owed is for none of the candidates. Returns whether there are others now. */
  #settleRest(): boolean {
    const { words, bounded } = this;
    const owed = load(words, OWED);
    if (owed <= 0) return false;
    const epoch = load(words, EPOCH);
    store(words, EPOCH, epoch | SETTLING_BIT);
    const paid = bounded ? Math.min(owed, Math.max(0, load(words, LEFT))) : owed;
    if (bounded) store(words, LEFT, load(words, LEFT) - paid);
    else add(words, TOTAL, paid);
    store(words, OWED, owed - paid);
    store(words, EPOCH, epoch & ~SETTLING_BIT);
    if (owed === paid) return false;
    // Bounded: some release() counted as for a hold of its own thread, and was not. All that is held may be what it was for.
    const holders = [...this.cells.used()].filter((cell) => load(words, cell + HELD) > 0);
    for (const cell of holders) store(words, this.oldOf(cell), load(words, cell + HELD));
    add(words, EPOCH, ONE_EPOCH);
    return holders.length > 0;
  }

  /** How many holds of a thread OWED may be about. */
  #candidates(cell: number): number {
    return Math.max(0, Math.min(load(this.words, this.oldOf(cell)), load(this.words, cell + HELD)));
  }

  /** How many holds of a thread may have ended, for all that is known. */
  inDoubt(cell: number): number {
    const owed = load(this.words, OWED);
    return owed <= 0 ? 0 : Math.min(owed, this.#candidates(cell));
  }

  /** What is owed was for that thread, as far as it may be. */
  #settleFor(cell: number): void {
    const { words } = this;
    const ended = this.inDoubt(cell);
    if (ended === 0) return;
    const owed = load(words, OWED);
    const epoch = load(words, EPOCH);
    store(words, EPOCH, epoch | SETTLING_BIT);
    store(words, cell + HELD, load(words, cell + HELD) - ended);
    store(words, OWED, owed - ended);
    store(words, EPOCH, epoch & ~SETTLING_BIT);
    store(words, this.oldOf(cell), 0);
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
    if (cell >= 0) this.#settleFor(cell);
    const held = cell < 0 ? 0 : load(words, cell + HELD);
    if (held > 0) {
      store(words, cell + HELD, 0); // dying here it would give them back
      this.local.ended(0);
      this.local.own = this.local.clock; // a guard released later gives one of LEFT back
      store(words, LEFT, load(words, LEFT) + held);
    }
    this.settle();
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
