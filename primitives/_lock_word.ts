// Memory layout: Lock and RLock, 16 words (64 bytes, align 64). TAG set, the rest zero = free.
//
//   word  name    written by      meaning
//   0 1 2 TAG ID  creator, once   see _layout.ts
//   3     OWNER   any thread      bits 0-29  OWNER_MASK   id of the holder, 0 = none
//                                 bit  30    DIED_BIT     the holder is known to have died
//                                 bit  31    WAITERS_BIT  the release owes a wake-up
//   4     GATE    any releaser    counts contended releases, wraps, only compared; async waiters sleep on it
//   5     TASKS   async waiters   how many agents have an async waiter asleep on GATE; those that died still count
//   6     HEIR    starved waiter  id of the waiter that gets the next release, bit 30: it is async; 0 = none
//   7     FLAGS   creator, once   bit 0 handoff, bit 1 has a rank
//   8     RANK    creator, once   the rank, if it has one
//   9 - 15 spare, zero
//
// OWNER as { holder, died, waiters }:
//   { 0, 0, 0 }  free; threads may still be asleep, then a notified one is awake and bound by invariant 2
//   { 0, 0, 1 }  free and, while HEIR is set, reserved for it; else any slow-path acquirer takes it
//   { t, 0, 0 }  held by t; the remark of the first line
//   { t, 0, 1 }  held by t; threads are asleep on OWNER or GATE, or about to be, or gave up a moment ago
//   { t, 1, * }  t died holding it; every acquire throws OwnerDiedError until recover()
//   { t, 0, * } with t ended: nobody has noticed. If the target of t returned, leaving the lock behind, a release by
//                anybody ends the hold as in Python; acquirers take t for dead, save with handoff, where they wait
//   { 0, 1, * }  never
//
// Transitions:
//   { 0, 0, 0 } -> { me, 0, 0 }   acquire, fast path               cas
//   { 0, 0, * } -> { me, 0, 1 }   acquire, slow or async           cas; from { 0, 0, 1 } only if not reserved for another
//   { t, 1, w } -> { 0, 0, 0 }    release by anybody, where the target of t returned     cas
//   { t, d, 0 } -> { t, d, 1 }    before sleeping on it            cas
//   { t, 0, 0 } -> { 0, 0, 0 }    release, fast path               cas
//   { t, 0, 1 } -> { 0, 0, h }    release; h = HEIR is set         cas, then wake one on OWNER (all if h), all on GATE
//   { t, 0, w } -> { t, 1, w }    anybody who finds t dead         cas, then wake all
//   { t, 1, w } -> { me, 0, w }   recover()                        cas
//   { 0, 0, 1 } -> { 0, 0, 0 }    the heir gives up                cas, then wake one on OWNER and all on GATE
//
// Invariants:
//   1. A thread sleeps on OWNER only with WAITERS_BIT set, an async waiter only on the GATE that it read before
//      it saw WAITERS_BIT set, with its agent counted in TASKS.
//   2. A waiter that was asleep takes the lock as { me, 0, 1 }, or sets WAITERS_BIT again before it sleeps or gives up.
//   3. While t lives, only a release changes it.
//   4. With nobody holding or waiting, OWNER, TASKS and HEIR are 0: the record is fully reset.
//
// Publication: the cas in release() publishes every plain write made while holding.
// Why two words: unpark(OWNER, 1) has to reach a thread that can run; an async waiter's event loop may be busy.
// Fairness: barging is allowed. A waiter passed for PATIENCE ms becomes the heir, and gets the next release. What is
//   reserved lapses after LAPSE ms (1 for an async heir, whose thread may be busy), as seen by whoever waits for it.
// Hold serial: counts the holds of this agent, beside the word in LockLocal. Which of an agent's own holds stands is
//   known to it alone: a serial in shared memory could be overwritten late by a holder whose hold another thread ended.
//   The serial is booked in the same turn as the word is won, so no guard of an earlier hold ever matches a later one.
// Depth (RLock): also of the agent alone, as nobody else can end its hold. One word in memory, however deep it nests. From
//   the second level on the agent keeps it (Agent.nested): all objects for the lock may be collected meanwhile.
// A Condition gives a hold up and takes it back as the same one (suspend, resume): its guards stay good. Those of a task's
//   hold that are released meanwhile count: with the last of them the hold has ended, and is not taken back.
// Source: the three-state futex mutex of U. Drepper, "Futexes Are Tricky", with an owner; barging and the bound on it
//   as in WebKit's WTF::Lock ("Locking in WebKit"); no spinning past those who sleep, as in parking_lot; looks with gaps
//   after T. Anderson, "The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors".

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { add, cas, load, store } from "./_atomics.ts";
import { now, POLL } from "./_deadline.ts";
import { checkRank, followTracking, forgetHold, noteHold, tracking } from "./_held.ts";
import { LAPSE, LAPSE_TASK, PATIENCE } from "./_heir.ts";
import type { Kind } from "./_layout.ts";
import { FIRST, REACQUIRE } from "./_layout.ts";
import { AsyncLine } from "./_line.ts";
import { localOf } from "./_local.ts";
import type { Roster } from "./_roster.ts";
import { spinUntil } from "./_spin.ts";
import type { Attempt, Wanted } from "./_wait.ts";
import { BlockedWait, SLICE, title, waitAsync } from "./_wait.ts";
import { DeadlockError, NotHeldError, OwnerDiedError } from "./errors.ts";

/** Bytes of a Lock or an RLock. */
export const LOCK_BYTES = 64;

/** Word: the holder. */
export const OWNER: number = FIRST;
const GATE = 4;
const TASKS = 5;
const HEIR = 6;
const FLAGS = 7;
const RANK = 8;

const OWNER_MASK = 0x3fffffff;
const DIED_BIT = 0x40000000;
const WAITERS_BIT = 0x80000000 | 0;
const ASYNC_BIT = 0x40000000;
const HANDOFF_FLAG = 1;
const RANK_FLAG = 2;

/** A thread that has had the lock so often without waiting for it, or under it, looks at it less often when it has to wait. */
const RUN = 4;
/** So many turns lie between two of those looks, about 2 µs: meanwhile the holder takes and releases it undisturbed. */
const GAP = 128;

/** A serial of no hold: this agent's present one is given up for a while. */
const GIVEN_UP = -1;

/** What this agent knows of a lock, shared by all its objects for it. */
class LockLocal {
  /** The agent's present hold, or its last one; 0 once that was given up for a while. */
  serial = 0;
  /** Counts the holds of this agent: the last serial given out. */
  issued = 0;
  /** What `issued` was when this agent last had to wait for it, or gave it up to wait under it. */
  waited = 0;
  /** RLock: how many levels of the present hold are still to be given back. */
  depth = 0;
  /** RLock: whether the agent keeps this, as the present hold has had a second level. */
  kept = false;
  /** Whether the present hold was taken by acquireAsync. */
  task = false;
  /** The holds that tasks of this agent have given up for a while, by their serials. */
  suspended: Map<number, SuspendedHold> | undefined = undefined;
  /** Whether letting go takes more than the word: levels, what is due, what was noted of the hold. */
  more = false;
  /** What is due just before this agent lets go. */
  before: (() => void) | undefined = undefined;
  /** What is due when this agent lets go, the first `dues` of them: who was notified under the lock need not run before that. */
  readonly due: (() => void)[] = [];
  dues = 0;
  /** The hold that the agent's thread has given up last: it has no more than one at a time. */
  readonly given: { -readonly [key in keyof Hold]: Hold[key] } = { serial: 0, depth: 0, task: false };
  readonly line: AsyncLine = new AsyncLine();
  /** The reservation seen last, and when it was first seen. */
  heir = 0;
  heirSince = 0;
}

/** A hold that was given up for a while. */
export interface Hold {
  readonly serial: number;
  readonly depth: number;
  readonly task: boolean;
}

/** A hold that was given up for a while by a task: meanwhile its guards may be released. */
export interface SuspendedHold extends Hold {
  /** How many levels are to be taken back: none when it has ended. */
  depth: number;
  /** Aborted when it ends. */
  readonly ended: AbortSignal;
  end(): void;
}

/** Options that a lock's record keeps. */
export interface LockWordOptions {
  readonly handoff: boolean;
  readonly rank: number | undefined;
}

/** Writes a fresh record. */
export function fillLock(words: Words, options: LockWordOptions): void {
  const { handoff, rank } = options;
  store(words, FLAGS, (handoff ? HANDOFF_FLAG : 0) | (rank === undefined ? 0 : RANK_FLAG));
  store(words, RANK, rank ?? 0);
}

/** One lock as this agent sees it: the word, and the slow paths around it. */
export class LockWord implements Wanted {
  readonly words: Words;
  readonly roster: Roster;
  readonly kind: Kind;
  readonly name: string;
  readonly verb: string = "acquire";
  readonly me: number;
  readonly local: LockLocal;
  readonly handoff: boolean;
  readonly rank: number | undefined;
  #gap = 0;
  #left = 0;
  #again: Wanted | undefined = undefined;

  constructor(kind: Kind, words: Words, roster: Roster, name: string) {
    this.words = words;
    this.roster = roster;
    this.kind = kind;
    this.name = name;
    this.me = roster.me;
    followTracking(roster);
    this.local = localOf(words, () => new LockLocal());
    const flags = load(words, FLAGS);
    this.handoff = (flags & HANDOFF_FLAG) !== 0;
    this.rank = (flags & RANK_FLAG) !== 0 ? load(words, RANK) : undefined;
  }

  /** Its class and name, for messages. */
  get title(): string {
    return title(this.kind, this.name);
  }

  /** The holder's thread id, 0 = none. */
  get owner(): number {
    return load(this.words, OWNER) & OWNER_MASK;
  }

  /** Whether this agent holds it, by its thread or by one of its tasks. */
  get mine(): boolean {
    return (load(this.words, OWNER) & ~WAITERS_BIT) === this.me;
  }

  /** Whether that hold of this agent still stands. */
  holds(serial: number): boolean {
    return this.local.serial === serial && this.mine;
  }

  /** What printing a lock shows. */
  toString(): string {
    const seen = load(this.words, OWNER);
    const owner = seen & OWNER_MASK;
    if (owner === 0) return `${this.title} (unlocked)`;
    const died = (seen & DIED_BIT) !== 0 || !this.#stands(owner);
    const depth = this.kind === "RLock" && this.mine ? `, depth ${Math.max(this.local.depth, 1)}` : "";
    return `${this.title} (locked, owner ${owner} ${this.roster.name(owner)}${died ? ", which died" : ""}${depth})`;
  }

  owners(): readonly number[] {
    const { owner } = this;
    return this.handoff || owner === 0 ? [] : [owner];
  }

  // Taking it, blocked.

  /** Takes it, or returns false once the deadline is over. The hold counts as the thread's. */
  acquire(deadline: number): boolean {
    if (this.rank !== undefined) checkRank(this, false);
    if (cas(this.words, OWNER, 0, this.me) !== 0 && !this.#acquireSlow(deadline, this)) return false;
    this.#taken(undefined, false);
    return true;
  }

  /** Books a hold that has just been won, a new one or one that was given up for a while; returns its serial. */
  #taken(hold: Hold | undefined, task: boolean): number {
    const { local } = this;
    const serial = hold?.serial ?? ++local.issued;
    if (hold !== undefined) local.suspended?.delete(serial);
    local.serial = serial;
    local.depth = hold?.depth ?? 1;
    if (local.depth > 1) this.#keep();
    local.task = hold?.task ?? task;
    if (tracking || this.rank !== undefined) {
      local.more = true;
      noteHold(this, serial, local.task);
    }
    return serial;
  }

  #acquireSlow(deadline: number, wanted: Wanted): boolean {
    const { words, me } = this;
    if (this.#tryTake(false)) return true;
    if (deadline === POLL) return false;
    if (deadline === Infinity) this.refuseOwn();
    if (this.#spin()) return true;
    const wait = BlockedWait.begin(wanted, deadline);
    let slept = false;
    try {
      for (;;) {
        if (this.#tryTake(slept)) return true;
        const seen = load(words, OWNER);
        if ((seen & OWNER_MASK) === 0) {
          if (seen === 0) continue;
          if (wait.expired) return false;
          slept = true;
          wait.park(words, OWNER, seen, LAPSE_TASK); // reserved: see whether it lapses
          continue;
        }
        // Mark before sleeping and before giving up, or those behind us are forgotten (invariants 1 and 2).
        if (seen >= 0 && cas(words, OWNER, seen, seen | WAITERS_BIT) !== seen) continue;
        if (wait.expired) return false;
        if (wait.elapsed > PATIENCE && load(words, HEIR) === 0) cas(words, HEIR, 0, me);
        slept = true;
        wait.park(words, OWNER, seen | WAITERS_BIT);
      }
    } finally {
      wait.end();
      this.#resign(me);
    }
  }

  /** RLock: takes one level more, if this agent's thread holds it and not a task. */
  nest(): boolean {
    const { local } = this;
    if (local.task || !this.mine) return false;
    local.depth = Math.max(local.depth, 1) + 1; // 0: its only level was taken through an object that is no more
    if (!local.kept) this.#keep();
    return true;
  }

  #keep(): void {
    const { local } = this;
    local.kept = local.more = true;
    agent.nested.add(local);
  }

  #keepNoLonger(): void {
    this.local.kept = false;
    agent.nested.delete(this.local);
  }

  /**
   * Spins for the lock, unless others are asleep for it: those are not passed by one more. Two threads that take the word
   * from each other's core get less done together than one alone, so one that would have it again and again looks with gaps.
   */
  #spin(): boolean {
    const { local } = this;
    if (load(this.words, OWNER) < 0) return false;
    this.#gap = this.#left = local.issued - local.waited < RUN ? 0 : GAP;
    local.waited = local.issued;
    return spinUntil(this.#takeFree);
  }

  readonly #takeFree = (): boolean => {
    if (this.#left-- > 0) return false;
    this.#left = this.#gap;
    const { words } = this;
    return load(words, OWNER) === 0 && cas(words, OWNER, 0, this.me) === 0;
  };

  /** One try; `slept` says that others may be asleep behind us. Throws OwnerDiedError. */
  #tryTake(slept: boolean): boolean {
    const { words, me } = this;
    for (;;) {
      const seen = load(words, OWNER);
      const owner = seen & OWNER_MASK;
      if (owner !== 0) {
        if ((seen & DIED_BIT) === 0 && this.#stands(owner)) {
          this.local.heir = 0; // what was kept for one has been taken
          return false;
        }
        this.#throwIfDied(seen);
        continue;
      }
      if (seen !== 0 && this.#reserved()) return false;
      // Take it as contended when threads behind us may be asleep (invariant 2).
      if (cas(words, OWNER, seen, slept || seen !== 0 ? me | WAITERS_BIT : me) === seen) {
        this.local.heir = 0;
        return true;
      }
    }
  }

  /**
   * Whether waiting for that holder makes sense: it lives, or it has returned and left the lock for another to release.
   * So has, where locks are handed over, one of which nothing is known any more: had it died, a waiter would have seen it.
   */
  #stands(owner: number): boolean {
    const { roster } = this;
    return roster.alive(owner) || (this.handoff && (roster.returned(owner) || roster.forgotten(owner)));
  }

  /** Whether the free lock is being kept for somebody else. */
  #reserved(): boolean {
    const { words, local } = this;
    const heir = load(words, HEIR);
    if (heir === 0 || (heir & OWNER_MASK) === this.me) return false;
    if (!this.roster.alive(heir & OWNER_MASK)) {
      cas(words, HEIR, heir, 0);
      return false;
    }
    if (local.heir !== heir) {
      local.heir = heir;
      local.heirSince = now();
      return true;
    }
    if (now() - local.heirSince < ((heir & ASYNC_BIT) !== 0 ? LAPSE_TASK : LAPSE)) return true;
    cas(words, HEIR, heir, 0);
    local.heir = 0;
    return false;
  }

  /** No longer the heir, if it was; nobody must go on waiting for us to take it. */
  #resign(heir: number): void {
    const { words } = this;
    if (load(words, HEIR) !== heir || cas(words, HEIR, heir, 0) !== heir) return;
    if (cas(words, OWNER, WAITERS_BIT, 0) === WAITERS_BIT) this.#wake(false);
  }

  /** A thread that waits for itself would wait for ever: throws DeadlockError if this one would. */
  refuseOwn(): void {
    if (this.handoff || !this.mine) return;
    const { me, roster } = this;
    const threadName = roster.name(me);
    const how = this.local.task ? "a task of this thread holds it" : "this thread holds it";
    throw new DeadlockError(`Cannot acquire ${this.title} as ${how}: it would wait for itself`, {
      cycle: [{ thread: me, threadName, waitsFor: this.title, holds: this.title }],
    });
  }

  /** Marks a hold whose thread is dead, and throws OwnerDiedError; returns if it has let go before it died. */
  #throwIfDied(seen: number, verb = this.verb): void {
    const { words, roster } = this;
    const owner = seen & OWNER_MASK;
    if ((seen & DIED_BIT) === 0) {
      if (cas(words, OWNER, seen, seen | DIED_BIT) !== seen) return;
      this.#wake(true);
    }
    const threadName = roster.name(owner);
    const who = threadName === "" ? `thread ${owner}` : `thread ${JSON.stringify(threadName)}`;
    throw new OwnerDiedError(
      `Cannot ${verb} ${this.title} as ${who} died holding it: recover() takes it over, to repair what it protects`,
      { threadName },
    );
  }

  // Taking it without blocking.

  /** Takes it for a task of this agent; resolves to the serial of the hold. */
  async acquireAsync(signal: AbortSignal | undefined): Promise<number> {
    signal?.throwIfAborted();
    if (this.rank !== undefined) checkRank(this, true);
    return await this.#acquireAsync(signal, this, undefined);
  }

  async #acquireAsync(signal: AbortSignal | undefined, wanted: Wanted, hold: Hold | undefined): Promise<number> {
    const { line } = this.local;
    if (line.length === 0 && this.#tryTake(false)) return this.#taken(hold, true);
    await line.enter(signal);
    try {
      return await this.#waitAsync(signal, wanted, hold);
    } finally {
      line.leave();
    }
  }

  #waitAsync(signal: AbortSignal | undefined, wanted: Wanted, hold: Hold | undefined): Promise<number> {
    const { words } = this;
    const heir = this.me | ASYNC_BIT;
    const since = now();
    let counted = false;
    const leave = (): void => {
      if (counted) add(words, TASKS, -1);
      this.#resign(heir);
    };
    const attempt = (): Attempt<number> => {
      for (;;) {
        if (this.#tryTake(counted)) {
          leave();
          return { done: true, value: this.#taken(hold, true) };
        }
        if (!counted) {
          counted = true;
          add(words, TASKS, 1);
        }
        const gate = load(words, GATE); // read before the look at OWNER (invariant 1)
        const seen = load(words, OWNER);
        if ((seen & OWNER_MASK) === 0) {
          if (seen === 0) continue;
          return { done: false, sleep: { words, index: GATE, expected: gate, atMost: LAPSE_TASK } };
        }
        if (seen >= 0 && cas(words, OWNER, seen, seen | WAITERS_BIT) !== seen) continue;
        if (now() - since > PATIENCE) cas(words, HEIR, 0, heir);
        return { done: false, sleep: { words, index: GATE, expected: gate, atMost: SLICE } };
      }
    };
    return waitAsync(wanted, attempt, { signal, onGiveUp: leave });
  }

  // Giving a hold up for a while, for Condition.

  /**
   * Lets go of this agent's hold, however deep; resume() takes it back. The caller has seen that it is `mine`, and keeps
   * what this returns only until the thread's next wait.
   */
  suspend(): Hold {
    const { words, me, local } = this;
    const hold = local.given;
    hold.serial = local.serial;
    hold.depth = Math.max(local.depth, 1); // a Lock does not count
    hold.task = local.task;
    local.waited = local.issued; // whoever waits under the lock passes turns: no run of its own
    local.serial = GIVEN_UP; // its guards are not good for what this agent takes meanwhile
    local.depth = 0;
    if (local.kept) this.#keepNoLonger();
    if (local.before !== undefined) this.#runBefore();
    if (cas(words, OWNER, me, 0) !== me) this.#releaseSlow(me);
    local.more = false;
    if (local.dues !== 0) this.#runDue();
    if (tracking || this.rank !== undefined) forgetHold(this);
    return hold;
  }

  /** The same for a task. Should the hold end before it is taken back, `ended` gets what `why` says. */
  suspendTask(why: () => unknown): SuspendedHold {
    const { local } = this;
    const ending = new AbortController();
    const hold = { ...this.suspend(), ended: ending.signal, end: () => ending.abort(why()) };
    local.suspended ??= new Map<number, SuspendedHold>();
    local.suspended.set(hold.serial, hold);
    return hold;
  }

  /** Takes a suspended hold back, blocked, also in a thread that was told to stop. Ranks were checked the first time. */
  resume(hold: Hold): void {
    if (cas(this.words, OWNER, 0, this.me) !== 0) this.#acquireSlow(Infinity, this.#resumed());
    this.#taken(hold, hold.task);
  }

  /** The same without blocking. Rejects, having taken nothing, when the hold has ended or ends meanwhile. */
  async resumeAsync(hold: SuspendedHold): Promise<void> {
    const { ended } = hold;
    try {
      ended.throwIfAborted();
      await this.#acquireAsync(ended, this.#resumed(), hold);
    } catch (error) {
      this.local.suspended?.delete(hold.serial);
      throw error;
    }
  }

  #resumed(): Wanted {
    const { kind, words, roster, name } = this;
    return this.#again ??= {
      kind,
      words,
      roster,
      name,
      verb: REACQUIRE,
      unstoppable: true,
      owners: () => this.owners(),
    };
  }

  // Letting go.

  /** Ends that hold of this agent, or one level of it, if it still stands. */
  releaseHold(serial: number): void {
    const { words, me, local } = this;
    if (local.serial !== serial) return this.#releaseSuspended(serial);
    if (local.more) return this.#releaseMore();
    if (cas(words, OWNER, me, 0) !== me) this.#releaseSlow(me);
  }

  #releaseMore(): void {
    const { me, local } = this;
    if (local.depth > 1) {
      if (this.mine) local.depth--;
      return;
    }
    if (local.kept) this.#keepNoLonger();
    if (local.before !== undefined) this.#runBefore();
    if (!this.#releaseSlow(me)) return;
    local.more = false;
    if (local.dues !== 0) this.#runDue();
    if (tracking || this.rank !== undefined) forgetHold(this);
  }

  #releaseSuspended(serial: number): void {
    const { suspended } = this.local;
    const hold = suspended?.get(serial);
    if (hold === undefined || --hold.depth > 0) return;
    suspended!.delete(serial);
    hold.end();
  }

  /** RLock: gives back one level of this thread's own hold. Throws NotHeldError when there is none. */
  releaseOwn(): void {
    const { local, title } = this;
    const seen = load(this.words, OWNER);
    const owner = seen & OWNER_MASK;
    if (owner !== 0 && owner !== this.me && !this.#stands(owner)) this.#throwIfDied(seen, "release");
    if (owner !== this.me) {
      const who = owner === 0 ? "it is free" : `current owner is ${owner}`;
      const why = owner === 0 ? "nobody holds it" : `thread ${this.me} does not hold it`;
      throw new NotHeldError(`Cannot release ${title} as ${why}: ${who}`, { owner: owner || undefined });
    }
    if (local.task) {
      const message = `Cannot release ${title} as a task holds it through acquireAsync(): only its guard releases it`;
      throw new NotHeldError(message, { owner });
    }
    this.releaseHold(local.serial);
  }

  /** Ends whatever hold there is. Throws NotHeldError when it is free, OwnerDiedError when its holder died. */
  releaseAny(): void {
    if (this.local.before !== undefined) this.#runBefore();
    for (;;) {
      const seen = load(this.words, OWNER);
      const owner = seen & OWNER_MASK;
      // What was left behind by a target that returned, anybody may release, as in Python.
      const died = ((seen & DIED_BIT) !== 0 || !this.roster.alive(owner)) && !this.roster.returned(owner);
      if (owner !== 0 && !this.handoff && died) {
        this.#throwIfDied(seen, "release");
        continue;
      }
      if (owner !== 0 && this.#releaseSlow(owner)) break;
      throw new NotHeldError(`Cannot release ${this.title} as nobody holds it: it is free`);
    }
    if (this.local.dues !== 0) this.#runDue();
    if (tracking || this.rank !== undefined) forgetHold(this);
  }

  /** Lets go of the hold of that thread and wakes who waits. Returns false when it no longer stands. */
  #releaseSlow(owner: number): boolean {
    const { words } = this;
    for (;;) {
      const seen = load(words, OWNER);
      if ((seen & OWNER_MASK) !== owner) return false;
      const reserve = seen < 0 && load(words, HEIR) !== 0;
      if (cas(words, OWNER, seen, reserve ? WAITERS_BIT : 0) !== seen) continue;
      if (seen < 0) this.#wake(reserve);
      return true;
    }
  }

  /**
   * Calls `task` once this agent's hold ends, or at once if somebody else may end it: then nobody here would see that.
   * A Lock that another thread releases all the same has no such promise; what is due then comes with the next release.
   */
  whenFree(task: () => void): void {
    const { local } = this;
    if (this.handoff) task();
    else if (local.dues === 0 || local.due[local.dues - 1] !== task) local.due[local.dues++] = task;
    local.more = true;
  }

  /** Calls `task`, which must not throw, just before this agent's hold ends; only one at a time. */
  beforeFree(task: () => void): void {
    this.local.before = task;
    this.local.more = true;
  }

  #runBefore(): void {
    const task = this.local.before!;
    this.local.before = undefined;
    task();
  }

  #runDue(): void {
    const { local } = this;
    for (let i = 0; i < local.dues; i++) local.due[i]!();
    local.dues = 0; // the array stays: one that is emptied takes new memory with its next entry
  }

  #wake(all: boolean): void {
    const { words, roster } = this;
    roster.parker.unpark(words, OWNER, all ? Infinity : 1);
    if (load(words, TASKS) === 0) return;
    add(words, GATE, 1);
    roster.parker.unpark(words, GATE, Infinity);
  }

  /** Takes the lock over from a holder that died. Returns false when nobody died holding it. */
  recover(): boolean {
    const { words } = this;
    for (;;) {
      const seen = load(words, OWNER);
      const owner = seen & OWNER_MASK;
      if (owner === 0 || ((seen & DIED_BIT) === 0 && this.#stands(owner))) return false;
      if (cas(words, OWNER, seen, this.me | (seen & WAITERS_BIT)) !== seen) continue;
      this.#taken(undefined, false);
      return true;
    }
  }
}
