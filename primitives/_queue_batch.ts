// Many messages in private memory, in the form in which they stand in a ring: an
// int takes 8 bytes, and all go in or out as one copy.
//
//   word 0   bits 0-29 length of the body, bits 30-31 form
//   word 1   see _queue_message.ts
//   body     padded to a multiple of 8

import { copyBytes } from "./_codec_parts.ts";
import type { Message } from "./_queue_message.ts";
import { frameBytes, HEADER, LONGEST } from "./_ring.ts";

const LEAST = 1024;
/** Memory kept for the next batch, at most. */
const RETAINED = 1 << 20;

/** A run of messages: `count` of them, in `bytes[start … end - 1]`. */
export class Batch {
  #cells: Int32Array = new Int32Array(0);
  #numbers: Float64Array = new Float64Array(0);
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Where the first message that is still inside begins. */
  start = 0;
  end = 0;
  /** How many are inside. */
  count = 0;
  /** PriorityQueue: the priorities of all that were added, also of those that have gone. */
  readonly #priorities: number[] = [];

  /** Empties it, and lets go of memory that an unusual one took. */
  clear(): void {
    this.start =
      this.end =
      this.count =
      this.#priorities.length =
        0;
    if (this.bytes.length > RETAINED) this.#resize(0);
  }

  /** Makes room for so many bytes in all, a multiple of 8. */
  reserve(bytes: number): void {
    if (bytes > this.bytes.length) this.#resize(Math.max(LEAST, bytes, 2 * this.bytes.length));
  }

  #resize(byteLength: number): void {
    const bytes = new Uint8Array(byteLength);
    if (byteLength > 0) bytes.set(this.bytes.subarray(0, this.end));
    this.bytes = bytes;
    this.#cells = new Int32Array(bytes.buffer);
    this.#numbers = new Float64Array(bytes.buffer);
  }

  /** Adds a message at the end. */
  add(message: Message): void {
    const { form, word, length } = message;
    const at = this.end;
    if (length > LONGEST) throw new RangeError(`Cannot put a message of ${length} bytes: the longest is ${LONGEST}`);
    const next = at + frameBytes(length);
    this.reserve(next);
    this.#cells[at >> 2] = (form << 30) | length;
    this.#cells[(at >> 2) + 1] = word;
    if (message.hasBytes) copyBytes(message.bytes, message.start, message.start + length, this.bytes, at + HEADER);
    else if (length > 0) this.#numbers[(at + HEADER) >> 3] = message.number;
    this.end = next;
    this.count++;
    if (message.priority !== 0 || this.#priorities.length > 0) {
      while (this.#priorities.length < this.count - 1) this.#priorities.push(0); // the first that is not 0
      this.#priorities.push(message.priority);
    }
  }

  /** How many bytes the message at `at` takes. */
  bytesAt(at: number): number {
    return frameBytes(this.#cells[at >> 2]! & LONGEST);
  }

  /** Looks at the first message; its bytes stay here. */
  peek(message: Message): void {
    const at = this.start;
    const head = this.#cells[at >> 2]!;
    message.form = head >>> 30;
    message.length = head & LONGEST;
    message.word = this.#cells[(at >> 2) + 1]!;
    message.bytes = this.bytes;
    message.start = at + HEADER;
    const { length } = this.#priorities;
    message.priority = length === 0 ? 0 : this.#priorities[length - this.count]!;
    if (message.length === 8) message.number = this.#numbers[(at + HEADER) >> 3]!;
  }

  /** The first messages have gone: so many, so many bytes. */
  drop(count: number, bytes: number): void {
    this.count -= count;
    this.start += bytes;
  }
}
