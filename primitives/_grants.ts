// Memory layout: Condition, 32 words and 8 for each of its threads (align 64), then its RLock if that is its own.
//
//   word    name     written by      meaning
//   0 1 2   TAG ID   creator, once   see _layout.ts
//   3       THREADS  creator, once   how many cells there are
//   4       LOCK     creator, once   0: an RLock behind the record; 1: the handle carries the lock
//   5       HIGH     a new waiter    how many cells have ever been in use: nobody looks at those behind
//   6       TICKETS  in the monitor  counts places in the order of waiters, wraps, skips 0
//   7       -        nobody          spare
//   8 - 23  MONITOR  see _monitor.ts, 7 entries
//   24 - 31 -        nobody          spare
//   32 …    cells, see _cells.ts:
//     0     THREAD   its thread, or a reaper
//     1     WAITING  in the monitor  waiters of this thread that nobody has notified
//     2     GRANTED  in the monitor  those that were notified and have not gone yet; the thread's waiters sleep on it
//     3     SYNC     in the monitor  1: one of them is the thread itself, blocked
//     4     TICKET   in the monitor  its place in the order; 0 = WAITING is 0
//     5     TAKEN    its thread      tasks that took their grant and do not hold the lock again yet; more is written in
//                                    the monitor, less also outside, by one store; of a dead thread by a reaper
//     6     ASLEEP   its thread      who may be asleep on GRANTED: bit 0 the thread, bit 1 a task; of a dead one by a reaper
//     7     spare, zero
//
// Changes, each one inside the monitor:
//   register   WAITING + 1 (SYNC = 1), at the end of the order if none of the thread was in it
//   grant      WAITING - 1, GRANTED + 1, to the end of the order         notify(), once for each
//   go         GRANTED - 1, SYNC = 0                                     by the thread, which holds the lock again: in what
//              it does next in the monitor, by a notify() for the next one mostly, or else before it lets go of the lock
//   take       GRANTED - 1, TAKEN + 1                                    by a task, which then goes: TAKEN - 1
//   withdraw   WAITING - 1 (SYNC = 0)                                    timed out, aborted or stopped, not granted
//   pass on    GRANTED - 1 here, a grant there                           a waiter that was granted died, was stopped, or
//              (TAKEN - 1 if a task had taken it)                        lost the hold for which it would have come back
//   reap       all words of a dead thread's cell to 0, after passing on  by notify() and by every waiter's look around, where
//              threads have died since their last one; by who finds no cell for itself
// register and go change but the thread's own cell, which means nothing once it is dead: so they need no journal, if the
//   word that counts is written last (WAITING) or first (GRANTED). All others are transactions.
//
// Invariants:
//   1. A waiter is registered before it lets go of the lock. So notify(), which needs the lock, sees everybody
//      who waited before it; and with nobody WAITING it may say so without going inside.
//   2. WAITING + GRANTED + TAKEN of a cell = waiters of that thread which have neither gone nor withdrawn, as it was when
//      the thread last left the monitor or let go of the lock.
//   3. A grant leaves a cell only when its waiter holds the lock again, or by being passed on; it is dropped only when
//      nobody is left to have it. So the grant of a thread that dies on its way to the lock, or soon after, is not lost.
//      Should another thread end the hold, which only a Lock allows, the grant stands until its waiter's next change.
//   4. A blocked waiter is served before its own thread's async ones, which cannot run meanwhile. Grants that
//      are there when another waiter of the thread registers belong to the older ones: they are taken for them first.
//   5. A waiter sleeps only on GRANTED = 0, with its bit of ASLEEP set before it looks. So who grants and then finds ASLEEP
//      0 need not wake anybody.
//   6. With nobody waiting, all cells are 0 save THREAD: idle, to be claimed by any thread.
//
// Whom a grant goes to: the thread that is first in the order and can run. One that is in a blocking wait and
//   not in this one cannot: it is chosen last. A thread goes to the end of the order with each grant.
// Publication: grants carry nothing; what was changed is published by the lock.
// Whom a notify() has granted to is woken when the notifier lets go of the lock: before that it could only wait for
//   the lock, and would sleep and be woken twice. If the notifier dies or another thread ends its hold, they find
//   out at the end of their slice.
// One word for a thread's blocked and async waiters: it is always unparked for all, two sleepers at the most.

import type { Words } from "./_atomics.ts";
import { load, read, store, write } from "./_atomics.ts";
import { Cells } from "./_cells.ts";
import { FIRST } from "./_layout.ts";
import { AsyncLine } from "./_line.ts";
import { Monitor } from "./_monitor.ts";
import type { Roster } from "./_roster.ts";

/** Word: how many cells there are. */
export const THREADS_WORD: number = FIRST;
/** Word: whose the lock is. */
export const LOCK_WORD = 4;
const HIGH = 5;
const TICKETS = 6;
const MONITOR = 8;
const ENTRIES = 7;
const CELLS = 32;
const CELL = 8;

const THREAD = 0;
const WAITING = 1;
const GRANTED = 2;
const SYNC = 3;
const TICKET = 4;
const TAKEN = 5;
const ASLEEP = 6;

/** ASLEEP: the thread itself. */
export const THREAD_SLEEPS = 1;
/** ASLEEP: a task of it. */
export const TASK_SLEEPS = 2;

/** More waiters than one thread can have: a damaged record must not keep anybody busy for long. */
const MOST = 0xfffff;
/** Grants of a dead thread that are passed on one by one, to each waiting thread in its turn. */
const BY_TURNS = 256;

/** Bytes of the record for that many threads, without the lock. */
export function conditionBytes(threads: number): number {
  return 4 * (CELLS + CELL * threads);
}

/** An async waiter of this agent. */
export interface Task {
  /** Whether it has been notified. */
  granted: boolean;
}

/** Who waits and who may go, as one agent sees it: one object for all its objects of a condition. */
export class Grants {
  readonly line: AsyncLine = new AsyncLine();
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #monitor: Monitor;
  readonly #cells: Cells;
  /** This agent's async waiters that have not been granted, oldest first. */
  readonly #tasks = new Set<Task>();
  /** Cells whose sleepers have to be woken, the first `#wakes` of them; it is never emptied, as that would cost memory. */
  readonly #wake: number[] = [];
  #wakes = 0;
  /** The cell of which the blocked waiter has gone, holding the lock, without anything written there; -1 for none. */
  #gone = -1;

  constructor(words: Words, roster: Roster) {
    this.#words = words;
    this.#roster = roster;
    this.#monitor = new Monitor(words, roster, MONITOR, ENTRIES);
    this.#cells = new Cells(words, roster, CELLS, CELL, load(words, THREADS_WORD));
    // A holder that died may not have woken those it had granted to.
    this.#monitor.takeOver = () => {
      for (let at = CELLS; at < this.#end; at += CELL) if (this.#count(at + GRANTED) > 0) this.#owe(at);
    };
  }

  /** How many wait, at this moment. */
  get waiting(): number {
    let sum = 0;
    for (let at = CELLS; at < this.#end; at += CELL) {
      const waiting = this.#count(at + WAITING);
      if (waiting > 0 && this.#roster.alive(read(this.#words, at + THREAD))) sum += waiting;
    }
    return sum;
  }

  get #end(): number {
    return CELLS + CELL * Math.min(read(this.#words, HIGH) >>> 0, this.#cells.count);
  }

  #count(index: number): number {
    return Math.min(Math.max(read(this.#words, index), 0), MOST);
  }

  #leave(): void {
    this.#monitor.leave();
    if (this.#wakes !== 0) this.wakeGranted();
  }

  /** Whether something was granted to somebody who has not been woken. */
  get owesWake(): boolean {
    return this.#wakes !== 0;
  }

  #owe(at: number): void {
    this.#wake[this.#wakes++] = at;
  }

  /** Wakes those that something was granted to; returns whether some of them are awake: they look by themselves. */
  wakeGranted(): boolean {
    const words = this.#words;
    let awake = false;
    for (let i = 0; i < this.#wakes; i++) {
      const at = this.#wake[i]!;
      if (load(words, at + ASLEEP) !== 0) this.#roster.parker.unpark(words, at + GRANTED, Infinity); // invariant 5
      else awake = true;
    }
    this.#wakes = 0;
    return awake;
  }

  // Waiting, blocked.

  /** Registers this agent's thread; returns its cell. Throws RangeError when there is none left. */
  register(what: string): number {
    return this.#register(what, true);
  }

  #register(what: string, sync: boolean): number {
    const words = this.#words;
    this.#enter();
    try {
      let at = this.#cells.mine();
      if (at < 0) {
        this.#reap(); // the dead need no cells
        at = this.#cells.claim(what);
      }
      const used = (at - CELLS) / CELL + 1;
      if (read(words, HIGH) < used) store(words, HIGH, used); // before anybody is granted anything there
      this.#drain(at); // invariant 4
      const waiting = this.#count(at + WAITING);
      if (waiting === 0) {
        const ticket = this.#nextTicket();
        write(words, TICKETS, ticket);
        write(words, at + TICKET, ticket);
      }
      if (sync) write(words, at + SYNC, 1);
      write(words, at + WAITING, waiting + 1); // last; leave() publishes all
      return at;
    } finally {
      this.#leave();
    }
  }

  /** The word that the waiters of a cell sleep on while it is 0. */
  wordOf(at: number): number {
    return at + GRANTED;
  }

  /** Whether something has been granted to the cell. */
  granted(at: number): boolean {
    return load(this.#words, at + GRANTED) !== 0;
  }

  /** Somebody of this thread is about to sleep on its cell's word, or has woken up for good. */
  sleeps(at: number, who: number, asleep: boolean): void {
    const seen = read(this.#words, at + ASLEEP); // while its thread lives only it writes there
    const bits = asleep ? seen | who : seen & ~who;
    if (bits !== seen) store(this.#words, at + ASLEEP, bits);
  }

  /** The blocked waiter, which was granted something, holds the lock again: to be settled before it lets go. */
  go(at: number): void {
    this.#gone = at;
  }

  /** Books that the blocked waiter has gone, if notify() and others have not done so by the way. */
  readonly settle = (): void => {
    if (this.#gone < 0) return;
    try {
      this.#enter();
      this.#leave();
    } catch {
      // The record is damaged, or the stack at its end: the lock is to be let go all the same.
    }
  };

  // All that this agent does in the monitor finds its blocked waiter gone.
  #enter(): void {
    const words = this.#words;
    this.#monitor.enter();
    const at = this.#gone;
    if (at < 0) return;
    this.#gone = -1;
    write(words, at + GRANTED, Math.max(this.#count(at + GRANTED) - 1, 0)); // first; leave() publishes both
    write(words, at + SYNC, 0);
  }

  /** A task that took its grant holds the lock again. */
  goTask(at: number): void {
    store(this.#words, at + TAKEN, Math.max(this.#count(at + TAKEN) - 1, 0)); // while its thread lives only it writes there
  }

  /**
   * Ends the wait of the blocked waiter. Returns whether something was granted to it in this instant, which it then has;
   * or, if `pass`, passes that on.
   */
  withdraw(at: number, pass: boolean): boolean {
    const monitor = this.#monitor;
    this.#enter();
    const granted = this.#count(at + GRANTED) > 0;
    if (!granted) {
      monitor.set(at + SYNC, 0);
      this.#less(at);
      monitor.commit();
    } else if (pass) {
      const next = this.#choose(at);
      const own = this.#count(at + WAITING) > 0;
      monitor.set(at + SYNC, 0);
      // With nobody in other threads, an async waiter of this one has it: it stays in the cell.
      if (next < 0 && own) this.#less(at);
      else monitor.set(at + GRANTED, this.#count(at + GRANTED) - 1);
      if (next >= 0) this.#grant(next);
      monitor.commit();
    }
    this.#leave();
    return granted && !pass;
  }

  // Waiting without blocking.

  /** Registers an async waiter; returns its cell. Throws RangeError when there is none left. */
  registerTask(what: string, task: Task): number {
    const at = this.#register(what, false);
    this.#tasks.add(task);
    return at;
  }

  /** Gives what was granted to the async waiters of this agent, oldest first. */
  deal(at: number): void {
    if (!this.granted(at)) return;
    this.#enter();
    this.#drain(at);
    this.#leave();
  }

  #drain(at: number): void {
    let granted = this.#count(at + GRANTED);
    if (granted === 0) return;
    this.#monitor.set(at + GRANTED, 0);
    this.#monitor.set(at + TAKEN, this.#count(at + TAKEN) + Math.min(granted, this.#tasks.size));
    this.#monitor.commit();
    for (; granted > 0; granted--) this.#dealOne();
  }

  #dealOne(): boolean {
    for (const task of this.#tasks) {
      task.granted = true;
      this.#tasks.delete(task);
      return true;
    }
    return false;
  }

  /** Ends the wait of an async waiter; the same rules as for the blocked one. */
  withdrawTask(at: number, task: Task, pass: boolean): boolean {
    const monitor = this.#monitor;
    this.#enter();
    if (!task.granted) this.#drain(at);
    if (!task.granted) {
      this.#tasks.delete(task);
      this.#less(at);
      monitor.commit();
    } else if (pass) {
      // Of a thread that has to stop no other waiter may have it, unless there is nobody else.
      const next = this.#choose(this.#roster.stopRequested ? at : -1);
      if ((next < 0 || next === at) && this.#dealOne()) {
        if (this.#less(at) > 0) this.#enqueue(at); // the grant stays, with another waiter,
        this.#owe(at); // who may be asleep
      } else {
        monitor.set(at + TAKEN, this.#count(at + TAKEN) - 1);
        if (next >= 0) this.#grant(next);
      }
      monitor.commit();
      task.granted = false;
    }
    this.#leave();
    return task.granted;
  }

  // Granting.

  /**
   * Grants to exactly min(n, waiting) waiters; returns to how many. The caller holds the lock, and calls
   * wakeGranted() when it lets go.
   */
  notify(n: number): number {
    if (n === 0 || !this.#anybody()) return 0; // invariant 1
    this.#enter();
    if (this.#cells.newDeaths()) this.#reap(); // who dies from here on has died after it was granted something
    const count = n >= this.#total() ? this.#grantAll() : this.#grantSome(n);
    this.#monitor.leave();
    return count;
  }

  // How many wait, once those found dead have been reaped.
  #total(): number {
    let sum = 0;
    for (let at = CELLS; at < this.#end; at += CELL) sum += this.#count(at + WAITING);
    return sum;
  }

  #anybody(): boolean {
    for (let at = CELLS; at < this.#end; at += CELL) if (read(this.#words, at + WAITING) !== 0) return true;
    return false;
  }

  #grantAll(): number {
    const monitor = this.#monitor;
    let count = 0;
    for (let at = CELLS; at < this.#end; at += CELL) {
      const waiting = this.#count(at + WAITING);
      if (waiting === 0) continue;
      monitor.set(at + GRANTED, this.#count(at + GRANTED) + waiting);
      monitor.set(at + WAITING, 0);
      monitor.set(at + TICKET, 0);
      monitor.commit();
      this.#owe(at);
      count += waiting;
    }
    return count;
  }

  #grantSome(n: number): number {
    for (let count = 0; count < n; count++) {
      const at = this.#choose(-1);
      if (at < 0) return count;
      this.#grant(at);
      this.#monitor.commit();
    }
    return n;
  }

  /** The cell that gets the next grant, -1 when nobody waits; `except` is none of them. */
  #choose(except: number): number {
    const words = this.#words;
    const present = read(words, TICKETS);
    let best = -1;
    let bestAge = -1;
    for (let at = CELLS; at < this.#end; at += CELL) {
      if (at === except || read(words, at + WAITING) <= 0) continue;
      const thread = read(words, at + THREAD);
      if (!this.#roster.alive(thread)) continue;
      const served = read(words, at + GRANTED) > 0;
      const blocked = read(words, at + SYNC) !== 0 ? served : this.#roster.waits(thread);
      const age = ((present - read(words, at + TICKET)) & 0x3fffffff) + (blocked ? 0 : 0x40000000); // wraps
      if (age <= bestAge) continue;
      best = at;
      bestAge = age;
    }
    return best;
  }

  // The changes of a grant, to be committed.
  #grant(at: number, count = 1): void {
    this.#monitor.set(at + GRANTED, this.#count(at + GRANTED) + count);
    if (this.#less(at, count) > 0) this.#enqueue(at);
    this.#owe(at);
  }

  // Fewer waiters, to be committed.
  #less(at: number, count = 1): number {
    const left = Math.max(this.#count(at + WAITING) - count, 0);
    this.#monitor.set(at + WAITING, left);
    if (left === 0) this.#monitor.set(at + TICKET, 0);
    return left;
  }

  // To the end of the order, to be committed.
  #enqueue(at: number): void {
    const ticket = this.#nextTicket();
    this.#monitor.set(TICKETS, ticket);
    this.#monitor.set(at + TICKET, ticket);
  }

  #nextTicket(): number {
    return (read(this.#words, TICKETS) + 1) | 0 || 1;
  }

  // The dead.

  /** Looks whether waiters have died, and passes on what was granted to them. Every waiter does, now and then. */
  lookAround(): void {
    if (!this.#cells.newDeaths()) return;
    for (let at = CELLS; at < this.#end; at += CELL) {
      const thread = load(this.#words, at + THREAD);
      if (thread === 0 || this.#roster.alive(thread)) continue;
      this.#enter();
      this.#reap();
      this.#leave();
      return;
    }
  }

  #reap(): void {
    const words = this.#words;
    const monitor = this.#monitor;
    for (let at = CELLS; at < this.#end; at += CELL) {
      const thread = read(words, at + THREAD);
      if (thread === 0 || this.#roster.alive(thread)) continue;
      for (const word of [at + TAKEN, at + GRANTED]) {
        for (let left = this.#count(word); left > 0;) {
          const next = this.#choose(at);
          if (next < 0) break; // nobody is left to have it
          // By turns; as many as no program has, of which each would take a while, all at once.
          const passed = left <= BY_TURNS ? 1 : Math.min(left, this.#count(next + WAITING));
          left -= passed;
          monitor.set(word, left);
          this.#grant(next, passed);
          monitor.commit();
        }
      }
      for (const word of [WAITING, GRANTED, SYNC, TICKET, TAKEN, ASLEEP, THREAD]) monitor.set(at + word, 0);
      monitor.commit();
    }
  }
}
