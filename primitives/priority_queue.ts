/**
 * PriorityQueue: messages between threads, the most urgent first.
 *
 * The record and the proof of why it works are in the headers of `_queue_heap.ts` and `_queue_space.ts`.
 *
 * @module
 */

import { describe, optionsObject, signalOf } from "./_arguments.ts";
import { deadlineOf } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { shareable } from "./_handle.ts";
import { QueueCore } from "./_queue_core.ts";
import { itemsOf, makeQueue, openQueue } from "./_queue_make.ts";
import { type AsyncQueueOptions, Queue, type QueueOptions, type TryPutOptions } from "./queue.ts";

/** How urgent a message is. */
export interface PriorityOptions {
  /** Any number but NaN, by default 0; the lowest comes out first. */
  priority?: number;
}

/** How urgent each of many messages is. */
export interface PrioritiesOptions<T> {
  /** One priority for all, or a function that gives that of an item; by default 0. */
  priority?: number | ((item: T) => number);
}

/**
 * A queue whose get takes the message with the lowest priority number, and of equals the one that was put first.
 * Everything else is as in `Queue`.
 *
 * - **Memory:** 448 bytes, and for each message 36 bytes and its encoded length, rounded up to a multiple of 8.
 * - **Room:** messages are stored in one piece, so one that is longer than any gap waits until one is large enough.
 * - **Cost:** a put and a get take O(log n) steps with n messages inside.
 * - **Death:** a thread may end at any instruction, as with `Queue`: there is nothing to recover.
 *
 * @example The most urgent first
 * ```ts
 * import { PriorityQueue } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const queue = new PriorityQueue<string>();
 * queue.put("later", { priority: 5 });
 * queue.put("now", { priority: 1 });
 * assert.equal(queue.get(), "now");
 * ```
 */
export class PriorityQueue<T = unknown> extends Queue<T> {
  readonly #core: QueueCore;

  /**
   * Makes an empty queue.
   *
   * @param options Its name, bounds and place.
   * @throws {RangeError} If a bound is out of range.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options?: QueueOptions) {
    const core = options instanceof QueueCore ? options : makeQueue("PriorityQueue", options);
    super(core as QueueOptions);
    this.#core = core;
  }

  /**
   * The queue that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a PriorityQueue, or damaged.
   */
  static override attach<T = unknown>(handle: Handle): PriorityQueue<T> {
    return new PriorityQueue<T>(openQueue("PriorityQueue", handle) as QueueOptions);
  }

  /**
   * Adds a copy of `item`; see `Queue.put()`.
   *
   * @throws {RangeError} If the priority is NaN.
   *
   * @example Equals keep their order
   * ```ts
   * import { PriorityQueue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new PriorityQueue<string>();
   * queue.put("first", { priority: 1 });
   * queue.put("second", { priority: 1 });
   * assert.equal(queue.get(), "first");
   * ```
   */
  override put(item: T, options?: PriorityOptions): void {
    this.#core.put(item, priorityOf(options), Infinity);
  }

  /**
   * Adds a copy of `item` if there is room in time; see `Queue.tryPut()`.
   *
   * @throws {RangeError} If the priority is NaN.
   *
   * @example Wait a moment for room
   * ```ts
   * import { PriorityQueue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert(new PriorityQueue<string>().tryPut("a", { priority: -1, timeout: 10 }));
   * ```
   */
  override tryPut(item: T, options?: TryPutOptions & PriorityOptions): boolean {
    const deadline = deadlineOf(options);
    return this.#core.put(item, priorityOf(options), deadline);
  }

  /**
   * Adds a copy of `item`, taken now, without blocking the thread; see `Queue.putAsync()`.
   *
   * @throws {RangeError} If the priority is NaN.
   *
   * @example Wait where blocking is not allowed
   * ```ts
   * import { PriorityQueue } from "@lockstep/lockstep";
   * await new PriorityQueue<string>().putAsync("a", { priority: 2 });
   * ```
   */
  override async putAsync(item: T, options?: AsyncQueueOptions & PriorityOptions): Promise<void> {
    const signal = signalOf(options);
    signal?.throwIfAborted();
    await this.#core.putAsync(item, priorityOf(options), signal);
  }

  /**
   * Adds copies of all items; see `Queue.putMany()`.
   *
   * @throws {RangeError} If a priority is NaN; nothing is put then.
   *
   * @example A priority for each
   * ```ts
   * import { PriorityQueue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const queue = new PriorityQueue<number>();
   * queue.putMany([3, 1, 2], { priority: (item) => item });
   * assert.deepEqual(queue.getMany(3), [1, 2, 3]);
   * ```
   */
  override putMany(items: Iterable<T>, options?: PrioritiesOptions<T>): void {
    this.#core.putMany(itemsOf(items), prioritiesOf(options), Infinity);
  }

  /**
   * Adds copies of as many of the items as find room in time; see `Queue.tryPutMany()`.
   *
   * @throws {RangeError} If a priority is NaN; nothing is put then.
   *
   * @example Two of three
   * ```ts
   * import { PriorityQueue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new PriorityQueue<number>({ maxSize: 2 }).tryPutMany([1, 2, 3], { priority: 7 }), 2);
   * ```
   */
  override tryPutMany(items: Iterable<T>, options?: TryPutOptions & PrioritiesOptions<T>): number {
    const deadline = deadlineOf(options);
    return this.#core.putMany(itemsOf(items), prioritiesOf(options), deadline);
  }

  /**
   * Adds copies of all items, taken now, without blocking the thread; see `Queue.putManyAsync()`.
   *
   * @throws {RangeError} If a priority is NaN; nothing is put then.
   *
   * @example Wait where blocking is not allowed
   * ```ts
   * import { PriorityQueue } from "@lockstep/lockstep";
   * await new PriorityQueue<number>().putManyAsync([1, 2], { priority: 2 });
   * ```
   */
  override async putManyAsync(items: Iterable<T>, options?: AsyncQueueOptions & PrioritiesOptions<T>): Promise<number> {
    const signal = signalOf(options);
    signal?.throwIfAborted();
    return await this.#core.putManyAsync(itemsOf(items), prioritiesOf(options), signal);
  }

  /**
   * Repairs the queue after a death: there is nothing to do, as whoever uses it next repairs it in passing. The method
   * is here for code that treats all that can be recovered alike.
   *
   * @example Nothing to recover
   * ```ts
   * import { PriorityQueue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new PriorityQueue().recover(), undefined);
   * ```
   */
  recover(): undefined {
    return undefined;
  }
}
shareable("PriorityQueue", PriorityQueue.prototype, PriorityQueue.attach);

function priorityOf(options: PriorityOptions | undefined): number {
  const { priority } = optionsObject<PriorityOptions>(options);
  return priority === undefined ? 0 : checkPriority(priority);
}

function prioritiesOf<T>(options: PrioritiesOptions<T> | undefined): number | ((item: unknown) => number) {
  const { priority } = optionsObject<PrioritiesOptions<T>>(options);
  if (typeof priority !== "function") return priority === undefined ? 0 : checkPriority(priority);
  return (item) => checkPriority(priority(item as T));
}

function checkPriority(priority: unknown): number {
  if (typeof priority !== "number") {
    throw new TypeError(`Cannot put as priority must be a number: it is ${describe(priority)}`);
  }
  if (Number.isNaN(priority)) throw new RangeError("Cannot put as priority must be a number that compares: it is NaN");
  return priority;
}
