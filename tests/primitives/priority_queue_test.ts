// What is PriorityQueue's own; the rest it shares with Queue is in queue_test.ts.

import type { FullHandle } from "../../primitives/_handle.ts";
import { PriorityQueue, Queue } from "../../primitives/mod.ts";
import { assert, random, test } from "../_harness.ts";

test("Q1 PriorityQueue: the lowest number first, equals in the order of their puts, none given is 0", () => {
  const queue = new PriorityQueue<string>();
  queue.put("none");
  queue.put("b1", { priority: 5 });
  queue.put("a", { priority: -3 });
  queue.put("b2", { priority: 5 });
  queue.put("zero", { priority: 0 });
  queue.put("minus zero", { priority: -0 });
  assert.deepEqual(queue.getMany(9), ["a", "none", "zero", "minus zero", "b1", "b2"]);
  assert.equal(queue.recover(), undefined);
});

test("Q1 PriorityQueue: every kind of number compares as it does", () => {
  const queue = new PriorityQueue<number>();
  const order = [
    -Infinity,
    -1e300,
    -2.5,
    -2,
    -1 - Number.EPSILON * 2 ** 31, // the low words of their bits compare without a sign
    -1 - Number.EPSILON,
    -1e-300,
    0,
    5e-324,
    1e-300,
    1,
    1 + Number.EPSILON,
    1 + Number.EPSILON * 2 ** 31,
    2 ** 53,
    1e300,
    Infinity,
  ];
  queue.putMany(random().shuffle(order), { priority: (item) => item });
  assert.deepEqual(queue.getMany(99), order);
});

test("Q1 PriorityQueue: NaN is RangeError, no number TypeError, and nothing went in", async () => {
  const queue = new PriorityQueue<number>();
  for (
    const call of [
      (priority: number) => queue.put(1, { priority }),
      (priority: number) => queue.tryPut(1, { priority }),
      (priority: number) => queue.putAsync(1, { priority }),
      (priority: number) => queue.putMany([1], { priority }),
      (priority: number) => queue.putMany([1, 2], { priority: (item) => item === 2 ? priority : 0 }),
      (priority: number) => queue.tryPutMany([1], { priority }),
      (priority: number) => queue.putManyAsync([1], { priority }),
    ]
  ) {
    await assert.rejects(async () => await call(NaN), RangeError);
    for (const wrong of ["1", null, 1n]) await assert.rejects(async () => await call(wrong as never), TypeError);
  }
  assert.equal(queue.size, 0);
  queue.join();
});

test("PriorityQueue: every form of put takes a priority", async () => {
  const queue = new PriorityQueue<string>();
  queue.put("e", { priority: 5 });
  assert(queue.tryPut("d", { priority: 4, timeout: 1 }));
  await queue.putAsync("c", { priority: 3 });
  queue.putMany(["b1", "b2"], { priority: 2 });
  assert.equal(queue.tryPutMany(["a"], { priority: 1 }), 1);
  assert.equal(await queue.putManyAsync(["z", "y"], { priority: (item) => item === "z" ? -2 : -1 }), 2);
  assert.deepEqual([...closed(queue)], ["z", "y", "a", "b1", "b2", "c", "d", "e"]);
});

function closed<T>(queue: PriorityQueue<T>): PriorityQueue<T> {
  queue.close();
  return queue;
}

test("PriorityQueue.putMany() keeps its messages apart from what its priority function sends elsewhere", () => {
  const [queue, log] = [new PriorityQueue<{ id: number }>(), new Queue<unknown>()];
  const priority = ({ id }: { id: number }): number => {
    log.put({ id: 99 });
    log.put(["of another shape", id]);
    return -id;
  };
  queue.putMany([{ id: 1 }, { id: 2 }], { priority });
  assert.deepEqual(queue.getMany(9), [{ id: 2 }, { id: 1 }]);
  assert.equal(log.size, 4);
});

test("PriorityQueue: does as a sorted list does, whatever the sizes", () => {
  const prng = random();
  const queue = new PriorityQueue<unknown>({ maxBytes: 5000 });
  const model: { item: unknown; priority: number; serial: number }[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (prng.chance(0.52)) {
      const item = prng.chance(0.3) ? i : "x".repeat(prng.below(prng.chance(0.1) ? 2000 : 60)) + i;
      const priority = prng.below(7) - 3;
      if (queue.tryPut(item, { priority })) model.push({ item, priority, serial: i });
      model.sort((a, b) => a.priority - b.priority || a.serial - b.serial);
    } else assert.equal(queue.tryGet()?.value, model.shift()?.item);
    assert.equal(queue.size, model.length);
  }
  assert.deepEqual(queue.tryGetMany(Infinity) ?? [], model.map(({ item }) => item));
  assert.equal(queue.tryPut(new Uint8Array(5000)), true, "the whole space is one block again");
});

test("PriorityQueue: equals keep their order when the count of puts wraps", () => {
  const queue = new PriorityQueue<number>();
  const { buffer } = queue.handle as FullHandle;
  const words = new Int32Array(buffer);
  words[32] = -3; // PUTS
  words[16] = -3; // DONES
  for (let i = 0; i < 8; i++) queue.put(i);
  assert.deepEqual([words[32], words[33]], [5, 1]); // PUTS, EPOCH
  assert.deepEqual(queue.getMany(9), [0, 1, 2, 3, 4, 5, 6, 7]);
  for (let i = 0; i < 8; i++) queue.taskDone();
  assert.throws(() => queue.taskDone(), RangeError);
  queue.join();
});
