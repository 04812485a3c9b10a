// Memory layout: a ring of messages inside a record, 64 words from `base` on and `size` bytes elsewhere in the record.
// Four cache lines, so that those who put and those who get meet only where they must. All zero = empty and open.
//
//   word   name       written by             meaning
//   0      TAIL       the putter inside PUT  where the next message goes, bytes from the start of the ring, a multiple of 8;
//                                            bit 0 SIDE says which of the two words PUTS counts
//   1 2    PUTS       the putter inside PUT  messages ever put, wraps; the one that SIDE of TAIL names is good
//   3      SEEN_HEAD  the putter inside PUT  HEAD without SIDE, as some putter saw it last
//   4      SEEN_GOTS  the putter inside PUT  GOTS, seen at the same time or earlier
//   5 6    PUT        putters                the monitor of this side, see _monitor.ts
//   16     HEAD       the getter inside GET  where the oldest message stands, as TAIL
//   17 18  GOTS       the getter inside GET  messages ever taken, as PUTS
//   19     SEEN_TAIL  the getter inside GET  TAIL without SIDE, as some getter saw it last
//   20-29  GET        getters                the monitor of this side, with a journal of 4 entries
//   32     CLOSED     a closer inside PUT    1: nothing more is put
//   33-35  GETTERS    getters, putters       the lobby of those who wait for a message, see _lobby.ts
//   36 37  HEIR NEED  the owner inside PUT   for whom room is kept; the ring itself leaves them alone
//   48-50  PUTTERS    putters, getters       the lobby of those who wait for room
//   others spare, zero
//
// A message in the ring, from a multiple of 8 on; its body may go over the end of the ring and on at its start, its head never:
//   word 0  bits 0-29 LENGTH of the body in bytes, bits 30-31 FORM, which is the owner's
//   word 1  the owner's
//   body    padded to a multiple of 8
//
// Invariants:
//   1. TAIL = HEAD: empty. At least 8 bytes stay free, so full never looks like empty.
//   2. From HEAD to TAIL stand whole messages. Bytes outside belong to the putter inside PUT, until its store to TAIL, which
//      publishes them; from then on to the getter inside GET, until its store to HEAD, which gives them back.
//   3. Behind TAIL comes SEEN_HEAD or what lies between: SEEN_HEAD never overtakes HEAD, as seen from TAIL. Likewise
//      SEEN_TAIL lies between HEAD and TAIL. So either side looks at the other's cache line only when it has to.
//   4. PUTS of the other SIDE is written first, then TAIL with that SIDE: one store changes position and count. Likewise HEAD.
//   5. GET is entered from inside PUT, never the other way round.
//
// Death: whoever dies inside before its store to TAIL or HEAD has done nothing, and the next one inside starts from the same
//   words; whoever dies after it has done everything but the wake-up, which sleepers make good by looking up after a slice.
// Rewinding: a putter that finds the ring empty far from its start puts HEAD and TAIL back to 0, by a journal in GET, so that
//   a ring touches only as much memory as messages were ever inside. Who takes over PUT passes through GET once, which
//   completes the journal.
// Putting back: who is inside PUT and GET may put messages in front of the oldest one, into bytes that are free, by a store to
//   HEAD; SEEN_HEAD goes back before it (invariant 3).
// Hostile bytes: positions and lengths are checked against the ring before use; LayoutError.
// Source: the cached positions are those of E. Rigtorp's SPSCQueue and of FastForward (Giacomoni and others, PPoPP 2008).

import type { Words } from "./_atomics.ts";
import { load, read, store, write } from "./_atomics.ts";
import { Lobby, LOBBY_WORDS } from "./_lobby.ts";
import { Monitor, monitorWords } from "./_monitor.ts";
import type { Roster } from "./_roster.ts";
import { LayoutError } from "./errors.ts";

/** Words of a ring beside its bytes; `base` is a multiple of 16. */
export const RING_WORDS = 64;
/** Bytes of a message beside its body. */
export const HEADER = 8;

const TAIL = 0;
const PUTS = 1;
const SEEN_HEAD = 3;
const SEEN_GOTS = 4;
const PUT = 5;
const HEAD = 16;
const GOTS = 17;
const SEEN_TAIL = 19;
const GET = 20;
const CLOSED = 32;
const GETTERS = 33;
const PUTTERS = 48;

const SIDE = 1;
const LENGTH_MASK = 0x3fffffff;
const FORM_SHIFT = 30;
const GET_ENTRIES = 4;

/** The longest body, whatever the size of the ring. */
export const LONGEST = 0x3fffffff;

/** A ring found empty with its tail beyond so many bytes is rewound: about what stays in a core's own cache. */
const REWIND_AT = 128 * 1024;
/** Small messages look for that only once in so many, as it means a look at the getters' cache line. */
const REWIND_EVERY = 64;
/** Messages of so many bytes look each time: they can afford it. */
const REWIND_LARGE = 4096;

/** Fewer bytes go quicker word by word than through a view of them (Node and Deno, private to shared and back). */
const SHORT_WRITE = 72;
const SHORT_READ = 192;

/** A word of the ring's, 2 of them, that is its owner's: it stands beside CLOSED. */
export const RING_HEIR = 36;

/** The bytes that a message takes in the ring. */
export function frameBytes(length: number): number {
  return HEADER + ((length + 7) & ~7);
}

/** The size of a ring in which a body of `longest` bytes fits. */
export function ringBytes(longest: number): number {
  return frameBytes(longest) + 8; // invariant 1
}

/** What may stand in a ring at a moment. */
export interface RingCount {
  /** Messages inside. */
  readonly size: number;
  /** Bytes that may still be put, heads included. */
  readonly free: number;
}

/** One ring as one agent sees it. */
export class Ring {
  readonly #words: Words;
  readonly #base: number;
  readonly #start: number;
  readonly #cells: Int32Array;
  readonly #numbers: Float64Array;
  #turn = 0;
  /** The ring's bytes, for reading inside GET and writing inside PUT. */
  readonly bytes: Uint8Array;
  /** How many bytes it has. */
  readonly size: number;
  /** The monitor of those who put. */
  readonly put: Monitor;
  /** The monitor of those who get. */
  readonly get: Monitor;
  /** Where those wait who want a message. */
  readonly getters: Lobby;
  /** Where those wait who want room. */
  readonly putters: Lobby;

  /** The ring at word `base` of a record, with its bytes at word `start`: `size` of them, a multiple of 8. */
  constructor(words: Words, roster: Roster, base: number, start: number, size: number) {
    const offset = words.byteOffset + 4 * start;
    this.#words = words;
    this.#base = base;
    this.#start = start;
    this.#cells = new Int32Array(words.buffer, offset, size >> 2);
    this.#numbers = new Float64Array(words.buffer, offset, size >> 3);
    this.bytes = new Uint8Array(words.buffer, offset, size);
    this.size = size;
    this.put = new Monitor(words, roster, base + PUT, 0);
    this.get = new Monitor(words, roster, base + GET, GET_ENTRIES);
    this.put.takeOver = () => { // the dead putter may have died inside GET too, rewinding
      this.get.enter(this.put);
      this.get.leave();
    };
    this.getters = new Lobby(words, roster, base + GETTERS);
    this.putters = new Lobby(words, roster, base + PUTTERS);
  }

  // Inside PUT.

  /** Where messages that take so many bytes, heads included, may go; -1: no room. */
  room(need: number): number {
    const words = this.#words;
    const base = this.#base;
    let tail = this.#position(read(words, base + TAIL) & ~SIDE);
    if (tail >= REWIND_AT && (need >= REWIND_LARGE || (++this.#turn & (REWIND_EVERY - 1)) === 0)) {
      tail = this.#rewind(tail);
    }
    if (this.#free(tail, this.#position(read(words, base + SEEN_HEAD))) >= need) return tail;
    const head = this.#position(load(words, base + HEAD) & ~SIDE);
    write(words, base + SEEN_HEAD, head);
    return this.#free(tail, head) >= need ? tail : -1;
  }

  /** Bytes that are free, as room() saw it last. */
  get free(): number {
    const words = this.#words;
    const base = this.#base;
    return this.#free(read(words, base + TAIL) & ~SIDE, read(words, base + SEEN_HEAD));
  }

  /** The number of messages put, before this one. */
  get puts(): number {
    return read(this.#words, this.#base + PUTS + (read(this.#words, this.#base + TAIL) & SIDE));
  }

  /** How many more messages may be inside when there may be `most`. */
  slots(most: number): number {
    const words = this.#words;
    const base = this.#base;
    const { puts } = this;
    const seen = ((puts - read(words, base + SEEN_GOTS)) | 0) >>> 0;
    if (seen < most) return most - seen;
    const gots = this.countGots();
    write(words, base + SEEN_GOTS, gots);
    return Math.max(0, most - (((puts - gots) | 0) >>> 0));
  }

  /** Messages ever taken, wrapping, as of now or a moment ago: never ahead of what getters have done. */
  countGots(): number {
    const words = this.#words;
    const base = this.#base;
    for (let turn = 0; turn < 16; turn++) {
      const head = load(words, base + HEAD);
      const gots = load(words, base + GOTS + (head & SIDE));
      if (load(words, base + HEAD) === head) return gots;
    }
    this.get.enter(this.put); // invariant 5
    const gots = load(words, base + GOTS + (load(words, base + HEAD) & SIDE));
    this.get.leave();
    return gots;
  }

  /** Writes the head of a message at a place that room() gave. */
  head(at: number, form: number, length: number, word: number): void {
    const index = this.#start + (at >> 2);
    write(this.#words, index, (form << FORM_SHIFT) | length);
    write(this.#words, index + 1, word);
  }

  /** Writes a double as the body of the message at `at`. */
  writeNumber(at: number, value: number): void {
    this.#numbers[this.#wrap(at + HEADER) >> 3] = value;
  }

  /** Writes bytes from `at` on, over the end of the ring if need be. Returns the place behind them. */
  write(at: number, source: Uint8Array, start: number, end: number): number {
    const { bytes, size } = this;
    const length = end - start;
    at = this.#wrap(at);
    const room = size - at;
    if (length > room) {
      bytes.set(source.subarray(start, start + room), at);
      bytes.set(source.subarray(start + room, end), 0);
    } else if (length === source.length) bytes.set(source, at);
    else if (length > SHORT_WRITE) bytes.set(source.subarray(start, end), at);
    else this.#writeShort(at, source, start, end);
    return this.#wrap(at + length);
  }

  #writeShort(at: number, source: Uint8Array, start: number, end: number): void {
    const cells = this.#cells;
    let cell = at >> 2;
    const whole = end - 3;
    for (; start < whole; start += 4) {
      cells[cell++] = source[start]! | (source[start + 1]! << 8) | (source[start + 2]! << 16) |
        (source[start + 3]! << 24);
    }
    if (start < end) { // the rest of the word is padding
      let last = source[start]!;
      if (start + 1 < end) last |= source[start + 1]! << 8;
      if (start + 2 < end) last |= source[start + 2]! << 16;
      cells[cell] = last;
    }
  }

  /** Makes `count` messages that take `bytes` from `at` on visible, by one store. */
  publish(at: number, bytes: number, count: number): void {
    const words = this.#words;
    const base = this.#base;
    const side = read(words, base + TAIL) & SIDE;
    write(words, base + PUTS + (side ^ SIDE), (read(words, base + PUTS + side) + count) | 0);
    store(words, base + TAIL, this.#wrap(at + bytes) | (side ^ SIDE));
  }

  /** Whether nothing more may be put. */
  get refuses(): boolean {
    return read(this.#words, this.#base + CLOSED) !== 0;
  }

  /** Says that nothing more will be put. */
  close(): void {
    store(this.#words, this.#base + CLOSED, 1);
  }

  #rewind(tail: number): number {
    const words = this.#words;
    const base = this.#base;
    const { get } = this;
    if ((load(words, base + HEAD) & ~SIDE) !== tail) return tail;
    get.enter(this.put); // invariant 5; getters have nothing to do in there now
    try {
      const head = load(words, base + HEAD);
      if ((head & ~SIDE) !== tail) return tail; // only hostile memory changes so: we are the putter
      get.set(base + HEAD, head & SIDE);
      get.set(base + TAIL, load(words, base + TAIL) & SIDE);
      get.set(base + SEEN_HEAD, 0);
      get.set(base + SEEN_TAIL, 0);
      get.commit();
    } finally {
      get.leave();
    }
    return 0;
  }

  // Inside GET.

  /** Where the oldest message stands; -1: there is none. Checks that it is whole. */
  front(): number {
    const words = this.#words;
    const base = this.#base;
    const head = this.#position(read(words, base + HEAD) & ~SIDE);
    let tail = read(words, base + SEEN_TAIL);
    if (tail === head) {
      tail = load(words, base + TAIL) & ~SIDE;
      if (tail === head) return -1;
      write(words, base + SEEN_TAIL, tail);
    }
    return this.#checked(head, this.#position(tail));
  }

  /** Lets next() see what was put since front(). */
  look(): void {
    write(this.#words, this.#base + SEEN_TAIL, load(this.#words, this.#base + TAIL) & ~SIDE);
  }

  /** Where the message behind the one at `at` stands; -1: it was the last, as far as front() saw. */
  next(at: number): number {
    const tail = this.#position(read(this.#words, this.#base + SEEN_TAIL));
    const next = this.#wrap(at + frameBytes(this.length(at)));
    return next === tail ? -1 : this.#checked(next, tail);
  }

  #checked(at: number, tail: number): number {
    const used = tail > at ? tail - at : this.size - at + tail;
    if (frameBytes(this.length(at)) > used) this.#damaged("a message longer than what was put");
    return at;
  }

  /** The length of the body of the message at `at`. */
  length(at: number): number {
    return read(this.#words, this.#start + (at >> 2)) & LENGTH_MASK;
  }

  /** Bits 30 and 31 of its first word. */
  form(at: number): number {
    return read(this.#words, this.#start + (at >> 2)) >>> FORM_SHIFT;
  }

  /** Its second word. */
  word(at: number): number {
    return read(this.#words, this.#start + (at >> 2) + 1);
  }

  /** Its body as a double. */
  readNumber(at: number): number {
    return this.#numbers[this.#wrap(at + HEADER) >> 3]!;
  }

  /** Copies `length` bytes from `at` on, over the end of the ring if need be. Returns the place behind them. */
  read(at: number, length: number, target: Uint8Array, to: number): number {
    const { bytes, size } = this;
    at = this.#wrap(at);
    const first = Math.min(length, size - at);
    target.set(bytes.subarray(at, at + first), to);
    if (first < length) target.set(bytes.subarray(0, length - first), to + first);
    return this.#wrap(at + length);
  }

  /** The same for the start of a target of which there is a view of words, quicker for a short message. */
  readShort(at: number, length: number, target: Uint8Array, cells: Int32Array): void {
    at = this.#wrap(at);
    if (length > SHORT_READ || at + length > this.size) {
      this.read(at, length, target, 0);
      return;
    }
    const ring = this.#cells;
    const from = at >> 2;
    const count = (length + 3) >> 2;
    for (let i = 0; i < count; i++) cells[i] = ring[from + i]!;
  }

  /** Takes `count` messages that take `bytes` from `at` on out, by one store; the bytes are free from then on. */
  consume(at: number, bytes: number, count: number): void {
    const words = this.#words;
    const base = this.#base;
    const side = read(words, base + HEAD) & SIDE;
    write(words, base + GOTS + (side ^ SIDE), (read(words, base + GOTS + side) + count) | 0);
    store(words, base + HEAD, this.#wrap(at + bytes) | (side ^ SIDE));
  }

  /**
   * Puts `count` messages that take `bytes` in front of the oldest one, by one store; `fill` writes them, from the place on
   * that it is told. Inside PUT, too. Returns false when there is no room.
   */
  putBack(bytes: number, count: number, fill: (at: number) => void): boolean {
    const words = this.#words;
    const base = this.#base;
    const side = load(words, base + HEAD) & SIDE;
    const head = this.#position(load(words, base + HEAD) & ~SIDE);
    if (this.#free(this.#position(load(words, base + TAIL) & ~SIDE), head) < bytes) return false;
    const at = head < bytes ? head - bytes + this.size : head - bytes;
    fill(at);
    const gots = (load(words, base + GOTS + side) - count) | 0;
    write(words, base + SEEN_HEAD, at); // before HEAD (invariant 3)
    write(words, base + SEEN_GOTS, gots);
    write(words, base + GOTS + (side ^ SIDE), gots);
    store(words, base + HEAD, at | (side ^ SIDE));
    return true;
  }

  // Anywhere.

  /** Whether it is closed. */
  get closed(): boolean {
    return load(this.#words, this.#base + CLOSED) !== 0;
  }

  /** Whether a message is inside. */
  get filled(): boolean {
    const words = this.#words;
    const base = this.#base;
    return (read(words, base + HEAD) & ~SIDE) !== (load(words, base + TAIL) & ~SIDE);
  }

  /** Whether no message is inside and none will come. */
  get drained(): boolean {
    return this.closed && !this.filled; // in this order: what was put before it closed is seen
  }

  /** Messages ever put, wrapping. */
  countPuts(): number {
    const words = this.#words;
    const base = this.#base;
    for (let turn = 0; turn < 16; turn++) {
      const tail = load(words, base + TAIL);
      const puts = load(words, base + PUTS + (tail & SIDE));
      if (load(words, base + TAIL) === tail) return puts;
    }
    this.put.enter();
    const { puts } = this;
    this.put.leave();
    return puts;
  }

  /** What is inside, from one consistent look. */
  count(): RingCount {
    const words = this.#words;
    const base = this.#base;
    for (let turn = 0; turn < 16; turn++) {
      const head = load(words, base + HEAD);
      const gots = load(words, base + GOTS + (head & SIDE));
      const tail = load(words, base + TAIL);
      const puts = load(words, base + PUTS + (tail & SIDE));
      if (
        load(words, base + HEAD) === head && load(words, base + GOTS + (head & SIDE)) === gots &&
        load(words, base + TAIL) === tail && load(words, base + PUTS + (tail & SIDE)) === puts
      ) return this.#counted(head, gots, tail, puts);
    }
    this.put.enter(); // too busy for a look in passing
    this.get.enter(this.put); // invariant 5
    const head = load(words, base + HEAD);
    const tail = load(words, base + TAIL);
    const gots = load(words, base + GOTS + (head & SIDE));
    const puts = load(words, base + PUTS + (tail & SIDE));
    this.get.leave();
    this.put.leave();
    return this.#counted(head, gots, tail, puts);
  }

  #counted(head: number, gots: number, tail: number, puts: number): RingCount {
    return { size: ((puts - gots) | 0) >>> 0, free: this.#free(tail & ~SIDE, head & ~SIDE) };
  }

  /** Bytes that may be put, with TAIL and HEAD there. */
  #free(tail: number, head: number): number {
    return (head > tail ? 0 : this.size) + head - tail - 8; // invariant 1
  }

  #wrap(at: number): number {
    return at >= this.size ? at - this.size : at;
  }

  #position(at: number): number {
    if (at >>> 0 >= this.size || (at & 7) !== 0) this.#damaged("a position outside");
    return at;
  }

  #damaged(what: string): never {
    throw new LayoutError(`Cannot use this ring as it is damaged: it holds ${what}`);
  }
}

// Layout: the parts do not overlap.
if (GETTERS + LOBBY_WORDS > PUTTERS || GET + monitorWords(GET_ENTRIES) > CLOSED || PUT + monitorWords(0) > HEAD) {
  throw new Error("Bug in Ring: its words overlap");
}
