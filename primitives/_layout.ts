// Tags and identities of records in shared memory.
//
// Every record starts with the same three words; what follows is in the header
// of the file that owns the kind.
//
//   word  name    written by      meaning
//   0     TAG     creator, once   0x4C000000 | kind << 16 | LAYOUT_VERSION; written last, it publishes the rest
//   1     ID_HI   creator, once   random, 21 bits     together never zero: the identity of the record, which
//   2     ID_LO   creator, once   random, 32 bits     posted buffers lack; orders records in acquireAll()
//
// Records start at multiples of 64 bytes and their length is padded to one, so
// that two of them never share a cache line. Positions are word indices, never
// addresses. Changing any layout raises LAYOUT_VERSION.

import { describe } from "./_arguments.ts";
import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { LayoutError, UnsupportedError } from "./errors.ts";

/** Raised by every change of any record's layout. */
export const LAYOUT_VERSION = 1;

/** The kinds of record, by the name of the class. Numbers are never used again. */
export const KINDS = {
  Roster: 1,
  Lock: 2,
  RLock: 3,
  Condition: 4,
  Semaphore: 5,
  BoundedSemaphore: 6,
  Event: 7,
  Barrier: 8,
  RWLock: 9,
  Latch: 10,
  SharedValue: 11,
  SharedArray: 12,
  Queue: 13,
  LifoQueue: 14,
  PriorityQueue: 15,
  Connection: 16,
  Thread: 17,
} as const;

/** The name of a kind of record. */
export type Kind = keyof typeof KINDS;

const KIND_NAMES = Object.keys(KINDS);

/** The name of the kind of that number, as memory gives it. */
export function kindName(number: number): string {
  return KIND_NAMES.find((name) => KINDS[name as Kind] === number) ?? `unknown kind ${number}`;
}

/** The methods that wait, for dumps. Numbers are never used again; what is missing here is shown as the first. */
const VERBS: readonly string[] = [
  ...["wait", "acquire", "read", "write", "join", "get", "put", "send", "recv", "poll", "getMany", "putMany"],
  ...["sendBytes", "recvBytes", "recvBytesInto", "reacquire"],
];

/** The verb of a wait for a lock that was let go of for a while, and that whoever waits has to have back. */
export const REACQUIRE = "reacquire";

/** The number of a verb. */
export function verbNumber(verb: string): number {
  return Math.max(0, VERBS.indexOf(verb));
}

/** The verb of that number, as memory gives it. */
export function verbName(number: number): string {
  return VERBS[number] ?? VERBS[0]!;
}

/** Word 0 of every record. */
export const TAG = 0;
/** Word 1 of every record. */
export const ID_HI = 1;
/** Word 2 of every record. */
export const ID_LO = 2;
/** The first word that belongs to the kind. */
export const FIRST = 3;

/** Records start at multiples of this many bytes. */
const ALIGN = 64;

/** A place in shared memory for a record, given by the caller. */
export interface Placement {
  /** Shared memory: a `SharedArrayBuffer`, or that of a shared `WebAssembly.Memory`. */
  readonly buffer: SharedArrayBuffer;
  /** Where the record starts, in bytes; a multiple of 64, by default 0. */
  readonly byteOffset?: number;
}

/** What word 0 of a record of this kind is. */
export function tagOf(kind: Kind): number {
  return 0x4c000000 | (KINDS[kind] << 16) | LAYOUT_VERSION;
}

/** Rounds a length in bytes up to whole cache lines. */
export function padded(byteLength: number): number {
  return Math.ceil(byteLength / ALIGN) * ALIGN;
}

/** Memory of its own for a record. Throws UnsupportedError where memory cannot be shared. */
export function ownBuffer(byteLength: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer === "undefined") {
    throw new UnsupportedError(
      "Cannot share memory as this page is not cross-origin isolated: serve it with the headers " +
        "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
      { hint: "Cross-Origin-Opener-Policy: same-origin, Cross-Origin-Embedder-Policy: require-corp" },
    );
  }
  try {
    return new SharedArrayBuffer(padded(byteLength));
  } catch (cause) {
    throw new RangeError(`Cannot share memory as there is not as much of it: ${byteLength} bytes were asked for`, {
      cause,
    });
  }
}

/** Whether a value is shared memory; works across realms and where the class is hidden. */
export function isSharedBuffer(value: unknown): value is SharedArrayBuffer {
  if (Object.prototype.toString.call(value) !== "[object SharedArrayBuffer]") return false;
  try {
    new DataView(value as SharedArrayBuffer); // throws for what only says so
    return true;
  } catch {
    return false;
  }
}

/** Checks a placement for a record of that many bytes and gives its words. */
export function wordsAt(what: string, at: unknown, byteLength: number): Words {
  if (typeof at !== "object" || at === null) {
    throw new TypeError(`Cannot place ${what} as at must be { buffer, byteOffset }: it is ${describe(at)}`);
  }
  const { buffer, byteOffset = 0 } = at as Partial<Placement>;
  if (!isSharedBuffer(buffer)) {
    throw new TypeError(`Cannot place ${what} as buffer must be a SharedArrayBuffer: it is ${describe(buffer)}`);
  }
  if (typeof byteOffset !== "number") {
    throw new TypeError(`Cannot place ${what} as byteOffset must be a number: it is ${describe(byteOffset)}`);
  }
  if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset % ALIGN !== 0) {
    throw new RangeError(
      `Cannot place ${what} as byteOffset must be a multiple of ${ALIGN}, 0 or more: it is ${describe(byteOffset)}`,
    );
  }
  if (byteOffset + byteLength > buffer.byteLength) {
    throw new RangeError(
      `Cannot place ${what} as it takes ${byteLength} bytes from byte ${byteOffset} on: the buffer has ${buffer.byteLength}`,
    );
  }
  return new Int32Array(buffer, byteOffset, byteLength >>> 2);
}

/** Writes the head of a fresh record; the tag goes last, so that nobody attaches to half of one. */
export function sign(words: Words, kind: Kind): void {
  store(words, ID_HI, Math.floor(Math.random() * 0x1fffff) + 1);
  store(words, ID_LO, Math.floor(Math.random() * 0x100000000) | 0);
  store(words, TAG, tagOf(kind));
}

/** Checks the head of a record. Throws LayoutError for anything but that kind in this version. */
export function verify(words: Words, kind: Kind): void {
  const expected = tagOf(kind);
  const actual = load(words, TAG);
  if (actual === expected && load(words, ID_HI) > 0) return;
  const found = describeTag(actual);
  throw new LayoutError(`Cannot attach ${kind} as the memory holds something else: ${found}`, {
    expected: `${kind} v${LAYOUT_VERSION}`,
    actual: found,
  });
}

function describeTag(tag: number): string {
  if (tag >>> 24 !== 0x4c) return `no Lockstep record (word 0 is 0x${(tag >>> 0).toString(16)})`;
  const number = (tag >>> 16) & 0xff;
  return `${kindName(number)} v${tag & 0xffff}`;
}

/** The identity of a record as one number, below 2^53. */
export function recordKey(words: Words): number {
  return (load(words, ID_HI) & 0x1fffff) * 0x100000000 + (load(words, ID_LO) >>> 0);
}
