// Memory layout: RWLock, 20 + 4 t words for t threads (1104 bytes for 64, align 64). TAG, THREADS, FLAGS and RANK set, the
// rest zero = free.
//
//   word  name      written by      meaning
//   0 1 2 TAG ID    creator, once   see _layout.ts
//   3     WRITER    inside          bits 0-29 id of the thread that writes, 0 = none; bit 30 DIED_BIT: it is known to have died
//   4     READERS   inside          read holds, all threads together
//   5     WRITERS   inside          how many writers wait: blocked threads, and heads of the lines of tasks
//   6     WAITERS   inside          how many readers wait, blocked or tasks
//   7     TASKS     inside          how many of both are tasks
//   8     ENTITLED  inside          how many of the waiting readers may go before the next writer
//   9     HEIR      inside          the writer that goes before other writers, see _heir.ts
//   10    FREED     inside          counts the times a writer might get in, wraps; blocked writers sleep on it
//   11    OPENED    inside          counts the times waiting readers might get in, wraps; blocked readers sleep on it
//   12    GATE      inside          counts both while TASKS is not 0, wraps; tasks sleep on it
//   13    THREADS   creator, once   t, the number of cells
//   14    FLAGS     creator, once   bit 0: has a rank
//   15    RANK      creator, once   the rank, if it has one
//   16 17 monitor   any thread      see _monitor.ts; its journal is empty
//   18 19 spare, zero
//   20 …  cells     inside          t times THREAD, READS, WAITS, GRANTS: see _cells.ts
//           READS    read holds of the thread and its tasks
//           WAITS    bit 0 BLOCKED_WRITER, bit 1 TASK_WRITER, bit 2 BLOCKED_READER, from bit 3 on the number of its tasks
//                    that wait to read
//           GRANTS   how many of its waiting readers are entitled
//
// WRITER, READERS:
//   0, 0        free; kept for entitled readers, else for waiting writers, else for the heir among these
//   t, 0        t writes
//   t DIED, 0   t died writing; everything throws OwnerDiedError until recover()
//   0, n        n read holds
//   t, n        never
//
// Transitions (all inside):
//   0, n -> 0, n + 1   read: no writer waits, or the thread reads already, or it is entitled
//   0, n -> 0, n - 1   a reader's release, or the end of its thread; from 1 to 0 it wakes a writer
//   0, 0 -> t, 0       write: nobody is entitled, and no other writer is the heir
//   t, 0 -> 0, 0       the writer's release: all readers that wait at this moment become entitled
//   t, 0 -> t DIED, 0  anybody who finds t dead
//   t DIED -> me, 0    recover()
//
// Invariants, whenever nobody is inside:
//   1. READERS is the sum of READS, ENTITLED of GRANTS; WRITERS, WAITERS and TASKS count what is in WAITS.
//   2. GRANTS of a cell is at most its waiting readers. Nobody is entitled unless nobody writes.
//   3. Who sleeps is counted in WAITS, and sleeps on the word as it was in the visit that found no way in.
//   4. Whatever lets a waiter in changes the word on which it sleeps, and wakes: of the writers one (all if there is an
//      heir), of the readers and tasks all. A waiter that gives up wakes whom it was in the way of.
//   5. With nobody holding or waiting all but THREAD, FREED, OPENED and GATE is 0.
//
// Who goes first. Writers are not starved: while one waits, no thread begins to read. Readers are not starved either:
//   those that waited when a writer left go before the next writer. So phases of readers and of one writer alternate
//   as long as both wait ("phase-fair", B. Brandenburg and J. Anderson, "Reader-Writer Synchronization for Shared-Memory
//   Multiprocessor Real-Time Systems"). What is kept for somebody lapses after 10 ms, or 1 if only tasks could take it,
//   whose threads may be busy.
// Re-entrant reading: a thread that reads already reads again at once although a writer waits, as that writer waits for
//   it. A task of such a thread may be another task, so it waits up to 10 ms for the writer first; then it
//   cannot be told from a task that reads already, and is let in: no deadlock, and no starving of writers by tasks
//   that read for less than that.
// Death: each change is one store to READS, WAITS, GRANTS or WRITER, and the rest follows from these, so who takes the place of
//   a thread that died inside counts anew. A dead reader vanishes when somebody looks: waiters do so at each slice.
// Publication: leaving the monitor after a release publishes every plain write made while holding.

import type { Words } from "./_atomics.ts";
import { add, load, store } from "./_atomics.ts";
import { Cells, MOST_THREADS } from "./_cells.ts";
import { now } from "./_deadline.ts";
import { Heir, LAPSE, LAPSE_TASK, PATIENCE } from "./_heir.ts";
import { FIRST } from "./_layout.ts";
import { Monitor } from "./_monitor.ts";
import type { Roster } from "./_roster.ts";
import { title } from "./_wait.ts";
import { LayoutError } from "./errors.ts";

export const WRITER: number = FIRST;
export const READERS = 4;
export const WRITERS = 5;
export const WAITERS = 6;
const TASKS = 7;
export const ENTITLED = 8;
const HEIR = 9;
export const FREED = 10;
export const OPENED = 11;
export const GATE = 12;
const THREADS = 13;
const FLAGS = 14;
const RANK = 15;
const MONITOR = 16;
const CELLS = 20;

const CELL_WORDS = 4;
export const READS = 1;
export const WAITS = 2;
export const GRANTS = 3;

export const BLOCKED_WRITER = 1;
export const TASK_WRITER = 2;
export const BLOCKED_READER = 4;
export const ONE_TASK_READER = 8;
const TASK_READERS_SHIFT = 3;

export const OWNER_MASK = 0x3fffffff;
const DIED_BIT = 0x40000000;
const RANK_FLAG = 1;

/** Bytes of the smallest record. */
export const LEAST_BYTES: number = rwLockBytes(1);

/** Bytes of an RWLock that so many threads may use. */
export function rwLockBytes(threads: number): number {
  return 4 * (CELLS + CELL_WORDS * threads);
}

/** Writes a fresh record. */
export function fillRWLock(words: Words, threads: number, rank: number | undefined): void {
  store(words, THREADS, threads);
  store(words, FLAGS, rank === undefined ? 0 : RANK_FLAG);
  store(words, RANK, rank ?? 0);
}

/** What is seen kept for others, and since when. */
class Kept {
  #seen = -1;
  #since = 0;

  /** Whether it has been kept for longer than `most` ms; `seen` changes with what is kept. */
  longer(seen: number, most: number): boolean {
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#since = now();
      return false;
    }
    return now() - this.#since >= most;
  }
}

/** The record of an RWLock as this agent sees it. Unless told otherwise its methods are called inside the monitor. */
export class RWLockState {
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  readonly rank: number | undefined;
  readonly me: number;
  readonly monitor: Monitor;
  readonly cells: Cells;
  readonly heir: Heir;
  readonly #keptForWriter: Kept = new Kept();
  readonly #keptForReaders: Kept = new Kept();

  constructor(words: Words, roster: Roster, name: string) {
    const threads = load(words, THREADS);
    if (threads < 1 || threads > MOST_THREADS || rwLockBytes(threads) > words.byteLength) {
      throw new LayoutError(`Cannot attach RWLock as its record is damaged: it has room for ${threads} threads`, {
        expected: "RWLock",
        actual: "a damaged record",
      });
    }
    this.words = words;
    this.roster = roster;
    this.name = name;
    this.rank = (load(words, FLAGS) & RANK_FLAG) !== 0 ? load(words, RANK) : undefined;
    this.me = roster.me;
    this.cells = new Cells(words, roster, CELLS, CELL_WORDS, threads);
    this.heir = new Heir(words, HEIR, roster.me);
    this.monitor = new Monitor(words, roster, MONITOR, 0);
    this.monitor.takeOver = () => this.countAnew();
  }

  /** Its class and name, for messages. */
  get title(): string {
    return title("RWLock", this.name);
  }

  /** How many read holds there are, those of dead threads not counted. */
  get readers(): number {
    this.lookForDeaths();
    return Math.max(0, load(this.words, READERS));
  }

  /** The thread that writes, 0 = none. */
  get writer(): number {
    return load(this.words, WRITER) & OWNER_MASK;
  }

  /** What printing an RWLock shows. */
  toString(): string {
    const { readers, writer, roster } = this;
    if (writer !== 0) {
      const died = roster.alive(writer) ? "" : ", which died";
      return `${this.title} (writer ${writer} ${roster.name(writer)}${died})`;
    }
    return `${this.title} (${readers === 0 ? "free" : readers === 1 ? "1 reader" : `${readers} readers`})`;
  }

  /** The threads whose cells are chosen. Outside too. */
  threadsWhere(choose: (cell: number) => boolean): number[] {
    const found: number[] = [];
    for (const cell of this.cells.used()) if (choose(cell)) found.push(load(this.words, cell));
    return found;
  }

  /** How many read holds this agent has. Outside too. */
  myReads(): number {
    const cell = this.cells.mine();
    return cell < 0 ? 0 : load(this.words, cell + READS);
  }

  /** Whether nobody is in the way of a writer. Ends what has been kept for readers for too long. */
  mayWrite(): boolean {
    const { words } = this;
    if (load(words, WRITER) !== 0 || load(words, READERS) !== 0) {
      this.heir.rests();
      return false;
    }
    if (load(words, ENTITLED) !== 0) {
      const most = this.someWait(BLOCKED_READER) ? LAPSE : LAPSE_TASK;
      if (!this.#keptForReaders.longer(load(words, OPENED), most)) return false;
      for (const cell of this.cells.used()) store(words, cell + GRANTS, 0);
      store(words, ENTITLED, 0);
    }
    return !this.heir.keeps();
  }

  /** Whether nobody is in the way of a reader that has waited so long, in ms. */
  mayRead(cell: number, bit: number, waited: number): boolean {
    const { words } = this;
    if (load(words, WRITER) !== 0) return false;
    if (load(words, WRITERS) === 0 || load(words, cell + GRANTS) > 0) return true;
    if (load(words, cell + READS) > 0 && (bit === BLOCKED_READER || waited >= PATIENCE)) return true;
    if (load(words, READERS) !== 0) return false;
    return this.#keptForWriter.longer(load(words, FREED), this.someWait(BLOCKED_WRITER) ? LAPSE : LAPSE_TASK);
  }

  /** How long a waiter that found no way in may sleep, in ms: not long if what is kept for others, or for itself, may change. */
  glance(writes: boolean, cell: number, bit: number): number {
    const { words } = this;
    if (load(words, WRITER) !== 0) return Infinity;
    if (load(words, READERS) === 0) return LAPSE_TASK;
    return !writes && bit === ONE_TASK_READER && load(words, cell + READS) > 0 ? LAPSE : Infinity;
  }

  /** Whether somebody waits in that way. */
  someWait(bit: number): boolean {
    for (const cell of this.cells.used()) if ((load(this.words, cell + WAITS) & bit) !== 0) return true;
    return false;
  }

  /** A reader that waited gets in. */
  beginRead(cell: number): void {
    const { words } = this;
    store(words, cell + READS, load(words, cell + READS) + 1);
    store(words, READERS, load(words, READERS) + 1);
    const grants = load(words, cell + GRANTS);
    if (grants === 0) return;
    store(words, cell + GRANTS, grants - 1);
    store(words, ENTITLED, load(words, ENTITLED) - 1);
  }

  /** Who waits for what in a thread has changed. */
  setWaits(cell: number, waits: number): void {
    const { words } = this;
    store(words, cell + WAITS, waits);
    if (load(words, cell + GRANTS) > readersIn(waits)) store(words, cell + GRANTS, readersIn(waits));
    this.countAnew();
  }

  /** All that follows from the cells (invariant 1). */
  countAnew(): void {
    const { words } = this;
    let [reads, writers, waiters, tasks, grants] = [0, 0, 0, 0, 0];
    for (const cell of this.cells.used()) {
      const waits = load(words, cell + WAITS);
      reads += load(words, cell + READS);
      grants += load(words, cell + GRANTS);
      writers += (waits & BLOCKED_WRITER) + ((waits & TASK_WRITER) >> 1);
      waiters += readersIn(waits);
      tasks += ((waits & TASK_WRITER) >> 1) + (waits >> TASK_READERS_SHIFT);
    }
    store(words, READERS, reads);
    store(words, WRITERS, writers);
    store(words, WAITERS, waiters);
    store(words, TASKS, tasks);
    store(words, ENTITLED, grants);
  }

  /** Our cell, claimed if need be. Leaves the monitor when it throws. */
  cell(): number {
    const mine = this.cells.mine();
    if (mine >= 0) return mine;
    try {
      if (this.cells.newDeaths()) this.reap();
      return this.cells.claim(this.title);
    } catch (error) {
      this.monitor.leave();
      throw error;
    }
  }

  /** Whether the writer, which there is, lives; marks it otherwise. */
  writerLives(): boolean {
    const seen = load(this.words, WRITER);
    if ((seen & DIED_BIT) !== 0) return false;
    if (this.roster.alive(seen & OWNER_MASK)) return true;
    store(this.words, WRITER, seen | DIED_BIT);
    return false;
  }

  /** Gives up what dead threads held and waited for. */
  reap(): void {
    const { words } = this;
    for (const cell of this.cells.dead()) {
      this.heir.forget(load(words, cell));
      store(words, cell + GRANTS, 0);
      store(words, cell + WAITS, 0);
      store(words, cell + READS, 0);
      store(words, cell, 0);
    }
    this.countAnew();
  }

  /** The same, from outside, when somebody has died. Returns whether it was worth a look. */
  lookForDeaths(): boolean {
    if (!this.cells.newDeaths()) return false;
    this.monitor.enter();
    this.reap();
    this.leaveAndWake(true, true);
    return true;
  }

  /** All readers that wait at this moment may go before the next writer. */
  entitle(): void {
    const { words } = this;
    let entitled = 0;
    for (const cell of this.cells.used()) {
      const readers = readersIn(load(words, cell + WAITS));
      store(words, cell + GRANTS, readers);
      entitled += readers;
    }
    store(words, ENTITLED, entitled);
  }

  /** Leaves the monitor and wakes a waiting writer, and all waiting readers (invariant 4). */
  leaveAndWake(writers: boolean, readers: boolean): void {
    const { words, roster } = this;
    const tasks = (writers || readers) && load(words, TASKS) !== 0;
    const heir = load(words, HEIR) !== 0 || load(words, WRITER) !== 0; // it may be any of those asleep; or all are to know
    const wakesReaders = readers && load(words, WAITERS) !== 0;
    const wakesWriters = writers && load(words, WRITERS) !== 0;
    if (wakesWriters) add(words, FREED, 1);
    if (wakesReaders) add(words, OPENED, 1);
    if (tasks) add(words, GATE, 1);
    this.monitor.leave();
    if (wakesReaders) roster.parker.unpark(words, OPENED, Infinity);
    if (wakesWriters) roster.parker.unpark(words, FREED, heir ? Infinity : 1);
    if (tasks) roster.parker.unpark(words, GATE, Infinity);
  }
}

/** How many readers wait, of what WAITS says. */
function readersIn(waits: number): number {
  return ((waits & BLOCKED_READER) >> 2) + (waits >> TASK_READERS_SHIFT);
}
