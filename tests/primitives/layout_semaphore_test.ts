// Golden offsets: changing one raises LAYOUT_VERSION.

import { agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import type { Roster } from "../../primitives/_roster.ts";
import { BoundedSemaphore, Semaphore } from "../../primitives/semaphore.ts";
import { assert, test } from "../_harness.ts";

function wordsOf(semaphore: Semaphore): Int32Array {
  const { buffer, byteOffset, byteLength } = semaphore.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

test("a Semaphore of 5 for 2 threads is laid out as its header says", () => {
  const semaphore = new Semaphore(5, { threads: 2 });
  const words = wordsOf(semaphore);
  assert.equal(words.length, 16 + 2 * 3 + 2);
  assert.equal(words[0], 0x4c050001);
  assert.deepEqual([...words.slice(3, 7)], [5, 5, 0x7fffffff, 2]); // VALUE TOTAL BOUND THREADS
  assert.deepEqual([...words.slice(7)], new Array(17).fill(0));
  const guard = semaphore.acquire();
  assert.deepEqual([...words.slice(3, 13)], [4, 5, 0x7fffffff, 2, 0, 0, 0, 0, 0, 0]);
  assert.equal(words[16]! > 0, true); // THREAD
  assert.deepEqual([...words.slice(17)], [1, 0, 0, 0, 0, 0, 0]); // HELD
  guard.release();
  assert.deepEqual([...words.slice(17)], [0, 0, 0, 0, 0, 0, 0]);
});

test("a BoundedSemaphore has its bound, and a release() ends a hold", () => {
  const semaphore = new BoundedSemaphore(5, { threads: 2 });
  const words = wordsOf(semaphore);
  assert.equal(words[0], 0x4c060001);
  assert.deepEqual([...words.slice(3, 7)], [5, 5, 5, 2]);
  semaphore.acquire();
  semaphore.release();
  assert.deepEqual([...words.slice(3, 16)], [5, 5, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...words.slice(17)], [0, 0, 0, 0, 0, 0, 0]);
});

test("a release() that may be for two other threads stands in OWED and EPOCH, and their permits in OLD", () => {
  const semaphore = new BoundedSemaphore(5, { threads: 3 });
  const words = wordsOf(semaphore);
  semaphore.acquire().release();
  const { me } = [...agent.rosters.values()].at(-1) as Roster;
  assert.equal(words[16], me);
  words.set([me + 1, 1, 0, me + 2, 2, 0], 19); // as if two others had taken three
  words[3] = 2;
  semaphore.release();
  assert.deepEqual([...words.slice(3, 16)], [3, 5, 5, 3, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
  assert.deepEqual([...words.slice(17)], [0, 0, me + 1, 1, 0, me + 2, 2, 0, 0, 1, 2]);
  semaphore.release(2);
  assert.deepEqual([...words.slice(3, 16)], [5, 5, 5, 3, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
  assert.deepEqual([...words.slice(17)], [0, 0, me + 1, 0, 0, me + 2, 0, 0, 0, 0, 0]);
});

test("Semaphore waiters stand in SLEEPERS, TASKS and their thread's cell", async () => {
  const semaphore = new Semaphore(0, { threads: 1 });
  const words = wordsOf(semaphore);
  const waiting = semaphore.acquireAsync();
  await Promise.resolve();
  assert.deepEqual([words[7], words[8], words[18]], [0, 1, 2]);
  semaphore.release();
  (await waiting).release();
  assert.deepEqual([...words.slice(3, 13)], [1, 1, 0x7fffffff, 1, 0, 0, 1, 0, 0, 0]);
  assert.equal(words[18], 0);
});
