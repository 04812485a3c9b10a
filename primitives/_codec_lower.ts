// From a value to the tree of _codec_format.ts. What has been checked is what is
// sent, whatever getters and proxies do: every property is read once, but for
// arrays, of which a getter that comes last, or beside holes or names, is read again. User
// code runs here only, never inside msgpack, and may itself encode: all state of
// one message is in its own Lowering.
//
//   1. An object is numbered when it is first met, before its properties: the
//      numbers of REF escapes, which _codec_raise.ts counts in the same order.
//   2. The tree is never deeper than DEEPEST. What lies deeper is lowered later as
//      a tree of its own, so values of any depth pass without a deep stack.
//   3. Plain arrays and objects are copied by the engine (`{...value}`), which
//      keeps their hidden class, and lowered inside the copy.
//
// Views are carried as the window they show. Two views of one buffer arrive as
// two buffers, where structured clone would carry the whole buffer behind both.

import * as format from "./_codec_format.ts";
import { MARK, type Tree } from "./_codec_format.ts";
import { lowerBuiltIn } from "./_codec_builtin.ts";
import { HANDLE, refusal, type Step, whyNot } from "./_codec_refuse.ts";
import { tagOf } from "./_errors_wire.ts";
import { isHandle } from "./_handle.ts";

/** The deepest tree given to msgpack, which recurses. */
const DEEPEST = 64;
/** Up to so many objects a search of the list is faster than a Map. */
const FEW = 24;
/** Properties of an object whose number msgpack can write before it has counted them. */
const NARROW = 0xffff;

/** An object met at the deepest level, and where that was. */
interface Later {
  readonly value: object;
  readonly before: Later | undefined;
  readonly steps: readonly Step[];
}

/** The state of one message on its way to a tree. */
export class Lowering {
  what = "";
  root = "";
  /** Whether msgpack would not carry the tree as it is. */
  escaped = false;
  /** Whether an object has more than NARROW properties. */
  wide = false;
  /** Where we are: steps[i] leads from depth i to depth i + 1. */
  readonly steps: Step[] = [];
  /** The objects met, the first `#count` of it: an array that is emptied takes new memory with its next entry. */
  readonly #met: (object | undefined)[] = [];
  #count = 0;
  /** Keys met, wrapping as KNOWN does. */
  #keys = 0;
  /** The same as #met, once they are many. */
  #numbers: Map<object, number> | undefined = undefined;
  #later: Later[] | undefined = undefined;
  #tree: Later | undefined = undefined;

  private constructor() {}

  /** One for a message: the last one's, if that has ended well. User code inside of a message gets another for its own. */
  static begin(what: string, root: string): Lowering {
    const walk = idle ?? new Lowering();
    idle = undefined;
    walk.what = what;
    walk.root = root;
    return walk;
  }

  /** The message is done: the next one may have it. */
  end(): void {
    for (let i = 0; i < this.#count; i++) this.#met[i] = undefined;
    this.#count = this.#keys = 0;
    this.#numbers = this.#later = this.#tree = undefined;
    this.escaped = this.wide = false;
    idle = this;
  }

  /** The tree of a value; a list of trees if `escaped` is set then. */
  run(value: unknown): Tree {
    const tree = this.lower(value, 0);
    if (!this.escaped) return tree;
    const trees = [tree];
    for (let i = 0; i < (this.#later?.length ?? 0); i++) { // it grows meanwhile
      this.#tree = this.#later![i]!;
      trees.push(this.#open(this.#tree.value, 0));
    }
    return trees;
  }

  /** The tree of whatever stands at `steps[0 … depth - 1]`. */
  lower(value: unknown, depth: number): Tree {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
        return value === 0 && 1 / value < 0 ? this.escape([MARK, format.MINUS_ZERO]) : value;
      case "object":
        return value === null ? null : this.#object(value, depth);
      case "boolean":
      case "undefined":
      case "bigint":
        return value;
      default:
        throw this.refuse(`a ${typeof value} cannot be carried`, depth);
    }
  }

  /** A string that msgpack carries exactly, or its escape. */
  text(text: string): Tree {
    if (isClean(text)) return text;
    const bytes = new Uint8Array(2 * text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      bytes[2 * i] = unit;
      bytes[2 * i + 1] = unit >> 8;
    }
    return this.escape([MARK, format.TEXT, bytes]);
  }

  /** Notes that the message has escapes. */
  escape(tree: Tree[]): Tree[] {
    this.escaped = true;
    return tree;
  }

  /** The error for what stands at the present place. */
  refuse(reason: string, depth: number): TypeError {
    let steps = this.steps.slice(0, depth);
    for (let tree = this.#tree; tree !== undefined; tree = tree.before) {
      steps = [...tree.steps, ...steps];
    }
    return refusal(this.what, this.root, steps, reason);
  }

  #object(value: object, depth: number): Tree {
    const met = this.#met;
    let number = -1;
    if (this.#numbers !== undefined) {
      number = this.#numbers.get(value) ?? -1;
    } else {
      for (let i = 0; i < this.#count; i++) {
        if (met[i] === value) {
          number = i;
          break;
        }
      }
    }
    if (number >= 0) return this.escape([MARK, format.REF, number]);
    this.#number(value);
    if (depth < DEEPEST) return this.#open(value, depth);
    const later = this.#later ??= [];
    later.push({ value, before: this.#tree, steps: this.steps.slice(0, depth) });
    return this.escape([MARK, format.LATER, later.length - 1]);
  }

  #number(value: object): void {
    if (this.#numbers !== undefined) {
      this.#numbers.set(value, this.#numbers.size);
      return;
    }
    this.#met[this.#count++] = value;
    if (this.#count <= FEW) return;
    this.#numbers = new Map(this.#met.slice(0, this.#count).map((object, i) => [object!, i]));
  }

  #open(value: object, depth: number): Tree {
    if (Array.isArray(value)) return this.#array(value, depth);
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) return this.#plain(value, depth);
    return this.#special(value, depth);
  }

  /** A plain object, or one of any class, of which its own enumerable properties are left. */
  #plain(value: object, depth: number): Tree {
    const copy = { ...value } as Record<string, unknown>;
    let odd = false;
    let count = 0;
    for (const key in copy) {
      const item = copy[key];
      if (KNOWN[this.#keys] !== key && !isUsual(key, this.#keys)) {
        if (key !== "lockstep") odd = true; // set by msgpack, it might be somebody's setter; and msgpack calls hasOwnProperty
        else if (isHandle(copy)) throw this.refuse(HANDLE, depth);
      }
      this.#keys = (this.#keys + 1) % KNOWN.length;
      count++;
      if (isPlain(item)) continue;
      if (!Object.hasOwn(copy, key)) continue; // somebody has added to Object.prototype; such a property is not ours
      this.steps[depth] = key;
      const tree = this.lower(item, depth + 1);
      if (tree !== item) copy[key] = tree;
    }
    if (count > NARROW) this.wide = true;
    if (!odd) return copy;
    const pairs: Tree[] = [MARK, format.OBJECT];
    for (const key of Object.keys(copy)) pairs.push(this.text(key), copy[key]);
    return this.escape(pairs);
  }

  #array(value: readonly unknown[], depth: number): Tree {
    const length = Number(value.length) >>> 0;
    // Holes and named properties both show as another count of values. If as many items are missing as there are names, a hole
    // is found as such, and one that is not enumerable by what stands in the last item's place.
    const items: Tree[] = Object.values(value);
    if (items.length !== length || length > 0 && !Object.is(items[length - 1], value[length - 1])) {
      return this.#oddArray(value, length, [], depth);
    }
    for (let i = 0; i < length; i++) {
      if (!Object.hasOwn(value, i)) return this.#oddArray(value, length, items.slice(0, i), depth);
      if (isPlain(items[i])) continue;
      this.steps[depth] = i;
      items[i] = this.lower(items[i], depth + 1);
    }
    return items[0] === MARK ? this.escape([MARK, format.LITERAL, ...items]) : items;
  }

  /** An array with holes or named properties, of which the first items are done. */
  #oddArray(value: readonly unknown[], length: number, done: readonly Tree[], depth: number): Tree {
    const pairs: Tree[] = [MARK, format.ARRAY, length];
    done.forEach((tree, i) => pairs.push(String(i), tree));
    for (const key of Object.keys(value)) {
      const index = Number(key);
      const isIndex = String(index) === key && index >= 0 && Number.isInteger(index);
      if (isIndex && index < done.length) continue;
      this.steps[depth] = isIndex ? index : key;
      pairs.push(this.text(key), this.lower(value[key as unknown as number], depth + 1));
    }
    return this.escape(pairs);
  }

  /** All that is neither array, plain object nor Uint8Array. */
  #special(value: object, depth: number): Tree {
    const tag = tagOf(value);
    const tree = lowerBuiltIn(this, value, tag, depth);
    if (tree !== undefined) return tree;
    const reason = whyNot(value, tag);
    if (reason !== undefined) throw this.refuse(reason, depth);
    return this.#plain(value, depth);
  }
}

/** The state of a message that is done, for the next one: a new one costs more than walking a small message. */
let idle: Lowering | undefined;

/** Shorter strings are looked through here; a call of the engine costs more. */
const SHORT = 24;

/**
 * Keys that need no look any more, by when a message met them: most messages have the keys of the one before, in the
 * same order, and to find that out is one comparison of pointers.
 */
const KNOWN: string[] = new Array(64).fill("");

/** Whether an object may have that key and be carried as it is: none of those that all objects have, some of which may be frozen. */
function isUsual(key: string, at: number): boolean {
  if (!isClean(key) || key in Object.prototype || key === "lockstep") return false;
  if (key.length <= SHORT) KNOWN[at] = key;
  return true;
}

/** Whether msgpack carries a value as it is, and it holds no others. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return isClean(value);
    case "number":
      return value !== 0 || 1 / value > 0;
    case "object":
      return value === null;
    case "boolean":
    case "undefined":
    case "bigint":
      return true;
    default:
      return false;
  }
}

/**
 * Whether msgpack carries a string exactly: without lone surrogates, and without
 * the byte order mark that text decoders drop at the start.
 */
function isClean(text: string): boolean {
  if (text.length > SHORT) return isCleanLong(text);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) >= 0xd800) return isCleanLong(text);
  }
  return true;
}

const isCleanLong: (text: string) => boolean = "isWellFormed" in String.prototype
  ? (text) => text.isWellFormed() && text.charCodeAt(0) !== 0xfeff
  : (text) => !/^\ufeff|\p{Surrogate}/u.test(text);
