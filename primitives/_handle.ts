// Handles: what crosses threads instead of a primitive. A handle is a plain
// object that structured clone carries; users treat it as opaque.
//
//   { lockstep: 1, kind, name, buffer, byteOffset, byteLength, roster, rosterOffset, extra }
//
// Attaching trusts nothing in it: every field is checked, then the record's tag.

import { describe } from "./_arguments.ts";
import type { Words } from "./_atomics.ts";
import { BRAND } from "./_brand.ts";
import { keepName } from "./_inspect.ts";
import type { Kind } from "./_layout.ts";
import { isSharedBuffer, LAYOUT_VERSION, verify } from "./_layout.ts";
import { Roster } from "./_roster.ts";
import { bindMemory } from "./_memory.ts";
import { LayoutError } from "./errors.ts";

/**
 * What crosses threads in place of a primitive: structured clone carries it, and
 * the class's `attach` gives the same primitive on the other side. Opaque: its
 * fields may change with any release.
 */
export interface Handle {
  /** The version of the shared memory layout. */
  readonly lockstep: number;
  /** The class it belongs to. */
  readonly kind: string;
}

/** All of a handle. */
export interface FullHandle extends Handle {
  readonly name: string;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly roster: SharedArrayBuffer;
  readonly rosterOffset: number;
  readonly extra?: unknown;
}

/** What a handle gives to the class that attaches. */
export interface Attached {
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  readonly extra: unknown;
}

/** Builds the handle of a record. */
export function makeHandle(kind: Kind, words: Words, roster: Roster, name: string, extra?: unknown): FullHandle {
  return {
    lockstep: LAYOUT_VERSION,
    kind,
    name,
    buffer: words.buffer,
    byteOffset: words.byteOffset,
    byteLength: words.byteLength,
    roster: roster.words.buffer,
    rosterOffset: roster.words.byteOffset,
    ...(extra === undefined ? {} : { extra }),
  };
}

/** Whether a value looks like a handle. */
export function isHandle(value: unknown): value is FullHandle {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "lockstep") &&
    isSharedBuffer((value as { buffer?: unknown }).buffer);
}

/**
 * Checks a handle and the record behind it. `least` is how many bytes such a
 * record has at the least.
 */
export function openHandle(kind: Kind, handle: unknown, least: number): Attached {
  const { lockstep, kind: other, name, buffer, byteOffset, byteLength, roster, rosterOffset, extra } =
    (handle ?? {}) as Partial<FullHandle>;
  if (typeof lockstep !== "number") {
    throw new LayoutError(`Cannot attach ${kind} as this is no handle: it is ${describe(handle)}`, {
      expected: `a handle of ${kind}`,
      actual: describe(handle),
    });
  }
  if (lockstep !== LAYOUT_VERSION) {
    throw new LayoutError(
      `Cannot attach ${kind} as the handle comes from layout version ${lockstep}: this is version ${LAYOUT_VERSION}, ` +
        "use one release of lockstep in all threads",
      { expected: `v${LAYOUT_VERSION}`, actual: `v${lockstep}` },
    );
  }
  if (other !== kind) {
    throw new LayoutError(`Cannot attach ${kind} as the handle belongs to another class: ${describe(other)}`, {
      expected: kind,
      actual: String(describe(other)),
    });
  }
  if (
    !isSharedBuffer(buffer) || !isIndex(byteOffset) || byteOffset % 64 !== 0 || !isIndex(byteLength) ||
    byteLength < least || byteLength % 4 !== 0 || byteOffset + byteLength > buffer.byteLength
  ) {
    throw new LayoutError(`Cannot attach ${kind} as the handle is damaged: it names no memory for one`, {
      expected: `${least} bytes or more`,
      actual: `${describe(byteLength)} bytes`,
    });
  }
  const words: Words = new Int32Array(buffer, byteOffset, byteLength >>> 2);
  verify(words, kind);
  const table = Roster.attach(roster, rosterOffset);
  if (table.parker.shared === true) bindMemory(buffer, table);
  return { words, roster: table, name: typeof name === "string" ? name : "", extra };
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** What a primitive has, so that messages can carry it. */
export interface Shareable {
  readonly handle: Handle;
}

/** Classes by kind, for fromMessage(). */
const attachers = new Map<string, (handle: Handle) => Shareable>();

/** Says that a thread will attach to a primitive: its id, in that roster. */
type PassOn = (primitive: Shareable, roster: Roster, thread: number) => void;

/** Classes that have to know it, by kind. */
const passers = new Map<string, PassOn>();

/** Makes a class known to fromMessage(), and its instances to toMessage(). */
export function shareable(
  kind: Kind,
  prototype: object,
  attach: (handle: Handle) => Shareable,
  passOn?: PassOn,
): void {
  attachers.set(kind, attach);
  if (passOn !== undefined) passers.set(kind, passOn);
  Object.defineProperty(prototype, BRAND, { value: kind });
  keepName(prototype.constructor, kind);
}

/** Whether a value is one of Lockstep's primitives. */
export function isShareable(value: unknown): value is Shareable {
  return typeof value === "object" && value !== null && BRAND in value;
}

/** Primitives are on their way to a thread, as its arguments or as a result: what counts its holders counts it now. */
export function passOn(primitives: readonly object[], roster: Roster, thread: number): void {
  for (const it of primitives) {
    if (isShareable(it)) passers.get((it as unknown as Record<typeof BRAND, string>)[BRAND])?.(it, roster, thread);
  }
}

/** Attaches to whatever a handle belongs to. */
export function attachAny(handle: Handle): Shareable {
  const attach = attachers.get(handle.kind);
  if (attach === undefined) {
    throw new LayoutError(`Cannot attach as the handle belongs to an unknown class: ${describe(handle.kind)}`, {
      actual: String(handle.kind),
    });
  }
  return attach(handle);
}
