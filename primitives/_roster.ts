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
//   11         HOOKS     any thread           how many agents have an except hook of their own
//   12         RAWS      raw workers          counts those that said how they are watched; the main thread sleeps on it
//
//   slot word  name      written by           meaning
//   0          STATE     any thread, by cas   bits 0-2 FREE, TAKING, STARTING, RUNNING, STOPPING or DEAD; bits 3-20 the
//                                             generation. The thread's id is slot | generation << 12, generation from 1 on
//   1          UNTIMED   owner                1 when it waits without a time limit
//   2          LIFE      owner, or the kernel bit 30 set: the thread is dead. In process scope this word is on the
//                                             kernel's robust list; the agents of one program leave it 0
//   3          PARENT    who takes the slot   id of the thread that started it, 0 = none
//   4          FLAGS     owner, its starter   DAEMON_BIT, MAIN_BIT, RAW_BIT (a worker that Lockstep did not start), RETURNED_BIT
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

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { add, cas, load, or, store, write } from "./_atomics.ts";
import { timeOfDay } from "./_deadline.ts";
import type { Membership } from "./host.ts";
import { isSharedBuffer, ownBuffer, recordKey, sign, verbName, verbNumber, verify } from "./_layout.ts";
import type { Parker } from "./_park.ts";
import { threadParker } from "./_park.ts";
import { readText, writeText } from "./_text.ts";
import { LayoutError, UnsupportedError } from "./errors.ts";

/** How many threads may be alive at once. */
export const SLOTS = 1024;
const HEAD_WORDS = 16;
const SLOT_WORDS = 64;
/** Words of the EXTRA area of a slot. */
export const EXTRA_WORDS = 2048;
/** Where in its EXTRA area the words of _notes.ts begin. */
export const HELD_BASE = 1024;
const MOST_OWNERS = 1024;
/** Bytes that a roster takes. */
export const ROSTER_BYTES: number = 4 * (HEAD_WORDS + SLOTS * (SLOT_WORDS + EXTRA_WORDS));

const SCOPE = 3;
const TICKETS = 4;
const DEATHS = 5;
const WAITS = 6;
const NAMES = 7;
const MAIN = 8;
const WARNED = 9;
const TRACKS = 10;
const HOOKS = 11;
const RAWS = 12;

const STATE = 0;
const LIFE = 2;
const PARENT = 3;
const FLAGS = 4;
const STOP = 5;
const RETIRED = 6;
const WAITING = 7;
const KIND = 8;
const WAIT_HI = 9;
const WAIT_LO = 48;
const UNTIMED = 1;
const CHECKED = 12;
const OWNERS = 13;
const NAME_LEN = 14;
const WAIT_LEN = 15;
const NAME = 16;
const WAIT_NAME = 32;
const VERB = 49;
const STAMP = 50;
const SINCE = 51;
const NUMBER = 52;
const NAME_BYTES = 64;
/** How often the main thread looks for raw workers unasked, in ms. */
const LOOK = 1000;

const FREE = 0;
const TAKING = 1;
/** The thread has been started and does not run yet. */
export const STARTING = 2;
/** The thread runs. */
export const RUNNING = 3;
/** The thread was told to stop. */
export const STOPPING = 4;
/** The thread has ended. */
export const DEAD = 5;
const STATE_MASK = 7;
const IN_STATE_SHIFT = 3;

/** The program does not wait for this thread to end. */
export const DAEMON_BIT = 1;
/** The program's first thread. */
export const MAIN_BIT = 2;
/** A worker that Lockstep did not start. */
export const RAW_BIT = 4;
/** The thread's target has returned: what it still holds it left behind, and did not die holding. */
const RETURNED_BIT = 8;

const SLOT_MASK = 0xfff;
const GENERATION_SHIFT = 12;
const LAST_GENERATION = 0x3ffff;
const DIED_BIT = 0x40000000;

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
}

/** One thread as the roster shows it. */
export interface ThreadEntry {
  readonly id: number;
  readonly name: string;
  readonly state: number;
  readonly flags: number;
  readonly parent: number;
}

/** The shared table of threads, as one agent sees it. */
export class Roster {
  readonly words: Words;
  readonly parker: Parker;
  readonly key: number;
  /** This agent's thread id here; 0 before it joins. */
  #me = 0;

  private constructor(words: Words, parker: Parker) {
    this.words = words;
    this.parker = parker;
    this.key = recordKey(words);
    agent.rosters.set(this.key, this);
  }

  /** Makes a roster in fresh memory, of its own by default. */
  static create(at?: { words: Words; scope: number; parker: Parker }): Roster {
    const words = at?.words ?? new Int32Array(ownBuffer(ROSTER_BYTES), 0, ROSTER_BYTES >> 2);
    store(words, SCOPE, at?.scope ?? 0);
    sign(words, "Roster");
    return new Roster(words, at?.parker ?? threadParker);
  }

  /** The roster that a handle carries; the one this agent knows already, if it does. */
  static attach(buffer: unknown, byteOffset: unknown): Roster {
    if (
      !isSharedBuffer(buffer) || !Number.isInteger(byteOffset) || (byteOffset as number) < 0 ||
      (byteOffset as number) % 64 !== 0 || (byteOffset as number) + ROSTER_BYTES > buffer.byteLength
    ) {
      throw new LayoutError("Cannot attach Roster as the handle holds no memory for one", { expected: "Roster" });
    }
    const words = new Int32Array(buffer, byteOffset as number, ROSTER_BYTES >> 2);
    verify(words, "Roster");
    const known = agent.rosters.get(recordKey(words));
    if (known !== undefined) return known as Roster;
    const scope = load(words, SCOPE);
    if (scope === 0) return new Roster(words, threadParker);
    const opened = agent.scopes.get(scope) as { parker: Parker } | undefined;
    if (opened !== undefined) return new Roster(words, opened.parker);
    throw new UnsupportedError(`Cannot attach Roster as nothing here can wait in memory of scope ${scope}`, {
      hint: "open the memory with the module that made it, before attaching",
    });
  }

  /** This agent's thread id. Joins the roster as a raw worker, or as the main thread, if it has none yet. */
  get me(): number {
    if (this.#me === 0) {
      const main = agent.host?.isMainThread === true && load(this.words, MAIN) === 0;
      this.#me = this.take(main ? "MainThread" : "", 0, main ? MAIN_BIT : RAW_BIT | DAEMON_BIT);
      if (main) cas(this.words, MAIN, 0, this.#me);
      this.markRunning(this.#me);
      if (!main) this.#joinRaw(this.#me);
      agent.host?.joined(this.#membership(main));
    }
    return this.#me;
  }

  /** The scope of its memory: 0 for the agents of one program. */
  get scope(): number {
    return load(this.words, SCOPE);
  }

  /** A raw worker tells its end itself, where it can, and is watched by whoever can see it. */
  #joinRaw(id: number): void {
    const { words } = this;
    this.rename(id, `Worker-${id & SLOT_MASK}`);
    store(words, this.#at(id & SLOT_MASK) + NUMBER, agent.host?.workerNumber ?? 0);
    agent.host?.onEnd(() => this.markDead(id));
  }

  #membership(isMain: boolean): Membership {
    const { words, parker, key } = this;
    const owner = agent;
    return {
      key,
      id: this.#me,
      number: agent.host!.workerNumber,
      isMain,
      isRaw: !isMain,
      raws: () =>
        this.list().filter(({ flags }) => (flags & RAW_BIT) !== 0)
          .map(({ id }) => ({ id, number: load(words, this.#at(id & SLOT_MASK) + NUMBER) })),
      onRaw(listener): void {
        if (owner !== agent) return;
        const seen = load(words, RAWS);
        listener();
        parker.parkAsync(words, RAWS, seen, LOOK).promise.then(() => this.onRaw(listener), () => {});
      },
      announce: (number) => {
        store(words, this.#at(this.#me & SLOT_MASK) + NUMBER, number);
        add(words, RAWS, 1);
        parker.unpark(words, RAWS, Infinity);
      },
      markDead: (id) => void this.markDead(id),
    };
  }

  /** Whether this agent has an id here. */
  get joined(): boolean {
    return this.#me !== 0;
  }

  /** Takes up the id that the starter of this thread has taken for it. */
  adopt(id: number): void {
    this.#me = id;
    this.markRunning(id);
  }

  /** The id of the program's first thread, 0 before it joined. */
  get main(): number {
    return load(this.words, MAIN);
  }

  /** The number of threads that have ended so far, wrapping. */
  get deaths(): number {
    if (this.scope !== 0) this.#sweep();
    return load(this.words, DEATHS);
  }

  // Where the kernel marks LIFE, nobody counts a death before somebody looks.
  #sweep(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const seen = load(this.words, this.#at(slot) + STATE);
      if (seen === FREE) return;
      if ((seen & STATE_MASK) !== DEAD) this.alive(slot | ((seen >>> IN_STATE_SHIFT) << GENERATION_SHIFT));
    }
  }

  /** The next number for a default name. */
  nextName(): number {
    return add(this.words, NAMES, 1) + 1;
  }

  /** Whether any agent has an except hook of its own. */
  get hooked(): boolean {
    return load(this.words, HOOKS) > 0;
  }

  /** One more agent, or one fewer, has an except hook of its own. */
  countHook(change: 1 | -1): void {
    add(this.words, HOOKS, change);
  }

  /** Takes a slot for a new thread and returns its id. Throws RangeError when all are alive. */
  take(name: string, parent: number, flags: number): number {
    const { words } = this;
    for (;;) {
      const slot = this.#oldestFree();
      const at = this.#at(slot);
      const seen = load(words, at + STATE);
      const generation = (seen >>> IN_STATE_SHIFT) + 1;
      const state = seen & STATE_MASK;
      if ((state !== FREE && state !== DEAD) || generation > LAST_GENERATION) continue;
      const taking = (generation << IN_STATE_SHIFT) | TAKING;
      if (cas(words, at + STATE, seen, taking) !== seen) continue;
      store(words, at + LIFE, 0);
      store(words, at + STOP, 0);
      store(words, at + WAITING, 0);
      store(words, at + NUMBER, 0);
      store(words, at + PARENT, parent);
      store(words, at + FLAGS, flags);
      store(words, extraOf(slot) + HELD_BASE, 0);
      store(words, at + NAME_LEN, writeText(words, at + NAME, NAME_BYTES, name));
      cas(words, at + STATE, taking, (generation << IN_STATE_SHIFT) | STARTING); // publishes the rest
      return slot | (generation << GENERATION_SHIFT);
    }
  }

  #oldestFree(): number {
    const { words } = this;
    let best = -1;
    let oldest = -1;
    const present = load(words, TICKETS);
    for (let slot = 0; slot < SLOTS; slot++) {
      const seen = load(words, this.#at(slot) + STATE);
      if (seen === FREE) return slot; // never used: older than any
      if ((seen & STATE_MASK) !== DEAD || seen >>> IN_STATE_SHIFT >= LAST_GENERATION) continue;
      const age = (present - load(words, this.#at(slot) + RETIRED)) & 0x7fffffff; // wraps
      if (age > oldest) [best, oldest] = [slot, age];
    }
    if (best >= 0) return best;
    throw new RangeError(`Cannot start a thread as ${SLOTS} threads are alive: wait for some of them to end`);
  }

  /** Changes the state of a thread, unless it has ended. Returns whether it did. */
  #become(id: number, next: number, allowed: (state: number) => boolean): boolean {
    const at = this.#of(id);
    if (at < 0) return false;
    for (;;) {
      const seen = load(this.words, at + STATE);
      if (seen >>> IN_STATE_SHIFT !== id >>> GENERATION_SHIFT || !allowed(seen & STATE_MASK)) return false;
      if (cas(this.words, at + STATE, seen, (seen & ~STATE_MASK) | next) === seen) return true;
    }
  }

  /** The thread runs now. */
  markRunning(id: number): void {
    this.#become(id, RUNNING, (state) => state === STARTING);
  }

  /** The thread was told to stop: its waits throw from now on. */
  tellToStop(id: number): void {
    if (this.#become(id, STOPPING, (state) => state === STARTING || state === RUNNING)) {
      store(this.words, this.#at(id & SLOT_MASK) + STOP, id); // a later thread of the slot has another id
    }
  }

  /** The thread has ended. Returns whether that was news. */
  markDead(id: number): boolean {
    const at = this.#of(id);
    if (at < 0 || (load(this.words, at + STATE) & STATE_MASK) === DEAD) return false;
    // Stamped before it can be taken again; a stamp on a thread alive says nothing.
    store(this.words, at + RETIRED, add(this.words, TICKETS, 1));
    if (!this.#become(id, DEAD, (state) => state !== DEAD)) return false;
    add(this.words, DEATHS, 1); // invariant 3
    return true;
  }

  /** The workers that a thread started, directly or not, were stopped with it. */
  markDescendantsDead(id: number): void {
    for (const entry of this.list()) {
      if (entry.parent !== id) continue;
      this.markDead(entry.id);
      this.markDescendantsDead(entry.id);
    }
  }

  /** Whether the thread of that id is alive: a look at its slot. Any number is a fair question. */
  alive(id: number): boolean {
    const at = this.#of(id);
    if (at < 0 || (load(this.words, at + STATE) & STATE_MASK) === DEAD) return false;
    if ((load(this.words, at + LIFE) & DIED_BIT) === 0) return true;
    this.markDead(id); // the kernel saw it first
    return false;
  }

  /** The state of the thread of that id; DEAD for any other number. */
  state(id: number): number {
    const at = this.#of(id);
    if (at < 0 || !this.alive(id)) return DEAD;
    return Math.max(load(this.words, at + STATE) & STATE_MASK, STARTING);
  }

  /** Whether this agent was told to stop. */
  get stopRequested(): boolean {
    return this.#me !== 0 && load(this.words, this.#at(this.#me & SLOT_MASK) + STOP) === this.#me;
  }

  /** This agent's target has returned. */
  markReturned(): void {
    or(this.words, this.#at(this.me & SLOT_MASK) + FLAGS, RETURNED_BIT);
  }

  /** Whether the target of the thread of that id has returned, as far as its slot still tells. */
  returned(id: number): boolean {
    return (this.flags(id) & RETURNED_BIT) !== 0;
  }

  /** DAEMON_BIT and so on of a thread. */
  flags(id: number): number {
    const at = this.#of(id);
    return at < 0 ? 0 : load(this.words, at + FLAGS);
  }

  /** The id of the thread that started it, 0 for none. */
  parent(id: number): number {
    const at = this.#of(id);
    return at < 0 ? 0 : load(this.words, at + PARENT);
  }

  /** The thread's name; "" for an id that the roster does not know. */
  name(id: number): string {
    const at = this.#of(id);
    return at < 0 ? "" : readText(this.words, at + NAME, load(this.words, at + NAME_LEN), NAME_BYTES);
  }

  /** Gives the thread another name, cut to 64 bytes. */
  rename(id: number, name: string): void {
    const at = this.#of(id);
    if (at >= 0) store(this.words, at + NAME_LEN, writeText(this.words, at + NAME, NAME_BYTES, name));
  }

  /** The id of every thread that is alive, by slot. */
  *living(): Generator<number, void, undefined> {
    for (let slot = 0; slot < SLOTS; slot++) {
      const seen = load(this.words, this.#at(slot) + STATE);
      if (seen === FREE) return; // never used ones come in order
      const id = slot | ((seen >>> IN_STATE_SHIFT) << GENERATION_SHIFT);
      if (this.alive(id)) yield id;
    }
  }

  /** Every thread that is alive, by slot. */
  list(): ThreadEntry[] {
    const found: ThreadEntry[] = [];
    for (const id of this.living()) {
      const at = this.#at(id & SLOT_MASK);
      const entry: ThreadEntry = {
        id,
        name: this.name(id),
        state: load(this.words, at + STATE) & STATE_MASK,
        flags: load(this.words, at + FLAGS),
        parent: load(this.words, at + PARENT),
      };
      // One that has ended meanwhile is left out, and so is one that is not complete yet.
      if (entry.state !== TAKING && entry.state !== DEAD && this.#of(id) === at) found.push(entry);
    }
    return found;
  }

  // What this agent waits for. Only its own thread writes these words.

  /** Publishes a blocking wait of this agent; returns its ticket. */
  beginWait(
    kind: number,
    hi: number,
    lo: number,
    name: string,
    untimed: boolean,
    verb: string,
    since: number = timeOfDay(),
  ): number {
    const { words } = this;
    const at = this.#at(this.me & SLOT_MASK);
    const ticket = (add(words, WAITS, 1) + 1) | 0 || (add(words, WAITS, 1) + 1) | 0;
    // Between WAITING = 0 with the add() above and WAITING = ticket below nobody believes these.
    write(words, at + KIND, kind);
    write(words, at + VERB, verbNumber(verb));
    write(words, at + SINCE, since | 0);
    write(words, at + WAIT_HI, hi);
    write(words, at + WAIT_LO, lo);
    write(words, at + UNTIMED, untimed ? 1 : 0);
    write(words, at + OWNERS, 0);
    write(words, at + WAIT_LEN, name === "" ? 0 : writeText(words, at + WAIT_NAME, NAME_BYTES, name));
    store(words, at + WAITING, ticket);
    return ticket;
  }

  /**
   * Says that this agent has just found its wait still standing, for these threads.
   * `stamp` is what `lastWait` was before it looked.
   */
  confirmWait(owners: readonly number[], stamp: number): void {
    const { words } = this;
    const slot = this.me & SLOT_MASK;
    const at = this.#at(slot);
    const extra = extraOf(slot);
    const count = Math.min(owners.length, MOST_OWNERS);
    for (let i = 0; i < count; i++) store(words, extra + i, owners[i]!);
    store(words, at + OWNERS, count);
    store(words, at + STAMP, stamp); // after the owners: who reads it reads these, or later ones
    add(words, at + CHECKED, 1);
  }

  /** This agent's blocking wait is over. */
  endWait(): void {
    store(this.words, this.#at(this.#me & SLOT_MASK) + WAITING, 0);
  }

  /** The blocking wait of any thread, `undefined` when it is in none. */
  waitOf(id: number): PublishedWait | undefined {
    const { words } = this;
    const at = this.#of(id);
    if (at < 0) return undefined;
    const ticket = load(words, at + WAITING);
    if (ticket === 0) return undefined;
    const wait: PublishedWait = {
      ticket,
      kind: load(words, at + KIND),
      verb: verbName(load(words, at + VERB)),
      key: (load(words, at + WAIT_HI) & 0x1fffff) * 0x100000000 + (load(words, at + WAIT_LO) >>> 0),
      name: readText(words, at + WAIT_NAME, load(words, at + WAIT_LEN), NAME_BYTES),
      untimed: load(words, at + UNTIMED) === 1,
      elapsed: (timeOfDay() - load(words, at + SINCE)) >>> 0,
      checked: load(words, at + CHECKED),
      owners: this.#owners(id, at),
    };
    // All of it belongs to the one wait, or it counts for nothing.
    return this.#isIn(id, at, ticket) ? wait : undefined;
  }

  #owners(id: number, at: number): number[] {
    const count = Math.min(load(this.words, at + OWNERS) >>> 0, MOST_OWNERS);
    const extra = extraOf(id & SLOT_MASK);
    const owners: number[] = [];
    for (let i = 0; i < count; i++) owners.push(load(this.words, extra + i));
    return owners;
  }

  #isIn(id: number, at: number, ticket: number): boolean {
    return load(this.words, at + WAITING) === ticket && this.#of(id) === at;
  }

  /** The ticket of a living thread's blocking wait without a time limit, 0 when it is in none. */
  blocked(id: number): number {
    const { words } = this;
    const at = this.#of(id);
    if (at < 0) return 0;
    const ticket = load(words, at + WAITING);
    if (ticket === 0 || load(words, at + UNTIMED) !== 1 || !this.alive(id)) return 0;
    return this.#isIn(id, at, ticket) ? ticket : 0;
  }

  /** For whom a thread waits in the wait of that ticket, and the stamp of its latest look. */
  edges(id: number, ticket: number): { readonly stamp: number; readonly owners: readonly number[] } | undefined {
    const at = this.#of(id);
    if (at < 0) return undefined;
    const stamp = load(this.words, at + STAMP); // before the owners, which are written before it
    const owners = this.#owners(id, at);
    return this.#isIn(id, at, ticket) ? { stamp, owners } : undefined;
  }

  /** Whether a thread is in a blocking wait, as one look. */
  waits(id: number): boolean {
    const at = this.#of(id);
    return at >= 0 && load(this.words, at + WAITING) !== 0;
  }

  /** The ticket of the latest wait of any thread. */
  get lastWait(): number {
    return load(this.words, WAITS);
  }

  /** Whether every thread notes what it holds. */
  get tracks(): boolean {
    return load(this.words, TRACKS) === 1;
  }

  /** Has every thread note what it holds, or no longer. */
  setTracks(on: boolean): void {
    store(this.words, TRACKS, on ? 1 : 0);
  }

  /** Claims the right to report a stuck program, once for each state of it. */
  claimWarning(ticket: number): boolean {
    const seen = load(this.words, WARNED);
    return seen !== ticket && cas(this.words, WARNED, seen, ticket) === seen;
  }

  /** The word of this agent's LIFE, for a scope whose kernel marks it. */
  lifeWord(): number {
    return this.#at(this.me & SLOT_MASK) + LIFE;
  }

  /** Where _held.ts keeps what a thread holds: a word index, -1 for an unknown id. */
  heldBase(id: number): number {
    const at = this.#of(id);
    return at < 0 ? -1 : extraOf(id & SLOT_MASK) + HELD_BASE;
  }

  #at(slot: number): number {
    return HEAD_WORDS + slot * SLOT_WORDS;
  }

  /** The first word of the slot that holds this id, or -1. */
  #of(id: number): number {
    const slot = id & SLOT_MASK;
    const generation = id >>> GENERATION_SHIFT;
    if (generation === 0 || id < 0 || id > 0x3fffffff || slot >= SLOTS) return -1; // 0 is that of slots never used
    const at = this.#at(slot);
    return load(this.words, at + STATE) >>> IN_STATE_SHIFT === generation ? at : -1;
  }
}

/** The first word of the EXTRA area of a slot. */
function extraOf(slot: number): number {
  return HEAD_WORDS + SLOTS * SLOT_WORDS + slot * EXTRA_WORDS;
}
