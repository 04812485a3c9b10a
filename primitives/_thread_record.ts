// Memory layout: Thread, 16 words (64 bytes, align 64), then room for what the target returns or throws.
// TAG set and the rest zero = not started.
//
//   word  name    written by          meaning
//   0 1 2 TAG ID  creator, once       see _layout.ts
//   3     DONE    who ends it, once   0 = not ended; else how: see below
//   4     THREAD  starter, once       the thread's id in the roster, 0 = not started
//   5     CONTROL anybody             STOP_BIT told to stop; KILL_BIT to be stopped by force; STUCK_BIT cannot be;
//                                     by the thread: UP_BIT it runs; HEARD_BIT its event loop has seen STOP_BIT
//   6     JOINS   joiners             ASKED_BIT somebody has ever joined; TAKEN_BIT somebody got the outcome;
//                                     TOLD_BIT the except hook did; STARTING_BIT start() has not returned, so that
//                                     nobody can have joined
//   7     LENGTH  who ends it         bytes of the outcome
//   8     TIMER   anybody             0 waits; CANCELLED or FIRED, whichever was first
//   9     LIMIT   creator, once       maxResultBytes; the room is larger, so that an error always fits
//   10    STARTER starter, once       the id of the thread that started it
//   11 - 15 spare, zero
//   16 -  OUTCOME who ends it         the value or error, as _codec.ts reads it
//
// DONE:  bits 0-2 RETURNED, THREW or ENDED; bit 3 POSTED_BIT: the value went to the starter by message;
//        bits 4-7 why it ENDED (1 + index in REASONS); bit 8 an exit code is known; bits 9-31 the code, signed
//
// Transitions:
//   DONE 0 -> x     the thread itself when it ends, or whoever learns that it has stopped     cas, then wake all
//   CONTROL |= bit  terminate(); wakes the thread and its starter
//
// Invariants:
//   1. LENGTH and OUTCOME are complete before DONE is set, which publishes them; nothing changes after that.
//   2. Only the thread itself writes LENGTH and OUTCOME, or its starter once it has stopped.
//   3. Once DONE is set the thread runs no code of the program any more: so whoever sees it may mark the thread
//      dead, and a thread that was joined is never listed.
//   4. Everybody who sleeps on DONE or CONTROL is woken at every change, blocking and async alike.

import type { Words } from "./_atomics.ts";
import { and, cas, load, or, store } from "./_atomics.ts";
import { FIRST, padded } from "./_layout.ts";
import type { Roster } from "./_roster.ts";
import type { ThreadEndReason } from "./errors.ts";

/** Bytes of a Thread, without room for its outcome. */
export const THREAD_BYTES = 64;

/** Bytes of a Thread with room for an outcome. */
export function threadBytes(maxResultBytes: number): number {
  return padded(OUTCOME_BYTE + Math.max(maxResultBytes, LEAST_ROOM));
}

/** Writes a fresh record. */
export function fillThread(words: Words, maxResultBytes: number): void {
  store(words, LIMIT, maxResultBytes);
}

/** Word: how it ended. */
export const DONE: number = FIRST;
const THREAD = 4;
/** Word: what it is told to do. */
export const CONTROL = 5;
const JOINS = 6;
const LENGTH = 7;
/** Word: whether a Timer still waits. */
export const TIMER = 8;
const LIMIT = 9;
const STARTER = 10;
const OUTCOME_BYTE = 64;
/** Room that there is at least. */
const LEAST_ROOM = 8192;

const RETURNED = 1;
const THREW = 2;
const ENDED = 3;
const KIND_MASK = 7;
const POSTED_BIT = 8;
const REASON_SHIFT = 4;
const REASON_MASK = 15;
const CODE_BIT = 0x100;
const CODE_SHIFT = 9;

/** CONTROL: told to stop. */
export const STOP_BIT = 1;
/** CONTROL: its starter is to stop it by force. */
export const KILL_BIT = 2;
/** CONTROL: it was told to stop, did not, and nobody can make it. */
export const STUCK_BIT = 4;
/** CONTROL: it runs. */
export const UP_BIT = 8;
/** CONTROL: its event loop turns, and has seen STOP_BIT: it will end. */
export const HEARD_BIT = 16;

const ASKED_BIT = 1;
const TAKEN_BIT = 2;
const TOLD_BIT = 4;
const STARTING_BIT = 8;

/** TIMER: it was cancelled before it fired. */
export const CANCELLED = 1;
/** TIMER: it fired. */
export const FIRED = 2;

const REASONS: readonly ThreadEndReason[] = ["error", "exit", "closed", "terminated", "unstoppable", "unknown"];

/** How a thread ended. */
export type Ending = Outcome | AbruptEnd;

/** It returned or threw; the value as bytes, or sent to the starter. */
export interface Outcome {
  readonly kind: "returned" | "threw";
  readonly bytes: Uint8Array | "posted";
}

/** It ended in any other way. */
export interface AbruptEnd {
  readonly kind: "ended";
  readonly reason: ThreadEndReason;
  readonly exitCode?: number | undefined;
  /** What led to it, encoded. */
  readonly bytes?: Uint8Array | undefined;
}

/** The record of one thread. */
export class ThreadRecord {
  readonly words: Words;
  readonly roster: Roster;

  constructor(words: Words, roster: Roster) {
    this.words = words;
    this.roster = roster;
  }

  /** The thread's id, 0 before it is started. */
  get id(): number {
    return load(this.words, THREAD);
  }

  /** Says which thread it is, and whose. */
  start(id: number, starter: number): void {
    or(this.words, JOINS, STARTING_BIT);
    store(this.words, STARTER, starter);
    store(this.words, THREAD, id);
  }

  /** Its start() returns: from now on it can be joined. */
  startReturns(): void {
    and(this.words, JOINS, ~STARTING_BIT);
  }

  /** Whether its start() has not returned yet. */
  get starting(): boolean {
    return (load(this.words, JOINS) & STARTING_BIT) !== 0;
  }

  /** The id of the thread that started it. */
  get starter(): number {
    return load(this.words, STARTER);
  }

  /** Whether it has ended. */
  get done(): boolean {
    return load(this.words, DONE) !== 0;
  }

  /** Whether it has ended with an outcome that went by message. */
  get posted(): boolean {
    return (load(this.words, DONE) & POSTED_BIT) !== 0;
  }

  /** How many bytes a result may have. */
  get limit(): number {
    return load(this.words, LIMIT);
  }

  /** How many bytes an outcome may have. */
  get capacity(): number {
    return this.words.byteLength - OUTCOME_BYTE;
  }

  /** How it ended; `undefined` while it has not. */
  get ending(): Ending | undefined {
    const { words } = this;
    const seen = load(words, DONE);
    if (seen === 0) return undefined;
    const length = Math.min(load(words, LENGTH) >>> 0, this.capacity);
    const bytes = new Uint8Array(length);
    bytes.set(new Uint8Array(words.buffer, words.byteOffset + OUTCOME_BYTE, length));
    const kind = seen & KIND_MASK;
    if (kind === RETURNED || kind === THREW) {
      return { kind: kind === THREW ? "threw" : "returned", bytes: (seen & POSTED_BIT) !== 0 ? "posted" : bytes };
    }
    return {
      kind: "ended",
      reason: REASONS[((seen >>> REASON_SHIFT) & REASON_MASK) - 1] ?? "unknown",
      exitCode: (seen & CODE_BIT) !== 0 ? seen >> CODE_SHIFT : undefined,
      bytes: length > 0 ? bytes : undefined,
    };
  }

  /** Ends it, unless it has ended already, and wakes who waits for that. Returns whether this call did. */
  end(ending: Ending): boolean {
    const { words } = this;
    if (load(words, DONE) !== 0) return false;
    const { bytes } = ending;
    const given = bytes instanceof Uint8Array ? bytes.subarray(0, this.capacity) : undefined;
    if (given !== undefined) {
      new Uint8Array(words.buffer, words.byteOffset + OUTCOME_BYTE, given.length).set(given);
      store(words, LENGTH, given.length);
    }
    const first = cas(words, DONE, 0, doneWord(ending)) === 0; // publishes the outcome (invariant 1)
    this.wakeAll(); // also when somebody else was first: it may have died before this
    return first;
  }

  /** The thread has stopped: marks it dead, and wakes who waits for its end. */
  wakeAll(): void {
    const { words, roster } = this;
    roster.markDead(this.id);
    roster.parker.unpark(words, DONE, Infinity);
    roster.parker.unpark(words, CONTROL, Infinity);
  }

  /** What it was told to do. */
  get control(): number {
    return load(this.words, CONTROL);
  }

  /** Tells it, and its starter, to do something. */
  tell(bits: number): void {
    const { words, roster } = this;
    or(words, CONTROL, bits);
    roster.parker.unpark(words, CONTROL, Infinity);
    if ((bits & STUCK_BIT) !== 0) roster.parker.unpark(words, DONE, Infinity);
  }

  /** Somebody begins to join. */
  markAsked(): void {
    or(this.words, JOINS, ASKED_BIT);
  }

  /** Somebody has got the outcome. */
  markTaken(): void {
    or(this.words, JOINS, TAKEN_BIT);
  }

  /** Whether anybody has ever joined it. */
  get asked(): boolean {
    return (load(this.words, JOINS) & ASKED_BIT) !== 0;
  }

  /** Whether anybody has got the outcome. */
  get taken(): boolean {
    return (load(this.words, JOINS) & TAKEN_BIT) !== 0;
  }

  /** Whether the except hook was told. */
  get told(): boolean {
    return (load(this.words, JOINS) & TOLD_BIT) !== 0;
  }

  /** Claims the right to tell the except hook, once. */
  claimTelling(): boolean {
    return (or(this.words, JOINS, TOLD_BIT) & TOLD_BIT) === 0;
  }

  /** A Timer is cancelled or fires. Returns whether this came first. */
  settleTimer(how: number): boolean {
    const { words, roster } = this;
    const first = cas(words, TIMER, 0, how) === 0;
    roster.parker.unpark(words, TIMER, Infinity);
    return first;
  }
}

function doneWord(ending: Ending): number {
  if (ending.kind !== "ended") {
    return (ending.kind === "threw" ? THREW : RETURNED) | (ending.bytes === "posted" ? POSTED_BIT : 0);
  }
  const reason = (REASONS.indexOf(ending.reason) + 1) << REASON_SHIFT;
  const code = ending.exitCode === undefined ? 0 : CODE_BIT | (ending.exitCode << CODE_SHIFT);
  return ENDED | reason | code;
}
