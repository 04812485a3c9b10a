// Memory layout: the messages of a LifoQueue or PriorityQueue, HEAP_WORDS words from `base` on, then `units` of 8 bytes
// for blocks, then a word for each message that can be inside at a time. SIZE and LISTS of the fresh space set, the rest zero.
//
//   word     name      written by              meaning
//   0        PUTS      who is inside MONITOR   messages ever put, wraps
//   1        EPOCH     who is inside MONITOR   how often PUTS has wrapped
//   2        COUNT     who is inside MONITOR   messages inside; derived
//   3        CLOSED    who is inside MONITOR   1: nothing more is put
//   4 5      MONITOR   anybody                 see _monitor.ts
//   16-18    GETTERS   getters, putters        the lobby of those who wait for a message, see _lobby.ts
//   19-21    PUTTERS   putters, getters        the lobby of those who wait for room
//   22 23    HEIR NEED who is inside MONITOR   for whom room is kept, see _queue_heir.ts
//   32-58    FREE …    who is inside MONITOR   see _queue_space.ts
//   others spare, zero
//
//   block    name      meaning
//   2        HEAD      bits 0-29 length of the body in bytes, bits 30-31 form, see _queue_message.ts
//   3        WORD      the message's second word
//   4 5      KEY       the priority, as two words that compare as it does: the first signed, the second unsigned
//   6 7      SERIAL    EPOCH and PUTS when it was put, which orders equals
//   8 …      body
//
//   order word i       the unit of a block: LifoQueue, a stack; PriorityQueue, a binary heap. Derived
//
// Invariants:
//   1. A message is inside from the store that makes its block used, once it is complete, to the store that makes it free,
//      once it is copied out. That is all that counts: the rest is derived from the used blocks.
//   2. PUTS goes up right after that store. So the serial of a used block is below EPOCH, PUTS, unless somebody died between.
//   3. EPOCH goes up right after PUTS has become 0.
//
// Death: whoever takes over rebuilds lists, order, COUNT and, by 2 and 3, PUTS and EPOCH. So nothing has to be recovered by
//   the user; what it costs is a walk over all blocks.
// Hostile bytes: units, sizes and lengths are checked against the space before use; LayoutError.

import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { Lobby } from "./_lobby.ts";
import { localOf } from "./_local.ts";
import { Monitor } from "./_monitor.ts";
import type { Batch } from "./_queue_batch.ts";
import { QueueHeir } from "./_queue_heir.ts";
import { CODED, Inbox, Message, RAW } from "./_queue_message.ts";
import { LEAST_UNITS, Space, UNIT } from "./_queue_space.ts";
import { CRAMPED, DONE, EMPTY, FULL, KEPT, type Outcome, OVER, QueueLocal, type Store } from "./_queue_store.ts";
import { HEADER } from "./_ring.ts";
import type { Roster } from "./_roster.ts";
import { LayoutError } from "./errors.ts";

/** Words of the head. */
export const HEAP_WORDS = 64;
const PUTS = 0;
const EPOCH = 1;
const COUNT = 2;
const CLOSED = 3;
const MONITOR = 4;
const GETTERS = 16;
const PUTTERS = 19;
const HEIR = 22;
const LISTS = 32;

const HEAD = 2;
const WORD = 3;
const KEY = 4;
const SERIAL = 6;
const BODY = 8;
const LENGTH_MASK = 0x3fffffff;

/** takeMany() takes no more than so many bytes at a time, or one message. */
const CROSSING = 1 << 16;

const number = new Float64Array(1);
const numberWords = new Int32Array(number.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const HI = littleEndian ? 1 : 0;

/** The units of a message with a body of that many bytes, and of a space in which it fits. */
function unitsFor(length: number): number {
  return LEAST_UNITS + Math.ceil(length / UNIT);
}

/** Bytes behind the head: blocks, and the order. */
export function heapBytes(longest: number): number {
  const units = unitsFor(longest);
  return UNIT * units + 4 * orderWords(units);
}

function orderWords(units: number): number {
  return Math.floor(units / LEAST_UNITS);
}

/** Writes a fresh record. */
export function fillHeap(words: Words, base: number, longest: number): void {
  Space.fill(words, base + LISTS, base + HEAP_WORDS, unitsFor(longest));
}

/** The messages of a LifoQueue or PriorityQueue as one agent sees them. */
export class HeapStore implements Store {
  readonly #words: Words;
  readonly #base: number;
  readonly #order: number;
  readonly #stack: boolean;
  readonly #most: number;
  readonly #units: number;
  readonly #monitor: Monitor;
  readonly #space: Space;
  readonly #heir: QueueHeir;
  readonly #bytes: Uint8Array;
  readonly #inbox: Inbox = new Inbox();
  readonly #one: Message = new Message();
  readonly local: QueueLocal;
  readonly getters: Lobby;
  readonly putters: Lobby;

  /** The messages at word `base`, which may be `longest` bytes long; last in, first out if it is a stack. */
  constructor(words: Words, roster: Roster, base: number, longest: number, maxSize: number, stack: boolean) {
    const units = unitsFor(longest);
    const start = base + HEAP_WORDS;
    this.#words = words;
    this.#base = base;
    this.#order = start + 2 * units;
    this.#stack = stack;
    this.#most = Math.min(maxSize === 0 ? Infinity : maxSize, orderWords(units));
    this.#units = units;
    this.#space = new Space(words, base + LISTS, start, units);
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset + 4 * start, UNIT * units);
    this.#heir = new QueueHeir(words, roster, base + HEIR);
    this.local = localOf(words, () => new QueueLocal());
    this.#monitor = new Monitor(words, roster, base + MONITOR, 0);
    this.#monitor.takeOver = () => this.#takeOver();
    this.getters = new Lobby(words, roster, base + GETTERS);
    this.putters = new Lobby(words, roster, base + PUTTERS);
  }

  offer(message: Message): Outcome {
    this.#monitor.enter();
    let outcome: Outcome;
    try {
      outcome = this.#offer(message);
    } finally {
      this.#monitor.leave();
    }
    if (outcome === DONE) this.getters.wake(1);
    return outcome;
  }

  insist(task: boolean, length: number): void {
    this.#monitor.enter();
    this.#heir.claim(task, length);
    this.#monitor.leave();
  }

  relent(task: boolean): void {
    this.#monitor.enter();
    this.#heir.resign(task);
    this.#monitor.leave();
    this.putters.wake(Infinity);
  }

  #fits(length: number): boolean {
    return this.#count() < this.#most && this.#space.has(unitsFor(length));
  }

  offerMany(batch: Batch, whole: boolean): Outcome {
    let count = 0;
    let outcome: Outcome = DONE;
    this.#monitor.enter();
    try {
      if (whole && !this.closed && !this.#fitsAll(batch)) return CRAMPED;
      while (batch.count > 0) {
        batch.peek(this.#one);
        outcome = this.#offer(this.#one);
        if (outcome !== DONE) break;
        batch.drop(1, batch.bytesAt(batch.start));
        count++;
      }
    } finally {
      this.#monitor.leave();
    }
    if (count > 0) this.getters.wake(count);
    return count > 0 ? DONE : outcome;
  }

  /** Whether somebody else puts first. */
  #isKept(): boolean {
    const puts = load(this.#words, this.#base + PUTS);
    const gots = (puts - this.#count()) | 0;
    return this.#heir.keeps((need) => this.#fits(need), puts, gots, this.local.gets);
  }

  /** Whether all of a batch has room for certain: space in pieces is not counted. */
  #fitsAll(batch: Batch): boolean {
    let need = 0;
    for (let at = batch.start; at < batch.end; at += batch.bytesAt(at)) need += unitsFor(batch.bytesAt(at) - HEADER);
    return this.#count() + batch.count <= this.#most && this.#space.has(need);
  }

  #offer(message: Message): Outcome {
    const words = this.#words;
    const base = this.#base;
    const space = this.#space;
    if (load(words, base + CLOSED) !== 0) return OVER;
    if (load(words, base + HEIR) !== 0 && this.#isKept()) return KEPT;
    const count = this.#count();
    if (count >= this.#most) return FULL;
    const { length } = message;
    const need = unitsFor(length);
    if (need > this.#units) return CRAMPED; // else its length fits into HEAD, too
    const unit = space.find(need);
    if (unit < 0) return CRAMPED;
    const puts = load(words, base + PUTS);
    const at = space.word(unit);
    store(words, at + HEAD, (message.form << 30) | length);
    store(words, at + WORD, message.word);
    this.#writeKey(at + KEY, message.priority);
    store(words, at + SERIAL, load(words, base + EPOCH));
    store(words, at + SERIAL + 1, puts);
    if (message.hasBytes) {
      this.#bytes.set(message.bytes.subarray(message.start, message.start + length), UNIT * unit + 4 * BODY);
    } else if (length > 0) this.#writeNumber(at + BODY, message.number);
    space.use(unit, need); // invariant 1
    const next = (puts + 1) | 0;
    store(words, base + PUTS, next); // invariant 2
    if (next === 0) store(words, base + EPOCH, (load(words, base + EPOCH) + 1) | 0); // invariant 3
    if (this.#stack) store(words, this.#order + count, unit);
    else this.#rise(count, unit);
    store(words, base + COUNT, count + 1);
    return DONE;
  }

  take(message: Message): Outcome {
    this.#monitor.enter();
    let outcome: Outcome;
    try {
      outcome = this.#take(message);
    } finally {
      this.#monitor.leave();
    }
    if (outcome === DONE) {
      this.local.gets = true;
      this.putters.wake(1);
    }
    return outcome;
  }

  takeMany(batch: Batch, most: number): Outcome {
    let outcome: Outcome = DONE;
    batch.clear();
    this.#monitor.enter();
    try {
      while (batch.count < most && batch.end < CROSSING) {
        outcome = this.#take(this.#one);
        if (outcome !== DONE) break;
        batch.add(this.#one);
      }
    } finally {
      this.#monitor.leave();
    }
    if (batch.count === 0) return outcome;
    this.local.gets = true;
    this.putters.wake(batch.count);
    return DONE;
  }

  #take(message: Message): Outcome {
    const words = this.#words;
    const base = this.#base;
    const space = this.#space;
    const count = this.#count();
    if (count === 0) return load(words, base + CLOSED) === 0 ? EMPTY : OVER;
    const unit = load(words, this.#order + (this.#stack ? count - 1 : 0));
    const size = space.used(unit);
    const at = space.word(unit);
    const head = load(words, at + HEAD);
    const length = head & LENGTH_MASK;
    const form = head >>> 30;
    if (unitsFor(length) > size) this.#damaged();
    message.receive(form, load(words, at + WORD), length, this.#inbox);
    if (form === CODED || form === RAW) {
      const from = UNIT * unit + 4 * BODY;
      message.bytes.set(this.#bytes.subarray(from, from + length));
    } else if (length === 8) message.number = this.#readNumber(at + BODY);
    space.release(unit); // invariant 1
    store(words, base + COUNT, count - 1);
    if (!this.#stack && count > 1) this.#sink(count - 1, load(words, this.#order + count - 1));
    return DONE;
  }

  #count(): number {
    const count = load(this.#words, this.#base + COUNT) >>> 0;
    if (count > orderWords(this.#units)) this.#damaged();
    return count;
  }

  // The order.

  /** Puts a block into the heap, from place `at` upwards. */
  #rise(at: number, unit: number): void {
    const words = this.#words;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = load(words, this.#order + parent);
      if (this.#compare(other, unit) <= 0) break;
      store(words, this.#order + at, other);
      at = parent;
    }
    store(words, this.#order + at, unit);
  }

  /** Puts a block into the heap of that many, from its top downwards. */
  #sink(count: number, unit: number): void {
    const words = this.#words;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      let other = load(words, this.#order + child);
      if (child + 1 < count) {
        const right = load(words, this.#order + child + 1);
        if (this.#compare(right, other) < 0) {
          other = right;
          child++;
        }
      }
      if (this.#compare(unit, other) <= 0) break;
      store(words, this.#order + at, other);
      at = child;
    }
    store(words, this.#order + at, unit);
  }

  /** Negative when the first comes out before the second; a stack holds serials the other way round. */
  #compare(a: number, b: number): number {
    const words = this.#words;
    const first = this.#space.word(a);
    const second = this.#space.word(b);
    if (!this.#stack) {
      const high = load(words, first + KEY) - load(words, second + KEY);
      if (high !== 0) return high;
      const low = (load(words, first + KEY + 1) >>> 0) - (load(words, second + KEY + 1) >>> 0);
      if (low !== 0) return low;
    }
    return this.#serial(first) - this.#serial(second);
  }

  #serial(at: number): number {
    return (load(this.#words, at + SERIAL) >>> 0) * 0x100000000 + (load(this.#words, at + SERIAL + 1) >>> 0);
  }

  #takeOver(): void {
    const words = this.#words;
    const base = this.#base;
    const units: number[] = [];
    let last = -1;
    this.#space.rebuild((unit) => {
      units.push(unit);
      last = Math.max(last, this.#serial(this.#space.word(unit)));
    });
    units.sort((a, b) => this.#compare(a, b));
    for (let i = 0; i < units.length; i++) store(words, this.#order + i, units[i]!);
    store(words, base + COUNT, units.length);
    const puts = (load(words, base + EPOCH) >>> 0) * 0x100000000 + (load(words, base + PUTS) >>> 0);
    if (last < puts) return;
    store(words, base + EPOCH, Math.floor((last + 1) / 0x100000000) | 0); // invariants 2 and 3
    store(words, base + PUTS, (last + 1) | 0);
  }

  /** A double as two words that compare as it does, the first signed, the second unsigned. */
  #writeKey(at: number, priority: number): void {
    number[0] = priority + 0; // -0 counts as 0
    const high = numberWords[HI]!;
    const low = numberWords[1 - HI]!;
    store(this.#words, at, high < 0 ? ~high ^ 0x80000000 : high);
    store(this.#words, at + 1, high < 0 ? ~low : low);
  }

  #writeNumber(at: number, value: number): void {
    number[0] = value;
    const second = numberWords[1]!;
    store(this.#words, at, numberWords[0]!);
    store(this.#words, at + 1, second);
  }

  #readNumber(at: number): number {
    const first = load(this.#words, at);
    numberWords[1] = load(this.#words, at + 1);
    numberWords[0] = first;
    return number[0]!;
  }

  #damaged(): never {
    throw new LayoutError("Cannot use this queue as it is damaged: it holds a message that cannot be");
  }

  // Anywhere.

  hasRoom(length: number): boolean {
    if (this.closed) return true; // so that who waits learns of it
    return load(this.#words, this.#base + COUNT) < this.#most && this.#space.free >= unitsFor(length);
  }

  get stirring(): boolean {
    return load(this.#words, this.#base + COUNT) !== 0 || this.closed;
  }

  count(): { size: number; full: boolean } {
    const size = load(this.#words, this.#base + COUNT) >>> 0;
    return { size, full: size >= this.#most || this.#space.free < LEAST_UNITS };
  }

  countPuts(): number {
    return load(this.#words, this.#base + PUTS);
  }

  get closed(): boolean {
    return load(this.#words, this.#base + CLOSED) !== 0;
  }

  close(): void {
    this.#monitor.enter();
    store(this.#words, this.#base + CLOSED, 1);
    this.#monitor.leave();
    this.getters.wake(Infinity);
    this.putters.wake(Infinity);
  }
}
