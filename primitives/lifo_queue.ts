/**
 * LifoQueue: messages between threads, last in first out.
 *
 * The record and the proof of why it works are in the headers of `_queue_heap.ts` and `_queue_space.ts`.
 *
 * @module
 */

import type { Handle } from "./_handle.ts";
import { shareable } from "./_handle.ts";
import { QueueCore } from "./_queue_core.ts";
import { makeQueue, openQueue } from "./_queue_make.ts";
import { Queue, type QueueOptions } from "./queue.ts";

/**
 * A queue whose get takes the message that was put last: a stack that threads share. Everything else is as in `Queue`.
 *
 * - **Memory:** 448 bytes, and for each message 36 bytes and its encoded length, rounded up to a multiple of 8.
 * - **Room:** messages are stored in one piece, so one that is longer than any gap waits until one is large enough.
 * - **Death:** a thread may end at any instruction, as with `Queue`: there is nothing to recover.
 *
 * @example Last in, first out
 * ```ts
 * import { LifoQueue } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const stack = new LifoQueue<string>();
 * stack.put("a");
 * stack.put("b");
 * assert.equal(stack.get(), "b");
 * ```
 */
export class LifoQueue<T = unknown> extends Queue<T> {
  /**
   * Makes an empty queue.
   *
   * @param options Its name, bounds and place.
   * @throws {RangeError} If a bound is out of range.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options?: QueueOptions) {
    super((options instanceof QueueCore ? options : makeQueue("LifoQueue", options)) as QueueOptions);
  }

  /**
   * The queue that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of a LifoQueue, or damaged.
   */
  static override attach<T = unknown>(handle: Handle): LifoQueue<T> {
    return new LifoQueue<T>(openQueue("LifoQueue", handle) as QueueOptions);
  }

  /**
   * Repairs the queue after a death: there is nothing to do, as whoever uses it next repairs it in passing. The method
   * is here for code that treats all that can be recovered alike.
   *
   * @example Nothing to recover
   * ```ts
   * import { LifoQueue } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new LifoQueue().recover(), undefined);
   * ```
   */
  recover(): undefined {
    return undefined;
  }
}
shareable("LifoQueue", LifoQueue.prototype, LifoQueue.attach);
