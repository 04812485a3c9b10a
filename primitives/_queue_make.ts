// Makes and opens the records of the three queues.

import { checkInteger, checkName, describe, optionsObject } from "./_arguments.ts";
import { load, store } from "./_atomics.ts";
import { makeHandle, openHandle } from "./_handle.ts";
import type { FullHandle, Handle } from "./_handle.ts";
import type { Kind, Placement } from "./_layout.ts";
import { padded } from "./_layout.ts";
import { createRecord } from "./_memory.ts";
import { MAX_BYTES, MAX_SIZE, QUEUE_WORDS, QueueCore } from "./_queue_core.ts";
import { fillHeap, HEAP_WORDS, heapBytes, HeapStore } from "./_queue_heap.ts";
import { RingStore } from "./_queue_ring.ts";
import { RING_WORDS, ringBytes } from "./_ring.ts";
import { LayoutError } from "./errors.ts";

/** The classes that are queues. */
export type QueueKind = Extract<Kind, "Queue" | "LifoQueue" | "PriorityQueue">;

/** Options of all queues, checked by makeQueue(). */
export interface QueueParameters {
  name?: string;
  maxSize?: number;
  maxBytes?: number;
  at?: Placement;
}

const DEFAULT_BYTES = 64 * 1024 * 1024;
const LEAST_BYTES = 64;
const MOST_BYTES = 1024 * 1024 * 1024 - 1024; // what 30 bits of length can say, heads included

/** A queue in a fresh record. */
export function makeQueue(kind: QueueKind, options: QueueParameters | undefined): QueueCore {
  const { name = "", maxSize = 0, maxBytes = DEFAULT_BYTES, at } = optionsObject<QueueParameters>(options);
  checkName(`a ${kind}`, name);
  checkInteger("maxSize", maxSize, 0, 0x7fffffff);
  checkInteger("maxBytes", maxBytes, LEAST_BYTES, MOST_BYTES);
  const { words, roster } = createRecord(kind, byteLengthOf(kind, maxBytes), at, (words) => {
    store(words, MAX_SIZE, maxSize);
    store(words, MAX_BYTES, maxBytes);
    if (kind !== "Queue") fillHeap(words, QUEUE_WORDS, maxBytes);
  });
  return coreOf(kind, { words, roster, name });
}

/** The queue that a handle stands for. */
export function openQueue(kind: QueueKind, handle: Handle): QueueCore {
  const attached = openHandle(kind, handle, byteLengthOf(kind, LEAST_BYTES));
  const maxBytes = load(attached.words, MAX_BYTES);
  if (maxBytes < LEAST_BYTES || maxBytes > MOST_BYTES || attached.words.byteLength < byteLengthOf(kind, maxBytes)) {
    throw new LayoutError(`Cannot attach ${kind} as the memory does not hold all of it: maxBytes says ${maxBytes}`, {
      expected: `${byteLengthOf(kind, LEAST_BYTES)} bytes or more`,
      actual: `${attached.words.byteLength} bytes`,
    });
  }
  return coreOf(kind, attached);
}

/** What crosses threads in a queue's place. */
export function queueHandle(core: QueueCore): FullHandle {
  return makeHandle(core.kind, core.words, core.roster, core.name);
}

/** Bytes of a whole record. */
function byteLengthOf(kind: QueueKind, maxBytes: number): number {
  return padded(
    4 * QUEUE_WORDS + (kind === "Queue" ? 4 * RING_WORDS + ringBytes(maxBytes) : 4 * HEAP_WORDS + heapBytes(maxBytes)),
  );
}

function coreOf(kind: QueueKind, { words, roster, name }: Pick<QueueCore, "words" | "roster" | "name">): QueueCore {
  const maxSize = load(words, MAX_SIZE) >>> 0;
  const maxBytes = load(words, MAX_BYTES);
  const messages = kind === "Queue"
    ? new RingStore(words, roster, QUEUE_WORDS, QUEUE_WORDS + RING_WORDS, ringBytes(maxBytes), maxSize)
    : new HeapStore(words, roster, QUEUE_WORDS, maxBytes, maxSize, kind === "LifoQueue");
  return new QueueCore(kind, words, roster, name, messages);
}

/** Checks how many messages a get may take. */
export function checkMost(max: unknown): number {
  return max === Infinity ? Infinity : checkInteger("max", max, 1, Number.MAX_SAFE_INTEGER);
}

/** The items of a put of many, as they are now. */
export function itemsOf<T>(items: Iterable<T>): readonly T[] {
  if (typeof items !== "object" || items === null || typeof items[Symbol.iterator] !== "function") {
    throw new TypeError(`Cannot put many as items must be iterable: they are ${describe(items)}`);
  }
  return [...items];
}
