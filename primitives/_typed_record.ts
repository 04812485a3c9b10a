// What SharedValue and SharedArray have in common.
//
// Memory layout: SharedValue and SharedArray, 16 words (64 bytes, align 64), then the RLock if it is their own
// (64 bytes, see _lock_word.ts), then, for an array, its items, padded to 64 bytes.
//
//   word  name    written by      meaning
//   0 1 2 TAG ID  creator, once   see _layout.ts
//   3     TYPE    creator, once   the element type's number, see _type_names.ts
//   4     LOCK    creator, once   NO_LOCK; OWN_LOCK: an RLock at byte 64; GIVEN_LOCK: the handle carries it
//   5     LENGTH  creator, once   array: how many items
//   6 7   -       nobody          spare
//   8 9   CELL    any thread      value: its cell, from the first byte on
//   10 - 15 spare, zero
//
// Invariants:
//   1. A cell is aligned to its size, and read and written by one Atomics operation each (a view's user aside).
//   2. The lock guards nothing by itself: reading and writing never takes it.

import { checkName, describe, optionsObject } from "./_arguments.ts";
import type { Integers, Words } from "./_atomics.ts";
import { casInteger, load, loadInteger, store, storeInteger } from "./_atomics.ts";
import type { FullHandle, Handle } from "./_handle.ts";
import { makeHandle, openHandle } from "./_handle.ts";
import type { Placement } from "./_layout.ts";
import { FIRST, padded } from "./_layout.ts";
import { localOf } from "./_local.ts";
import type { LockLink } from "./_lock_link.ts";
import { attachGivenLock, attachOwnLock, isLock, makeOwnLock } from "./_lock_link.ts";
import { LOCK_BYTES } from "./_lock_word.ts";
import { createRecord } from "./_memory.ts";
import type { Roster } from "./_roster.ts";
import type { ElementType, Plain } from "./_type_names.ts";
import { typeNumbered } from "./_type_names.ts";
import { title } from "./_wait.ts";
import { LayoutError } from "./errors.ts";
import type { Lock } from "./lock.ts";
import type { RLock } from "./rlock.ts";

const TYPE = FIRST;
const LOCK = 4;
const LENGTH = 5;
const CELL_BYTE = 32;
const HEAD_BYTES = 64;

const NO_LOCK = 0;
const OWN_LOCK = 1;
const GIVEN_LOCK = 2;

/** Options of `new SharedValue()` and `new SharedArray()`. */
export interface SharedOptions {
  /** Omitted or true: an RLock of its own. A lock: that one. False: none. */
  lock?: boolean | Lock | RLock;
  /** Shown in errors and dumps. */
  name?: string;
  /** A place for the record; by default it has memory of its own. */
  at?: Placement;
}

/** Counts what one agent writes: change() tells a function's own writes from those of others. */
class Written {
  count = 0;
}

type Kind = "SharedValue" | "SharedArray";

/** The record of a value or an array, as this agent sees it. */
export class TypedRecord {
  readonly kind: Kind;
  readonly type: ElementType;
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  /** The number of items, 1 for a value. */
  readonly length: number;
  /** Where the cells begin in the buffer. */
  readonly byteOffset: number;
  /** The cells, as integers. */
  readonly cells: Integers;
  /** Of this agent, whatever object it writes through. */
  readonly local: Written;
  #lock: Lock | RLock | undefined;
  readonly #lockKind: number;

  private constructor(
    kind: Kind,
    type: ElementType,
    fresh: { words: Words; roster: Roster },
    name: string,
    lock: Lock | RLock | undefined,
  ) {
    const { words, roster } = fresh;
    this.kind = kind;
    this.type = type;
    this.words = words;
    this.roster = roster;
    this.name = name;
    this.local = localOf(words, () => new Written());
    this.#lock = lock;
    this.#lockKind = load(words, LOCK);
    this.length = kind === "SharedValue" ? 1 : load(words, LENGTH);
    this.byteOffset = words.byteOffset + cellsAt(kind, this.#lockKind);
    this.cells = new type.cells(words.buffer, this.byteOffset, this.length);
  }

  /** Makes a record; `fill` writes its cells before anybody else can see them. */
  static create(
    kind: Kind,
    type: ElementType,
    length: number,
    options: SharedOptions | undefined,
    fill: (cells: Integers) => void,
  ): TypedRecord {
    const { lock = true, name = "", at } = optionsObject<SharedOptions>(options);
    checkName(`a ${kind}`, name);
    if (typeof lock !== "boolean" && !isLock(lock)) {
      throw new TypeError(
        `Cannot make a ${kind} as lock must be a Lock, an RLock or a boolean: it is ${describe(lock)}`,
      );
    }
    const lockKind = lock === true ? OWN_LOCK : lock === false ? NO_LOCK : GIVEN_LOCK;
    const start = cellsAt(kind, lockKind);
    const bytes = kind === "SharedValue" ? HEAD_BYTES + lockBytes(lockKind) : start + padded(length * type.size);
    let own: RLock | undefined;
    const fresh = createRecord(kind, bytes, at, (words) => {
      store(words, TYPE, type.number);
      store(words, LOCK, lockKind);
      if (kind === "SharedArray") store(words, LENGTH, length);
      if (lockKind === OWN_LOCK) own = makeOwnLock(words, HEAD_BYTES, name);
      fill(new type.cells(words.buffer, words.byteOffset + start, length));
    });
    return new TypedRecord(kind, type, fresh, name, isLock(lock) ? lock : own);
  }

  /** Attaches to the record of a handle, checking everything in it. */
  static open(kind: Kind, handle: Handle): TypedRecord {
    const { words, roster, name, extra } = openHandle(kind, handle, HEAD_BYTES);
    const type = typeNumbered(load(words, TYPE));
    const lockKind = load(words, LOCK);
    const length = kind === "SharedValue" ? 0 : load(words, LENGTH);
    if (
      type === undefined || lockKind < NO_LOCK || lockKind > GIVEN_LOCK || length < 0 ||
      Math.max(cellsAt(kind, lockKind) + length * type.size, HEAD_BYTES + lockBytes(lockKind)) > words.byteLength
    ) {
      throw new LayoutError(`Cannot attach ${kind} as its record is damaged or larger than the handle says`, {
        expected: kind,
        actual: `type ${load(words, TYPE)}, ${length} items in ${words.byteLength} bytes`,
      });
    }
    const given = lockKind === GIVEN_LOCK ? attachGivenLock(kind, extra) : undefined;
    return new TypedRecord(kind, type, { words, roster }, name, given);
  }

  /** What stands in a cell. */
  read(index: number): Plain {
    return this.type.decode(loadInteger(this.cells, index));
  }

  /** Writes a cell; returns what stands there then. */
  write(index: number, value: unknown): Plain {
    const { cells, type } = this;
    const bits = type.encode(value);
    this.local.count++;
    storeInteger(cells, index, bits);
    return type.decode(type.wrap(bits));
  }

  /** Writes what `fn` makes of a cell, once that still holds what it was made of; returns what can be read then. */
  change(index: number, fn: (value: Plain) => unknown): Plain {
    const { cells, type, local } = this;
    for (;;) {
      const { count } = local;
      const seen = loadInteger(cells, index);
      const result = fn(type.decode(seen));
      if (local.count !== count) return this.write(index, result); // by `fn` itself: it would do so each time
      const bits = type.encode(result);
      // A lock keeps nobody from add() or a bare write: a plain store here would undo theirs.
      if (casInteger(cells, index, seen, bits) !== seen) continue;
      local.count++;
      return type.decode(type.wrap(bits));
    }
  }

  /** Its class and name, for messages. */
  get title(): string {
    return title(this.kind, this.name);
  }

  /** Its handle. */
  get handle(): FullHandle {
    const { kind, words, roster, name } = this;
    const link: LockLink | undefined = this.#lockKind === GIVEN_LOCK ? { lock: this.lock.handle } : undefined;
    return makeHandle(kind, words, roster, name, link);
  }

  /** Its lock. Throws TypeError if it was made without one. */
  get lock(): Lock | RLock {
    if (this.#lockKind === NO_LOCK) {
      throw new TypeError(`Cannot lock ${this.title} as it was made without a lock: leave out { lock: false }`);
    }
    return this.#lock ??= attachOwnLock(this.words, this.roster, HEAD_BYTES, this.name);
  }
}

function lockBytes(lockKind: number): number {
  return lockKind === OWN_LOCK ? LOCK_BYTES : 0;
}

function cellsAt(kind: Kind, lockKind: number): number {
  return kind === "SharedValue" ? CELL_BYTE : HEAD_BYTES + lockBytes(lockKind);
}
