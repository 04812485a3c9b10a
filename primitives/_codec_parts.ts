// A message on its way from the encoder to a ring: a head in the encoder's own
// memory and, for binary data, a body that is still the user's array.

/** Copies of fewer bytes go faster in a loop than through a view. */
const LOOP_BYTES = 48;

/** A message in bytes: `bytes[start … end - 1]`, then all of `body`. */
export class Parts {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** The user's own memory, to be copied at once; undefined when all is in the head. */
  body: Uint8Array | undefined = undefined;

  /** The first part, a true Uint8Array: msgpackr's own memory may be of a subclass whose slice() does not copy. */
  get head(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + this.start, this.end - this.start);
  }

  /** The length of the whole message. */
  get byteLength(): number {
    return this.end - this.start + (this.body === undefined ? 0 : this.body.byteLength);
  }
}

/** Copies a message to `target[at …]`, shared memory or not, and returns the place behind it. */
export function writeParts(message: Parts, target: Uint8Array, at: number): number {
  const { bytes, start, end, body } = message;
  at = copyBytes(bytes, start, end, target, at);
  return body === undefined ? at : copyBytes(body, 0, body.length, target, at);
}

/** Copies `from[start … end - 1]` to `to[at …]`, shared memory or not, and returns the place behind it. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  const length = end - start;
  if (length < LOOP_BYTES) {
    for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  } else {
    to.set(start === 0 && end === from.length ? from : from.subarray(start, end), at);
  }
  return at + length;
}
