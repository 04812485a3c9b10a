// The messages of a Queue: one ring, first in first out. The proof is in the header of _ring.ts.

import type { Words } from "./_atomics.ts";
import { read } from "./_atomics.ts";
import type { Lobby } from "./_lobby.ts";
import { localOf } from "./_local.ts";
import type { Batch } from "./_queue_batch.ts";
import { QueueHeir } from "./_queue_heir.ts";
import { CODED, Inbox, type Message, RAW } from "./_queue_message.ts";
import { CRAMPED, DONE, EMPTY, FULL, KEPT, type Outcome, OVER, QueueLocal, type Store } from "./_queue_store.ts";
import { frameBytes, HEADER, Ring, RING_HEIR } from "./_ring.ts";
import type { Roster } from "./_roster.ts";
import { LARGE } from "./_slab.ts";

/** takeMany() takes no more than so many bytes in one crossing. */
const CROSSING = 1 << 16;

/** A Queue's messages as one agent sees them. */
export class RingStore implements Store {
  readonly #ring: Ring;
  readonly #most: number;
  readonly #words: Words;
  readonly #heirAt: number;
  readonly #heir: QueueHeir;
  readonly #fitsHeir: (need: number) => boolean;
  readonly #inbox: Inbox = new Inbox();
  readonly local: QueueLocal;
  readonly getters: Lobby;
  readonly putters: Lobby;

  /** The ring at word `base` with its bytes at word `start`; `maxSize` 0 is unbounded. */
  constructor(words: Words, roster: Roster, base: number, start: number, size: number, maxSize: number) {
    this.#ring = new Ring(words, roster, base, start, size);
    this.local = localOf(words, () => new QueueLocal());
    this.#most = maxSize === 0 ? Infinity : maxSize;
    this.#words = words;
    this.#heirAt = base + RING_HEIR;
    this.#heir = new QueueHeir(words, roster, this.#heirAt);
    this.#fitsHeir = (need) =>
      (this.#most === Infinity || this.#ring.slots(this.#most) > 0) && this.#ring.room(frameBytes(need)) >= 0;
    this.getters = this.#ring.getters;
    this.putters = this.#ring.putters;
  }

  offer(message: Message): Outcome {
    const ring = this.#ring;
    const { length } = message;
    ring.put.enter();
    try {
      if (ring.refuses) return OVER;
      if (read(this.#words, this.#heirAt) !== 0 && this.#isKept()) return KEPT;
      if (this.#most !== Infinity && ring.slots(this.#most) === 0) return FULL;
      if (length >= ring.size) return CRAMPED;
      const bytes = frameBytes(length);
      const at = ring.room(bytes);
      if (at < 0) return CRAMPED;
      ring.head(at, message.form, length, message.word);
      if (length > 0) {
        if (message.hasBytes) ring.write(at + HEADER, message.bytes, message.start, message.start + length);
        else ring.writeNumber(at, message.number);
      }
      ring.publish(at, bytes, 1);
    } finally {
      ring.put.leave();
    }
    this.getters.wake(1);
    return DONE;
  }

  /** Whether somebody else puts first. */
  #isKept(): boolean {
    const ring = this.#ring;
    return this.#heir.keeps(this.#fitsHeir, ring.puts, ring.countGots(), this.local.gets);
  }

  offerMany(batch: Batch, whole: boolean): Outcome {
    const ring = this.#ring;
    let { count } = batch;
    let bytes = batch.end - batch.start;
    ring.put.enter();
    try {
      if (ring.refuses) return OVER;
      if (read(this.#words, this.#heirAt) !== 0 && this.#isKept()) return KEPT;
      const slots = this.#most === Infinity ? Infinity : ring.slots(this.#most);
      if (slots === 0) return FULL;
      let at = bytes < ring.size ? ring.room(bytes) : -1;
      if (at < 0 || count > slots) {
        if (whole) return CRAMPED;
        ring.room(ring.size); // looks how much is free
        const { free } = ring;
        const all = count;
        for (count = bytes = 0; count < all && count < slots; count++) {
          const next = bytes + batch.bytesAt(batch.start + bytes);
          if (next > free) break;
          bytes = next;
        }
        if (count === 0) return CRAMPED;
        at = ring.room(bytes);
      }
      ring.write(at, batch.bytes, batch.start, batch.start + bytes);
      ring.publish(at, bytes, count);
    } finally {
      ring.put.leave();
    }
    batch.drop(count, bytes);
    this.getters.wake(count);
    return DONE;
  }

  insist(task: boolean, length: number): void {
    this.#ring.put.enter();
    this.#heir.claim(task, length);
    this.#ring.put.leave();
  }

  relent(task: boolean): void {
    this.#ring.put.enter();
    this.#heir.resign(task);
    this.#ring.put.leave();
    this.putters.wake(Infinity);
  }

  take(message: Message): Outcome {
    const ring = this.#ring;
    ring.get.enter();
    try {
      const at = ring.front();
      if (at < 0) return ring.drained ? OVER : EMPTY;
      const length = ring.length(at);
      const form = ring.form(at);
      message.receive(form, ring.word(at), length, this.#inbox);
      if (length > 0) {
        if (form === CODED) ring.readShort(at + HEADER, length, message.bytes, this.#inbox.cells);
        else if (form === RAW) ring.read(at + HEADER, length, message.bytes, 0);
        else if (length === 8) message.number = ring.readNumber(at);
      }
      ring.consume(at, frameBytes(length), 1);
    } finally {
      ring.get.leave();
    }
    this.local.gets = true;
    this.putters.wake(1);
    return DONE;
  }

  takeMany(batch: Batch, most: number): Outcome {
    const ring = this.#ring;
    let count = 0;
    ring.get.enter();
    try {
      const first = ring.front();
      if (first < 0) return ring.drained ? OVER : EMPTY;
      let bytes = 0;
      for (let at = first; at >= 0 && count < most; at = ring.next(at)) {
        const length = ring.length(at);
        if (length >= LARGE && ring.form(at) === RAW) break; // take() copies it once
        if (bytes + length > CROSSING) break; // likewise a long one in front
        bytes += frameBytes(length);
        count++;
      }
      batch.clear();
      if (count === 0) return DONE;
      batch.reserve(bytes);
      ring.read(first, bytes, batch.bytes, 0);
      batch.end = bytes;
      batch.count = count;
      ring.consume(first, bytes, count);
    } finally {
      ring.get.leave();
    }
    this.local.gets = true;
    this.putters.wake(count);
    return DONE;
  }

  hasRoom(length: number): boolean {
    if (this.closed) return true; // so that who waits learns of it
    const { size, free } = this.#ring.count();
    return size < this.#most && free >= frameBytes(length);
  }

  get stirring(): boolean {
    return this.#ring.filled || this.#ring.closed;
  }

  count(): { size: number; full: boolean } {
    const { size, free } = this.#ring.count();
    return { size, full: size >= this.#most || free < HEADER };
  }

  countPuts(): number {
    return this.#ring.countPuts();
  }

  get closed(): boolean {
    return this.#ring.closed;
  }

  close(): void {
    const ring = this.#ring;
    ring.put.enter();
    ring.close();
    ring.put.leave();
    this.getters.wake(Infinity);
    this.putters.wake(Infinity);
  }
}
