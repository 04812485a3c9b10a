// One message of a queue, outside of shared memory: staged before it is put, and
// taken out before it is decoded. User code runs in stage() only, nothing is
// locked then; the two words and the bytes are what _ring.ts calls FORM, word 1 and body.
//
//   FORM   word 1                 body
//   CODED  0                      a message of _codec.ts, of any kind
//   RAW    BINARY + kind          the raw bytes of a typed array, DataView or ArrayBuffer
//   INT    the int32              none
//   OTHER  UNDEFINED … TRUE       none
//          NUMBER                 the double, 8 bytes

import { decode, decodeParts, encodeParts } from "./_codec.ts";
import { ARRAY_BUFFER, BINARY } from "./_codec_format.ts";
import { copyBytes } from "./_codec_parts.ts";
import { take } from "./_slab.ts";

/** FORM: a message of the codec. */
export const CODED = 0;
/** FORM: raw bytes of binary data. */
export const RAW = 1;
/** FORM: an int32. */
export const INT = 2;
/** FORM: another small value. */
export const OTHER = 3;

const UNDEFINED = 0;
const NULL = 1;
const FALSE = 2;
const TRUE = 3;
/** Word 1 of a double. */
export const NUMBER = 4;

const NOTHING = new Uint8Array(0);
const rawHead = new Uint8Array(8);

/** A message in private memory: `bytes[start … start + length - 1]`, or a number. */
export class Message {
  form: number = INT;
  word = 0;
  length = 0;
  bytes: Uint8Array = NOTHING;
  start = 0;
  number = 0;
  /** PriorityQueue: lowest first. */
  priority = 0;

  /**
   * Turns a value into a message; throws TypeError with the place of what cannot be carried. Its
   * bytes may be the user's own array: copy them out before user code runs again.
   */
  stage(value: unknown, what: string, root?: string): void {
    if (typeof value === "number") {
      if ((value | 0) === value && (value !== 0 || 1 / value > 0)) return this.#small(INT, value, 0);
      this.number = value;
      return this.#small(OTHER, NUMBER, 8);
    }
    if (value === undefined) return this.#small(OTHER, UNDEFINED, 0);
    if (value === null) return this.#small(OTHER, NULL, 0);
    if (typeof value === "boolean") return this.#small(OTHER, value ? TRUE : FALSE, 0);
    const parts = encodeParts(value, what, root);
    const { body } = parts;
    if (body !== undefined) {
      this.form = RAW;
      this.word = parts.bytes[parts.start]!;
      this.bytes = body;
      this.start = 0;
      this.length = body.length;
    } else {
      this.form = CODED;
      this.word = 0;
      this.bytes = parts.bytes;
      this.start = parts.start;
      this.length = parts.end - parts.start;
    }
  }

  #small(form: number, word: number, length: number): void {
    this.form = form;
    this.word = word;
    this.length = length;
  }

  /** Whether there are bytes to copy: a number travels without. */
  get hasBytes(): boolean {
    return this.form < INT;
  }

  /** Gives the message bytes of its own, for a wait in which user code runs. */
  keep(): Message {
    const kept = new Message();
    kept.form = this.form;
    kept.word = this.word;
    kept.length = this.length;
    kept.number = this.number;
    kept.priority = this.priority;
    if (this.hasBytes) {
      kept.bytes = new Uint8Array(this.length);
      copyBytes(this.bytes, this.start, this.start + this.length, kept.bytes, 0);
    }
    return kept;
  }

  /** Lets go of the user's array. */
  drop(): void {
    if (this.form === RAW) this.bytes = NOTHING;
  }

  /** Gives binary data memory that is its alone, before it becomes a value. */
  own(): void {
    if (this.form !== RAW) return;
    const { bytes, start, length } = this;
    this.receive(RAW, this.word, length, undefined);
    copyBytes(bytes, start, start + length, this.bytes, 0);
  }

  /** Memory for the body of a message that is about to be taken out: its own for binary data, else `inbox`'s. */
  receive(form: number, word: number, length: number, inbox: Inbox | undefined): void {
    this.form = form;
    this.word = word;
    this.length = length;
    this.start = 0;
    if (form === CODED) {
      inbox!.reserve(length);
      this.bytes = inbox!.bytes;
    } else if (form === RAW) this.bytes = word === BINARY + ARRAY_BUFFER ? new Uint8Array(length) : take(length);
  }

  /**
   * The value, once the bytes are here. Binary data becomes the value's own memory.
   *
   * @throws {TypeError} If the bytes are no message.
   */
  value(): unknown {
    switch (this.form) {
      case INT:
        return this.word;
      case CODED:
        return decode(this.bytes, this.start, this.start + this.length);
      case RAW: {
        rawHead[0] = this.word;
        const body = this.bytes as Uint8Array<ArrayBuffer>;
        this.bytes = NOTHING;
        return decodeParts(rawHead, body);
      }
    }
    switch (this.word) {
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case FALSE:
      case TRUE:
        return this.word === TRUE;
      case NUMBER:
        if (this.length === 8) return this.number;
    }
    throw new TypeError(`Cannot decode a message as it is corrupt: it has form ${this.form} ${this.word}`);
  }
}

/** Memory kept for the next message of that size at most. */
const RETAINED = 1 << 16;

/** Private memory in which messages lie between being taken out and being decoded. */
export class Inbox {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  cells: Int32Array<ArrayBuffer> = new Int32Array(this.bytes.buffer);

  /** Makes room for so many bytes, and lets go of what one long message took. */
  reserve(length: number): void {
    const has = this.bytes.length;
    if (length <= has && has <= RETAINED) return;
    const bytes = new Uint8Array(length <= RETAINED / 2 ? Math.max(256, 2 * length + 3 & ~3) : length + 3 & ~3);
    this.bytes = bytes;
    this.cells = new Int32Array(bytes.buffer);
  }
}
