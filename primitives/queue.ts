/**
 * Queue: messages between threads, first in first out.
 *
 * The records and the proofs of why they work are in the headers of `_queue_core.ts`, `_ring.ts` and `_lobby.ts`.
 *
 * @module
 */

import { signalOf } from "./_arguments.ts";
import { deadlineOf } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { Placement } from "./_layout.ts";
import { NOT_YET } from "./_lobby.ts";
import { DRAINED, QueueCore } from "./_queue_core.ts";
import { checkMost, itemsOf, makeQueue, openQueue, queueHandle } from "./_queue_make.ts";
import { ClosedError } from "./errors.ts";

/** Options of `new Queue()`, `new LifoQueue()` and `new PriorityQueue()`. */
export interface QueueOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** How many messages may be inside at a time; 0, the default, is any number. */
  maxSize?: number;
  /**
   * How many bytes may be inside at a time, and how long one message may be: 64 to 1 GiB less 1 KiB, by default 64 MiB.
   * They are reserved, not used up: only as much memory is touched as messages were ever inside.
   */
  maxBytes?: number;
  /** A place for the record; by default it has memory of its own. */
  at?: Placement;
}

/** Options of a put that waits at most so long. */
export interface TryPutOptions {
  /** Milliseconds, 0 or more, by default 0; `Infinity` waits for ever. */
  timeout?: number;
}

/** Options of a wait that does not block. */
export interface AsyncQueueOptions {
  /** Gives up the wait. */
  signal?: AbortSignal;
}

/**
 * A queue that threads share: any number of producers and consumers, any structured-cloneable value.
 *
 * - **Order:** first in, first out for each producer; none between producers. A producer is a thread: whatever the forms of
 *   its puts, a later one goes behind an earlier one that waits.
 * - **Memory:** 448 bytes and the messages: each takes 8 bytes and its encoded length, rounded up to a multiple of 8.
 *   Numbers of 32 bits, booleans, `null` and `undefined` take 8 bytes, other numbers 16.
 * - **Values** are copied when they are put. Functions, symbols, shared memory and Lockstep's own objects are refused.
 * - **Death:** a thread may end at any instruction: no message that was put is lost, none is torn or seen twice, nobody
 *   waits for ever. What a consumer had already taken goes with it.
 * - **Waits:** a blocked thread is woken at once; one whose wake-up went to a thread that died looks up within 380 ms.
 *
 * @example Work for another thread
 * ```ts
 * import { Queue } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const queue = new Queue<{ id: number }>({ name: "jobs", maxSize: 10 });
 * queue.put({ id: 1 });
 * queue.put({ id: 2 });
 * queue.close();
 * assert.deepEqual([...queue], [{ id: 1 }, { id: 2 }]);
 * ```
 */
export class Queue<T = unknown> {
  readonly #core: QueueCore;

  /**
   * Makes an empty queue.
   *
   * @param options Its name, bounds and place.
   * @throws {RangeError} If a bound is out of range.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options?: QueueOptions) {
    this.#core = options instanceof QueueCore ? options : makeQueue("Queue", options);
  }

  /**
   * The queue that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a Queue, or damaged.
   */
  static attach<T = unknown>(handle: Handle): Queue<T> {
    return new Queue<T>(openQueue("Queue", handle) as QueueOptions);
  }

  /** What crosses threads in its place: post it, and `Queue.attach()` it there. */
  get handle(): Handle {
    return queueHandle(this.#core);
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** How many messages are inside, at this moment; exact when nobody else acts. */
  get size(): number {
    return this.#core.store.count().size;
  }

  /** Whether no message is inside, at this moment. */
  get isEmpty(): boolean {
    return this.#core.store.count().size === 0;
  }

  /** Whether not even the smallest message could be put, at this moment. */
  get isFull(): boolean {
    return this.#core.store.count().full;
  }

  /** How many messages may be inside, 0 = any number. */
  get maxSize(): number {
    return this.#core.maxSize;
  }

  /** How many bytes may be inside. */
  get maxBytes(): number {
    return this.#core.maxBytes;
  }

  /** Whether it was closed, by any thread. */
  get closed(): boolean {
    return this.#core.store.closed;
  }

  /**
   * Adds a copy of `item` at the tail. When it returns, the message is stored: the thread may end at once.
   *
   * - **Waits for:** room, as many bytes as the message takes and, with `maxSize`, a free place; blocks the thread.
   * - **Woken by:** a get, one producer for each place it frees; all of them when bytes are short.
   * - **Returns early:** never; if the queue closes meanwhile, it throws `ClosedError` with the unsent value.
   * - **Cost:** O(encoded bytes) and four atomic operations when there is room.
   *
   * @param item Any structured-cloneable value, at most `maxBytes` long once encoded.
   * @throws {TypeError} If it cannot be carried; the message says where in the value.
   * @throws {RangeError} If it can never fit; the message names `maxBytes`.
   * @throws {ClosedError} If the queue is closed; its `value` is the item.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Later changes do not show
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number[]>();
   * const item = [1, 2];
   * queue.put(item);
   * item.push(3);
   * assert.deepEqual(queue.get(), [1, 2]);
   * ```
   */
  put(item: T): void {
    this.#core.put(item, 0, Infinity);
  }

  /**
   * Adds a copy of `item` if there is room in time.
   *
   * - **Waits for:** room, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a get.
   * - **Returns early:** false when the time is over, also while an earlier `putAsync()` of this thread has no room; nothing
   *   of it went in then.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @throws {RangeError} If the timeout is negative or NaN, or the item can never fit.
   * @throws {ClosedError} If the queue is closed, also when it is full.
   * @throws All else that `put()` throws.
   *
   * @example A full queue says so
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>({ maxSize: 1 });
   * queue.put(1);
   * assert.equal(queue.tryPut(2), false);
   * ```
   */
  tryPut(item: T, options?: TryPutOptions): boolean {
    return this.#core.put(item, 0, deadlineOf(options));
  }

  /**
   * Adds a copy of `item`, taken now, without blocking the thread. What this thread puts later, in whatever form, goes
   * behind it.
   *
   * - **Waits for:** room.
   * - **Woken by:** a get.
   * - **Returns early:** rejects with `signal.reason`, and nothing went in.
   *
   * @param options `signal` gives up the wait.
   * @throws All that `put()` throws, apart from `BlockingUnavailableError`.
   *
   * @example Give up waiting
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>({ maxSize: 1 });
   * await queue.putAsync(1);
   * await assert.rejects(queue.putAsync(2, { signal: AbortSignal.timeout(5) }));
   * assert.equal(queue.size, 1);
   * ```
   */
  async putAsync(item: T, options?: AsyncQueueOptions): Promise<void> {
    const signal = signalOf(options);
    signal?.throwIfAborted();
    await this.#core.putAsync(item, 0, signal);
  }

  /**
   * Adds copies of all items in their order, as many in one crossing as there is room for. One that cannot be carried
   * keeps all of them out.
   *
   * - **Waits for:** room, as `put()`; other producers may put theirs in between.
   * - **Woken by:** a get.
   * - **Returns early:** never; if the queue closes meanwhile, it throws `ClosedError` with the unsent rest.
   *
   * @param items Any iterable; it is read to its end first.
   * @throws {TypeError} If `items` is not iterable, or one of them cannot be carried: the message says which, and none was put.
   * @throws {RangeError} If one of them can never fit; then none was put.
   * @throws {ClosedError} If the queue is closed; its `value` is an array of the items that were not put.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block; then none was put.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits; some may have been put.
   *
   * @example A thousand messages for the price of few
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>();
   * queue.putMany([1, 2, 3]);
   * assert.deepEqual(queue.getMany(10), [1, 2, 3]);
   * ```
   */
  putMany(items: Iterable<T>): void {
    this.#core.putMany(itemsOf(items), 0, Infinity);
  }

  /**
   * Adds copies of as many of the items as find room in time, from the first on.
   *
   * - **Waits for:** room for all of them, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a get.
   * - **Returns early:** with how many were put, when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @returns How many were put: 0 when there was no room at all.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `putMany()` throws.
   *
   * @example Two of three
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new Queue<number>({ maxSize: 2 }).tryPutMany([1, 2, 3]), 2);
   * ```
   */
  tryPutMany(items: Iterable<T>, options?: TryPutOptions): number {
    const deadline = deadlineOf(options);
    return this.#core.putMany(itemsOf(items), 0, deadline);
  }

  /**
   * Adds copies of all items, taken now, without blocking the thread.
   *
   * - **Waits for:** room for all of them; other producers may put theirs in between.
   * - **Woken by:** a get.
   * - **Returns early:** when the signal aborts: with how many were put, from the first on; if none was, it rejects with
   *   `signal.reason`.
   *
   * @param options `signal` gives up the wait.
   * @returns How many were put: all of them, unless the signal aborted.
   * @throws All that `putMany()` throws, apart from `BlockingUnavailableError`.
   *
   * @example Wait where blocking is not allowed
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(await new Queue<number>().putManyAsync([1, 2, 3]), 3);
   * ```
   */
  async putManyAsync(items: Iterable<T>, options?: AsyncQueueOptions): Promise<number> {
    const signal = signalOf(options);
    signal?.throwIfAborted();
    return await this.#core.putManyAsync(itemsOf(items), 0, signal);
  }

  /**
   * Takes the oldest message out.
   *
   * - **Waits for:** a message, blocking the thread.
   * - **Woken by:** a put, one consumer for each message.
   * - **Returns early:** never; if the queue closes meanwhile and nothing is left inside, it throws `ClosedError`.
   * - **Cost:** O(encoded bytes) and four atomic operations when a message is there.
   *
   * @throws {ClosedError} If the queue is closed and empty.
   * @throws {TypeError} If the message cannot be decoded: it is gone, the next get goes on with the next one.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example First in, first out
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<string>();
   * queue.put("a");
   * queue.put("b");
   * assert.equal(queue.get(), "a");
   * ```
   */
  get(): T {
    const value = this.#core.get(Infinity);
    if (value === DRAINED) this.#throwDrained();
    return value as T;
  }

  /**
   * Takes the oldest message out if there is one in time.
   *
   * - **Waits for:** a message, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a put.
   * - **Returns early:** `undefined` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @returns The value in a box, as it may itself be `undefined`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `get()` throws.
   *
   * @example Nothing is there
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number | undefined>();
   * assert.equal(queue.tryGet(), undefined);
   * queue.put(undefined);
   * assert.deepEqual(queue.tryGet(), { value: undefined });
   * ```
   */
  tryGet(options?: { timeout?: number }): { value: T } | undefined {
    const value = this.#core.get(deadlineOf(options));
    if (value === DRAINED) this.#throwDrained();
    return value === NOT_YET ? undefined : { value: value as T };
  }

  /**
   * Takes the oldest message out without blocking the thread. Tasks of one thread wait in line.
   *
   * - **Waits for:** a message.
   * - **Woken by:** a put, one task in each thread.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws All that `get()` throws, apart from `BlockingUnavailableError`.
   *
   * @example Wait on a page's main thread
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>();
   * const later = queue.getAsync();
   * queue.put(7);
   * assert.equal(await later, 7);
   * ```
   */
  async getAsync(options?: AsyncQueueOptions): Promise<T> {
    const value = await this.#core.getAsync(signalOf(options));
    if (value === DRAINED) this.#throwDrained();
    return value as T;
  }

  /**
   * Takes what is inside, at most `max` messages, the oldest first, in as few crossings as possible.
   *
   * - **Waits for:** the first message, blocking the thread; not for more.
   * - **Woken by:** a put.
   * - **Returns early:** never; if the queue closes meanwhile and nothing is left inside, it throws `ClosedError`.
   *
   * @param max How many at most, 1 or more, or `Infinity`.
   * @throws {RangeError} If `max` is less than 1 or no whole number.
   * @throws {TypeError} If a message cannot be decoded; those taken with it are in the error's `items`.
   * @throws All else that `get()` throws.
   *
   * @example Whatever is there
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>();
   * queue.putMany([1, 2, 3]);
   * assert.deepEqual(queue.getMany(2), [1, 2]);
   * ```
   */
  getMany(max: number): T[] {
    const values = this.#core.getMany(checkMost(max), Infinity);
    if (values === DRAINED) this.#throwDrained();
    return values as T[];
  }

  /**
   * The same as `getMany()` if there is a message in time.
   *
   * - **Waits for:** the first message, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a put.
   * - **Returns early:** `undefined` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `getMany()` throws.
   *
   * @example Nothing is there
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new Queue().tryGetMany(10, { timeout: 5 }), undefined);
   * ```
   */
  tryGetMany(max: number, options?: { timeout?: number }): T[] | undefined {
    const deadline = deadlineOf(options);
    const values = this.#core.getMany(checkMost(max), deadline);
    if (values === DRAINED) this.#throwDrained();
    return values === NOT_YET ? undefined : values as T[];
  }

  /**
   * The same as `getMany()` without blocking the thread.
   *
   * - **Waits for:** the first message.
   * - **Woken by:** a put, one task in each thread.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws All that `getMany()` throws, apart from `BlockingUnavailableError`.
   *
   * @example All that has come in
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>();
   * queue.putMany([1, 2]);
   * assert.deepEqual(await queue.getManyAsync(100), [1, 2]);
   * ```
   */
  async getManyAsync(max: number, options?: AsyncQueueOptions): Promise<T[]> {
    const values = await this.#core.getManyAsync(checkMost(max), signalOf(options));
    if (values === DRAINED) this.#throwDrained();
    return values as T[];
  }

  /**
   * Lets nothing more in. What is inside can still be got; then every get throws `ClosedError`, as every put does from
   * now on, in all threads. Those who wait wake up. Closing again does nothing.
   *
   * @example Drain it
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>();
   * queue.put(1);
   * queue.close();
   * assert.equal(queue.get(), 1);
   * assert.throws(() => queue.get());
   * ```
   */
  close(): void {
    this.#core.store.close();
  }

  /**
   * Says that one message which was got is done; `join()` waits until this was said once for each message put.
   *
   * @throws {RangeError} If it was said for all of them already.
   *
   * @example One put, one done
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * const queue = new Queue<number>();
   * queue.put(1);
   * queue.get();
   * queue.taskDone();
   * queue.join();
   * ```
   */
  taskDone(): void {
    if (this.#core.taskDone()) return;
    throw new RangeError(`Cannot finish a task of ${this.#core.title} as none is unfinished`);
  }

  /**
   * Waits until every message put has been reported done.
   *
   * - **Waits for:** as many calls of `taskDone()` as there were messages put, blocking the thread.
   * - **Woken by:** the last of them.
   * - **Returns early:** never. A consumer that died before its `taskDone()` leaves a message unfinished for ever: use
   *   `tryJoin()` where that may happen; `threadDump()` shows who waits.
   *
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Nothing was put
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * new Queue().join();
   * ```
   */
  join(): void {
    this.#core.join(Infinity);
  }

  /**
   * Waits until everything is done, but not for ever.
   *
   * - **Waits for:** what `join()` waits for, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** the last `taskDone()`.
   * - **Returns early:** `false` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more, or `Infinity`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `join()` throws.
   *
   * @example One message is unfinished
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new Queue<number>();
   * queue.put(1);
   * assert.equal(queue.tryJoin({ timeout: 5 }), false);
   * ```
   */
  tryJoin(options?: { timeout?: number }): boolean {
    return this.#core.join(deadlineOf(options));
  }

  /**
   * Waits until everything is done, without blocking the thread.
   *
   * - **Waits for:** what `join()` waits for.
   * - **Woken by:** the last `taskDone()`.
   * - **Returns early:** rejects with `signal.reason`.
   *
   * @param options `signal` gives up the wait.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Wait where blocking is not allowed
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * await new Queue().joinAsync();
   * ```
   */
  async joinAsync(options?: AsyncQueueOptions): Promise<void> {
    await this.#core.joinAsync(signalOf(options));
  }

  /**
   * The messages, each taken out as it comes, until the queue is closed and empty. Blocks the thread while it waits.
   *
   * @throws All that `get()` throws, apart from `ClosedError`.
   *
   * @example Until it is closed
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * const queue = new Queue<number>();
   * queue.putMany([1, 2]);
   * queue.close();
   * for (const item of queue) console.log(item);
   * ```
   */
  *[Symbol.iterator](): Generator<T, void, void> {
    for (;;) {
      const value = this.#core.get(Infinity);
      if (value === DRAINED) return;
      yield value as T;
    }
  }

  /**
   * The same without blocking the thread.
   *
   * @throws All that `getAsync()` throws, apart from `ClosedError`.
   *
   * @example Until it is closed
   * ```ts
   * import { Queue } from "@lockstep/lockstep";
   * const queue = new Queue<number>();
   * queue.putMany([1, 2]);
   * queue.close();
   * for await (const item of queue) console.log(item);
   * ```
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const value = await this.#core.getAsync(undefined);
      if (value === DRAINED) return;
      yield value as T;
    }
  }

  /** What printing it shows: class, name and state. */
  toString(): string {
    return this.#core.toString();
  }

  #throwDrained(): never {
    throw new ClosedError(`Cannot get from ${this.#core.title} as it is closed: nothing is left inside`);
  }
}
shareable("Queue", Queue.prototype, Queue.attach);
inspectable(Queue.prototype);
