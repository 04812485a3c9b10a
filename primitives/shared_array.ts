/**
 * SharedArray: a fixed number of typed items in shared memory.
 *
 * The record is in the header of `_typed_record.ts`, the types in that of `_type_names.ts`.
 *
 * @module
 */

import { checkInteger, describe } from "./_arguments.ts";
import type { Handle } from "./_handle.ts";
import { shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { AnyTypeName, ElementType, FullName, InputOf, OfChar, ValueOf, ViewOf } from "./_type_names.ts";
import { typeNamed } from "./_type_names.ts";
import type { SharedOptions } from "./_typed_record.ts";
import { TypedRecord } from "./_typed_record.ts";
import type { Lock } from "./lock.ts";
import type { RLock } from "./rlock.ts";

const MOST = 0x7fffffff;

/**
 * A run of numbers, bigints, booleans or characters that threads share.
 *
 * `at` and `set` are one atomic step for each item and take no lock; `view` is the memory itself, as a
 * typed array, for everything that typed arrays can do. What belongs together goes under `lock`.
 *
 * - **Types:** `i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 bool char`, or Python's codes `b B h H i I l L q Q f d c`.
 * - **Size:** fixed; `length` items of 1 to 8 bytes.
 * - **Range:** through `set`, integers wrap as their C type does and what is no whole number is a `TypeError`;
 *   through `view`, as in any typed array.
 * - **Memory:** 64 bytes, 64 for a lock of its own, and the items.
 *
 * @example Items, slices, a sum
 * ```ts
 * import { SharedArray } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const data = new SharedArray("i32", [1, 2, 3]);
 * data.set(0, 10);
 * assert.equal(data.at(-1), 3);
 * assert.deepEqual([...data], [10, 2, 3]);
 * assert.deepEqual([...data.view.slice(1)], [2, 3]);
 * ```
 *
 * @example Text
 * ```ts
 * import { SharedArray } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const text = new SharedArray("char", 20); // bytes, as UTF-8
 * text.value = "grüße";
 * assert.equal(text.value, "grüße");
 * ```
 */
export class SharedArray<T extends AnyTypeName> {
  readonly #record: TypedRecord;

  /**
   * Makes an array.
   *
   * @param type The type of its items, by name or by Python's code.
   * @param lengthOrItems How many items, all zero; or the items, which are copied. For `char` also a text.
   * @param options `lock`: true (an RLock of its own, by default), a lock, or false; its name and place.
   * @throws {TypeError} If there is no such type, or the type does not take one of the items.
   * @throws {RangeError} If the length is negative or no whole number, or there is no such amount of memory.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(
    type: T,
    lengthOrItems: number | Iterable<InputOf<T>> | OfChar<T, string>,
    options?: SharedOptions,
  ) {
    if (options instanceof TypedRecord) {
      this.#record = options; // attach
      return;
    }
    const element = typeNamed("a SharedArray", type);
    const items = itemsOf(element, lengthOrItems);
    const length = typeof items === "number" ? checkInteger("length", items, 0, MOST) : items.length;
    this.#record = TypedRecord.create("SharedArray", element, length, options, (cells) => {
      if (typeof items !== "number") { for (let i = 0; i < length; i++) cells[i] = items[i]!; }
    });
  }

  /**
   * The array that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a SharedArray, or damaged.
   */
  static attach<T extends AnyTypeName = AnyTypeName>(handle: Handle): SharedArray<T> {
    const record = TypedRecord.open("SharedArray", handle);
    return new SharedArray<T>(record.type.name as T, 0, record as SharedOptions);
  }

  /** What crosses threads in its place: post it, and `SharedArray.attach()` it there. */
  get handle(): Handle {
    return this.#record.handle;
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#record.name;
  }

  /** The full name of the items' type. */
  get type(): FullName<T> {
    return this.#record.type.name as FullName<T>;
  }

  /** How many items it has. */
  get length(): number {
    return this.#record.length;
  }

  /**
   * The memory itself: changes show both ways, at once. For `bool` and `char` it shows bytes. Items of one
   * step each are `at` and `set`, or the built-in `Atomics` on this view (integer types).
   */
  get view(): ViewOf<T> {
    const { type, words, byteOffset, length } = this.#record;
    return new type.view(words.buffer, byteOffset, length) as ViewOf<T>;
  }

  /**
   * One item, read in one atomic step.
   *
   * @param index From 0, or from -1 downwards, counted from the end.
   * @throws {RangeError} If there is no such item.
   */
  at(index: number): ValueOf<T> {
    return this.#record.read(this.#place(index, "read")) as ValueOf<T>;
  }

  /**
   * Writes one item in one atomic step.
   *
   * @param index From 0, or from -1 downwards, counted from the end.
   * @throws {RangeError} If there is no such item.
   * @throws {TypeError} If the type does not take the value.
   */
  set(index: number, value: InputOf<T>): void {
    this.#record.write(this.#place(index, "write"), value);
  }

  #place(index: number, verb: string): number {
    const { length, title } = this.#record;
    if (Number.isInteger(index)) {
      const place = index < 0 ? index + length : index;
      if (place >= 0 && place < length) return place;
    }
    if (typeof index !== "number") {
      throw new TypeError(`Cannot ${verb} an item of ${title} as index must be a number: it is ${describe(index)}`);
    }
    throw new RangeError(`Cannot ${verb} item ${index} of ${title} as there is none: it has ${length} items`);
  }

  /** The items in order, each read when it is asked for. */
  *[Symbol.iterator](): Generator<ValueOf<T>, void, void> {
    for (let i = 0; i < this.length; i++) yield this.#record.read(i) as ValueOf<T>;
  }

  /**
   * The lock that goes with it: the one given, or an RLock of its own. It guards what is done under it on
   * both sides, not the items by themselves.
   *
   * @throws {TypeError} If it was made with `{ lock: false }`.
   */
  get lock(): Lock | RLock {
    return this.#record.lock;
  }

  /**
   * A `char` array's text: what stands before the first NUL, as UTF-8. Setting it writes the text and, if
   * there is room, one NUL, and leaves the rest. Not one step: use the lock where others write too.
   *
   * @throws {TypeError} If it is no `char` array.
   * @throws {RangeError} If the text has more bytes than the array; nothing is written then.
   *
   * @example A shorter text
   * ```ts
   * import { SharedArray } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const text = new SharedArray("c", "hello");
   * text.value = "ab";
   * assert.equal(text.value, "ab");
   * assert.deepEqual([...text.raw], [...new TextEncoder().encode("ab\0lo")]);
   * ```
   */
  get value(): OfChar<T, string> {
    const bytes = this.#copy("value"); // browsers decode no shared memory
    const end = bytes.indexOf(0);
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end)) as OfChar<T, string>;
  }

  set value(text: OfChar<T, string>) {
    const view = this.#bytes("value");
    if (typeof text !== "string") {
      throw new TypeError(`Cannot write ${this.#record.title} as value must be a string: it is ${describe(text)}`);
    }
    const bytes = encoder.encode(text);
    this.#checkRoom(bytes);
    view.set(bytes);
    if (bytes.length < view.length) view[bytes.length] = 0;
  }

  /**
   * A copy of all bytes of a `char` array. Setting it writes bytes from the start and leaves the rest.
   *
   * @throws {TypeError} If it is no `char` array.
   * @throws {RangeError} If there are more bytes than in the array; nothing is written then.
   */
  get raw(): OfChar<T, Uint8Array<ArrayBuffer>> {
    return this.#copy("raw") as OfChar<T, Uint8Array<ArrayBuffer>>;
  }

  set raw(bytes: OfChar<T, Uint8Array>) {
    const view = this.#bytes("raw");
    const given: unknown = bytes;
    if (!(given instanceof Uint8Array)) {
      throw new TypeError(`Cannot write ${this.#record.title} as raw must be a Uint8Array: it is ${describe(given)}`);
    }
    this.#checkRoom(given);
    view.set(given);
  }

  #bytes(what: string): Uint8Array<SharedArrayBuffer> {
    const { type, title } = this.#record;
    if (type.name === "char") return this.view as Uint8Array<SharedArrayBuffer>;
    throw new TypeError(`Cannot use ${what} of ${title} as its items are no char: they are ${type.name}`);
  }

  #copy(what: string): Uint8Array<ArrayBuffer> {
    const view = this.#bytes(what);
    const copy = new Uint8Array(view.length);
    copy.set(view);
    return copy;
  }

  #checkRoom(bytes: Uint8Array): void {
    const { length, title } = this.#record;
    if (bytes.length <= length) return;
    throw new RangeError(`Cannot write ${bytes.length} bytes to ${title} as there is less room: it has ${length}`);
  }

  /** What printing it shows: class, name, type and length. */
  toString(): string {
    return `${this.#record.title} (${this.length} ${this.type})`;
  }
}
shareable("SharedArray", SharedArray.prototype, SharedArray.attach);
inspectable(SharedArray.prototype);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A length as it is, or items as the integers of their cells; checked before there is any memory. */
function itemsOf(type: ElementType, given: unknown): number | ArrayLike<number | bigint> {
  if (typeof given === "number") return given;
  if (typeof given === "string" && type.name === "char") return encoder.encode(given);
  if (typeof given === "object" && given !== null && Symbol.iterator in given) {
    return Array.from(given as Iterable<unknown>, (item) => type.encode(item));
  }
  throw new TypeError(`Cannot make a SharedArray as it takes a length or items: it is ${describe(given)}`);
}
