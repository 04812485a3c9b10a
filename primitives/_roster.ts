// The roster: who is a thread of the program, from its start to its end.
// The words, the states of a slot and the invariants are in the header of _roster_record.ts.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { add, and, cas, load, or, store } from "./_atomics.ts";
import { isSharedBuffer, ownBuffer, recordKey, sign, verify } from "./_layout.ts";
import type { Parker } from "./_park.ts";
import { threadParker } from "./_park.ts";
import { joinRaw, membershipOf } from "./_roster_raw.ts";
import {
  DAEMON_BIT,
  DEAD,
  DEATHS,
  DIED_BIT,
  extraOf,
  FLAGS,
  FREE,
  GENERATION_SHIFT,
  HELD_BASE,
  HOOK_BIT,
  IN_STATE_SHIFT,
  isReused,
  LAST_GENERATION,
  LIFE,
  MAIN,
  MAIN_BIT,
  NAME,
  NAME_BYTES,
  NAME_LEN,
  NAMES,
  NUMBER,
  PARENT,
  RAW_BIT,
  RETIRED,
  RETURNED_BIT,
  ROSTER_BYTES,
  RUNNING,
  SCOPE,
  SLOT_MASK,
  slotAt,
  slotOf,
  SLOTS,
  STARTING,
  STATE,
  STATE_MASK,
  stateOf,
  STOP,
  STOPPING,
  TAKING,
  TICKETS,
  TRACKS,
  WAITING,
} from "./_roster_record.ts";
import { readText, writeText } from "./_text.ts";
import { LayoutError, UnsupportedError } from "./errors.ts";

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
  /** The scope of its memory: 0 for the agents of one program. */
  readonly scope: number;
  /** This agent's thread id here; 0 before it joins. */
  #me = 0;

  private constructor(words: Words, parker: Parker) {
    this.words = words;
    this.parker = parker;
    this.key = recordKey(words);
    this.scope = load(words, SCOPE);
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
      if (!main) joinRaw(this, this.#me);
      agent.host?.joined(membershipOf(this, main));
    }
    return this.#me;
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
      const seen = load(this.words, slotAt(slot) + STATE);
      if (seen === FREE) return;
      if ((seen & STATE_MASK) !== DEAD) this.alive(slot | ((seen >>> IN_STATE_SHIFT) << GENERATION_SHIFT));
    }
  }

  /** The next number for a default name. */
  nextName(): number {
    return add(this.words, NAMES, 1) + 1;
  }

  /** Whether any thread that is alive has an except hook of its own. */
  get hooked(): boolean {
    for (const id of this.living()) {
      if ((this.flags(id) & HOOK_BIT) !== 0) return true;
    }
    return false;
  }

  /** This agent has an except hook of its own, or none any more. */
  markHook(has: boolean): void {
    const at = slotAt(this.me & SLOT_MASK) + FLAGS;
    if (has) or(this.words, at, HOOK_BIT);
    else and(this.words, at, ~HOOK_BIT);
  }

  /** Takes a slot for a new thread and returns its id. Throws RangeError when all are alive. */
  take(name: string, parent: number, flags: number): number {
    const { words } = this;
    for (;;) {
      const slot = this.#oldestFree();
      const at = slotAt(slot);
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
      const seen = load(words, slotAt(slot) + STATE);
      if (seen === FREE) return slot; // never used: older than any
      if ((seen & STATE_MASK) !== DEAD || seen >>> IN_STATE_SHIFT >= LAST_GENERATION) continue;
      const age = (present - load(words, slotAt(slot) + RETIRED)) & 0x7fffffff; // wraps
      if (age > oldest) [best, oldest] = [slot, age];
    }
    if (best >= 0) return best;
    throw new RangeError(`Cannot start a thread as ${SLOTS} threads are alive: wait for some of them to end`);
  }

  /** Changes the state of a thread, unless it has ended. Returns whether it did. */
  #become(id: number, next: number, allowed: (state: number) => boolean): boolean {
    const at = slotOf(this.words, id);
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
      store(this.words, slotAt(id & SLOT_MASK) + STOP, id); // a later thread of the slot has another id
    }
  }

  /** The thread has ended. Returns whether that was news. */
  markDead(id: number): boolean {
    const at = slotOf(this.words, id);
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
    const { words } = this;
    if (stateOf(words, id) === DEAD) return false;
    if (this.scope === 0 || (load(words, slotAt(id & SLOT_MASK) + LIFE) & DIED_BIT) === 0) return true;
    this.markDead(id); // the kernel saw it first
    return false;
  }

  /** The state of the thread of that id; DEAD for any other number. */
  state(id: number): number {
    return this.alive(id) ? Math.max(stateOf(this.words, id), STARTING) : DEAD;
  }

  /** Whether this agent was told to stop. */
  get stopRequested(): boolean {
    return this.#me !== 0 && load(this.words, slotAt(this.#me & SLOT_MASK) + STOP) === this.#me;
  }

  /** This agent's target has returned. */
  markReturned(): void {
    or(this.words, slotAt(this.me & SLOT_MASK) + FLAGS, RETURNED_BIT);
  }

  /** Whether the target of the thread of that id has returned, as far as its slot still tells. */
  returned(id: number): boolean {
    return (this.flags(id) & RETURNED_BIT) !== 0;
  }

  /** Whether the slot of that id belongs to a later thread by now, so that nothing is known of its end. */
  forgotten(id: number): boolean {
    return isReused(this.words, id);
  }

  /** DAEMON_BIT and so on of a thread. */
  flags(id: number): number {
    const at = slotOf(this.words, id);
    return at < 0 ? 0 : load(this.words, at + FLAGS);
  }

  /** The id of the thread that started it, 0 for none. */
  parent(id: number): number {
    const at = slotOf(this.words, id);
    return at < 0 ? 0 : load(this.words, at + PARENT);
  }

  /** The thread's name; "" for an id that the roster does not know. */
  name(id: number): string {
    const at = slotOf(this.words, id);
    return at < 0 ? "" : readText(this.words, at + NAME, load(this.words, at + NAME_LEN), NAME_BYTES);
  }

  /** Gives the thread another name, cut to 64 bytes. */
  rename(id: number, name: string): void {
    const at = slotOf(this.words, id);
    if (at >= 0) store(this.words, at + NAME_LEN, writeText(this.words, at + NAME, NAME_BYTES, name));
  }

  /** The id of every thread that is alive, by slot. */
  *living(): Generator<number, void, undefined> {
    for (let slot = 0; slot < SLOTS; slot++) {
      const seen = load(this.words, slotAt(slot) + STATE);
      if (seen === FREE) return; // never used ones come in order
      const id = slot | ((seen >>> IN_STATE_SHIFT) << GENERATION_SHIFT);
      if (this.alive(id)) yield id;
    }
  }

  /** Every thread that is alive, by slot. */
  list(): ThreadEntry[] {
    const found: ThreadEntry[] = [];
    for (const id of this.living()) {
      const at = slotAt(id & SLOT_MASK);
      const entry: ThreadEntry = {
        id,
        name: this.name(id),
        state: load(this.words, at + STATE) & STATE_MASK,
        flags: load(this.words, at + FLAGS),
        parent: load(this.words, at + PARENT),
      };
      // One that has ended meanwhile is left out, and so is one that is not complete yet.
      if (entry.state !== TAKING && entry.state !== DEAD && slotOf(this.words, id) === at) found.push(entry);
    }
    return found;
  }

  /** Whether a thread is in a blocking wait, as one look. */
  waits(id: number): boolean {
    const at = slotOf(this.words, id);
    return at >= 0 && load(this.words, at + WAITING) !== 0;
  }

  /** Whether every thread notes what it holds. */
  get tracks(): boolean {
    return load(this.words, TRACKS) === 1;
  }

  /** Has every thread note what it holds, or no longer. */
  setTracks(on: boolean): void {
    store(this.words, TRACKS, on ? 1 : 0);
  }

  /** The word of this agent's LIFE, for a scope whose kernel marks it. */
  lifeWord(): number {
    return slotAt(this.me & SLOT_MASK) + LIFE;
  }

  /** Where _notes.ts keeps the notes of a thread: a word index, -1 for an unknown id. */
  heldBase(id: number): number {
    const at = slotOf(this.words, id);
    return at < 0 ? -1 : extraOf(id & SLOT_MASK) + HELD_BASE;
  }
}
