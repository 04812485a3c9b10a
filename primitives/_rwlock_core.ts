// RWLock: taking its sides and letting go of them, blocked and async, by any of the methods of the user's class. The
// record, its rules and the proof are in the header of _rwlock_state.ts.

import type { Words } from "./_atomics.ts";
import { load, store, write } from "./_atomics.ts";
import { now, POLL } from "./_deadline.ts";
import { checkRank, forgetHold, type Holdable, noteHold, sweepHolds, tracking } from "./_held.ts";
import { PATIENCE } from "./_heir.ts";
import type { Kind } from "./_layout.ts";
import { AsyncLine } from "./_line.ts";
import { localOf } from "./_local.ts";
import type { Roster } from "./_roster.ts";
import {
  BLOCKED_READER,
  BLOCKED_WRITER,
  FREED,
  GATE,
  GRANTS,
  ONE_TASK_READER,
  OPENED,
  READERS,
  READS,
  RWLockState,
  TASK_WRITER,
  WAITERS,
  WAITS,
  WRITER,
  WRITERS,
} from "./_rwlock_state.ts";
import { spinUntil } from "./_spin.ts";
import type { Attempt, Wanted } from "./_wait.ts";
import { BlockedWait, SLICE, waitAsync } from "./_wait.ts";
import { DeadlockError, OwnerDiedError } from "./errors.ts";

/** What this agent knows of an RWLock, shared by all its objects for it. */
class RWLockLocal {
  /** Its tasks that want to write; readers need no line, as they get in together. */
  readonly line: AsyncLine = new AsyncLine();
  /** Counts the write holds of this agent. */
  serial = 0;
  /** Whether the present write hold was taken by a task. */
  task = false;
  /** How many of its read holds are the thread's own and how many its tasks': for ranks and dumps these are two holds. */
  readonly reads: [number, number] = [0, 0];
}

const BY_THREAD = 0;
const BY_TASKS = 1;
type Readers = typeof BY_THREAD | typeof BY_TASKS;

/** One of the two sides of an RWLock: what is waited for and held. */
class Side implements Wanted, Holdable {
  readonly kind: Kind = "RWLock";
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  readonly rank: number | undefined;
  readonly verb: string;
  readonly owners: () => readonly number[];
  readonly holds: (serial: number) => boolean;

  constructor(
    core: RWLockCore,
    verb: string,
    how: { owners(): readonly number[]; holds(serial: number): boolean },
  ) {
    this.words = core.words;
    this.roster = core.roster;
    this.name = core.name;
    this.rank = core.rank;
    this.verb = verb;
    this.owners = how.owners;
    this.holds = how.holds;
  }
}

/** One RWLock as this agent sees it. */
export class RWLockCore extends RWLockState {
  readonly #local: RWLockLocal;
  readonly #reading: Side;
  readonly #writing: Side;
  #atMost = 0; // how long who found no way in may sleep, and on which values
  #seen = 0;
  #gate = 0;

  constructor(words: Words, roster: Roster, name: string) {
    super(words, roster, name);
    this.#local = localOf(words, () => new RWLockLocal());
    this.#reading = new Side(this, "read", {
      owners: () => this.#readersOwners(),
      holds: (readers) => this.#local.reads[readers as Readers] > 0 && this.myReads() > 0,
    });
    this.#writing = new Side(this, "write", {
      owners: () => this.#writersOwners(),
      holds: (serial) => this.#local.serial === serial && load(words, WRITER) === this.me,
    });
  }

  // For whom one waits; see _detect.ts.

  #readersOwners(): readonly number[] {
    const { writer } = this;
    if (writer !== 0) return [writer];
    const mine = this.cells.mine();
    if (mine >= 0 && load(this.words, mine + GRANTS) > 0) return []; // on its way in
    return this.threadsWhere((cell) => (load(this.words, cell + WAITS) & BLOCKED_WRITER) !== 0);
  }

  #writersOwners(): readonly number[] {
    const { writer } = this;
    return writer !== 0 ? [writer] : this.threadsWhere((cell) => load(this.words, cell + READS) > 0);
  }

  // Reading.

  /** Reads, or returns false once the deadline is over. */
  read(deadline: number): boolean {
    if (this.rank !== undefined) checkRank(this.#reading, false);
    if (this.#tryRead()) return this.#noteRead(false);
    if (deadline === POLL) return this.lookForDeaths() && this.#tryRead() && this.#noteRead(false);
    if (deadline === Infinity) this.refuseOwn("read");
    const ready = (): boolean => load(this.words, WRITER) === 0 && load(this.words, WRITERS) === 0;
    if (spinUntil(ready) && this.#tryRead()) return this.#noteRead(false);
    return this.#wait(this.#reading, BLOCKED_READER, OPENED, deadline) && this.#noteRead(false);
  }

  /** Reads for a task of this agent. */
  async readAsync(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.rank !== undefined) checkRank(this.#reading, true);
    if (load(this.words, WRITERS) !== 0 || !this.#tryRead()) {
      await this.#waitAsync(this.#reading, ONE_TASK_READER, signal);
    }
    this.#noteRead(true);
  }

  /** Reads if that is possible at once. */
  #tryRead(): boolean {
    const { words } = this;
    this.monitor.enter();
    let cell = -1;
    if (load(words, WRITER) === 0) {
      if (load(words, WRITERS) === 0) cell = this.cell();
      else if (this.myReads() > 0) cell = this.cells.mine();
    } else if (!this.writerLives()) this.#leaveAndThrow(this.#reading);
    if (cell >= 0) {
      write(words, cell + READS, load(words, cell + READS) + 1); // from here on we read, dead or alive
      write(words, READERS, load(words, READERS) + 1);
    }
    this.monitor.leave();
    return cell >= 0;
  }

  /** Ends one read hold of this agent's thread, or of one of its tasks. */
  endRead(task: boolean): void {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cells.mine();
    const reads = cell < 0 ? 0 : load(words, cell + READS);
    let last = false;
    if (reads > 0) {
      const readers = load(words, READERS) - 1;
      write(words, cell + READS, reads - 1);
      write(words, READERS, readers);
      last = readers === 0 && load(words, WRITERS) !== 0;
    }
    // Readers have to see to it themselves that what is kept for a task lapses.
    if (last) this.leaveAndWake(true, !this.someWait(BLOCKED_WRITER));
    else this.monitor.leave();
    const { reads: count } = this.#local;
    const readers = task ? BY_TASKS : BY_THREAD;
    if (count[readers] > 0) count[readers]--;
    if (count[readers] === 0 && (tracking || this.rank !== undefined)) sweepHolds();
  }

  #noteRead(task: boolean): true {
    const readers = task ? BY_TASKS : BY_THREAD;
    const count = ++this.#local.reads[readers];
    if (count === 1 && (tracking || this.rank !== undefined)) noteHold(this.#reading, readers, task);
    return true;
  }

  // Writing.

  /** Writes, or returns 0 once the deadline is over, else the serial of the hold. */
  write(deadline: number): number {
    if (this.rank !== undefined) checkRank(this.#writing, false);
    if (this.#tryWrite()) return this.#noteWrite(false);
    if (deadline === POLL) return this.lookForDeaths() && this.#tryWrite() ? this.#noteWrite(false) : 0;
    if (deadline === Infinity) this.refuseOwn("write");
    const ready = (): boolean => load(this.words, WRITER) === 0 && load(this.words, READERS) === 0;
    if (spinUntil(ready) && this.#tryWrite()) return this.#noteWrite(false);
    return this.#wait(this.#writing, BLOCKED_WRITER, FREED, deadline) ? this.#noteWrite(false) : 0;
  }

  /** Writes for a task of this agent. */
  async writeAsync(signal: AbortSignal | undefined): Promise<number> {
    signal?.throwIfAborted();
    if (this.rank !== undefined) checkRank(this.#writing, true);
    const { line } = this.#local;
    if (line.length === 0 && this.#tryWrite()) return this.#noteWrite(true);
    await line.enter(signal);
    try {
      await this.#waitAsync(this.#writing, TASK_WRITER, signal);
      return this.#noteWrite(true);
    } finally {
      line.leave();
    }
  }

  /** Writes if that is possible at once. */
  #tryWrite(): boolean {
    this.monitor.enter();
    if (load(this.words, WRITER) !== 0 && !this.writerLives()) this.#leaveAndThrow(this.#writing);
    const may = this.mayWrite();
    if (may) write(this.words, WRITER, this.me);
    this.monitor.leave();
    return may;
  }

  /** Ends that write hold of this agent. */
  endWrite(serial: number): void {
    const { words } = this;
    if (this.#local.serial !== serial || load(words, WRITER) !== this.me) return;
    this.monitor.enter();
    if (load(words, WAITERS) !== 0) this.entitle();
    write(words, WRITER, 0);
    this.leaveAndWake(true, true); // a writer too, to see to it that what is kept for the readers lapses
    if (tracking || this.rank !== undefined) forgetHold(this.#writing);
  }

  #noteWrite(task: boolean): number {
    const local = this.#local;
    local.task = task;
    const serial = ++local.serial;
    if (tracking || this.rank !== undefined) noteHold(this.#writing, serial, task);
    return serial;
  }

  /** Takes over from a writer that died. Returns the serial of the hold, 0 when no writer died. */
  recover(): number {
    const { words } = this;
    this.monitor.enter();
    const recovers = load(words, WRITER) !== 0 && !this.writerLives();
    if (recovers) store(words, WRITER, this.me);
    this.monitor.leave();
    return recovers ? this.#noteWrite(false) : 0;
  }

  // Waiting.

  #wait(side: Side, bit: number, index: number, deadline: number): boolean {
    const wait = BlockedWait.begin(side, deadline);
    let done = false;
    try {
      for (;;) {
        this.lookForDeaths();
        done = this.#enterOrMark(side, bit, index, wait.elapsed);
        if (done || wait.expired) return done;
        wait.park(this.words, index, this.#seen, this.#atMost);
      }
    } finally {
      wait.end();
      if (!done) this.#giveUp(bit);
    }
  }

  async #waitAsync(side: Side, bit: number, signal: AbortSignal | undefined): Promise<void> {
    const { words } = this;
    const since = now();
    let marked = false;
    const attempt = (): Attempt<void> => {
      this.lookForDeaths();
      if (this.#enterOrMark(side, bit, GATE, now() - since, marked)) return { done: true, value: undefined };
      marked = true;
      const sleep = { words, index: GATE, expected: this.#gate, atMost: Math.min(this.#atMost, SLICE) };
      return { done: false, sleep };
    };
    await waitAsync(side, attempt, { signal, onGiveUp: () => marked && this.#giveUp(bit) });
  }

  /** A waiter gets in; or is counted as one that is about to sleep, unless it is already (invariant 3). */
  #enterOrMark(side: Side, bit: number, index: number, waited: number, marked?: boolean): boolean {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cell();
    if (load(words, WRITER) !== 0 && !this.writerLives()) this.#leaveAndThrow(side);
    const writes = side === this.#writing;
    const waits = load(words, cell + WAITS);
    const counted = marked ?? (waits & bit) !== 0;
    const may = writes ? this.mayWrite() : this.mayRead(cell, bit, waited);
    if (may) {
      if (writes) {
        store(words, WRITER, this.me);
        this.heir.resign();
      } else this.beginRead(cell);
      if (counted) this.setWaits(cell, waits - bit);
    } else {
      if (!counted) this.setWaits(cell, waits + bit);
      if (writes && waited > PATIENCE) this.heir.claim(bit === TASK_WRITER);
      this.#atMost = this.glance(writes, cell, bit);
      this.#seen = load(words, index);
      this.#gate = load(words, GATE);
    }
    this.monitor.leave();
    return may;
  }

  /** A waiter goes away: whom it was in the way of may go on, and what it was woken for goes to another (invariant 4). */
  #giveUp(bit: number): void {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cells.mine();
    const waits = cell < 0 ? 0 : load(words, cell + WAITS);
    if (bit >= ONE_TASK_READER ? waits >= bit : (waits & bit) !== 0) this.setWaits(cell, waits - bit);
    if ((bit & (BLOCKED_WRITER | TASK_WRITER)) !== 0) this.heir.resign();
    const free = load(words, WRITER) === 0;
    this.leaveAndWake(free, free && load(words, WRITERS) === 0);
  }

  #leaveAndThrow(side: Side): never {
    const { roster, writer } = this;
    this.leaveAndWake(true, true); // all are to know
    const threadName = roster.name(writer);
    const who = threadName === "" ? writer : JSON.stringify(threadName);
    throw new OwnerDiedError(
      `Cannot ${side.verb} ${this.title} as thread ${who} died writing it: ` +
        "recover() takes it over, to repair what it protects",
      { threadName },
    );
  }

  /** A thread that waits for itself would wait for ever: throws DeadlockError if this one would. */
  refuseOwn(verb: "read" | "write"): void {
    const { roster } = this;
    const me = this.me;
    const writes = load(this.words, WRITER) === me;
    if (!writes && (verb === "read" || this.myReads() === 0)) return;
    const does = writes ? "writes" : "reads";
    const who = does === "writes" && this.#local.task ? "a task of this thread" : "this thread";
    throw new DeadlockError(`Cannot ${verb} ${this.title} as ${who} ${does} it: it would wait for itself`, {
      cycle: [{ thread: me, threadName: roster.name(me), waitsFor: this.title, holds: this.title }],
    });
  }
}
