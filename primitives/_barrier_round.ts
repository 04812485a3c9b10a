// Memory layout: Barrier, 28 + ceil(p / 32) + 4 t words for p parties and t threads (1152 bytes for up to 32 parties and
// 64 threads, align 64).
//
//   word  name      written by      meaning
//   0 1 2 TAG ID    creator, once   see _layout.ts
//   3     ROUND     inside          counts the rounds that have ended, wraps
//   4     STATE     inside          FILLING, CALLING, ACTING or BROKEN
//   5     ARRIVED   inside          how many parties have arrived in the present round
//   6     ACTOR     inside          id of the thread that is to run the action, or runs it; 0 = none
//   7     OUTCOME   inside          how the last round ended: PASSED, or why it was broken. LATE instead, once somebody who
//                                   came for the next round while the present one was complete has run out of time,
//                                   until that one is complete no more (a party is withdrawn)
//   8     SETTLED   inside          ROUND, once all cells have been told the outcome
//   9     TURN      inside          counts what waiters have to look at, wraps, only compared; all sleep on it
//   10    PARTIES   creator, once   p
//   11    THREADS   creator, once   t, the number of cells
//   12 13 TIMEOUT   creator, once   the default time limit in ms, as the halves of a float64, low one first
//   14 …  monitor   any thread      14 words, journal of 6; see _monitor.ts
//   28 …  PLACES    inside          a bit for each of 0 … p - 1: taken in the present round
//   …     cells     inside          t times THREAD, WAITING, ACTIONS, RESULT: see _cells.ts
//           WAITING   how many of the thread's parties wait in the present round
//           ACTIONS   how many of these brought an action; those of tasks count 1, of a blocked party 65536
//           RESULT    OUTCOME of the last round in which it had parties, until that agent has collected it
//
// STATE, ARRIVED:
//   FILLING, 0 … p - 1   waiting for more
//   CALLING, p           all are there, and ACTOR is woken to run the action. Nobody has passed
//   ACTING, 0 … p        ACTOR runs the action; parties that were aborted meanwhile are not counted any more
//   BROKEN, 0            every wait throws, until reset()
//   There is no state "draining": who passes needs nothing of the record but RESULT in its own cell, so the next round
//   fills at once, and no waiter is held up by one whose event loop is busy.
//
// Transitions (all inside, each one commit of the journal, but settling):
//   FILLING -> FILLING   a party arrives; one is withdrawn; the last one arrives and nobody brought an action; reset()
//   FILLING -> ACTING    the last one arrives, and its thread brought an action
//   FILLING -> CALLING   the last one arrives, and another thread brought an action
//   CALLING -> ACTING    ACTOR begins
//   CALLING -> FILLING   a party is withdrawn, so that one is missing again
//   ACTING -> FILLING    the action returned
//   a passed round -> BROKEN   with OUTCOME LATE: the next round is broken before it begins, by a second commit
//   any -> BROKEN        abort(), a time limit, the end of a thread that has a party waiting, an action that throws
//   any -> FILLING       reset()
//
// Invariants, whenever nobody is inside:
//   1. ARRIVED = sum of WAITING = number of bits in PLACES; SETTLED = ROUND.
//   2. A round ends by one commit. Before anybody can arrive in the next one, settle() has told every cell that had
//      parties waiting; so a party learns how its own round ended, however many have ended since.
//   3. A cell never has WAITING and RESULT both: an agent collects before its next party arrives.
//   4. A waiter sleeps on TURN as it was before it looked inside; whatever it has to see changes TURN.
//
// Death: who finds a thread dead that has WAITING or is ACTOR breaks the round. A thread that died inside settle()
//   left SETTLED behind: who takes its place settles again.
// Time limits rest while all parties are there: a round that is complete is not broken because its action takes
//   time. Only when ACTOR does not even begin within GRACE ms (its event loop is busy) a limit that is over counts again.
//   Not so the limit of a party that comes meanwhile, for the next round: it leaves in time. As any party whose time is
//   over it breaks the round that it came for, and no other: the complete one goes on, and when it has passed the barrier
//   is broken (LATE).

import type { Words } from "./_atomics.ts";
import { add, load, store } from "./_atomics.ts";
import { Cells, MOST_THREADS } from "./_cells.ts";
import type { Kind } from "./_layout.ts";
import { FIRST } from "./_layout.ts";
import { localOf } from "./_local.ts";
import { Monitor, monitorWords } from "./_monitor.ts";
import type { Roster } from "./_roster.ts";
import type { Wanted } from "./_wait.ts";
import { title } from "./_wait.ts";
import { BrokenBarrierError, LayoutError } from "./errors.ts";

export const ROUND: number = FIRST;
export const STATE = 4;
export const ARRIVED = 5;
export const ACTOR = 6;
export const OUTCOME = 7;
const SETTLED = 8;
export const TURN = 9;
const PARTIES = 10;
const THREADS = 11;
const TIMEOUT = 12;
const MONITOR = 14;
const JOURNAL = 6;
export const PLACES: number = MONITOR + monitorWords(JOURNAL);

const CELL_WORDS = 4;
export const WAITING = 1;
export const ACTIONS = 2;
const RESULT = 3;

export const FILLING = 0;
export const CALLING = 1;
export const ACTING = 2;
export const BROKEN = 3;

export const PASSED = 1;
const ABORTED = 2;
export const TIMED_OUT = 3;
const DIED = 4;
export const ACTION_THREW = 5;
const RESET = 6;
export const STOPPED = 7;
export const LATE = 8;
const WHY: readonly string[] = [
  "its record is damaged",
  "",
  "abort() was called",
  "a party timed out",
  "a thread with a party waiting there has ended",
  "its action threw",
  "reset() was called",
  "a thread with a party waiting there was told to stop",
  "its time was over before that round could begin",
];

/** What the action of a blocked party counts in ACTIONS. */
export const BLOCKED_ACTION = 0x10000;
/** ms for which a time limit rests while ACTOR is being called. */
export const GRACE = 100;
/** The largest number of parties: PLACES takes 128 KiB then. */
export const MOST_PARTIES = 0xfffff;
/** Bytes of the smallest record. */
export const LEAST_BYTES: number = barrierBytes(1, 1);

/** Bytes of a barrier for that many parties in at most so many threads. */
export function barrierBytes(parties: number, threads: number): number {
  return 4 * (PLACES + Math.ceil(parties / 32) + CELL_WORDS * threads);
}

/** Writes a fresh record. */
export function fillBarrier(words: Words, parties: number, threads: number, timeout: number): void {
  const [low, high] = new Int32Array(new Float64Array([timeout]).buffer);
  store(words, PARTIES, parties);
  store(words, THREADS, threads);
  store(words, TIMEOUT, low!);
  store(words, TIMEOUT + 1, high!);
}

/** The error for a record that cannot be a barrier's. */
export function damaged(what: string): LayoutError {
  return new LayoutError(`Cannot use Barrier as its record is damaged: ${what}`, {
    expected: "Barrier",
    actual: "a damaged record",
  });
}

/** What runs once a round. */
export type Action = () => void;

/** How a round ended for the parties of this agent; 0 as long as it has not. */
export interface Result {
  outcome: number;
}

/** One party of this agent that has arrived. */
export interface Party {
  readonly place: number;
  readonly result: Result;
  readonly action: Action | undefined;
  readonly blocked: boolean;
  /** Whether it has to run the action now. */
  acts: boolean;
}

/** What this agent knows of a barrier, shared by all its objects for it. */
export class BarrierLocal {
  /** That of its parties waiting in the present round; none when nobody waits, or all know the outcome. */
  result: Result | undefined = undefined;
  /** Those of its parties that brought an action. */
  readonly actors: Set<Party> = new Set<Party>();
  /** Whether the action runs right now, in this agent. */
  acting = false;
}

/** The record of a barrier as this agent sees it. Unless told otherwise its methods are called inside the monitor. */
export class BarrierRound implements Wanted {
  readonly kind: Kind = "Barrier";
  readonly verb = "wait";
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  readonly parties: number;
  /** The default time limit, in ms. */
  readonly timeout: number;
  readonly me: number;
  readonly monitor: Monitor;
  readonly cells: Cells;
  readonly local: BarrierLocal;

  constructor(words: Words, roster: Roster, name: string) {
    const parties = load(words, PARTIES);
    const threads = load(words, THREADS);
    const [timeout] = new Float64Array(new Int32Array([load(words, TIMEOUT), load(words, TIMEOUT + 1)]).buffer);
    if (
      parties < 1 || parties > MOST_PARTIES || threads < 1 || threads > MOST_THREADS || !(timeout! >= 0) ||
      barrierBytes(parties, threads) > words.byteLength
    ) {
      throw damaged(`it is for ${parties} parties in ${threads} threads`);
    }
    this.words = words;
    this.roster = roster;
    this.name = name;
    this.parties = parties;
    this.timeout = timeout!;
    this.me = roster.me;
    this.cells = new Cells(words, roster, PLACES + Math.ceil(parties / 32), CELL_WORDS, threads);
    this.local = localOf(words, () => new BarrierLocal());
    this.monitor = new Monitor(words, roster, MONITOR, JOURNAL);
    this.monitor.takeOver = () => {
      if (load(words, SETTLED) === load(words, ROUND)) return;
      this.settle();
      roster.parker.unpark(words, TURN, Infinity);
    };
  }

  /** Any of those missing. */
  owners(): readonly number[] {
    return [];
  }

  /** How many parties wait in the present round. */
  get waiting(): number {
    this.lookForDeaths();
    return load(this.words, ARRIVED);
  }

  /** Whether it is broken. */
  get broken(): boolean {
    this.lookForDeaths();
    return load(this.words, STATE) === BROKEN;
  }

  /** What printing a barrier shows. */
  toString(): string {
    const state = this.broken ? "broken" : `waiters=${this.waiting}/${this.parties}`;
    return `${title(this.kind, this.name)} (${state})`;
  }

  // Breaking and mending.

  /** Breaks it for all. */
  abort(): void {
    this.monitor.enter();
    const breaks = load(this.words, STATE) !== BROKEN;
    if (breaks) this.endRound(ABORTED, BROKEN);
    this.leave(breaks);
  }

  /** Frees those who wait with an error, and makes it as good as new. */
  reset(): void {
    const { words } = this;
    this.monitor.enter();
    const reaped = this.reap();
    const ends = load(words, ARRIVED) !== 0 || load(words, STATE) === ACTING;
    if (ends) this.endRound(RESET, FILLING);
    else {
      store(words, STATE, FILLING);
      store(words, OUTCOME, RESET); // no longer LATE
    }
    this.leave(reaped || ends);
  }

  /** What a party gets whose round ended so. */
  brokenError(outcome: number): BrokenBarrierError {
    const how = outcome === RESET ? "its round was ended" : outcome === LATE ? "its round is broken" : "it is broken";
    const why = WHY[outcome] ?? WHY[0];
    return new BrokenBarrierError(`Cannot wait at ${title(this.kind, this.name)} as ${how}: ${why}`, {
      parties: this.parties,
    });
  }

  /** Breaks the round if one of its threads has died since the last look. Outside. */
  lookForDeaths(): void {
    if (!this.cells.newDeaths()) return;
    this.monitor.enter();
    this.leave(this.reapDead());
  }

  // Inside the monitor.

  /** Leaves the monitor, and wakes all if something has happened that they wait for. */
  leave(wakes: boolean): void {
    this.monitor.leave();
    if (wakes) this.roster.parker.unpark(this.words, TURN, Infinity);
  }

  /** The present round ends. Whoever calls it wakes all once outside. */
  endRound(outcome: number, state: number): void {
    const { words } = this;
    this.monitor.set(ROUND, (load(words, ROUND) + 1) | 0);
    this.monitor.set(OUTCOME, outcome);
    this.monitor.set(STATE, state);
    this.monitor.set(ACTOR, 0);
    this.monitor.set(ARRIVED, 0);
    this.monitor.commit();
    this.settle();
  }

  /** The present round has passed. The next one does not begin if somebody who came for it has run out of time. */
  pass(): void {
    const late = load(this.words, OUTCOME) === LATE;
    this.endRound(PASSED, FILLING);
    if (late) this.endRound(TIMED_OUT, BROKEN);
  }

  /** Tells every cell how the last round ended (invariant 2). Doing it twice is doing it once. */
  settle(): void {
    const { words } = this;
    const outcome = load(words, OUTCOME);
    for (const cell of this.cells.used()) {
      if (load(words, cell + WAITING) === 0) continue;
      store(words, cell + RESULT, outcome);
      store(words, cell + ACTIONS, 0);
      store(words, cell + WAITING, 0);
    }
    for (let i = Math.ceil(this.parties / 32) - 1; i >= 0; i--) {
      if (load(words, PLACES + i) !== 0) store(words, PLACES + i, 0);
    }
    store(words, SETTLED, load(words, ROUND));
    add(words, TURN, 1);
  }

  /** Takes up how the round of this agent's parties ended, if it has. */
  collect(): void {
    const { words } = this;
    const local = this.local;
    if (local.result === undefined) return;
    const cell = this.cells.mine();
    const outcome = cell < 0 ? ABORTED : load(words, cell + RESULT); // a cell in use is never given away
    if (outcome === 0) return;
    if (cell >= 0) store(words, cell + RESULT, 0);
    local.result.outcome = outcome;
    local.result = undefined;
    local.actors.clear();
  }

  /** Breaks the round if one of its threads has died since the last look. Returns whether all are to be woken. */
  reap(): boolean {
    if (!this.cells.newDeaths()) return false;
    const breaks = this.reapDead();
    if (breaks) this.collect();
    return breaks;
  }

  /** Breaks the round if a thread with a party waiting, or the one that acts, is dead; empties the cells of the dead. */
  reapDead(): boolean {
    const { words } = this;
    const state = load(words, STATE);
    let breaks = (state === CALLING || state === ACTING) && !this.roster.alive(load(words, ACTOR));
    for (const cell of this.cells.dead()) if (load(words, cell + WAITING) > 0) breaks = true;
    if (breaks) this.endRound(DIED, BROKEN);
    for (const cell of this.cells.dead()) {
      store(words, cell + RESULT, 0);
      store(words, cell + ACTIONS, 0);
      store(words, cell + WAITING, 0);
      store(words, cell, 0);
    }
    return breaks;
  }

  /** A place that nobody has taken in this round: the first to try is the right one unless a party was withdrawn. */
  freePlace(first: number): number {
    const { words, parties } = this;
    const isFree = (place: number): boolean => (load(words, PLACES + (place >> 5)) & (1 << (place & 31))) === 0;
    if (first >= 0 && first < parties && isFree(first)) return first;
    for (let place = 0; place < parties; place++) if (isFree(place)) return place;
    return 0; // a damaged record
  }

  /** A thread with a party waiting that brought an action, one that sleeps on TURN rather than one with tasks. */
  chooseActor(): number {
    const { words } = this;
    let chosen = 0;
    for (const cell of this.cells.used()) {
      const actions = load(words, cell + ACTIONS);
      if (actions >= BLOCKED_ACTION) return load(words, cell);
      if (actions > 0) chosen = load(words, cell);
    }
    return chosen;
  }
}
