// The codec: values to bytes and back, for queues, pipes and thread results.
//
// What is carried: all that structured clone carries, except shared memory and
// objects of the host. Beyond structured clone, errors keep class, code, own
// properties and AggregateError.errors. What cannot be carried is refused with a
// TypeError that names the place, before a byte is written anywhere.
//
// Three ways through, by what the value is (formats in _codec_format.ts):
//   1. null, undefined, booleans and numbers by hand: 1, 5 or 9 bytes;
//   2. a typed array, DataView or ArrayBuffer at the top: 8 bytes, then the raw
//      bytes, which go from the user's array to the ring and from the ring to a
//      new array, one copy each (five times faster where messages start at
//      multiples of 8, see _codec_format.ts);
//   3. all else through our own walk (_codec_lower.ts) and msgpackr.
//
// Contract with the caller:
//   - What encodeParts() returns is one object, used again by the next call: copy
//     the bytes out before user code runs and before you return to the event loop.
//   - decode() reads private memory, receive() shared memory too. What they return
//     shares no memory with what they read.
//   - User code (getters, proxies) runs inside encode only, and may itself encode.
//   - What decode() throws is a TypeError, whatever the bytes.
//
// Figures, encode + decode of { id, name, ok, tags: [2] } on a 2-core VM: see bench/codec_bench.ts.
// Memory: after a message of RETAINED bytes and more, the buffers that it grew are let go.
//
// msgpackr comes from its "pack" entry: the main one asks for environment and
// native modules, which fails in a Deno program without those permissions. One
// thing is shared with a program's own use of msgpackr: extensions that it
// registers for built-in classes apply here as well.

import { Packr } from "msgpackr/pack";
import { isPlainBytes, isResizable, isShared, viewKind } from "./_codec_builtin.ts";
import * as format from "./_codec_format.ts";
import { Lowering } from "./_codec_lower.ts";
import { makeView, Raising } from "./_codec_raise.ts";
import { take } from "./_slab.ts";

/** Bytes kept for the next message; a larger one gets memory of its own. */
const RETAINED = 1 << 20;
/** Copies of fewer bytes go faster in a loop than through a view. */
const LOOP_BYTES = 48;

/** msgpackr's own flags: leave a byte before the message, hand out the buffer itself, and write there again next time. */
const RESERVE_ONE = 2048 | 1;
const REUSE_AND_RESET = 512 | 1024;

const packr = new Packr({
  useRecords: false, // records are state between messages, and compile code
  variableMapSize: true, // objects of any size
  structuredClone: false, // our walk has done it; off, a message cannot make references either
  moreTypes: false,
  useBigIntExtension: true,
  copyBuffers: true, // a received array must not be a view of what we read
  useToJSON: false,
} as object);

/** A message in bytes: `bytes[start … end - 1]`, then all of `body`. */
export class Parts {
  bytes: Uint8Array = small;
  start = 0;
  end = 0;
  /** The user's own memory, to be copied at once; undefined when all is in the head. */
  body: Uint8Array | undefined = undefined;

  /** The first part, a true Uint8Array: msgpackr's own memory may be of a subclass whose slice() does not copy. */
  get head(): Uint8Array {
    return new Uint8Array(
      this.bytes.buffer,
      this.bytes.byteOffset + this.start,
      this.end - this.start,
    );
  }

  /** The length of the whole message. */
  get byteLength(): number {
    return this.end - this.start +
      (this.body === undefined ? 0 : this.body.byteLength);
  }
}

const small = new Uint8Array(16);
/** Stays zero behind its first byte, the padding before binary data. */
const binaryHead = new Uint8Array(format.BINARY_START);
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);
const parts = new Parts();
let joined = new Uint8Array(1024);
let inbox = new Uint8Array(8192);

/**
 * The bytes of a value, a view that is good until the next encode.
 *
 * @param what The verb of the refusal, as in `Cannot put value.items[3]: …`.
 * @param root What the message calls the value itself.
 */
export function encode(
  value: unknown,
  what: string,
  root?: string,
): Uint8Array {
  const { head, body, byteLength } = encodeParts(value, what, root);
  if (body === undefined) return head;
  if (byteLength > joined.length) {
    const large = new Uint8Array(byteLength);
    if (byteLength <= RETAINED) joined = large;
    return writeParts(parts, large, 0), large;
  }
  return joined.subarray(0, writeParts(parts, joined, 0));
}

/** The bytes of a value, large binary data still in place. The result is used again by the next call. */
export function encodeParts(
  value: unknown,
  what: string,
  root = "value",
): Parts {
  if (typeof value !== "object" || value === null) {
    const length = encodeSmall(value, small, 0);
    if (length > 0) return setParts(small, 0, length, undefined);
  } else if (isBinary(value)) {
    const kind = ArrayBuffer.isView(value) ? viewKind(value) : format.ARRAY_BUFFER;
    if (kind >= 0) {
      binaryHead[0] = format.BINARY + kind;
      return setParts(
        binaryHead,
        0,
        format.BINARY_START,
        isPlainBytes(value) ? value : bytesOf(value),
      );
    }
  }
  const walk = new Lowering(what, root);
  const tree = walk.run(value);
  const packed = packr.pack(tree, RESERVE_ONE | REUSE_AND_RESET) as
    & Uint8Array
    & { start: number; end: number };
  const { start, end } = packed;
  packed[start] = walk.escaped ? format.ESCAPED : format.PACKED;
  if (packed.length > RETAINED) forget(packed);
  return setParts(packed, start, end, undefined);
}

/** Copies a message to `target[at …]`, shared memory or not, and returns the place behind it. */
export function writeParts(
  message: Parts,
  target: Uint8Array,
  at: number,
): number {
  const { bytes, start, end, body } = message;
  at = copy(bytes, start, end, target, at);
  return body === undefined ? at : copy(body, 0, body.length, target, at);
}

/** The longest message that encodeSmall() writes. */
export const SMALL = 9;

/**
 * Writes a number, boolean, null or undefined straight to its place, shared
 * memory or not, and returns how many bytes that took; 0 for any other value.
 */
export function encodeSmall(
  value: unknown,
  target: Uint8Array,
  at: number,
): number {
  if (typeof value === "number") {
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      target[at] = format.INT;
      target[at + 1] = value;
      target[at + 2] = value >> 8;
      target[at + 3] = value >> 16;
      target[at + 4] = value >> 24;
      return 5;
    }
    target[at] = format.FLOAT;
    double[0] = value;
    for (let i = 0; i < 8; i++) target[at + 1 + i] = doubleBytes[i]!;
    return 9;
  }
  if (value === undefined) target[at] = format.UNDEFINED;
  else if (value === null) target[at] = format.NULL;
  else if (value === true) target[at] = format.TRUE;
  else if (value === false) target[at] = format.FALSE;
  else return 0;
  return 1;
}

/**
 * The value of a message in private memory.
 *
 * @throws {TypeError} If the bytes are no message.
 */
export function decode(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): unknown {
  const kind = bytes[start]! - format.BINARY;
  if (kind >= 0 && end > start) {
    return finish(kind, bytes, start + format.BINARY_START, end);
  }
  return decodeInline(bytes, start, end, false);
}

/** The value of a message given as encodeParts() gave it; `body` becomes part of the value. */
export function decodeParts(
  head: Uint8Array,
  body?: Uint8Array<ArrayBuffer>,
): unknown {
  if (body === undefined) return decode(head);
  try {
    return makeView(head[0]! - format.BINARY, body);
  } catch (cause) {
    throw corrupt(cause);
  }
}

/**
 * The value of a message in shared memory, `ring[start … end - 1]`. Binary data is
 * copied once, into the array that is returned.
 *
 * @throws {TypeError} If the bytes are no message.
 */
export function receive(ring: Uint8Array, start: number, end: number): unknown {
  const kind = ring[start]! - format.BINARY;
  if (kind >= 0 && end > start) {
    return finish(kind, ring, start + format.BINARY_START, end);
  }
  return decodeInline(ring, start, end, true);
}

/** A message that is not raw binary data. */
function decodeInline(
  bytes: Uint8Array,
  start: number,
  end: number,
  shared: boolean,
): unknown {
  const length = end - start;
  switch (length > 0 ? bytes[start] : 0) {
    case format.PACKED:
    case format.ESCAPED:
      if (shared || bytes.constructor !== Uint8Array) {
        return unpack(copyIn(bytes, start, end), 0, length);
      }
      return unpack(bytes, start, end);
    case format.INT:
      if (length !== 5) break;
      return bytes[start + 1]! | (bytes[start + 2]! << 8) |
        (bytes[start + 3]! << 16) | (bytes[start + 4]! << 24);
    case format.FLOAT:
      if (length !== 9) break;
      for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[start + 1 + i]!;
      return double[0];
    case format.NULL:
      if (length === 1) return null;
      break;
    case format.UNDEFINED:
      if (length === 1) return undefined;
      break;
    case format.FALSE:
    case format.TRUE:
      if (length === 1) return bytes[start] === format.TRUE;
      break;
  }
  throw corrupt(`its first byte is ${bytes[start]} and its length ${length}`);
}

const range = { start: 0, end: 0 };

function unpack(bytes: Uint8Array, start: number, end: number): unknown {
  range.start = start + 1;
  range.end = end;
  try {
    if (end < start + 2) throw new RangeError("it ends after its first byte");
    const tree = packr.unpack(bytes, range);
    return bytes[start] === format.ESCAPED ? new Raising(tree).run() : tree;
  } catch (cause) {
    throw corrupt(cause);
  }
}

/** A private copy, good until the next one: text decoders of browsers refuse shared memory. */
function copyIn(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  let target = inbox;
  if (length > target.length) {
    target = new Uint8Array(
      length <= RETAINED ? Math.min(RETAINED, 2 * length) : length,
    );
    if (length <= RETAINED) inbox = target;
  }
  copy(bytes, start, end, target, 0);
  return target;
}

/** Raw binary data, copied into memory of its own. */
function finish(
  kind: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): unknown {
  const length = end - start;
  if (length < 0) throw corrupt("it ends in its head");
  const own = kind === format.ARRAY_BUFFER ? new Uint8Array(length) : take(length);
  copy(bytes, start, end, own, 0);
  try {
    return makeView(kind, own);
  } catch (cause) {
    throw corrupt(cause);
  }
}

function copy(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): number {
  const length = end - start;
  if (length < LOOP_BYTES) {
    for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  } else {
    to.set(
      start === 0 && end === from.length ? from : from.subarray(start, end),
      at,
    );
  }
  return at + length;
}

function setParts(
  bytes: Uint8Array,
  start: number,
  end: number,
  body: Uint8Array | undefined,
): Parts {
  parts.bytes = bytes;
  parts.start = start;
  parts.end = end;
  parts.body = body;
  return parts;
}

/** Binary data that needs no walk. Empty data does: it may stand on a detached buffer. */
function isBinary(value: object): value is ArrayBufferView | ArrayBuffer {
  if (ArrayBuffer.isView(value)) {
    return value.byteLength > 0 && !isShared(value.buffer);
  }
  return value instanceof ArrayBuffer && value.byteLength > 0 &&
    !isResizable(value);
}

function bytesOf(value: ArrayBufferView | ArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return new Uint8Array(value);
}

/** Lets go of memory that one large message made msgpackr grow to. */
function forget(grown: Uint8Array): void {
  // msgpackr wants memory of the class that it uses itself, which is not the same in all engines.
  const own = grown.constructor as unknown as {
    allocUnsafeSlow?: (byteLength: number) => Uint8Array;
  };
  packr.useBuffer(own.allocUnsafeSlow?.(8192) ?? new Uint8Array(8192));
}

function corrupt(cause: unknown): TypeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TypeError(`Cannot decode a message as it is corrupt: ${reason}`, {
    cause,
  });
}
