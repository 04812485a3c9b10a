// The sending side of one direction of a pipe, as one agent sees it. Nothing here waits;
// invariants are those of _pipe_record.ts.

import type { Words } from "./_atomics.ts";
import { load, read, store } from "./_atomics.ts";
import { FIRST_FRAME, LAST, MORE, partBytes, type Shipment, writeFirst } from "./_pipe_parts.ts";
import { AGAIN, RING, SENDER } from "./_pipe_record.ts";
import { type Message, OTHER } from "./_queue_message.ts";
import { frameBytes, HEADER, Ring } from "./_ring.ts";
import type { Roster } from "./_roster.ts";
import { spinUntil } from "./_spin.ts";

/** Puts messages into a ring, whole or in parts. */
export class Outgoing {
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #sender: number;
  readonly #again: number;
  readonly #me: number;
  readonly #part: number;
  readonly #small: number;
  readonly ring: Ring;
  /** The message in parts that this agent has begun; whichever of its tasks comes next carries it on. */
  #current: Shipment | undefined = undefined;
  /** What tasks of this agent wait to send, in the order of their calls: whatever it sends later goes behind that. */
  readonly #line: Set<Shipment> = new Set<Shipment>();
  /** Counts what was put into the ring. */
  moves = 0;

  constructor(words: Words, roster: Roster, base: number, ring: Ring) {
    this.#words = words;
    this.#roster = roster;
    this.#sender = base + SENDER;
    this.#again = base + AGAIN;
    this.#me = roster.me;
    this.ring = ring;
    this.#part = partBytes(ring.size);
    this.#small = ring.size >> 2;
  }

  /** The direction at word `base`. */
  static ringOf(words: Words, roster: Roster, base: number, start: number, size: number): Ring {
    return new Ring(words, roster, base + RING, start, size);
  }

  /** Puts a small message in; false when there is no room now, or it is not small. */
  offer(message: Message): boolean {
    if (message.length > this.#small || this.#current !== undefined || this.#line.size > 0) return false;
    const { ring } = this;
    ring.put.enter();
    try {
      if (read(this.#words, this.#sender) !== 0 && !this.#isFree()) return false;
      if (!this.#putWhole(message)) return false;
    } finally {
      ring.put.leave();
    }
    ring.getters.wake(1);
    return true;
  }

  /** A task is about to wait until a message is sent. */
  queue(shipment: Shipment): void {
    this.#line.add(shipment);
  }

  /**
   * Puts as much of a message in as there is room for, after what this agent had begun, or was to send, before.
   * `whole`: all of it at once, or nothing. Returns whether all of it is in.
   */
  advance(shipment: Shipment, whole: boolean, spins: boolean): boolean {
    if (shipment.done) return true;
    for (const earlier of this.#line) {
      if (earlier === shipment) break;
      if (earlier.done || earlier.signal?.aborted === true) continue; // its task has yet to learn of it
      if (!this.#carry(earlier, false, spins)) return false;
      this.ring.putters.wake(Infinity);
    }
    return this.#carry(shipment, whole, spins);
  }

  #carry(shipment: Shipment, whole: boolean, spins: boolean): boolean {
    const current = this.#current;
    if (current !== undefined && current !== shipment && !this.#pump(current, spins)) return false;
    if (this.#current === undefined && !this.#begin(shipment, whole)) return false;
    return shipment.done || this.#pump(shipment, spins);
  }

  /** Gives a message up: what is in the ring of it will be dropped. */
  cancel(shipment: Shipment): void {
    this.#line.delete(shipment);
    if (this.#current !== shipment) return;
    this.#current = undefined;
    const { ring } = this;
    ring.put.enter();
    if (load(this.#words, this.#sender) === this.#me) store(this.#words, this.#sender, 0);
    ring.put.leave();
    ring.putters.wake(Infinity);
    ring.getters.wake(Infinity); // who has taken in the first parts, lets others receive
  }

  /** Gives up whatever this agent had begun. */
  clear(): void {
    if (this.#current !== undefined) this.cancel(this.#current);
  }

  /** Whether the next part has room: a look that never throws. */
  hasRoom({ message, sent, done }: Shipment): boolean {
    const { length } = message;
    const again = sent >= 0 && load(this.#words, this.#again) !== 0;
    const need = again
      ? FIRST_FRAME
      : sent < 0
      ? Math.min(frameBytes(length), FIRST_FRAME)
      : frameBytes(Math.min(this.#part, length - sent));
    return done || this.ring.count().free >= need;
  }

  /** Announces a message in parts, or puts it in whole. */
  #begin(shipment: Shipment, whole: boolean): boolean {
    const { ring } = this;
    const { message } = shipment;
    ring.put.enter();
    try {
      if (!this.#isFree()) return false;
      if (whole || message.length <= this.#small || this.#fitsOnlyWhole(message.length)) {
        if (!this.#putWhole(message)) return false;
        shipment.done = true;
      } else {
        const at = ring.room(FIRST_FRAME);
        if (at < 0) return false;
        store(this.#words, this.#sender, this.#me); // invariant 4
        this.#current = shipment;
        this.#putFirst(shipment, at);
      }
    } finally {
      ring.put.leave();
    }
    ring.getters.wake(1);
    return true;
  }

  /** Puts in as many parts as have room; returns whether the last one is in. */
  #pump(shipment: Shipment, spins: boolean): boolean {
    const { ring } = this;
    while (!this.#putPart(shipment)) {
      if (!spins || !spinUntil(() => this.hasRoom(shipment))) return false;
    }
    ring.putters.wake(Infinity); // it is the next one's turn
    return true;
  }

  /** Puts in parts until there is no room, or none is left. */
  #putPart(shipment: Shipment): boolean {
    const { ring } = this;
    const { message } = shipment;
    while (!shipment.done) {
      const count = Math.min(this.#part, message.length - shipment.sent);
      const frame = frameBytes(count);
      const last = shipment.sent + count === message.length;
      ring.put.enter();
      try {
        if (load(this.#words, this.#again) !== 0) {
          const at = ring.room(FIRST_FRAME);
          if (at < 0) return false;
          this.#putFirst(shipment, at);
          continue;
        }
        const at = ring.room(frame);
        if (at < 0) return false;
        const from = message.start + shipment.sent;
        ring.head(at, OTHER, count, last ? LAST : MORE);
        ring.write(at + HEADER, message.bytes, from, from + count);
        ring.publish(at, frame, 1);
        shipment.sent += count;
        this.moves++;
        if (last) {
          store(this.#words, this.#sender, 0);
          this.#current = undefined;
          shipment.done = true;
        }
      } finally {
        ring.put.leave();
      }
      ring.getters.wake(1);
    }
    return true;
  }

  // Inside PUT.

  /** Announces a message in parts, the first time or again. */
  #putFirst(shipment: Shipment, at: number): void {
    const { ring } = this;
    const { form, word, length } = shipment.message;
    writeFirst(ring, at, form, word, length);
    ring.publish(at, FIRST_FRAME, 1);
    store(this.#words, this.#again, 0); // that of an earlier message, or this one's
    shipment.sent = 0;
    this.moves++;
  }

  /** Whether no other living thread has begun a message in parts. */
  #isFree(): boolean {
    const sender = load(this.#words, this.#sender);
    if (sender === 0) return true;
    if (sender !== this.#me && this.#roster.alive(sender)) return false;
    store(this.#words, this.#sender, 0); // it died, or was ours and nobody is left to carry it on
    return true;
  }

  #fitsOnlyWhole(length: number): boolean {
    const { ring } = this;
    if (frameBytes(length) > ring.size - 8) return false;
    ring.room(ring.size); // looks how much is free
    const { free } = ring;
    const parts = Math.ceil(length / this.#part);
    return free >= frameBytes(length) && free < FIRST_FRAME + HEADER * parts + ((length + 7) & ~7);
  }

  #putWhole(message: Message): boolean {
    const { ring } = this;
    const { length } = message;
    const bytes = frameBytes(length);
    const at = length < ring.size ? ring.room(bytes) : -1;
    if (at < 0) return false;
    ring.head(at, message.form, length, message.word);
    if (length > 0) {
      if (message.hasBytes) ring.write(at + HEADER, message.bytes, message.start, message.start + length);
      else ring.writeNumber(at, message.number);
    }
    ring.publish(at, bytes, 1);
    this.moves++;
    return true;
  }
}
