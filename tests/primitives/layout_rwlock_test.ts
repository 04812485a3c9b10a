// Golden offsets: changing one raises LAYOUT_VERSION.

import type { FullHandle } from "../../primitives/_handle.ts";
import { RWLock } from "../../primitives/rwlock.ts";
import { assert, test } from "../_harness.ts";

test("an RWLock for 2 threads is laid out as its header says", async () => {
  const lock = new RWLock({ threads: 2, rank: -7 });
  const { buffer, byteOffset, byteLength } = lock.handle as FullHandle;
  const words = new Int32Array(buffer, byteOffset, byteLength / 4);
  assert.equal(words.length, 20 + 2 * 4);
  assert.equal(words[0], 0x4c090001);
  assert.deepEqual([...words.slice(3)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, -7, ...new Array(12).fill(0)]);
  const writer = lock.write();
  const me = words[3]!;
  assert.equal(me, lock.writer);
  const waits = [lock.readAsync(), lock.readAsync(), lock.writeAsync()];
  await Promise.resolve();
  assert.deepEqual([...words.slice(3, 10)], [me, 0, 1, 2, 3, 0, 0]); // WRITER READERS WRITERS WAITERS TASKS ENTITLED HEIR
  assert.deepEqual([...words.slice(20, 24)], [me, 0, 2 | 2 << 3, 0]); // THREAD READS WAITS GRANTS
  writer.release();
  assert.deepEqual([...words.slice(3, 13)], [0, 0, 1, 2, 3, 2, 0, 1, 1, 1]); // … ENTITLED HEIR FREED OPENED GATE
  assert.equal(words[23], 2);
  for (const wait of waits) (await wait).release();
  assert.deepEqual([...words.slice(3, 10)], [0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...words.slice(20, 24)], [me, 0, 0, 0]);
});
