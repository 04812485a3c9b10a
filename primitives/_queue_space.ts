// Memory layout: blocks of any size in a part of a record, `units` times 8 bytes from word `start` on, and LIST_WORDS
// words of lists elsewhere in the record. Used inside the record's monitor only.
//
//   block word  name    written by         meaning
//   0           SIZE    whoever is inside  bits 1-31 units of the block, this head included; bit 0 USED
//   1           PREV    whoever is inside  units of the block before it, 0 for the first; derived
//   free: 2     NEXT    whoever is inside  the next free block of its list, as unit + 1; derived
//         3     BEFORE  whoever is inside  the one before it in its list, as unit + 1; derived
//   used: 2 …           the owner          the owner's head and body
//
//   list word   name    written by         meaning
//   0           FREE    whoever is inside  units in free blocks; derived
//   1 - 26      LISTS   whoever is inside  free blocks of 4 to 7 units, of 8 to 15, and so on, as unit + 1; derived
//
// Invariants:
//   1. From the first unit to the last stand whole blocks, used or free: SIZE leads from each to the next.
//   2. Every change of that is one store to one SIZE: a block becomes used, with the rest behind it split off; becomes free;
//      or swallows the free block behind it. What the store reveals was written before it.
//   3. All that is derived follows from the SIZEs: rebuild() makes it anew when somebody has died inside.
//   4. Two free blocks stand side by side only inside. So an empty space is one block, and whatever can fit at all, fits.
//
// So nothing leaks, whoever dies: a block is used from one store to SIZE on, and free from another.
// Source: boundary tags and segregated lists of D. Knuth (TAOCP 1, 2.5) and D. Lea's malloc.

import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { LayoutError } from "./errors.ts";

/** Bytes of a unit. */
export const UNIT = 8;
/** The smallest block, in units: what a used one needs for its head. */
export const LEAST_UNITS = 4;
const LISTS_COUNT = 26;
/** Words of FREE and LISTS. */
const LIST_WORDS: number = 1 + LISTS_COUNT;

const PREV = 1;
const NEXT = 2;
const BEFORE = 3;
const USED = 1;
/** How many blocks of a list are tried for a good fit before larger ones are. */
const TRIES = 16;

/** The blocks of one record as one agent sees them. */
export class Space {
  readonly #words: Words;
  readonly #lists: number;
  readonly #start: number;
  readonly #units: number;

  /** The space of `units` from word `start` on, with its lists at word `lists`. */
  constructor(words: Words, lists: number, start: number, units: number) {
    this.#words = words;
    this.#lists = lists;
    this.#start = start;
    this.#units = units;
  }

  /** Makes fresh memory one free block. */
  static fill(words: Words, lists: number, start: number, units: number): void {
    store(words, start, units << 1);
    store(words, lists, units);
    store(words, lists + 1 + classOf(units), 1);
  }

  /** Units in free blocks. */
  get free(): number {
    return load(this.#words, this.#lists);
  }

  /** The first word of a block. */
  word(unit: number): number {
    if (unit >>> 0 >= this.#units) this.#damaged("a block outside");
    return this.#start + 2 * unit;
  }

  /** How many units a used block has. */
  used(unit: number): number {
    const size = load(this.#words, this.word(unit));
    if ((size & USED) === 0) this.#damaged("a message that is not there");
    return this.#checked(unit, size >>> 1);
  }

  /** Whether there is a free block of so many units or more. */
  has(need: number): boolean {
    return this.#look(need) >= 0;
  }

  /** A free block of so many units or more, taken off its list; -1: there is none. It stays free until use(). */
  find(need: number): number {
    const found = this.#look(need);
    if (found >= 0) this.#unlink(found, this.#size(found));
    return found;
  }

  #look(need: number): number {
    const own = classOf(need);
    let found = this.#search(own, need, TRIES);
    for (let list = own + 1; found < 0 && list < LISTS_COUNT; list++) found = this.#search(list, need, 1);
    return found < 0 ? this.#search(own, need, this.#units) : found;
  }

  #search(list: number, need: number, tries: number): number {
    let next = load(this.#words, this.#lists + 1 + list);
    for (let i = 0; i < tries && next !== 0; i++) {
      const unit = next - 1;
      if (this.#size(unit) >= need) return unit;
      next = load(this.#words, this.word(unit) + NEXT);
    }
    return -1;
  }

  /** Makes so many units of a block that find() gave used, by one store; what stands in them is complete. */
  use(unit: number, need: number): void {
    const words = this.#words;
    const size = this.#size(unit);
    const rest = size - need;
    const taken = rest < LEAST_UNITS ? size : need;
    if (rest >= LEAST_UNITS) {
      store(words, this.word(unit + need), rest << 1);
      store(words, this.word(unit + need) + PREV, need);
    }
    store(words, this.word(unit), (taken << 1) | USED); // invariant 2
    store(words, this.#lists, (load(words, this.#lists) - taken) | 0);
    if (taken === size) return;
    this.#tellNext(unit + need, rest);
    this.#link(unit + need, rest);
  }

  /** Gives a used block back, by one store. */
  release(unit: number): void {
    const words = this.#words;
    let size = this.used(unit);
    store(words, this.word(unit), size << 1); // invariant 2
    store(words, this.#lists, (load(words, this.#lists) + size) | 0);
    const next = unit + size;
    if (next < this.#units && this.#isFree(next)) {
      const more = this.#size(next);
      this.#unlink(next, more);
      size += more;
      store(words, this.word(unit), size << 1);
    }
    const before = load(words, this.word(unit) + PREV);
    if (before !== 0 && this.#isFree(unit - before)) {
      const more = this.#size(unit - before);
      if (more !== before) this.#damaged("blocks that overlap");
      unit -= before;
      this.#unlink(unit, before);
      size += before;
      store(words, this.word(unit), size << 1);
    }
    this.#tellNext(unit, size);
    this.#link(unit, size);
  }

  /** Makes all that is derived anew, after a death inside; calls back for each used block, from the first to the last. */
  rebuild(visit: (unit: number) => void): void {
    const words = this.#words;
    let free = 0;
    for (let i = 0; i < LIST_WORDS; i++) store(words, this.#lists + i, 0);
    let before = 0;
    for (let unit = 0, size = 0; unit < this.#units; unit += size) {
      size = this.#size(unit);
      store(words, this.word(unit) + PREV, before);
      if (this.#isFree(unit)) {
        for (let next = unit + size; next < this.#units && this.#isFree(next); next = unit + size) {
          size += this.#size(next);
          store(words, this.word(unit), size << 1); // invariant 2
        }
        this.#link(unit, size);
        free += size;
      } else visit(unit);
      before = size;
    }
    store(words, this.#lists, free);
  }

  #isFree(unit: number): boolean {
    return (load(this.#words, this.word(unit)) & USED) === 0;
  }

  #size(unit: number): number {
    return this.#checked(unit, load(this.#words, this.word(unit)) >>> 1);
  }

  #checked(unit: number, size: number): number {
    if (size < LEAST_UNITS || size > this.#units - unit) this.#damaged("a block of no good size");
    return size;
  }

  #tellNext(unit: number, size: number): void {
    if (unit + size < this.#units) store(this.#words, this.word(unit + size) + PREV, size);
  }

  #link(unit: number, size: number): void {
    const words = this.#words;
    const list = this.#lists + 1 + classOf(size);
    const next = load(words, list);
    const at = this.word(unit);
    store(words, at + NEXT, next);
    store(words, at + BEFORE, 0);
    if (next !== 0) store(words, this.word(next - 1) + BEFORE, unit + 1);
    store(words, list, unit + 1);
  }

  #unlink(unit: number, size: number): void {
    const words = this.#words;
    const at = this.word(unit);
    const next = load(words, at + NEXT);
    const before = load(words, at + BEFORE);
    if (next !== 0) store(words, this.word(next - 1) + BEFORE, before);
    if (before !== 0) store(words, this.word(before - 1) + NEXT, next);
    else store(words, this.#lists + 1 + classOf(size), next);
  }

  #damaged(what: string): never {
    throw new LayoutError(`Cannot use this queue as it is damaged: it holds ${what}`);
  }
}

/** The list for blocks of so many units. */
function classOf(units: number): number {
  return Math.min(LISTS_COUNT - 1, 31 - Math.clz32(units >> 2));
}
