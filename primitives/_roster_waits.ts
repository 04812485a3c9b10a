// What threads wait for, where others can read it: the wait words of a slot and the first half of its EXTRA area.
// The words are in the header of _roster_record.ts; how _detect.ts reads them is in its own.

import { add, cas, load, store, write } from "./_atomics.ts";
import { agoOf, timeOfDay } from "./_deadline.ts";
import { REACQUIRE, verbName, verbNumber } from "./_layout.ts";
import type { Roster } from "./_roster.ts";
import {
  CHECKED,
  DEATHS,
  extraOf,
  KIND,
  MOST_OWNERS,
  NAME_BYTES,
  OWNERS,
  SINCE,
  SLOT_MASK,
  slotAt,
  slotOf,
  STAMP,
  STOP,
  TRACKS,
  UNTIMED,
  VERB,
  WAIT_HI,
  WAIT_LEN,
  WAIT_LO,
  WAIT_NAME,
  WAITING,
  WAITS,
  WARNED,
} from "./_roster_record.ts";
import { readText, writeText } from "./_text.ts";

/** What a blocking wait publishes. */
export interface PublishedWait {
  /** The ticket: later waits have later ones. */
  readonly ticket: number;
  /** A number of KINDS. */
  readonly kind: number;
  /** The method that waits. */
  readonly verb: string;
  /** The record's identity. */
  readonly key: number;
  /** The record's name, "" for none. */
  readonly name: string;
  /** Whether it waits for ever. */
  readonly untimed: boolean;
  /** For how long, in ms. */
  readonly elapsed: number;
  /** How often the waiter has looked at its wait anew. */
  readonly checked: number;
  /** The ids it waits for; empty where nobody in particular can end the wait. */
  readonly owners: readonly number[];
  /** Whether it has looked for whom it waits; until then it is about to, and `owners` is empty. */
  readonly looked: boolean;
}

// What this agent waits for. Only its own thread writes these words.

/** Publishes a blocking wait of this agent; returns its ticket. */
export function beginWait(
  roster: Roster,
  kind: number,
  hi: number,
  lo: number,
  name: string,
  untimed: boolean,
  verb: string,
  since: number = timeOfDay(),
): number {
  const { words } = roster;
  const at = slotAt(roster.me & SLOT_MASK);
  const ticket = (add(words, WAITS, 1) + 1) | 0 || (add(words, WAITS, 1) + 1) | 0;
  // Between WAITING = 0 with the add() above and WAITING = ticket below nobody believes these.
  write(words, at + KIND, kind);
  write(words, at + VERB, verbNumber(verb));
  write(words, at + SINCE, since | 0);
  write(words, at + WAIT_HI, hi);
  write(words, at + WAIT_LO, lo);
  write(words, at + UNTIMED, !untimed ? 0 : verb === REACQUIRE ? 2 : 1);
  write(words, at + OWNERS, 0);
  write(words, at + WAIT_LEN, name === "" ? 0 : writeText(words, at + WAIT_NAME, NAME_BYTES, name));
  store(words, at + WAITING, ticket);
  return ticket;
}

/**
 * Says that this agent has just found its wait still standing, for these threads.
 * `stamp` is what `lastWait()` was before it looked.
 */
export function confirmWait(roster: Roster, owners: readonly number[], stamp: number): void {
  const { words } = roster;
  const slot = roster.me & SLOT_MASK;
  const at = slotAt(slot);
  const extra = extraOf(slot);
  const count = Math.min(owners.length, MOST_OWNERS);
  for (let i = 0; i < count; i++) store(words, extra + i, owners[i]!);
  store(words, at + OWNERS, count);
  store(words, at + STAMP, stamp); // after the owners: who reads it reads these, or later ones
  add(words, at + CHECKED, 1);
}

/** The same when nothing can have changed since: only counts. */
export function countLook(roster: Roster): void {
  add(roster.words, slotAt(roster.me & SLOT_MASK) + CHECKED, 1);
}

/**
 * The same for a thread of this program that has slept for a slice; unless it has reason to look around, since there were
 * that many waits and deaths: another one, an order to stop, or to note what it holds. Returns whether it has none.
 */
export function countCalmLook({ words, me }: Roster, stamp: number, deaths: number): boolean {
  const at = slotAt(me & SLOT_MASK);
  if (load(words, WAITS) !== stamp || load(words, DEATHS) !== deaths || load(words, TRACKS) !== 0) return false;
  if (load(words, at + STOP) === me) return false;
  add(words, at + CHECKED, 1);
  return true;
}

/** This agent's blocking wait is over. */
export function endWait(roster: Roster): void {
  store(roster.words, slotAt(roster.me & SLOT_MASK) + WAITING, 0);
}

// What any thread waits for.

/** The blocking wait of any thread, `undefined` when it is in none. */
export function waitOf(roster: Roster, id: number): PublishedWait | undefined {
  const { words } = roster;
  const at = slotOf(words, id);
  if (at < 0) return undefined;
  const ticket = load(words, at + WAITING);
  if (ticket === 0) return undefined;
  const wait: PublishedWait = {
    ticket,
    kind: load(words, at + KIND),
    verb: verbName(load(words, at + VERB)),
    key: (load(words, at + WAIT_HI) & 0x1fffff) * 0x100000000 + (load(words, at + WAIT_LO) >>> 0),
    name: readText(words, at + WAIT_NAME, load(words, at + WAIT_LEN), NAME_BYTES),
    untimed: load(words, at + UNTIMED) !== 0,
    elapsed: agoOf(load(words, at + SINCE)),
    checked: load(words, at + CHECKED),
    looked: ((load(words, at + STAMP) - ticket) | 0) >= 0, // before the owners, which are written before it
    owners: readOwners(roster, id, at),
  };
  // All of it belongs to the one wait, or it counts for nothing.
  return isIn(roster, id, at, ticket) ? wait : undefined;
}

function readOwners({ words }: Roster, id: number, at: number): number[] {
  const count = Math.min(load(words, at + OWNERS) >>> 0, MOST_OWNERS);
  const extra = extraOf(id & SLOT_MASK);
  const owners: number[] = [];
  for (let i = 0; i < count; i++) owners.push(load(words, extra + i));
  return owners;
}

function isIn({ words }: Roster, id: number, at: number, ticket: number): boolean {
  return load(words, at + WAITING) === ticket && slotOf(words, id) === at;
}

/** The ticket of a living thread's blocking wait without a time limit, 0 when it is in none. */
export function untimedWait(roster: Roster, id: number): number {
  const { words } = roster;
  const at = slotOf(words, id);
  if (at < 0) return 0;
  const ticket = load(words, at + WAITING);
  if (ticket === 0 || load(words, at + UNTIMED) === 0 || !roster.alive(id)) return 0;
  return isIn(roster, id, at, ticket) ? ticket : 0;
}

/** Whether the untimed wait of that ticket is for a lock to have back. */
export function reacquires({ words }: Roster, id: number): boolean {
  const at = slotOf(words, id);
  return at >= 0 && load(words, at + UNTIMED) === 2;
}

/** For whom a thread waits in the wait of that ticket, and the stamp of its latest look. */
export function edges(
  roster: Roster,
  id: number,
  ticket: number,
): { readonly stamp: number; readonly owners: readonly number[] } | undefined {
  const { words } = roster;
  const at = slotOf(words, id);
  if (at < 0) return undefined;
  const stamp = load(words, at + STAMP); // before the owners, which are written before it
  const owners = readOwners(roster, id, at);
  return isIn(roster, id, at, ticket) ? { stamp, owners } : undefined;
}

/** The ticket of the latest wait of any thread. */
export function lastWait(roster: Roster): number {
  return load(roster.words, WAITS);
}

/** Claims the right to report a stuck program, once for each state of it. */
export function claimWarning({ words }: Roster, ticket: number): boolean {
  const seen = load(words, WARNED);
  return seen !== ticket && cas(words, WARNED, seen, ticket) === seen;
}
