// The codec: values to bytes and back, for queues, pipes and thread results.
//
// What is carried: all that structured clone carries, except shared memory and
// objects of the host. Beyond structured clone, errors keep class, code, own
// properties and AggregateError.errors. What cannot be carried is refused with a
// TypeError that names the place, before a byte is written anywhere.
//
// Three ways through, by what the value is (formats in _codec_format.ts):
//   1. null, undefined, booleans and numbers by hand (_codec_small.ts);
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
//     What it throws passes through unchanged.
//   - What decode() and receive() throw is a TypeError, whatever the bytes.
//
// Figures, µs for encode + write to a ring / receive, one thread, 2-core VM, Deno 2.9.6 and Node 20.20.2:
//   { id, name, ok, tags: [2] }   0.45 / 0.16 and 0.45 / 0.18   (postMessage 1.6 to 8)
//   an integer, both ways         0.01 and 0.01
//   Uint8Array(64)                0.05 / 0.07 and 0.06 / 0.09
//   1 MiB                         25 / 88 and 41 / 79           (one copy into a new array 50 to 60)
//
// Memory: after a message of RETAINED bytes and more, the buffers that it grew are let go.
//
// msgpackr comes from its "pack" entry: the main one asks for environment and
// native modules, which fails in a Deno program without those permissions. One
// thing is shared with a program's own use of msgpackr: extensions that it
// registers for built-in classes apply here as well.

import { Packr } from "msgpackr/pack";
import { isPlainBytes, isResizable, isShared, viewKind } from "./_codec_builtin.ts";
import { ARRAY_BUFFER, BINARY, BINARY_START, ESCAPED, PACKED, PLAIN } from "./_codec_format.ts";
import { Lowering } from "./_codec_lower.ts";
import { copyBytes, Parts, writeParts } from "./_codec_parts.ts";
import { decodePlainly } from "./_codec_plain.ts";
import { makeView, Raising } from "./_codec_raise.ts";
import { decodeSmall, encodeSmall, isSmall, SMALL } from "./_codec_small.ts";
import { take } from "./_slab.ts";

export { encodeSmall, Parts, SMALL, writeParts };

/** Bytes kept for the next message; a larger one gets memory of its own. */
const RETAINED = 1 << 20;

/** msgpackr's own flags: leave one byte before the message, hand out the buffer itself, write there again next time. */
const FLAGS = 2048 | 1 | 512 | 1024;

function makePackr(wide: boolean): Packr {
  return new Packr({
    useRecords: false, // records are state between messages, and compile code
    variableMapSize: wide, // else it writes an object's properties as it meets them, and their number, of 16 bits, after that
    structuredClone: false, // our walk has done it; off, a message cannot make references either
    moreTypes: false,
    useBigIntExtension: true,
    copyBuffers: true, // a received array must not be a view of what we read
    useToJSON: false,
  } as object);
}

const packr = makePackr(false);
/** For objects with any number of properties. */
let widePackr: Packr | undefined;

const small = new Uint8Array(SMALL);
/** Stays zero behind its first byte, the padding before binary data. */
const binaryHead = new Uint8Array(BINARY_START);
const parts = new Parts();
const range = { start: 0, end: 0 };
let inbox = new Uint8Array(8192);

/**
 * The bytes of a value, a view that is good until the next encode.
 *
 * @param what The verb of the refusal, as in `Cannot put value.items[3]: …`.
 * @param root What the message calls the value itself.
 */
export function encode(value: unknown, what: string, root?: string): Uint8Array {
  const message = encodeParts(value, what, root);
  if (message.body === undefined) return message.head;
  const joined = new Uint8Array(message.byteLength);
  writeParts(message, joined, 0);
  return joined;
}

/** The bytes of a value, binary data at the top still in place. The result is used again by the next call. */
export function encodeParts(value: unknown, what: string, root = "value"): Parts {
  if (typeof value !== "object" || value === null) {
    const length = encodeSmall(value, small, 0);
    if (length > 0) return setParts(small, 0, length, undefined);
  } else if (isBinary(value)) {
    const kind = ArrayBuffer.isView(value) ? viewKind(value) : ARRAY_BUFFER;
    if (kind >= 0) {
      binaryHead[0] = BINARY + kind;
      return setParts(binaryHead, 0, BINARY_START, isPlainBytes(value) ? value : bytesOf(value));
    }
  }
  const walk = Lowering.begin(what, root);
  const tree = walk.run(value);
  const packed = (walk.wide ? widePackr ??= makePackr(true) : packr).pack(tree, FLAGS) as unknown as Uint8Array & {
    start: number;
    end: number;
  };
  const { start, end } = packed;
  packed[start] = walk.escaped ? ESCAPED : PACKED;
  if (packed.length > RETAINED) forget(packed);
  else walk.end();
  return setParts(packed, start, end, undefined);
}

/**
 * The value of a message in private memory.
 *
 * @throws {TypeError} If the bytes are no message.
 */
export function decode(bytes: Uint8Array, start = 0, end: number = bytes.length): unknown {
  return read(bytes, start, end, bytes.constructor === Uint8Array);
}

/**
 * The value of a message in shared memory, `ring[start … end - 1]`. Binary data is
 * copied once, into the array that is returned.
 *
 * @throws {TypeError} If the bytes are no message.
 */
export function receive(ring: Uint8Array, start: number, end: number): unknown {
  return read(ring, start, end, false);
}

/** The value of a message given as encodeParts() gave it; `body` becomes part of the value. */
export function decodeParts(head: Uint8Array, body?: Uint8Array<ArrayBuffer>): unknown {
  return body === undefined ? decode(head) : view(head[0]! - BINARY, body);
}

function read(bytes: Uint8Array, start: number, end: number, inPlace: boolean): unknown {
  const length = end - start;
  const first = length > 0 ? bytes[start]! : 0;
  if (first >= BINARY && length >= BINARY_START) {
    const kind = first - BINARY;
    const own = kind === ARRAY_BUFFER ? new Uint8Array(length - BINARY_START) : take(length - BINARY_START);
    copyBytes(bytes, start + BINARY_START, end, own, 0);
    return view(kind, own);
  }
  if (isSmall(first, length)) return decodeSmall(bytes, start);
  if (first === PLAIN) return plain(bytes.slice(start, end));
  if ((first !== PACKED && first !== ESCAPED) || length < 2) {
    throw corrupt(new TypeError(`it has ${length} bytes and begins with ${first}`));
  }
  return inPlace ? unpack(first, bytes, start, end) : unpack(first, copyIn(bytes, start, end), 0, length);
}

function plain(bytes: Uint8Array): unknown {
  try {
    return decodePlainly(bytes);
  } catch (cause) {
    throw corrupt(cause);
  }
}

function unpack(form: number, bytes: Uint8Array, start: number, end: number): unknown {
  range.start = start + 1;
  range.end = end;
  try {
    const tree = packr.unpack(bytes, range);
    return form === ESCAPED ? new Raising(tree).run() : tree;
  } catch (cause) {
    throw corrupt(cause);
  }
}

/** A private copy, good until the next one: text decoders of browsers refuse shared memory. */
function copyIn(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  let target = inbox;
  if (length > target.length) {
    target = new Uint8Array(length <= RETAINED ? Math.min(RETAINED, 2 * length) : length);
    if (length <= RETAINED) inbox = target;
  }
  copyBytes(bytes, start, end, target, 0);
  return target;
}

function view(kind: number, own: Uint8Array<ArrayBuffer>): object {
  try {
    return makeView(kind, own);
  } catch (cause) {
    throw corrupt(cause);
  }
}

function setParts(bytes: Uint8Array, start: number, end: number, body: Uint8Array | undefined): Parts {
  parts.bytes = bytes;
  parts.start = start;
  parts.end = end;
  parts.body = body;
  return parts;
}

/** Binary data that needs no walk. Empty data does: it may stand on a detached buffer. */
function isBinary(value: object): value is ArrayBufferView | ArrayBuffer {
  if (ArrayBuffer.isView(value)) return lengthOf(value) > 0 && !isShared(value.buffer);
  return value instanceof ArrayBuffer && value.byteLength > 0 && !isResizable(value);
}

/** 0 on a detached buffer, of which a DataView does not say its length. */
function lengthOf(view: ArrayBufferView): number {
  try {
    return view.byteLength;
  } catch {
    return 0;
  }
}

function bytesOf(value: ArrayBufferView | ArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return new Uint8Array(value);
}

/** Lets go of memory that one large message made msgpackr grow to. */
function forget(grown: Uint8Array): void {
  // msgpackr wants memory of the class that it uses itself, which is not the same in all engines. It must be
  // new: what a program's own pack() returned may stand in the memory that msgpackr had before.
  const own = grown.constructor as unknown as { allocUnsafeSlow?: (byteLength: number) => Uint8Array };
  packr.useBuffer(own.allocUnsafeSlow?.(8192) ?? new Uint8Array(8192));
}

function corrupt(cause: unknown): TypeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TypeError(`Cannot decode a message as it is corrupt: ${reason}`, { cause });
}
