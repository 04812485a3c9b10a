/**
 * The shared words that an exploration knows: each gets a number, a name for traces, and a way in which it is used.
 *
 *   shared    every access is a step of its own, and a point where the scheduler may switch
 *   constant  written before the threads start and never again: a load is no step. A write is an error of the model
 *   own       each thread has its own copy, as only its owner reads or writes the word: no step.
 *             Where the word has an owner, an access by another thread is an error of the model
 *
 * `constant` and `own` shrink the search without losing an interleaving, since no other thread can tell the order.
 *
 * @module
 */

import type { FullHandle } from "../../primitives/_handle.ts";

/** How a word is used. */
export type Access = "shared" | "constant" | "own";

/** One 32-bit word of shared memory, or of the model's own bookkeeping. */
export interface Word {
  /** Its place in the memory of a state. */
  readonly cell: number;
  readonly name: string;
  readonly initial: number;
  readonly access: Access;
  /** Only for `own`: the thread that it belongs to, -1 for one copy each. */
  readonly owner: number;
}

/** What is known of a run of words beforehand. */
export interface Region {
  readonly label: string;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** The name and the use of a word of it, by index from its start. */
  describe(index: number): { name: string; access: Access; owner?: number };
}

/** A region for the record behind a handle: its first three words, and those listed, are constant. */
export function record(handle: object, names: readonly string[], constant: readonly string[] = []): Region {
  const { kind, name, buffer, byteOffset, byteLength } = handle as FullHandle;
  const label = name === "" ? kind : name;
  return {
    label,
    buffer,
    byteOffset,
    byteLength,
    describe(index) {
      const own = names[index - 3] ?? `[${index}]`;
      return { name: `${label}.${own}`, access: index < 3 || constant.includes(own) ? "constant" : "shared" };
    },
  };
}

/** Records up to this size are known from the start. */
const MOST_BYTES = 65536;

/** The engine's own, also while an exploration has another one stand in for it. */
const RealInt32Array = Int32Array;

/** The same words in a view whose elements nobody follows. */
export function unfollowed(view: Int32Array<SharedArrayBuffer>): Int32Array<SharedArrayBuffer> {
  return new RealInt32Array(view.buffer, view.byteOffset, view.length);
}

/** All words that were met so far. */
export class WordTable {
  readonly #regions: readonly Region[];
  readonly #known = new Map<SharedArrayBuffer, Map<number, Word>>();
  readonly #ghosts = new Map<string, Word>();
  readonly #named = new Map<string, Word>();
  readonly all: Word[] = [];
  /** The initial values, by cell. */
  initials: Int32Array = new Int32Array(256);

  constructor(regions: readonly Region[]) {
    this.#regions = regions;
    for (const { buffer, byteOffset, byteLength } of regions) {
      if (byteLength > MOST_BYTES) continue; // a roster: its words are met one by one
      const view = new Int32Array(buffer, byteOffset, byteLength >> 2);
      for (let i = 0; i < view.length; i++) this.of(view, i);
    }
  }

  /** The word behind an element of a view. */
  of(view: Int32Array<SharedArrayBuffer>, index: number): Word {
    let words = this.#known.get(view.buffer);
    if (words === undefined) this.#known.set(view.buffer, words = new Map<number, Word>());
    const at = (view.byteOffset >> 2) + index;
    let word = words.get(at);
    if (word === undefined) {
      if (!(view instanceof Int32Array) || index < 0 || index >= view.length) {
        throw new Error(`Bug in the model: no 32-bit word ${index} in ${view.constructor.name} of ${view.length}`);
      }
      words.set(at, word = this.#make(view.buffer, at, unfollowed(view)[index]!));
    }
    return word;
  }

  #make(buffer: SharedArrayBuffer, at: number, initial: number): Word {
    for (const region of this.#regions) {
      const index = at - (region.byteOffset >> 2);
      if (region.buffer !== buffer || index < 0 || index >= region.byteLength >> 2) continue;
      const { name, access, owner = -1 } = region.describe(index);
      return this.#add({ cell: this.all.length, name, initial, access, owner });
    }
    return this.#add({ cell: this.all.length, name: `?[${at}]`, initial, access: "shared", owner: -1 });
  }

  /** A word of the model's own bookkeeping. */
  ghost(name: string): Word {
    let word = this.#ghosts.get(name);
    if (word === undefined) {
      word = this.#add({ cell: this.all.length, name, initial: 0, access: "shared", owner: -1 });
      this.#ghosts.set(name, word);
    }
    return word;
  }

  /** A word of a record by the name it has in traces. */
  named(name: string): Word {
    const word = this.#named.get(name);
    if (word === undefined) throw new Error(`Bug in the model: no word is called ${name}`);
    return word;
  }

  #add(word: Word): Word {
    this.all.push(word);
    if (word.cell === this.initials.length) {
      const initials = new Int32Array(2 * word.cell);
      initials.set(this.initials);
      this.initials = initials;
    }
    this.initials[word.cell] = word.initial;
    this.#named.set(word.name, word);
    return word;
  }
}
