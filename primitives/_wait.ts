// The one loop that all waiting goes through, blocked or async.
//
// A wait sleeps in slices. Between two slices a blocked thread looks up: was it
// told to stop, for whom does it wait now, has a circle of waits closed (the last
// two only where something may have changed). Its primitive's loop then looks
// whether the owner lives; while nothing at all stirs in the program, only every
// sixteenth time. Detection of deadlocks, recovery from death and cooperative
// termination all hang on this. It costs nothing before the first sleep.
//
// What a primitive's loop must hold:
//   1. It reads its words, decides, and only then sleeps on the value that it read.
//   2. It reads them again after every sleep: parking may return for no reason.
//   3. It calls begin() before the first sleep and end() on every way out.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { load } from "./_atomics.ts";
import { deadlineAfter, nextInStep, now, remaining, timeOfDay } from "./_deadline.ts";
import { detect } from "./_detect.ts";
import { followTracking, sweepHolds, tracking } from "./_held.ts";
import { keepAlive, letGo } from "./_keep_alive.ts";
import type { Kind } from "./_layout.ts";
import { ID_HI, ID_LO, KINDS } from "./_layout.ts";
import { mendMonitor } from "./_monitor.ts";
import { AWAITED, note, renote, unnote } from "./_notes.ts";
import { mayBlock } from "./_park.ts";
import type { Roster } from "./_roster.ts";
import { SLOT_MASK } from "./_roster_record.ts";
import { beginWait, confirmWait, countCalmLook, countLook, endWait, lastWait } from "./_roster_waits.ts";
import { isSuspicious } from "./_stuck.ts";
import { BlockingUnavailableError, ThreadStoppedError } from "./errors.ts";

/** The longest sleep without a look around, in ms. */
export const SLICE = 380;
/** The first one of a wait; each is twice as long as the one before. */
const FIRST_SLICE = 20;
/** So many threads look around at the same time, and the next ones so many ms later: all at once would keep the cores busy. */
const TOGETHER = 32;
const STEP = 12;
/** So many slices may pass, while nothing stirs, before a waiter reads all its words again. */
const DOZES = 15;
/** How long an untimed wait waits for a thread to come up that in most browsers cannot while this one is blocked, in ms. */
const START_MS = 5000;

/** What a waiter waits for. */
export interface Wanted {
  readonly kind: Kind;
  readonly words: Words;
  readonly roster: Roster;
  /** The name given to it, "" for none. */
  readonly name: string;
  /** The method that waits, for error messages: `acquire`. */
  readonly verb: string;
  /** Whether it goes on in a thread that was told to stop: a wait that must end before another one may throw. */
  readonly unstoppable?: boolean;
  /** The ids of those who could end the wait now; empty where anybody could. Reads the record anew. */
  owners(): readonly number[];
}

/** How a primitive is called in messages: `Lock "accounts"` or `Lock`. */
export function title(kind: string, name: string): string {
  return name === "" ? kind : `${kind} ${JSON.stringify(name)}`;
}

/** A wait of this agent, blocked. */
export class BlockedWait {
  readonly #wanted: Wanted;
  readonly #deadline: number;
  readonly #untimed: boolean;
  #slice: number; // when the present slice ends
  #span: number = FIRST_SLICE; // and how long it is
  #time: number; // when it last went to sleep
  #fresh = true; // it has not slept yet, and #time is now
  #calm = false; // the last look around found nothing, and nothing has stirred since
  #seen = 0; // on what value it slept then,
  #stamp = 0; // and how many waits and deaths there had been
  #deaths = 0;
  /** When the wait began. */
  readonly started: number;
  /** Ticket of the wait in the roster. */
  readonly ticket: number;
  /** _detect.ts: since when, as `elapsed`, it sees a circle that lacks fresh stamps. */
  suspects: number | undefined = undefined;
  /** _stuck.ts: what it saw of a program that seems to be stuck. */
  suspicion: unknown = undefined;

  private constructor(wanted: Wanted, deadline: number) {
    this.#wanted = wanted;
    this.#deadline = deadline;
    this.#untimed = deadline === Infinity;
    const { roster, words, kind, name, verb } = wanted;
    followTracking(roster);
    this.started = this.#time = now(); // reading the clock costs as much as ten atomic operations
    const [hi, lo] = [load(words, ID_HI), load(words, ID_LO)];
    const since = timeOfDay(this.started);
    this.ticket = beginWait(roster, KINDS[kind], hi, lo, name, this.#untimed, verb, since);
    this.#confirm(lastWait(roster));
    this.#slice = this.started + this.#span;
  }

  /**
   * Publishes a wait that is about to sleep. Throws ThreadStoppedError in a thread that was
   * told to stop, BlockingUnavailableError in one that may not block.
   */
  static begin(wanted: Wanted, deadline: number): BlockedWait {
    if (agent.inside !== undefined) mendMonitor();
    checkBlocking(wanted);
    return new BlockedWait(wanted, deadline);
  }

  /** Whether the deadline is over. */
  get expired(): boolean {
    return !this.#untimed && remaining(this.#deadline) <= 0;
  }

  /** How long it had waited when it last went to sleep, in ms. */
  get elapsed(): number {
    return this.#time - this.started;
  }

  /**
   * Sleeps while the word has that value, at most until the slice, the deadline or `atMost` ms
   * are over. At the end of a slice it first looks around, and may throw ThreadStoppedError or DeadlockError.
   */
  park(words: Words, index: number, expected: number, atMost: number = Infinity): void {
    if (this.#fresh) this.#fresh = false;
    else this.#time = now();
    const time = this.#time;
    if (time >= this.#slice) {
      this.#span = Math.min(2 * this.#span, SLICE);
      this.#lookUp(expected); // may hurry()
      this.#slice = this.#span === SLICE ? this.#inStep(time) : time + this.#span;
    } else this.#calm = false;
    const ms = Math.min(this.#slice - time, this.#deadline - time, atMost);
    if (ms <= 0) return;
    const over = this.#wanted.roster.parker.park(words, index, expected, ms);
    if (over && this.#calm && this.#untimed && atMost === Infinity) this.#doze(words, index, expected);
  }

  // The end of a slice that begins now, no later than it would be, together with those of some other threads: the first of
  // them to wake up wakes the core up and fills its caches for all. With each for itself a blocked thread costs twice as much.
  #inStep(time: number): number {
    const group = Math.floor((this.#wanted.roster.me & SLOT_MASK) / TOGETHER);
    return nextInStep(time, SLICE, group * STEP);
  }

  // Sleeps on for a few slices, if the one that is over was slept through and nothing has stirred in it. What a thread runs
  // once in so many million cycles it runs with cold caches, and from bytecode: so this is short, and calls little.
  #doze(words: Words, index: number, expected: number): void {
    const { roster } = this.#wanted;
    for (let left = DOZES; left > 0; left--) {
      if (load(words, index) !== expected || !countCalmLook(roster, this.#stamp, this.#deaths)) return;
      if (!roster.parker.park(words, index, expected, SLICE)) return;
    }
  }

  // A thread that wakes up does so with cold caches, and every call costs microseconds. So it looks for circles and for a
  // program that is stuck only if something may have brought one about since the last look: only a wait that begins
  // or a death does, as the owners of what it waits for change by what threads do that are not blocked.
  #lookUp(expected: number): void {
    const { roster } = this.#wanted;
    checkStop(this.#wanted);
    followTracking(roster);
    if (tracking) sweepHolds();
    if (this.#untimed && agent.children.size !== 0 && this.elapsed > START_MS) checkStarting(this.#wanted);
    const stamp = lastWait(roster);
    const deaths = roster.scope === 0 ? roster.deaths : 0;
    const still = stamp === this.#stamp && deaths === this.#deaths && expected === this.#seen;
    if (this.#calm && still) return countLook(roster);
    const owners = this.#confirm(stamp);
    if (this.#untimed) detect(this.#wanted, this, owners);
    this.#seen = expected;
    this.#stamp = stamp;
    this.#deaths = deaths;
    this.#calm = this.#span === SLICE && roster.scope === 0 && !isSuspicious(this);
  }

  // `stamp` is lastWait() from before the look at the owners: see _detect.ts.
  #confirm(stamp: number): readonly number[] {
    const { roster } = this.#wanted;
    const owners = this.#wanted.owners();
    confirmWait(roster, owners, stamp);
    return owners;
  }

  /** Makes the next slice short again: something is about to show. */
  hurry(): void {
    this.#span = FIRST_SLICE;
  }

  /** The wait is over, one way or another. */
  end(): void {
    endWait(this.#wanted.roster);
  }
}

/** What checkStop() and waitAsync() need of a Wanted. */
type Stoppable =
  & Pick<Wanted, "name" | "verb" | "roster" | "unstoppable">
  & Partial<Pick<Wanted, "words" | "owners">>
  & {
    readonly kind: string;
  };

/** Throws what BlockedWait.begin() would throw, for those who have to know before they change anything. */
export function checkBlocking(wanted: Stoppable): void {
  if (!mayBlock()) {
    const { kind, name, verb } = wanted;
    throw new BlockingUnavailableError(
      `Cannot ${verb} ${title(kind, name)} as this thread may not block: use ${verb}Async()`,
      { hint: `${verb}Async` },
    );
  }
  checkStop(wanted);
}

/**
 * In a browser's worker that Lockstep did not start, the threads that it starts come up only while its event loop
 * turns (in Firefox they come up all the same). Throws when one of them waits for that, and might be the one that this
 * wait is for.
 */
function checkStarting({ kind, name, verb, unstoppable }: Wanted): void {
  if (agent.host!.startsBlocked || unstoppable === true) return;
  for (const child of agent.children) {
    if (child.state !== "starting") continue;
    throw new BlockingUnavailableError(
      `Cannot ${verb} ${title(kind, name)} as ${child.title} comes up only while this worker's event loop turns: ` +
        `use ${verb}Async(), or let Lockstep start the thread that starts it`,
      { hint: `${verb}Async` },
    );
  }
}

/** Throws ThreadStoppedError when this agent was told to stop. */
export function checkStop(wanted: Stoppable): void {
  const { kind, name, verb, roster, unstoppable } = wanted;
  if (!roster.stopRequested || unstoppable === true) return;
  throw new ThreadStoppedError(
    `Cannot ${verb} ${title(kind, name)} as thread ${JSON.stringify(roster.name(roster.me))} was told to stop`,
  );
}

/** What one look of an async waiter at its words can give. */
export type Attempt<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly sleep: Sleep };

/** On what an async waiter sleeps next. */
export interface Sleep {
  readonly words: Words;
  readonly index: number;
  readonly expected: number;
  /** At most so long, in ms; a slice otherwise. */
  readonly atMost?: number;
}

/** Options of an async wait. */
export interface AsyncOptions<T> {
  readonly signal?: AbortSignal | undefined;
  /** A time limit in ms; then `onTimeout` decides. */
  readonly timeout?: number;
  onTimeout?(): T;
  /** Called once, when the wait ends without success: takes back what it left in the record. */
  onGiveUp?(): void;
  /** Asked after that: what the waiter has got all the same, unknown to itself, so that the wait succeeds. */
  had?(error: unknown): T | undefined;
}

/**
 * Waits without blocking: calls `attempt` until it is done, sleeping in slices in between.
 * Keeps the event loop alive meanwhile. Rejects with what `attempt` throws, with `signal.reason`,
 * or with ThreadStoppedError; a rejected waiter has called `onGiveUp` and takes nothing.
 */
export function waitAsync<T>(
  wanted: Stoppable,
  attempt: () => Attempt<T>,
  options: AsyncOptions<T> = {},
): Promise<T> {
  const { signal, timeout = Infinity } = options;
  const { roster } = wanted;
  return new Promise<T>((resolve, reject) => {
    const deadline = deadlineAfter(timeout);
    const owner = agent;
    let cancel: (() => void) | undefined;
    let settled = false;
    let span = FIRST_SLICE;
    const noted = new AsyncNote(wanted, timeout);
    const wake = (): void => cancel?.();
    owner.sleepers.add(wake);
    keepAlive();
    const finish = (): void => {
      settled = true;
      owner.sleepers.delete(wake);
      signal?.removeEventListener("abort", onAbort);
      letGo();
      noted.remove();
    };
    const fail = (error: unknown): void => {
      finish();
      try {
        options.onGiveUp?.();
        const value = options.had?.(error);
        if (value === undefined) reject(error);
        else resolve(value);
      } catch (worse) { // a damaged record
        reject(worse);
      }
    };
    const onAbort = (): void => {
      if (settled) return;
      fail(signal!.reason);
      cancel?.();
    };
    const step = (): void => {
      if (settled || owner !== agent) return;
      try {
        checkStop(wanted);
        const result = attempt();
        if (settled) return; // by code of the user that the attempt has called: a barrier's action
        if (result.done) {
          finish();
          resolve(result.value);
          return;
        }
        const left = remaining(deadline);
        if (left <= 0) {
          finish();
          resolve(options.onTimeout!());
          return;
        }
        noted.refresh();
        const { words, index, expected, atMost = SLICE } = result.sleep;
        const parked = roster.parker.parkAsync(words, index, expected, Math.min(atMost, left, span));
        span = Math.min(2 * span, SLICE);
        cancel = parked.cancel;
        parked.promise.then(step, fail);
      } catch (error) {
        if (settled) reject(error);
        else fail(error);
      }
    };
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted === true) onAbort(); // it says so only once, maybe while the caller stood in a line
    else step();
  });
}

/** Shows an async wait in dumps, once it is longer than a slice. */
class AsyncNote {
  readonly #wanted: Stoppable;
  readonly #timed: boolean;
  readonly #started: number = now();
  #number: number | undefined;

  constructor(wanted: Stoppable, timeout: number) {
    this.#wanted = wanted;
    this.#timed = timeout !== Infinity;
  }

  refresh(): void {
    const { kind, name, words, roster, verb, owners } = this.#wanted;
    if (words === undefined || now() - this.#started < FIRST_SLICE) return;
    const owner = owners === undefined ? 0 : this.#wanted.owners!()[0] ?? 0;
    if (this.#number !== undefined) return renote(roster, this.#number, owner);
    const since = timeOfDay(this.#started);
    this.#number = note(AWAITED, { kind, name, words, roster }, "", { verb, timed: this.#timed, since, owner });
  }

  remove(): void {
    if (this.#number !== undefined) unnote(this.#wanted.roster, this.#number);
    this.#number = undefined;
  }
}
