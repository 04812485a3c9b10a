// What a Condition does, around its record (_grants.ts) and its lock's word (_lock_word.ts).
//
// A wait, in this order:
//   1. looks whether it may be: the lock is held, the thread may block and was not told to stop;
//   2. registers, so that every notify() from here on sees it;
//   3. lets go of the lock, wholly, and remembers the hold;
//   4. sleeps until something is granted to it, or gives up and withdraws;
//   5. takes the lock back as the same hold, whatever came of 4, also in a thread that was told to stop. Only a
//      holder's death or a deadlock can keep it from that.
//
// A task's hold may end during 4 and 5, as its guards are released: by the end of a scope that the wait outlives. Then
// the wait is over at once. It takes nothing, and what was granted to it goes to another one: nobody would act on it.

import { checkName, describe, optionsObject } from "./_arguments.ts";
import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { checkThreads, MOST_THREADS } from "./_cells.ts";
import { POLL } from "./_deadline.ts";
import type { Task } from "./_grants.ts";
import { conditionBytes, Grants, LOCK_WORD, TASK_SLEEPS, THREAD_SLEEPS, THREADS_WORD } from "./_grants.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle } from "./_handle.ts";
import type { Placement } from "./_layout.ts";
import { padded } from "./_layout.ts";
import { localOf } from "./_local.ts";
import { checkGuard, stands } from "./_lock_guard.ts";
import { attachGivenLock, attachOwnLock, isLock, makeOwnLock } from "./_lock_link.ts";
import { LOCK_BYTES } from "./_lock_word.ts";
import type { LockWord, SuspendedHold } from "./_lock_word.ts";
import { createRecord } from "./_memory.ts";
import { mayBlock } from "./_park.ts";
import type { Roster } from "./_roster.ts";
import { giveWay, spinUntil } from "./_spin.ts";
import type { Wanted } from "./_wait.ts";
import { BlockedWait, checkBlocking, checkStop, title, waitAsync } from "./_wait.ts";
import { LayoutError, NotHeldError, ThreadStoppedError } from "./errors.ts";
import { Lock, lockCore } from "./lock.ts";
import type { RLock } from "./rlock.ts";
import { rlockCore } from "./rlock.ts";

const OWN_LOCK = 0;
const GIVEN_LOCK = 1;

/** Options of `new Condition()`. */
export interface ConditionOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** How many threads may wait at a time: 64 by default. One more gets a `RangeError`. */
  threads?: number;
  /**
   * A place for the record, `128 + 32 × threads` bytes, up to a multiple of 64, and 64 for a lock of its own; by default it
   * has memory of its own.
   */
  at?: Placement;
}

/** One condition as this agent sees it. */
export class ConditionCore implements Wanted {
  readonly kind = "Condition";
  readonly verb = "wait";
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  readonly lock: Lock | RLock;
  /** The word of the lock. */
  readonly word: LockWord;
  readonly grants: Grants;
  /** The cell that this agent's thread waits in. */
  #at = 0;

  constructor(words: Words, roster: Roster, name: string, lock: Lock | RLock) {
    this.words = words;
    this.roster = roster;
    this.name = name;
    this.lock = lock;
    this.word = lock instanceof Lock ? lockCore(lock) : rlockCore(lock);
    this.grants = localOf(words, () => new Grants(words, roster));
  }

  static create(lock: unknown, options: unknown): ConditionCore {
    if (lock !== undefined && !isLock(lock)) {
      throw new TypeError(`Cannot make a Condition as its lock must be a Lock or an RLock: it is ${describe(lock)}`);
    }
    const { name = "", threads, at } = optionsObject<ConditionOptions>(options);
    checkName("a Condition", name);
    const count = checkThreads(threads);
    const lockAt = padded(conditionBytes(count));
    let used = lock;
    const { words, roster } = createRecord("Condition", lockAt + (used === undefined ? LOCK_BYTES : 0), at, (words) => {
      store(words, THREADS_WORD, count);
      store(words, LOCK_WORD, used === undefined ? OWN_LOCK : GIVEN_LOCK);
      used ??= makeOwnLock(words, lockAt, name);
    });
    return new ConditionCore(words, roster, name, used!);
  }

  static open(handle: Handle): ConditionCore {
    const { words, roster, name, extra } = openHandle("Condition", handle, conditionBytes(1));
    const threads = load(words, THREADS_WORD);
    const given = load(words, LOCK_WORD) !== OWN_LOCK;
    const lockAt = padded(conditionBytes(threads));
    if (threads < 1 || threads > MOST_THREADS || lockAt + (given ? 0 : LOCK_BYTES) > words.byteLength) {
      throw new LayoutError("Cannot attach Condition as its record is damaged or larger than the handle says", {
        expected: "Condition",
        actual: `${threads} threads in ${words.byteLength} bytes`,
      });
    }
    const lock = given ? attachGivenLock("Condition", extra) : attachOwnLock(words, roster, lockAt, name);
    return new ConditionCore(words, roster, name, lock);
  }

  get handle(): Handle {
    const { words, roster, name, lock } = this;
    const given = load(words, LOCK_WORD) !== OWN_LOCK;
    return makeHandle("Condition", words, roster, name, given ? { lock: lock.handle } : undefined);
  }

  get title(): string {
    return title("Condition", this.name);
  }

  owners(): readonly number[] {
    return []; // anybody may notify
  }

  /** Throws NotHeldError unless this thread holds the lock. */
  checkHeld(action: string): void {
    const { word } = this;
    if (word.mine) return;
    const { owner, me } = word;
    const state = owner === 0 ? "it is free" : `current owner is ${owner}`;
    throw new NotHeldError(
      `Cannot ${action} ${this.title} as thread ${me} does not hold its ${word.title}: ${state}; acquire() it before`,
      { owner: owner || undefined },
    );
  }

  /** Notifies so many waiters; they are woken when the lock is let go. */
  notify(n: number): number {
    this.checkHeld("notify");
    const count = this.grants.notify(n);
    if (this.grants.owesWake) this.word.whenFree(this.#wake); // also where a dead waiter's grant has gone on to another
    return count;
  }

  // Who is notified and spins is let through first. A notifier that at once takes the lock again would mostly find nothing
  // new under it, and both would pay for a wait.
  readonly #wake = (): void => {
    if (this.grants.wakeGranted()) giveWay(() => this.word.owner !== 0);
  };

  /** Waits, blocked; returns whether it was notified. The lock is held again in any case. */
  wait(deadline: number): boolean {
    this.checkHeld("wait on");
    if (deadline === POLL && !mayBlock()) return false; // as if nobody had come between
    checkBlocking(this);
    const { grants, word } = this;
    const at = grants.register(this.title); // before the lock is let go
    const hold = word.suspend();
    let notified = false;
    try {
      notified = this.#block(at, deadline);
    } finally {
      try {
        word.resume(hold); // what it throws is the worse news
      } finally {
        if (notified) {
          grants.go(at);
          if (word.mine && !word.handoff) word.beforeFree(grants.settle); // else its end may never be known here
          else grants.settle();
        }
      }
    }
    return notified;
  }

  // Whoever notifies holds the lock for a moment more: to look for that too is cheaper than to run into it. The cell
  // comes first: each look at the lock's word takes it from the core that is about to change it.
  readonly #ready = (): boolean => this.grants.granted(this.#at) && this.word.owner === 0;

  #block(at: number, deadline: number): boolean {
    const { grants, words } = this;
    if (deadline === POLL) return grants.withdraw(at, false);
    this.#at = at;
    if (spinUntil(this.#ready) || grants.granted(at)) return true;
    let wait: BlockedWait | undefined;
    try {
      wait = BlockedWait.begin(this, deadline);
      grants.sleeps(at, THREAD_SLEEPS, true); // before the look (invariant 5)
      for (;;) {
        if (grants.granted(at)) return true;
        grants.lookAround();
        if (wait.expired) return grants.withdraw(at, false);
        wait.park(words, grants.wordOf(at), 0);
      }
    } catch (error) {
      grants.withdraw(at, true);
      throw error;
    } finally {
      if (wait !== undefined) {
        wait.end();
        grants.sleeps(at, THREAD_SLEEPS, false); // until then the cell is this thread's
      }
    }
  }

  /** The hold, by its serial, that a task may give up to wait. Throws TypeError for no guard, NotHeldError for a spent one. */
  holdOf(guard: unknown): number {
    if (guard !== undefined) checkGuard(guard);
    this.checkHeld("wait on");
    const { word } = this;
    if (guard !== undefined && !stands(guard, word)) {
      throw new NotHeldError(`Cannot wait on ${this.title} as the guard does not hold its ${word.title}`);
    }
    return word.local.serial;
  }

  /** Throws NotHeldError if that hold has ended during a wait, which may be known to the wait alone. */
  checkHold(serial: number): void {
    if (!this.word.holds(serial)) throw this.#ended();
  }

  #ended(): NotHeldError {
    const { owner, title } = this.word;
    const state = owner === 0 ? "it is free" : `current owner is ${owner}`;
    return new NotHeldError(`Cannot wait on ${this.title} as its ${title} was released during the wait: ${state}`, {
      owner: owner || undefined,
    });
  }

  /** Waits without blocking. That hold stands again in any case, unless it has ended meanwhile. */
  async waitAsync(serial: number, signal: AbortSignal | undefined): Promise<void> {
    this.checkHold(serial);
    signal?.throwIfAborted();
    checkStop(this);
    const { grants, word } = this;
    const task: Task = { granted: false };
    const at = grants.registerTask(this.title, task); // before the lock is let go
    const hold = word.suspendTask(() => this.#ended());
    try {
      await this.#waitInLine(at, task, hold.ended, signal);
    } catch (error) {
      // Granted in the same instant: then it was notified. Of a thread that has to stop nobody has any more use for that,
      // and should the hold have ended, #takeBack() finds so.
      if (!grants.withdrawTask(at, task, error instanceof ThreadStoppedError)) throw error;
    } finally {
      await this.#takeBack(at, task, hold);
    }
  }

  async #takeBack(at: number, task: Task, hold: SuspendedHold): Promise<void> {
    const { grants, word } = this;
    try {
      await word.resumeAsync(hold);
      this.checkHold(hold.serial); // a guard may have been released since then, before this runs
    } catch (error) {
      if (task.granted && error instanceof NotHeldError) grants.withdrawTask(at, task, true);
      throw error;
    } finally {
      if (task.granted) grants.goTask(at);
    }
  }

  async #waitInLine(at: number, task: Task, ended: AbortSignal, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return await this.#waitToBeDealt(at, task, ended);
    const either = new AbortController();
    const onAbort = (): void => either.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
    ended.addEventListener("abort", () => either.abort(ended.reason));
    try {
      await this.#waitToBeDealt(at, task, either.signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #waitToBeDealt(at: number, task: Task, signal: AbortSignal): Promise<void> {
    const { grants, words } = this;
    await grants.line.enter(signal);
    try {
      await waitAsync<void>(this, () => {
        grants.sleeps(at, TASK_SLEEPS, true); // before the look (invariant 5)
        if (!task.granted) grants.deal(at);
        if (task.granted) return { done: true, value: undefined };
        grants.lookAround();
        return { done: false, sleep: { words, index: grants.wordOf(at), expected: 0 } };
      }, { signal });
    } finally {
      grants.sleeps(at, TASK_SLEEPS, false); // the next in line says so anew
      grants.line.leave();
    }
  }
}
