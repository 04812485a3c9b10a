/**
 * SharedValue: one typed value in shared memory.
 *
 * The record is in the header of `_typed_record.ts`, the types in that of `_type_names.ts`.
 *
 * @module
 */

import { checkFunction, describe } from "./_arguments.ts";
import type { IntegerOperation } from "./_atomics.ts";
import { casInteger, changeInteger } from "./_atomics.ts";
import type { Handle } from "./_handle.ts";
import { shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { AnyTypeName, FullName, InputOf, ValueOf } from "./_type_names.ts";
import { typeNamed } from "./_type_names.ts";
import type { SharedOptions } from "./_typed_record.ts";
import { TypedRecord } from "./_typed_record.ts";
import type { Lock } from "./lock.ts";
import type { RLock } from "./rlock.ts";

/**
 * A number, bigint, boolean or character that threads share.
 *
 * Reading and writing `value` is one atomic step and takes no lock; no value is ever seen half-written.
 * `value += 1` is two steps, so updates may be lost: `add(1)` is one step, `update(fn)` runs under the lock.
 *
 * - **Types:** `i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 bool char`, or Python's codes `b B h H i I l L q Q f d c`.
 * - **Range:** integers wrap as their C type does; what is no whole number is a `TypeError`, not cut off.
 *   `i64` and `u64` are `bigint`, and take safe integers too. `f32` rounds.
 * - **Memory:** 64 bytes, and 64 for a lock of its own.
 *
 * @example Count in one step
 * ```ts
 * import { SharedValue } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const hits = new SharedValue("i32", 5);
 * assert.equal(hits.add(2), 5); // what was there before
 * assert.equal(hits.value, 7);
 * ```
 */
export class SharedValue<T extends AnyTypeName> {
  readonly #record: TypedRecord;

  /**
   * Makes a value.
   *
   * @param type Its type, by name or by Python's code.
   * @param initial What it is at first, zero by default.
   * @param options `lock`: true (an RLock of its own, by default), a lock, or false; its name and place.
   * @throws {TypeError} If there is no such type, or the type does not take the value.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(type: T, initial?: InputOf<T>, options?: SharedOptions) {
    if (options instanceof TypedRecord) {
      this.#record = options; // attach
      return;
    }
    const element = typeNamed("a SharedValue", type);
    const bits = initial === undefined ? undefined : element.encode(initial);
    this.#record = TypedRecord.create("SharedValue", element, 1, options, (cells) => {
      if (bits !== undefined) cells[0] = bits;
    });
  }

  /**
   * The value that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a SharedValue, or damaged.
   */
  static attach<T extends AnyTypeName = AnyTypeName>(handle: Handle): SharedValue<T> {
    const record = TypedRecord.open("SharedValue", handle);
    return new SharedValue(record.type.name as T, undefined, record as SharedOptions);
  }

  /** What crosses threads in its place: post it, and `SharedValue.attach()` it there. */
  get handle(): Handle {
    return this.#record.handle;
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#record.name;
  }

  /** The full name of its type. */
  get type(): FullName<T> {
    return this.#record.type.name as FullName<T>;
  }

  /** What it is now: one atomic load, and one atomic store when set. Takes no lock. */
  get value(): ValueOf<T> {
    return this.#record.read(0) as ValueOf<T>;
  }

  set value(value: InputOf<T>) {
    this.#record.write(0, value);
  }

  /**
   * The lock that goes with it: the one given, or an RLock of its own. It guards what is done under it
   * on both sides, not `value` by itself.
   *
   * @throws {TypeError} If it was made with `{ lock: false }`.
   */
  get lock(): Lock | RLock {
    return this.#record.lock;
  }

  /**
   * Replaces the value by what `fn` makes of it, under the lock. If somebody changes the value meanwhile without the
   * lock, by `add()` or by writing it, `fn` is called again with what stands there then: no change gets lost.
   *
   * - **Waits for:** the lock, blocking the thread.
   * - **Woken by:** its release.
   * - **Returns early:** never; when `fn` throws, the value is unchanged.
   *
   * @returns The new value, as it was stored.
   * @throws {TypeError} If it has no lock, or the type does not take what `fn` returned.
   * @throws All else that `lock.acquire()` and `fn` throw.
   *
   * @example Anything but an addition
   * ```ts
   * import { SharedValue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const best = new SharedValue("f64", 3.5);
   * assert.equal(best.update((seen) => Math.max(seen, 7)), 7);
   * ```
   */
  update(fn: (value: ValueOf<T>) => InputOf<T>): ValueOf<T> {
    checkFunction("fn", fn); // before it waits
    return this.lock.withLock(() => this.#apply(fn));
  }

  /**
   * The same without blocking the thread.
   *
   * - **Waits for:** the lock.
   * - **Woken by:** its release.
   * - **Returns early:** rejects with `signal.reason`, the value unchanged.
   *
   * @param options `signal` gives up the wait for the lock.
   * @throws {TypeError} If it has no lock, or the type does not take what `fn` returned.
   * @throws All else that `lock.acquireAsync()` and `fn` throw.
   *
   * @example In a page
   * ```ts
   * import { SharedValue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(await new SharedValue("i32", 4).updateAsync((seen) => seen * seen), 16);
   * ```
   */
  async updateAsync(
    fn: (value: ValueOf<T>) => InputOf<T>,
    options?: { signal?: AbortSignal },
  ): Promise<ValueOf<T>> {
    checkFunction("fn", fn);
    return await this.lock.withLockAsync(() => this.#apply(fn), options);
  }

  #apply(fn: (value: ValueOf<T>) => InputOf<T>): ValueOf<T> {
    return this.#record.change(0, fn as (value: unknown) => unknown) as ValueOf<T>;
  }

  /** Adds in one atomic step, wrapping; returns the value before. Other types than integers: `TypeError`. */
  add(value: InputOf<T>): ValueOf<T> {
    return this.#change("add", value);
  }

  /** Subtracts in one atomic step, wrapping; returns the value before. Other types than integers: `TypeError`. */
  sub(value: InputOf<T>): ValueOf<T> {
    return this.#change("sub", value);
  }

  /** Keeps the bits that are also in `value`, in one atomic step; returns the value before. Other types than integers: `TypeError`. */
  and(value: InputOf<T>): ValueOf<T> {
    return this.#change("and", value);
  }

  /** Sets the bits of `value`, in one atomic step; returns the value before. Other types than integers: `TypeError`. */
  or(value: InputOf<T>): ValueOf<T> {
    return this.#change("or", value);
  }

  /** Flips the bits of `value`, in one atomic step; returns the value before. Other types than integers: `TypeError`. */
  xor(value: InputOf<T>): ValueOf<T> {
    return this.#change("xor", value);
  }

  /** Writes in one atomic step; returns the value before. Other types than integers: `TypeError`. */
  exchange(value: InputOf<T>): ValueOf<T> {
    return this.#change("exchange", value);
  }

  /**
   * Writes `replacement` if the value is `expected`, in one atomic step. Integers only.
   *
   * @returns The value before, which is `expected` (wrapped to the type) if it wrote.
   * @throws {TypeError} If the type is no integer type, or does not take one of the two.
   *
   * @example Be the first
   * ```ts
   * import { SharedValue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const claimed = new SharedValue("u8");
   * assert.equal(claimed.compareExchange(0, 1), 0);
   * assert.equal(claimed.compareExchange(0, 1), 1);
   * ```
   */
  compareExchange(expected: InputOf<T>, replacement: InputOf<T>): ValueOf<T> {
    const { cells, type } = this.#integer("compareExchange");
    return type.decode(casInteger(cells, 0, type.encode(expected), type.encode(replacement))) as ValueOf<T>;
  }

  #change(operation: IntegerOperation, value: InputOf<T>): ValueOf<T> {
    const { cells, type } = this.#integer(operation);
    return type.decode(changeInteger(operation, cells, 0, type.encode(value))) as ValueOf<T>;
  }

  /** For an operation that is about to write. */
  #integer(operation: string): TypedRecord {
    const record = this.#record;
    record.local.count++;
    if (record.type.integer) return record;
    throw new TypeError(
      `Cannot ${operation} ${record.title} in one step as ${record.type.name} is no integer type: use update()`,
    );
  }

  /** What printing it shows: class, name, type and value. */
  toString(): string {
    const { value } = this;
    return `${this.#record.title} (${this.type} ${typeof value === "string" ? describe(value) : String(value)})`;
  }
}
shareable("SharedValue", SharedValue.prototype, SharedValue.attach);
inspectable(SharedValue.prototype);
