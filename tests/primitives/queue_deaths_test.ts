// D3 D4: a thread that puts or gets dies at any of its steps; the next one finds the queue as it was before or after.

import { ClosedError } from "../../primitives/errors.ts";
import { LifoQueue } from "../../primitives/lifo_queue.ts";
import { PriorityQueue } from "../../primitives/priority_queue.ts";
import { Queue } from "../../primitives/queue.ts";
import { assert, test } from "../_harness.ts";
import { dies } from "./_deaths.ts";

const CLASSES = [Queue, LifoQueue, PriorityQueue] as const;
type Kind = (typeof CLASSES)[number];

interface Scene {
  readonly name: string;
  readonly maxBytes?: number;
  readonly maxSize?: number;
  prepare(queue: Queue<unknown>): void;
  act(queue: Queue<unknown>): void;
  /** Beside before and after, whatever stands between them is right too: the operation is many. */
  readonly many?: boolean;
  /** Only for Queue. */
  readonly ring?: boolean;
}

const object = { text: "an object of some length", list: [1, 2, 3] };
const large = new Uint8Array(5000).fill(7);

function turn(queue: Queue<unknown>, times: number, value: unknown): void {
  for (let i = 0; i < times; i++) {
    queue.put(value);
    queue.get();
  }
}

const SCENES: readonly Scene[] = [
  { name: "put of a number", prepare: (queue) => queue.put(1), act: (queue) => queue.put(2) },
  { name: "put of a double into an empty queue", prepare: () => {}, act: (queue) => queue.put(0.5) },
  { name: "put of an object", prepare: (queue) => queue.put(1), act: (queue) => queue.put(object) },
  {
    name: "put over the end of the ring",
    maxBytes: 104,
    prepare: (queue) => turn(queue, 5, "sixteen bytes to"),
    act: (queue) => queue.put("a text that goes over the end of the ring"),
  },
  {
    name: "put that finds a bounded queue nearly full",
    maxSize: 3,
    prepare: (queue) => queue.putMany([1, 2]),
    act: (queue) => queue.put(3),
  },
  { name: "get of a number", prepare: (queue) => queue.putMany([1, 2, 3]), act: (queue) => void queue.get() },
  {
    name: "get of an object",
    prepare: (queue) => queue.putMany([object, 2, object]),
    act: (queue) => void queue.get(),
  },
  { name: "get of an array", prepare: (queue) => queue.putMany([large, large]), act: (queue) => void queue.get() },
  {
    name: "putMany",
    prepare: (queue) => queue.put(1),
    act: (queue) => queue.putMany([2, object, 3]),
    many: true,
  },
  {
    name: "getMany",
    prepare: (queue) => queue.putMany([1, object, 3, 4]),
    act: (queue) => void queue.getMany(3),
    many: true,
  },
  {
    name: "put that rewinds the ring",
    ring: true,
    maxBytes: 200_000,
    prepare: (queue) => turn(queue, 27, large), // 27 * 5008 is beyond 128 KiB, 26 are not
    act: (queue) => queue.put(large),
  },
  {
    name: "put beside gaps",
    maxBytes: 2000,
    prepare(queue) {
      queue.putMany([1, object, 2, "text", 3, object, 4]);
      queue.getMany(3);
    },
    act: (queue) => queue.put("a text that fits here or there"),
  },
  { name: "close", prepare: (queue) => queue.put(1), act: (queue) => queue.close() },
  { name: "taskDone", prepare: (queue) => queue.put(1), act: (queue) => queue.taskDone() },
];

/** All that is inside; asks for one more, since whoever comes next may find what a dead thread has put. */
function drained(queue: Queue<unknown>): unknown[] {
  const values: unknown[] = [];
  try {
    for (let box; (box = queue.tryGet()) !== undefined;) values.push(box.value);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
  return values;
}

/** How many are unfinished; they are finished then. */
function unfinished(queue: Queue<unknown>): number {
  let count = 0;
  for (; !queue.tryJoin(); count++) queue.taskDone();
  return count;
}

interface Reference {
  readonly values: unknown[];
  readonly left: number;
}

/** What is inside, and how many are unfinished, with and without the operation. */
function reference(Kind: Kind, scene: Scene, acts: boolean): Reference {
  const queue = new Kind<unknown>({ maxBytes: 12_000, ...scene });
  scene.prepare(queue);
  if (acts) scene.act(queue);
  return { values: drained(queue), left: unfinished(queue) };
}

function same(one: unknown, two: unknown): boolean {
  try {
    assert.deepEqual(one, two);
    return true;
  } catch {
    return false;
  }
}

/** How many numbers fit, the queue being empty. */
function room(queue: Queue<unknown>): number {
  let count = 0;
  while (queue.tryPut(1)) count++;
  return count;
}

for (const Kind of CLASSES) {
  for (const scene of SCENES) {
    if (scene.ring === true && Kind !== Queue) continue;
    test(`D3 D4 ${Kind.name}: death at each step of ${scene.name}`, () => {
      const [before, after] = [false, true].map((acts) => reference(Kind, scene, acts)) as [Reference, Reference];
      const fresh = room(new Kind<unknown>({ maxBytes: 12_000, ...scene }));
      const ends = new Set<string>();
      for (let turn = 0;; turn++) {
        const steps = turn >> 1;
        const puts = (turn & 1) === 1; // whoever comes next puts, or gets
        const queue = new Kind<unknown>({ maxBytes: 12_000, ...scene });
        scene.prepare(queue);
        const { handle } = queue;
        const done = dies(handle, steps, () => Kind.attach<unknown>(handle), (victim) => scene.act(victim));
        const { closed } = queue;
        const mark = puts && !closed && queue.tryPut("mark");
        const values = drained(queue);
        if (mark) assert.equal(Kind === LifoQueue ? values.shift() : values.pop(), "mark");
        const end = same(values, after.values) ? "after" : same(values, before.values) ? "before" : undefined;
        if (end === undefined && scene.many !== true) assert.deepEqual(values, after.values, `after ${steps} steps`);
        if (done) assert.deepEqual(values, after.values);
        assert.equal(queue.size, 0);
        ends.add(end ?? "between");
        const left = unfinished(queue);
        if (end !== undefined && !same(before.values, after.values)) {
          assert.equal(left - Number(mark), (end === "after" ? after : before).left);
        }
        if (!closed) {
          assert.equal(room(queue), fresh, `room leaked after ${steps} steps`);
          queue.close();
        }
        while (queue.size > 0) queue.get();
        assert.throws(() => queue.get(), /closed/);
        assert(steps < 5000);
        if (done && puts) break;
      }
      if (!same(before.values, after.values)) assert(ends.has("after") && ends.has("before"));
    });
  }
}
