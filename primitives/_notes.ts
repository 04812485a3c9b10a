// Notes: what a thread holds, and for what its tasks wait, where other threads can read it for their dumps.
//
// Memory layout: 1024 words of the thread's EXTRA area in the roster, from HELD_BASE on. Only its own thread writes.
//
//   word       name      meaning
//   0          WHOSE     id of the thread whose notes these are; for any other id there are none
//   1          CHANGES   odd while a note is being written or removed, wraps
//   2          MORE      how many notes found no room
//   3 - 63     spare
//   64 + 64 i  note i    NOTES of them:
//     0        WHAT      bits 0-7 a number of KINDS, 0 = no note here; bits 8-15 HELD, HELD_BY_TASK or AWAITED
//     1 2      KEY       the record's identity
//     3        SINCE     low 32 bits of the time of day in ms
//     4        FOR       AWAITED: id of the thread waited for, 0 = nobody in particular; changes by itself, too
//     5 6      NAME_LEN, PLACE_LEN   bytes
//     7        HOW       AWAITED: bits 0-7 a number of VERBS, bit 8 the wait has a time limit
//     8 - 23   NAME      the record's name, UTF-8
//     24 - 63  PLACE     where in the program it was taken, UTF-8
//
// A reader takes a copy and compares CHANGES before and after; after a few tries it takes what it gets,
// as a dump is a picture and nothing depends on it.

import type { Words } from "./_atomics.ts";
import { add, load, store } from "./_atomics.ts";
import { agoOf, timeOfDay } from "./_deadline.ts";
import type { Kind } from "./_layout.ts";
import { ID_HI, ID_LO, kindName, KINDS, verbName, verbNumber } from "./_layout.ts";
import type { Roster } from "./_roster.ts";
import { readText, writeText } from "./_text.ts";

const WHOSE = 0;
const CHANGES = 1;
const MORE = 2;
const FIRST_NOTE = 64;
const NOTE_WORDS = 64;
/** How many notes a thread has room for. */
const NOTES = 15;

const WHAT = 0;
const KEY_HI = 1;
const KEY_LO = 2;
const SINCE = 3;
const FOR = 4;
const NAME_LEN = 5;
const PLACE_LEN = 6;
const HOW = 7;
const TIMED_BIT = 0x100;
const NAME = 8;
const NAME_BYTES = 64;
const PLACE = 24;
const PLACE_BYTES = 160;
const TRIES = 8;

/** A note of something that the thread holds. */
export const HELD = 1;
/** A note of something that one of its tasks holds. */
export const HELD_BY_TASK = 2;
/** A note of something that one of its tasks waits for. */
export const AWAITED = 3;

/** One note as read. */
export interface Note {
  readonly type: number;
  readonly kind: string;
  readonly key: number;
  readonly name: string;
  readonly place: string;
  readonly elapsed: number;
  readonly owner: number;
  readonly verb: string;
  readonly timed: boolean;
}

/** Something that can be noted: a record and its name. */
export interface Notable {
  readonly kind: string;
  readonly name: string;
  readonly words: Words;
  readonly roster: Roster;
}

/** What is said of a task's wait. */
export interface Awaiting {
  readonly verb: string;
  readonly timed: boolean;
  /** When it began, as timeOfDay() said. */
  readonly since: number;
  /** The id of the thread that it waits for, 0 for nobody in particular. */
  readonly owner: number;
}

/** Writes a note of this agent; returns its number for unnote(), -1 when there was no room for it. */
export function note(type: number, what: Notable, place: string, wait?: Awaiting): number {
  const { words } = what.roster;
  const base = mine(what.roster);
  let i = 0;
  while (i < NOTES && load(words, at(base, i) + WHAT) !== 0) i++;
  if (i === NOTES) {
    add(words, base + MORE, 1);
    return -1;
  }
  const n = at(base, i);
  add(words, base + CHANGES, 1);
  store(words, n + KEY_HI, load(what.words, ID_HI));
  store(words, n + KEY_LO, load(what.words, ID_LO));
  store(words, n + SINCE, (wait?.since ?? timeOfDay()) | 0);
  store(words, n + FOR, wait?.owner ?? 0);
  store(words, n + HOW, wait === undefined ? 0 : verbNumber(wait.verb) | (wait.timed ? TIMED_BIT : 0));
  store(words, n + NAME_LEN, writeText(words, n + NAME, NAME_BYTES, what.name));
  store(words, n + PLACE_LEN, writeText(words, n + PLACE, PLACE_BYTES, place));
  store(words, n + WHAT, KINDS[what.kind as Kind] | (type << 8));
  add(words, base + CHANGES, 1);
  return i;
}

/** A task's wait that this agent has noted is for another thread now. */
export function renote(roster: Roster, number: number, owner: number): void {
  if (number >= 0) store(roster.words, at(mine(roster), number) + FOR, owner);
}

/** Removes a note of this agent. */
export function unnote(roster: Roster, number: number): void {
  const { words } = roster;
  const base = mine(roster);
  if (number < 0) {
    if (load(words, base + MORE) > 0) add(words, base + MORE, -1);
    return;
  }
  add(words, base + CHANGES, 1);
  store(words, at(base, number) + WHAT, 0);
  add(words, base + CHANGES, 1);
}

/** The notes of any thread, and how many more it has. */
export function notesOf(roster: Roster, id: number): { readonly notes: Note[]; readonly more: number } {
  const { words } = roster;
  const base = roster.heldBase(id);
  for (let tries = 1; base >= 0 && load(words, base + WHOSE) === id; tries++) {
    const before = load(words, base + CHANGES);
    const notes: Note[] = [];
    for (let i = 0; i < NOTES; i++) {
      const n = at(base, i);
      const what = load(words, n + WHAT);
      if (what === 0) continue;
      notes.push({
        type: (what >>> 8) & 0xff,
        kind: kindName(what & 0xff),
        key: (load(words, n + KEY_HI) & 0x1fffff) * 0x100000000 + (load(words, n + KEY_LO) >>> 0),
        name: readText(words, n + NAME, load(words, n + NAME_LEN), NAME_BYTES),
        place: readText(words, n + PLACE, load(words, n + PLACE_LEN), PLACE_BYTES),
        elapsed: agoOf(load(words, n + SINCE)),
        owner: load(words, n + FOR),
        verb: verbName(load(words, n + HOW) & 0xff),
        timed: (load(words, n + HOW) & TIMED_BIT) !== 0,
      });
    }
    const whole = (before & 1) === 0 && load(words, base + CHANGES) === before;
    if (whole || tries === TRIES) return { notes, more: Math.max(0, load(words, base + MORE)) };
  }
  return { notes: [], more: 0 };
}

/** Where this agent's notes are; clears those of the slot's thread before it. */
function mine(roster: Roster): number {
  const { words, me } = roster;
  const base = roster.heldBase(me);
  if (load(words, base + WHOSE) !== me) {
    for (let i = 0; i < NOTES; i++) store(words, at(base, i) + WHAT, 0);
    store(words, base + MORE, 0);
    store(words, base + WHOSE, me);
  }
  return base;
}

function at(base: number, number: number): number {
  return base + FIRST_NOTE + number * NOTE_WORDS;
}
