// The lock that belongs to a shared value, array or condition: one of its own,
// right behind its record in the same memory, or one that the user gave. An own
// one is found by its place; a given one travels in the handle.

import { describe } from "./_arguments.ts";
import type { Words } from "./_atomics.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle } from "./_handle.ts";
import { LOCK_BYTES } from "./_lock_word.ts";
import type { Roster } from "./_roster.ts";
import { LayoutError } from "./errors.ts";
import { Lock } from "./lock.ts";
import { RLock } from "./rlock.ts";

/** Whether a value is a lock of either kind. */
export function isLock(value: unknown): value is Lock | RLock {
  return value instanceof Lock || value instanceof RLock;
}

/** Makes the RLock of a fresh record, at that byte of it. */
export function makeOwnLock(words: Words, byte: number, name: string): RLock {
  return new RLock({ name, at: { buffer: words.buffer, byteOffset: words.byteOffset + byte } });
}

/** Attaches to the RLock at that byte of a record. */
export function attachOwnLock(words: Words, roster: Roster, byte: number, name: string): RLock {
  const place = new Int32Array(words.buffer, words.byteOffset + byte, LOCK_BYTES >> 2);
  return RLock.attach(makeHandle("RLock", place, roster, name));
}

/** What the handle carries of a lock that was given. */
export interface LockLink {
  readonly lock: Handle;
}

/** Attaches to the lock in a handle. Throws LayoutError if there is none. */
export function attachGivenLock(kind: string, extra: unknown): Lock | RLock {
  const handle = typeof extra === "object" && extra !== null ? (extra as Partial<LockLink>).lock : undefined;
  if (typeof handle === "object" && handle !== null) {
    if (handle.kind === "Lock") return Lock.attach(handle);
    if (handle.kind === "RLock") return RLock.attach(handle);
  }
  throw new LayoutError(`Cannot attach ${kind} as the handle is damaged: its lock is ${describe(handle)}`, {
    expected: "a handle of Lock or RLock",
    actual: describe(handle),
  });
}
