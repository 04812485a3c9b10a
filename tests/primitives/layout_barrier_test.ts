// Golden offsets: changing one raises LAYOUT_VERSION.

import type { FullHandle } from "../../primitives/_handle.ts";
import { Barrier } from "../../primitives/barrier.ts";
import { assert, test } from "../_harness.ts";

test("a Barrier of 33 for 2 threads is laid out as its header says", async () => {
  const barrier = new Barrier(33, { threads: 2, timeout: 1.5 });
  const { buffer, byteOffset, byteLength } = barrier.handle as FullHandle;
  const words = new Int32Array(buffer, byteOffset, byteLength / 4);
  assert.equal(words.length, 28 + 2 + 2 * 4);
  assert.equal(words[0], 0x4c080001);
  assert.deepEqual([...words.slice(3, 14)], [0, 0, 0, 0, 0, 0, 0, 33, 2, 0, 0x3ff80000]);
  assert.deepEqual([...words.slice(14)], new Array(24).fill(0));
  const waits = [1, 2].map(() => barrier.waitAsync({ timeout: 1e9 }).catch((error) => error.code));
  assert.deepEqual([words[4], words[5], words[14], words[28], words[29]], [0, 2, 0, 3, 0]); // FILLING, ARRIVED, PLACES
  assert.deepEqual([words[30]! > 0, ...words.slice(31, 34)], [true, 2, 0, 0]); // THREAD WAITING ACTIONS RESULT
  barrier.abort();
  assert.deepEqual([...words.slice(3, 10)], [1, 3, 0, 0, 2, 1, 1]); // ROUND BROKEN ARRIVED ACTOR ABORTED SETTLED TURN
  assert.deepEqual([...words.slice(31, 34)], [0, 0, 2]); // RESULT
  assert.deepEqual(await Promise.all(waits), ["broken-barrier", "broken-barrier"]);
  assert.deepEqual([...words.slice(31, 34)], [0, 0, 0]);
});
