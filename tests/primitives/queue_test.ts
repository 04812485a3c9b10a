/** Unit tests of Queue. Names begin with the line of PYTHON.md that they check. */

import { Queue } from "../../primitives/queue.ts";
import { assert, test } from "../_harness.ts";

test("Queue.put() and get() keep the order and the values", () => {
  const queue = new Queue<unknown>({ name: "jobs" });
  const values = [1, "a", { x: [1] }, undefined, null, true, false, -0, 1.5, NaN, new Float64Array([1, 2])];
  for (const value of values) queue.put(value);
  assert.equal(String(queue), `Queue "jobs" (size=${values.length})`);
  for (const value of values) assert.deepEqual(queue.get(), value);
  assert.equal(queue.tryGet(), undefined);
});
