// What is LifoQueue's own; the rest it shares with Queue is in queue_test.ts.

import { LifoQueue } from "../../primitives/mod.ts";
import { assert, random, test } from "../_harness.ts";

test("Q1 LifoQueue: last in, first out", () => {
  const stack = new LifoQueue<unknown>();
  stack.put("a");
  stack.put({ b: 1 });
  stack.put(3);
  assert.deepEqual([stack.get(), stack.get()], [3, { b: 1 }]);
  stack.put("c");
  assert.deepEqual(stack.getMany(9), ["c", "a"]);
  assert.equal(stack.recover(), undefined);
});

test("LifoQueue: does as an array with push() and pop() does, whatever the sizes", () => {
  const prng = random();
  const stack = new LifoQueue<unknown>({ maxBytes: 5000 });
  const model: unknown[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (prng.chance(0.52)) {
      const item = prng.chance(0.3) ? i : "x".repeat(prng.below(prng.chance(0.1) ? 2000 : 60)) + i;
      if (stack.tryPut(item)) model.push(item);
    } else if (prng.chance(0.9)) assert.equal(stack.tryGet()?.value, model.pop());
    else assert.deepEqual(stack.tryGetMany(3) ?? [], model.splice(-3).reverse());
    assert.equal(stack.size, model.length);
  }
  assert.deepEqual(stack.tryGetMany(Infinity) ?? [], model.reverse());
  assert.equal(stack.tryPut(new Uint8Array(5000)), true, "the whole space is one block again");
});
