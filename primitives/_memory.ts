// Where records live, and by which roster and parker: chosen for each memory,
// never for each import. A record in memory that was bound to a roster belongs
// to that roster; any other belongs to the program's own, in thread scope.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import type { Kind, Placement } from "./_layout.ts";
import { ownBuffer, sign, wordsAt } from "./_layout.ts";
import type { Parker } from "./_park.ts";
import { Roster } from "./_roster.ts";

/** Where an agent puts records that are given no place, and whose roster serves them. */
export interface Memory {
  readonly roster: Roster;
  /** Room for one record, zeroed, in whole cache lines. */
  allocate(byteLength: number): Required<Placement>;
  /** A module that must be imported before anybody attaches to this memory. */
  readonly module?: string | undefined;
  /** Room for what a thread returns, unless told: one segment for all has less to give away than the system. */
  readonly resultBytes?: number | undefined;
}

const bound = new WeakMap<SharedArrayBuffer, Roster>();

/** Says that records in this buffer belong to that roster. */
export function bindMemory(buffer: SharedArrayBuffer, roster: Roster): void {
  bound.set(buffer, roster);
}

/** Makes a memory the one for records that are given no place, in this agent. */
function useMemory(memory: Memory): void {
  agent.memory = memory;
}

/** Bytes from which on a record is worth memory of which only what is touched costs: clearing a MiB takes 0.3 ms. */
const LARGE = 4 << 20;

/** How much to ask for: the room for a thread's result, cleared at its start, took as long as the start itself. */
function asked(byteLength: number): number {
  return byteLength < LARGE ? byteLength : Math.max(byteLength, agent.host?.mapsFrom ?? 0);
}

/** Makes this roster the program's own; in thread scope with a buffer for each record. */
export function useRoster(roster: Roster): void {
  const opened = agent.scopes.get(roster.scope) as Scope | undefined;
  if (opened !== undefined) return useMemory(opened.memory(roster));
  useMemory({
    roster,
    allocate: (byteLength) => ({ buffer: ownBuffer(asked(byteLength)), byteOffset: 0 }),
  });
}

/** The memory for records that are given no place. */
export function memory(): Memory {
  if (agent.memory === undefined) {
    // A worker of the program's own joins the threads whose primitives it was given.
    const known = (Array.from(agent.rosters.values()) as Roster[]).find(({ parker }) => parker.shared !== true);
    useRoster(known ?? Roster.create());
  }
  return agent.memory as Memory;
}

/** What a scope of memory brings along. */
export interface Scope {
  /** How to sleep and wake there. */
  readonly parker: Parker;
  /** Where an agent of this roster puts records that are given no place. */
  memory(roster: Roster): Memory;
}

/**
 * Makes this agent able to use memory of a scope of its own. The module that calls it is named in
 * `Memory.module`, so that threads import it before they attach to anything.
 */
export function openScope(scope: number, opened: Scope): void {
  agent.scopes.set(scope, opened);
}

/** A fresh record: its words, tag still unwritten, and the roster that serves it. */
export interface Fresh {
  readonly words: Words;
  readonly roster: Roster;
}

/**
 * Room for a fresh record of that kind, at a given place or in memory of its own.
 * `fill` writes what must be there before the tag publishes it.
 */
export function createRecord(
  kind: Kind,
  byteLength: number,
  at: Placement | undefined,
  fill?: (words: Words) => void,
): Fresh {
  let words: Words;
  let roster: Roster;
  if (at === undefined) {
    const { buffer, byteOffset } = memory().allocate(byteLength);
    words = new Int32Array(buffer, byteOffset, byteLength >>> 2);
    roster = memory().roster;
  } else {
    words = wordsAt(kind, at, byteLength);
    roster = bound.get(at.buffer) ?? memory().roster;
    words.fill(0);
  }
  fill?.(words);
  sign(words, kind);
  return { words, roster };
}
