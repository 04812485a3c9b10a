// From the tree of _codec_format.ts back to the value. Plain arrays and objects
// are raised in place; msgpack has just made them for us.
//
// Objects are numbered in the order in which _codec_lower.ts met them: each gets
// its number when it is made, before its contents, so a REF always looks back.
// Nothing here trusts the bytes: what does not fit throws, and decode() says that
// the message is corrupt. Work is bounded by the number of nodes, since no tree is raised twice.

import * as format from "./_codec_format.ts";
import { MARK, type Tree, VIEWS } from "./_codec_format.ts";
import { putTogether, setProperty } from "./_errors_wire.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The state of one message on its way to a value. */
export class Raising {
  readonly #trees: Tree[];
  readonly #made: object[] = [];
  /** Objects made, whose contents lie in trees of their own. */
  readonly #open: { readonly object: object; readonly tree: object }[] = [];

  constructor(trees: Tree) {
    if (!Array.isArray(trees)) throw corrupt("no list of trees");
    this.#trees = trees;
  }

  run(): unknown {
    const value = this.raise(this.#trees[0]);
    for (const { object, tree } of this.#open) this.#fill(object, tree);
    return value;
  }

  raise(tree: Tree): unknown {
    if (typeof tree !== "object" || tree === null) return tree;
    if (Array.isArray(tree) && tree[0] === MARK) {
      switch (tree[1]) {
        case format.MINUS_ZERO:
          return -0;
        case format.TEXT:
          return textOf(tree);
        case format.REF:
          return this.#known(tree[2]);
        case format.LATER:
          return this.#laterOn(tree[2]);
      }
    }
    const object = this.#make(tree);
    this.#fill(object, tree);
    return object;
  }

  #known(number: unknown): object {
    const object = this.#made[number as number];
    if (object === undefined) throw corrupt("a reference to nothing");
    return object;
  }

  #laterOn(index: unknown): object {
    const place = (index as number) + 1;
    const tree = this.#trees[place];
    if (!(place > 0) || typeof tree !== "object" || tree === null) {
      throw corrupt("a missing tree");
    }
    this.#trees[place] = undefined;
    const object = this.#make(tree);
    this.#open.push({ object, tree });
    return object;
  }

  /** Makes the object, numbers it, and leaves its contents to #fill(). */
  #make(tree: object): object {
    const object = Array.isArray(tree) && tree[0] === MARK ? this.#makeSpecial(tree) : tree;
    this.#made.push(object);
    return object;
  }

  #makeSpecial(tree: readonly Tree[]): object {
    switch (tree[1]) {
      case format.OBJECT:
        return {};
      case format.ARRAY: {
        const array: unknown[] = [];
        array.length = tree[2] as number;
        return array;
      }
      case format.LITERAL:
        return [];
      case format.MAP:
        return new Map();
      case format.SET:
        return new Set();
      case format.DATE:
        return new Date(tree[2] as number);
      case format.REGEXP:
        return new RegExp(string(tree[2]), string(tree[3]));
      case format.BOXED:
        return Object(isEscape(tree[2]) ? this.raise(tree[2]) : tree[2]);
      case format.BUFFER:
        return tree.length > 3 ? resizable(bytesOf(tree[2]), tree[3]) : ownBuffer(bytesOf(tree[2]));
      case format.VIEW:
        return makeView(tree[2] as number, bytesOf(tree[3]));
      case format.ERROR:
        return putTogether(string(tree[2]), string(tree[3]), optional(tree[4]), optional(tree[5]));
      default:
        throw corrupt("an unknown escape");
    }
  }

  #fill(object: object, tree: object): void {
    if (!Array.isArray(tree)) {
      if (!(tree instanceof Uint8Array)) {
        this.#fillPlain(tree as Record<string, Tree>);
      }
    } else if (tree[0] === MARK) {
      this.#fillSpecial(object, tree);
    } else {
      for (let i = 0; i < tree.length; i++) {
        const item = tree[i];
        if (typeof item === "object" && item !== null) {
          tree[i] = this.raise(item);
        }
      }
    }
  }

  #fillPlain(object: Record<string, Tree>): void {
    for (const key in object) {
      const item = object[key];
      if (typeof item === "object" && item !== null && Object.hasOwn(object, key)) object[key] = this.raise(item);
    }
  }

  #fillSpecial(object: object, tree: readonly Tree[]): void {
    switch (tree[1]) {
      case format.OBJECT:
        this.#fillPairs(object, tree, 2, 0);
        break;
      case format.ARRAY:
        this.#fillPairs(object, tree, 3, 0);
        break;
      case format.LITERAL:
        for (let i = 2; i < tree.length; i++) {
          (object as unknown[]).push(this.raise(tree[i]));
        }
        break;
      case format.MAP:
        for (let i = 2; i < tree.length; i += 2) {
          (object as Map<unknown, unknown>).set(this.raise(tree[i]), this.raise(tree[i + 1]));
        }
        break;
      case format.SET:
        for (let i = 2; i < tree.length; i++) {
          (object as Set<unknown>).add(this.raise(tree[i]));
        }
        break;
      case format.ERROR:
        this.#fillPairs(object, tree, 7, tree[6] as number);
        break;
    }
  }

  /** Names and values by turns; the first `hidden` pairs are not enumerable. */
  #fillPairs(object: object, tree: readonly Tree[], first: number, hidden: number): void {
    for (let i = first; i < tree.length; i += 2) {
      setProperty(object, string(tree[i]), this.raise(tree[i + 1]), i >= first + 2 * hidden);
    }
  }
}

/** A typed array, DataView or ArrayBuffer over bytes that are its own from here on. */
export function makeView(kind: number, bytes: Bytes): object {
  if (kind === format.UINT8_ARRAY) return bytes;
  if (kind === format.ARRAY_BUFFER) return ownBuffer(bytes);
  const name = VIEWS[kind];
  if (name === undefined) throw corrupt("an unknown kind of binary data");
  const type = (globalThis as Record<string, unknown>)[name] as Uint8ArrayConstructor | undefined;
  if (type === undefined) throw new TypeError(`this engine has no ${name}`);
  const size = type.BYTES_PER_ELEMENT ?? 1;
  if (bytes.byteLength % size !== 0) {
    throw corrupt(`${name} of ${bytes.byteLength} bytes`);
  }
  if (bytes.byteOffset % size !== 0) bytes = bytes.slice();
  return new type(bytes.buffer, bytes.byteOffset, bytes.byteLength / size);
}

function ownBuffer(bytes: Bytes): ArrayBuffer {
  return (bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()).buffer;
}

function resizable(bytes: Bytes, maxByteLength: unknown): ArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
  const buffer = new Resizable(bytes.byteLength, {
    maxByteLength: Number(maxByteLength),
  });
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

function isEscape(tree: Tree): boolean {
  return Array.isArray(tree) && tree[0] === MARK;
}

function textOf(tree: readonly Tree[]): string {
  const bytes = bytesOf(tree[2]);
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const units: number[] = [];
    for (const end = Math.min(bytes.length, at + 0x2000); at < end; at += 2) {
      units.push(bytes[at]! | (bytes[at + 1]! << 8));
    }
    text += String.fromCharCode(...units);
  }
  return text;
}

function string(tree: Tree): string {
  if (typeof tree === "string") return tree;
  if (isEscape(tree) && (tree as Tree[])[1] === format.TEXT) {
    return textOf(tree as Tree[]);
  }
  throw corrupt("no string where one belongs");
}

function optional(tree: Tree): string | undefined {
  return tree === undefined ? undefined : string(tree);
}

function bytesOf(tree: Tree): Bytes {
  if (tree instanceof Uint8Array) return tree as Bytes;
  throw corrupt("no bytes where they belong");
}

function corrupt(found: string): TypeError {
  return new TypeError(`it holds ${found}`);
}
