// The roster: one shared table of a program's threads.
//
// Memory layout: a head of 16 words, then SLOTS slots of SLOT_WORDS words, then as many
// EXTRA areas of EXTRA_WORDS words (untouched memory costs nothing). A record of kind Roster.
//
//   head word  name      written by           meaning
//   0 1 2      TAG ID_*  creator, once        see _layout.ts
//   3          SCOPE     creator, once        0: agents of one program. Others need their module loaded first
//   4          TICKETS   any thread           counts ends of threads, wraps; stamps RETIRED of a slot
//   5          DEATHS    any thread           counts ends of threads, wraps; a reader that sees it unchanged
//                                             knows that nobody has died since
//   6          WAITS     any waiter           counts waits, wraps, skips 0; stamps WAITING of a slot
//   7          NAMES     any starter          counts default names: Thread-1, Thread-2, …
//   8          MAIN      main thread, once    the id of the program's first thread
//   9          WARNED    any thread           the WAITS value for which a stuck program was last reported
//   10         TRACKS    any thread           1: every thread notes what it holds, see _notes.ts
//   11         -         nobody               spare
//   12         RAWS      raw workers          counts those that said how they are watched; the main thread sleeps on it
//
//   slot word  name      written by           meaning
//   0          STATE     any thread, by cas   bits 0-2 FREE, TAKING, STARTING, RUNNING, STOPPING or DEAD; bits 3-20 the
//                                             generation. The thread's id is slot | generation << 12, generation from 1 on
//   1          UNTIMED   owner                1 when it waits without a time limit, 2 when that is for a lock to have back
//   2          LIFE      owner, or the kernel bit 30 set: the thread is dead. In process scope this word is on the
//                                             kernel's robust list; the agents of one program leave it 0
//   3          PARENT    who takes the slot   id of the thread that started it, 0 = none
//   4          FLAGS     owner, its starter   DAEMON_BIT, MAIN_BIT, RAW_BIT (a worker that Lockstep did not start), RETURNED_BIT,
//                                             HOOK_BIT (it has an except hook of its own)
//   5          STOP      anybody              the thread's id: every Lockstep wait of this thread throws ThreadStoppedError
//   6          RETIRED   who marks it dead    TICKETS at that moment: slots are reused oldest first
//   7          WAITING   owner                ticket of the blocking wait it is in, 0 = none; the wait's words belong to it
//   8          KIND      owner                what it waits for: a number of KINDS
//   9 48       WAIT_HI/LO owner               the record's identity
//   10 11      LINK      owner                process scope: the kernel's link, 32 bytes behind LIFE as glibc has it
//   12         CHECKED   owner                counts the times it has looked at its own wait anew, wraps
//   13         OWNERS    owner                for how many threads it waits; their ids are in the EXTRA area
//   14         NAME_LEN  owner, its starter   bytes of NAME
//   15         WAIT_LEN  owner                bytes of WAIT_NAME
//   16 - 31    NAME      owner, its starter   the thread's name, UTF-8, cut to 64 bytes
//   32 - 47    WAIT_NAME owner                the name of what it waits for
//   49         VERB      owner                the method that waits: a number of VERBS
//   50         STAMP     owner                WAITS as it was before the latest look at OWNERS began; see _detect.ts
//   51         SINCE     owner                when the wait began: low 32 bits of the time of day in ms
//   52         NUMBER    owner                the runtime's own number of a raw worker, 0 = none, negative: of its sign of life
//   53 - 63    -         nobody               spare: a slot fills its cache lines
//
//   EXTRA: words 0 - 1023 ids of the threads it waits for; the rest belongs to _notes.ts.
//
// States of a slot:   FREE or DEAD -> TAKING (the generation goes up) -> STARTING -> RUNNING -> [STOPPING] -> DEAD
// Invariants:
//   1. Every change of STATE is a cas that compares the generation too, so that nothing said of an old id touches a new one.
//   2. An id is alive exactly if its slot has that generation, is TAKING to STOPPING, and LIFE has not bit 30.
//   3. Whoever makes a slot DEAD does so once for each id, and then counts DEATHS.
//   4. A slot whose generations are used up stays DEAD for ever.

import type { Words } from "./_atomics.ts";
import { load } from "./_atomics.ts";

/** How many threads may be alive at once. */
export const SLOTS = 1024;
const HEAD_WORDS = 16;
const SLOT_WORDS = 64;
/** Words of the EXTRA area of a slot. */
export const EXTRA_WORDS = 2048;
/** Where in its EXTRA area the words of _notes.ts begin. */
export const HELD_BASE = 1024;
/** How many ids of threads waited for the EXTRA area holds. */
export const MOST_OWNERS = 1024;
/** Bytes that a roster takes. */
export const ROSTER_BYTES: number = 4 * (HEAD_WORDS + SLOTS * (SLOT_WORDS + EXTRA_WORDS));

/** Of the head. */
export const SCOPE = 3;
/** Of the head. */
export const TICKETS = 4;
/** Of the head. */
export const DEATHS = 5;
/** Of the head. */
export const WAITS = 6;
/** Of the head. */
export const NAMES = 7;
/** Of the head. */
export const MAIN = 8;
/** Of the head. */
export const WARNED = 9;
/** Of the head. */
export const TRACKS = 10;
/** Of the head. */
export const RAWS = 12;

/** Of a slot. */
export const STATE = 0;
/** Of a slot. */
export const UNTIMED = 1;
/** Of a slot. */
export const LIFE = 2;
/** Of a slot. */
export const PARENT = 3;
/** Of a slot. */
export const FLAGS = 4;
/** Of a slot. */
export const STOP = 5;
/** Of a slot. */
export const RETIRED = 6;
/** Of a slot. */
export const WAITING = 7;
/** Of a slot. */
export const KIND = 8;
/** Of a slot. */
export const WAIT_HI = 9;
/** Of a slot. */
export const CHECKED = 12;
/** Of a slot. */
export const OWNERS = 13;
/** Of a slot. */
export const NAME_LEN = 14;
/** Of a slot. */
export const WAIT_LEN = 15;
/** Of a slot. */
export const NAME = 16;
/** Of a slot. */
export const WAIT_NAME = 32;
/** Of a slot. */
export const WAIT_LO = 48;
/** Of a slot. */
export const VERB = 49;
/** Of a slot. */
export const STAMP = 50;
/** Of a slot. */
export const SINCE = 51;
/** Of a slot. */
export const NUMBER = 52;
/** Bytes of NAME, and of WAIT_NAME. */
export const NAME_BYTES = 64;

/** STATE: the slot was never used. */
export const FREE = 0;
/** STATE: somebody fills it in. */
export const TAKING = 1;
/** STATE: the thread has been started and does not run yet. */
export const STARTING = 2;
/** STATE: the thread runs. */
export const RUNNING = 3;
/** STATE: the thread was told to stop. */
export const STOPPING = 4;
/** STATE: the thread has ended. */
export const DEAD = 5;
/** STATE: which of these. */
export const STATE_MASK = 7;
/** STATE: where the generation begins. */
export const IN_STATE_SHIFT = 3;

/** FLAGS: the program does not wait for this thread to end. */
export const DAEMON_BIT = 1;
/** FLAGS: the program's first thread. */
export const MAIN_BIT = 2;
/** FLAGS: a worker that Lockstep did not start. */
export const RAW_BIT = 4;
/** FLAGS: the thread's target has returned: what it still holds it left behind, and did not die holding. */
export const RETURNED_BIT = 8;
/** FLAGS: it has an except hook of its own. */
export const HOOK_BIT = 16;

/** LIFE: the thread is dead. */
export const DIED_BIT = 0x40000000;

/** An id: the slot. */
export const SLOT_MASK = 0xfff;
/** An id: where the generation begins. */
export const GENERATION_SHIFT = 12;
/** The last generation of a slot. */
export const LAST_GENERATION = 0x3ffff;

/** The first word of a slot. */
export function slotAt(slot: number): number {
  return HEAD_WORDS + slot * SLOT_WORDS;
}

/** The first word of the slot that holds this id, or -1. */
export function slotOf(words: Words, id: number): number {
  return inSlot(words, id) < 0 ? -1 : slotAt(id & SLOT_MASK);
}

/** The state of the thread of this id; DEAD for any other number. */
export function stateOf(words: Words, id: number): number {
  const seen = inSlot(words, id);
  return seen < 0 ? DEAD : seen & STATE_MASK;
}

/** STATE of the slot that holds this id, or -1. */
function inSlot(words: Words, id: number): number {
  const slot = id & SLOT_MASK;
  const generation = id >>> GENERATION_SHIFT;
  if (generation === 0 || id < 0 || id > 0x3fffffff || slot >= SLOTS) return -1; // 0 is that of slots never used
  const seen = load(words, slotAt(slot) + STATE);
  return seen >>> IN_STATE_SHIFT === generation ? seen : -1;
}

/** Whether a later thread has the slot of this id. */
export function isReused(words: Words, id: number): boolean {
  const slot = id & SLOT_MASK;
  if (id < 0 || id > 0x3fffffff || slot >= SLOTS) return false;
  return load(words, slotAt(slot) + STATE) >>> IN_STATE_SHIFT > id >>> GENERATION_SHIFT;
}

/** The first word of the EXTRA area of a slot. */
export function extraOf(slot: number): number {
  return HEAD_WORDS + SLOTS * SLOT_WORDS + slot * EXTRA_WORDS;
}
