// A message that passes in parts, on either side of the ring. The forms are in the header of _pipe_record.ts.

import { CODED, type Message, OTHER, RAW } from "./_queue_message.ts";
import { frameBytes, HEADER, type Ring } from "./_ring.ts";
import { LayoutError } from "./errors.ts";

/** Word 1 of what sendBytes() sent. */
export const BYTES = 1;
/** Word 1 of the announcement of a message in parts. */
export const FIRST = 5;
/** Word 1 of a part. */
export const MORE = 6;
/** Word 1 of the last part. */
export const LAST = 7;

const FIRST_LENGTH = 16;
/** What the announcement takes in the ring. */
export const FIRST_FRAME: number = frameBytes(FIRST_LENGTH);
/** The longest message that anybody believes in, in bytes. */
const LONGEST = 2 ** 40;
/** The longest part: both sides copy at the same time, and what one has written the other still finds in its cache. */
const PART = 1 << 17;

const first = new Uint8Array(FIRST_LENGTH);
const firstTotal = new Float64Array(first.buffer);
const firstWords = new Int32Array(first.buffer);

/** The longest part in a ring of that size: some of them fit at a time. */
export function partBytes(size: number): number {
  return Math.min(PART, (size >> 2) & ~7);
}

/** Whether a message is what sendBytes() sent. */
export function isBytes(form: number, word: number): boolean {
  return form === RAW && word === BYTES;
}

/** A message on its way out. */
export class Shipment {
  message: Message;
  /** How many of its bytes are in the ring or beyond; -1 before it is announced. */
  sent = -1;
  /** Whether all of it is. */
  done = false;
  /** Gives it up. */
  readonly signal: AbortSignal | undefined;

  constructor(message: Message, signal?: AbortSignal) {
    this.message = message;
    this.signal = signal;
  }
}

/** Writes the announcement of a message. Returns the place behind it. */
export function writeFirst(ring: Ring, at: number, form: number, word: number, length: number): number {
  firstTotal[0] = length;
  firstWords[2] = form;
  firstWords[3] = word;
  ring.head(at, OTHER, FIRST_LENGTH, FIRST);
  return ring.write(at + HEADER, first, 0, FIRST_LENGTH);
}

/** A message of which not all parts have come so far. */
export class Partial {
  readonly form: number;
  readonly word: number;
  /** How many bytes it will have. */
  readonly total: number;
  /** How many of them are here. */
  filled = 0;
  #bytes: Uint8Array | undefined = undefined;

  constructor(form: number, word: number, total: number) {
    this.form = form;
    this.word = word;
    this.total = total;
  }

  /** Reads the announcement at `at`. Throws LayoutError if it makes no sense. */
  static read(ring: Ring, at: number): Partial {
    if (ring.length(at) === FIRST_LENGTH) {
      ring.read(at + HEADER, FIRST_LENGTH, first, 0);
      const [total, form, word] = [firstTotal[0]!, firstWords[2]!, firstWords[3]!];
      if (Number.isInteger(total) && total > 0 && total <= LONGEST && (form === CODED || form === RAW)) {
        return new Partial(form, word, total);
      }
    }
    throw new LayoutError("Cannot use this pipe as it is damaged: it announces a message that cannot be");
  }

  /** Makes room for the bytes to come. Not in the caller's array: the message may be cut short, or taken over. */
  open(): void {
    this.#bytes = new Uint8Array(this.total);
  }

  /** Takes the part at `at` in. Throws LayoutError if it is longer than what was announced. */
  add(ring: Ring, at: number): void {
    const length = ring.length(at);
    if (length > this.total - this.filled) {
      throw new LayoutError("Cannot use this pipe as it is damaged: a message is longer than announced");
    }
    ring.read(at + HEADER, length, this.#bytes!, this.filled);
    this.filled += length;
  }

  /** What the announcement and all that is here take in the ring. */
  get backBytes(): number {
    return FIRST_FRAME + (this.filled > 0 ? frameBytes(this.filled) : 0);
  }

  /** Writes the announcement and, as one part, all that is here. */
  write(ring: Ring, at: number): void {
    const { form, word, total, filled } = this;
    at = writeFirst(ring, at, form, word, total);
    if (filled === 0) return;
    ring.head(at, OTHER, filled, MORE);
    ring.write(at + HEADER, this.#bytes!, 0, filled);
  }

  /** Makes it a message, once its last part is here. */
  finish(message: Message): void {
    if (this.filled !== this.total) {
      throw new LayoutError("Cannot use this pipe as it is damaged: a message is shorter than announced");
    }
    message.form = this.form;
    message.word = this.word;
    message.length = this.total;
    message.start = 0;
    message.bytes = this.#bytes!;
  }
}
