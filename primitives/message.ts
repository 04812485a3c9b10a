/**
 * toMessage and fromMessage: values with primitives inside, for `postMessage`.
 *
 * @module
 */

import type { Step } from "./_codec_refuse.ts";
import { entry, isGuard, named, refusal, whyNot } from "./_codec_refuse.ts";
import { isError, putTogether, setProperty, tagOf, takeApart } from "./_errors_wire.ts";
import type { ErrorParts } from "./_errors_wire.ts";
import type { Handle } from "./_handle.ts";
import { attachAny, isHandle, isShareable } from "./_handle.ts";
import { isSharedBuffer } from "./_layout.ts";
import { LayoutError } from "./errors.ts";

// What stands for a primitive and for an error inside a message.
const PRIMITIVE = "lockstep:primitive";
const ERROR = "lockstep:error";

/** Turns a container into its counterpart, and says what its parts are to be. */
type Convert = (value: object, place: Place, later: Later) => unknown;

/** Has a part converted, and what becomes of it put where it belongs. */
type Later = (value: unknown, step: Step, place: Place, put: (converted: unknown) => void) => void;

/** Where in the whole value a part stands. */
interface Place {
  readonly step: Step;
  readonly above: Place | undefined;
}

const ROOT: Place = { step: "", above: undefined };

/**
 * What `value` is sent as through `postMessage`: primitives at any depth become something that structured clone
 * carries, and errors keep their class. The other side calls `fromMessage()`.
 *
 * Plain objects, arrays, maps and sets are copied; anything else is left to structured clone. Thread arguments and
 * results do this by themselves.
 *
 * @param value Any structured-cloneable value, with primitives inside.
 * @throws {TypeError} If something in it cannot be carried; the message says where it stands.
 *
 * @example A lock and a number for a worker of your own
 * ```ts
 * import { fromMessage, Lock, toMessage } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const { port1, port2 } = new MessageChannel();
 * const lock = new Lock({ name: "shared" });
 * port1.postMessage(toMessage({ lock, count: 3 }));
 * const received = await new Promise<MessageEvent>((resolve) => port2.onmessage = resolve);
 * const message = fromMessage<{ lock: Lock; count: number }>(received.data);
 * lock.acquire();
 * assert(message.lock.locked);
 * port1.close();
 * ```
 */
export function toMessage(value: unknown): unknown {
  return lower(value, "post", "value");
}

/** The same with the words that a refusal uses. Adds the primitives, or what stands for one, that it meets to `met`. */
export function lower(value: unknown, what: string, root: string, met?: object[]): unknown {
  const refuse = (reason: string, place: Place): TypeError => refusal(what, root, stepsTo(place), reason);
  return walk(value, (part, place, later) => {
    if (isShareable(part)) {
      met?.push(part);
      return { [PRIMITIVE]: part.handle };
    }
    const tag = tagOf(part);
    if (isError(part, tag)) return lowerError(part, place, later);
    if (Array.isArray(part) || part instanceof Map || part instanceof Set) return copy(part, place, later);
    if (ArrayBuffer.isView(part) || CARRIED.has(tag)) return part;
    if (Object.hasOwn(part, PRIMITIVE)) met?.push(part); // a message inside of this one
    const reason = whyNot(part, tag);
    if (reason === undefined) return copy(part, place, later);
    if (isGuard(part) || !clones(part)) throw refuse(reason, place);
    return part;
  }, (part, place) => {
    if (typeof part === "function" || typeof part === "symbol") {
      throw refuse(`${named(typeof part)} cannot be carried`, place);
    }
  });
}

/** What structured clone carries whole, on every runtime. */
const CARRIED: ReadonlySet<string> = new Set([
  ...["SharedArrayBuffer", "ArrayBuffer", "Date", "RegExp", "Boolean", "Number", "String", "BigInt"],
]);

/** Whether the runtime's structured clone carries an object that we know nothing of. */
function clones(value: object): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * The value that `toMessage()` was given, with primitives attached to the same shared memory.
 *
 * @param data What arrived: `event.data`.
 * @throws {LayoutError} If what stands for a primitive is damaged or comes from another layout version.
 *
 * @example In a worker of your own
 * ```ts
 * import { fromMessage, toMessage } from "@lockstep/lockstep";
 * import { Lock } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const { locks } = fromMessage<{ locks: Lock[] }>(toMessage({ locks: [new Lock(), new Lock()] }));
 * assert(locks[1] instanceof Lock);
 * ```
 */
export function fromMessage<T = unknown>(data: unknown): T {
  return raise(data, (part) => part) as T;
}

/** The same, all that is not shared memory in copies of its own: the message is given to several. */
export function copyFromMessage(data: unknown): unknown {
  const buffers = new Map<ArrayBuffer, ArrayBuffer>();
  const own = (buffer: ArrayBuffer): ArrayBuffer => {
    const made = buffers.get(buffer) ?? structuredClone(buffer);
    buffers.set(buffer, made);
    return made;
  };
  return raise(data, (part) => {
    if (isSharedBuffer(part)) return part; // which structuredClone() would copy, in WebKit
    if (part instanceof ArrayBuffer) return own(part);
    if (!ArrayBuffer.isView(part)) return structuredClone(part);
    const { buffer, byteOffset, byteLength, length = byteLength } = part as Uint8Array;
    if (isSharedBuffer(buffer)) return part;
    const View = part.constructor as Uint8ArrayConstructor; // a built-in one, as the message was cloned on its way
    return new View(own(buffer), byteOffset, length);
  });
}

/** `leaf` says what becomes of what is neither a container nor a mark. */
function raise(data: unknown, leaf: (part: object) => object): unknown {
  return walk(data, (part, place, later) => {
    if (Array.isArray(part) || part instanceof Map || part instanceof Set) return copy(part, place, later);
    if (Object.getPrototypeOf(part) !== Object.prototype) return leaf(part);
    if (Object.hasOwn(part, PRIMITIVE)) return attachMarked((part as Marked)[PRIMITIVE]);
    if (Object.hasOwn(part, ERROR)) return raiseError((part as Marked)[ERROR], place, later);
    return isHandle(part) ? part : copy(part, place, later);
  });
}

type Marked = { readonly [PRIMITIVE]: Handle; readonly [ERROR]: ErrorParts };

function attachMarked(handle: unknown): unknown {
  if (typeof handle !== "object" || handle === null) {
    throw new LayoutError("Cannot attach as the message is damaged: a primitive has no handle", {
      expected: "a handle",
    });
  }
  return attachAny(handle as Handle);
}

/**
 * Walks a value of any depth and shape without a deep stack. What is met twice is converted
 * once, so circles and shared parts stay what they are.
 */
function walk(root: unknown, convert: Convert, check?: (part: unknown, place: Place) => void): unknown {
  const met = new Map<object, unknown>();
  const work: (() => void)[] = []; // what is still to do, from `next` on
  const visit = (value: unknown, place: Place): unknown => {
    if (typeof value !== "object" || value === null) {
      check?.(value, place);
      return value;
    }
    if (met.has(value)) return met.get(value);
    const converted = convert(value, place, later);
    met.set(value, converted);
    return converted;
  };
  const later: Later = (value, step, above, put) => work.push(() => put(visit(value, { step, above })));
  const result = visit(root, ROOT);
  for (let next = 0; next < work.length; next++) {
    work[next]!();
    work[next] = done;
  }
  return result;
}

function done(): void {}

/** A counterpart of a container: what is no object stands in it, the other parts follow. */
function copy(value: object, place: Place, later: Later): unknown {
  if (value instanceof Map) return copyMap(value, place, later);
  if (value instanceof Set) return copySet(value, place, later);
  const target: object = Array.isArray(value) ? new Array(value.length) : {};
  for (const key of Object.keys(value)) {
    const part = (value as Record<string, unknown>)[key];
    if (isPlain(part)) {
      setProperty(target, key, part, true);
      continue;
    }
    const index = Number(key);
    const step = Array.isArray(value) && String(index) === key ? index : key;
    setProperty(target, key, undefined, true); // keeps the order
    later(part, step, place, (converted) => setProperty(target, key, converted, true));
  }
  return target;
}

/** Whether a value is what it is wherever it goes. */
function isPlain(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

function copyMap(value: Map<unknown, unknown>, place: Place, later: Later): Map<unknown, unknown> {
  const target = new Map<unknown, unknown>();
  let flat = 0;
  for (const [key, item] of value) {
    let newKey: unknown;
    later(key, entry(flat++), place, (converted) => newKey = converted);
    later(item, entry(flat++), place, (converted) => target.set(newKey, converted));
  }
  return target;
}

function copySet(value: Set<unknown>, place: Place, later: Later): Set<unknown> {
  const target = new Set<unknown>();
  let flat = 0;
  for (const item of value) {
    later(item, entry(flat), place, (converted) => target.add(converted));
    flat += 2;
  }
  return target;
}

function lowerError(error: Error, place: Place, later: Later): unknown {
  const parts = takeApart(error);
  const properties: unknown[] = new Array(parts.properties.length);
  parts.properties.forEach((part, i) => {
    if (i % 2 === 0) properties[i] = part;
    else later(part, String(parts.properties[i - 1]), place, (converted) => properties[i] = converted);
  });
  return { [ERROR]: { ...parts, properties } };
}

function raiseError(parts: ErrorParts, place: Place, later: Later): Error {
  const { kind, name, message, stack, hidden, properties } = parts;
  const error = putTogether(kind, name, message, stack);
  for (let i = 0; i + 1 < properties.length; i += 2) {
    const key = String(properties[i]);
    later(properties[i + 1], key, place, (part) => setProperty(error, key, part, i >= 2 * hidden));
  }
  return error;
}

function stepsTo(place: Place): Step[] {
  const steps: Step[] = [];
  for (let at = place; at.above !== undefined; at = at.above) steps.push(at.step);
  return steps.reverse();
}
