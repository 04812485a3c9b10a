// Golden offsets: changing one raises LAYOUT_VERSION. Those of other records stand in layout_<name>_test.ts.

import type { FullHandle } from "../../primitives/_handle.ts";
import { Condition, Event, Latch, Lock, RLock, SharedArray, SharedValue } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";

function wordsOf(shared: { readonly handle: unknown }): Int32Array {
  const { buffer, byteOffset, byteLength } = shared.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

test("Lock and RLock: TAG ID OWNER GATE TASKS HEIR FLAGS RANK", async () => {
  for (const [lock, tag] of [[new Lock({ rank: -7 }), 0x4c020001], [new RLock({ rank: -7 }), 0x4c030001]] as const) {
    const words = wordsOf(lock);
    assert.deepEqual([words.length, words[0], words[7], words[8]], [16, tag, 2, -7]);
    const guard = lock.acquire();
    assert.equal(words[3], lock.owner!);
    const waiting = lock.acquireAsync();
    await settle();
    assert.deepEqual([words[3], words[5]], [lock.owner! | (1 << 31), 1]);
    guard.release();
    (await waiting).release();
    assert.deepEqual([...words.slice(3)], [0, words[4]!, 0, 0, 2, -7, 0, 0, 0, 0, 0, 0, 0]);
  }
  assert.equal(wordsOf(new Lock({ handoff: true }))[7], 1);
});

test("Event: STATE with its set bit, its waiters bit and its generation", async () => {
  const event = new Event();
  const words = wordsOf(event);
  assert.deepEqual([words.length, words[0]], [16, 0x4c070001]);
  assert.deepEqual([...words.slice(3)], new Array(13).fill(0));
  const waiting = event.waitAsync();
  await settle();
  assert.equal(words[3], 2);
  event.set();
  assert.equal(words[3], 5);
  await waiting;
  event.clear();
  assert.equal(words[3], 4);
});

test("Latch: COUNT with its waiters bit", async () => {
  const latch = new Latch(3);
  const words = wordsOf(latch);
  assert.deepEqual([words.length, words[0], words[3]], [16, 0x4c0a0001, 3]);
  const waiting = latch.waitAsync();
  await settle();
  assert.equal(words[3], 3 | (1 << 31));
  latch.countDown(3);
  assert.equal(words[3], 0);
  await waiting;
});

test("Condition: THREADS LOCK HIGH TICKETS, the monitor, cells of THREAD WAITING GRANTED SYNC TICKET TAKEN ASLEEP, its lock", async () => {
  const condition = new Condition(undefined, { threads: 3 });
  const words = wordsOf(condition);
  assert.deepEqual([words.length, words[0], words[3], words[4]], [64 + 16, 0x4c040001, 3, 0]);
  assert.equal(words[64], 0x4c030001);
  const waiting = condition.withLockAsync(() => condition.waitAsync());
  await settle();
  const me = words[32]!;
  assert.deepEqual([words[5], words[6], ...words.slice(33, 40)], [1, 1, 1, 0, 0, 1, 0, 2, 0]);
  const guard = condition.acquire();
  assert.equal(words[64 + 3], me);
  condition.notify();
  assert.deepEqual([...words.slice(33, 40)], [0, 1, 0, 0, 0, 2, 0]);
  guard.release();
  await waiting;
  assert.deepEqual([...words.slice(32, 40)], [me, 0, 0, 0, 0, 0, 0, 0]);
  const given = wordsOf(new Condition(new Lock(), { threads: 3 }));
  assert.deepEqual([given.length, given[4]], [64, 1]);
});

test("SharedValue: TYPE LOCK, the cell at byte 32, its lock at byte 64", () => {
  const words = wordsOf(new SharedValue("i32", -5));
  assert.deepEqual([words.length, words[0], words[3], words[4], words[8]], [32, 0x4c0b0001, 5, 1, -5]);
  assert.equal(words[16], 0x4c030001);
  const bare = wordsOf(new SharedValue("f64", 1.5, { lock: false }));
  assert.deepEqual([bare.length, bare[3], bare[4]], [16, 10, 0]);
  assert.equal(new Float64Array(bare.buffer, bare.byteOffset + 32, 1)[0], 1.5);
  assert.equal(wordsOf(new SharedValue("u8", 1, { lock: new Lock() }))[4], 2);
});

test("SharedArray: TYPE LOCK LENGTH, its lock at byte 64, the items behind", () => {
  const words = wordsOf(new SharedArray("i32", [1, 2, 3]));
  assert.deepEqual([words.length, words[0], ...words.slice(3, 6)], [48, 0x4c0c0001, 5, 1, 3]);
  assert.deepEqual([words[16], ...words.slice(32, 36)], [0x4c030001, 1, 2, 3, 0]);
  const bare = wordsOf(new SharedArray("i32", [1, 2, 3], { lock: false }));
  assert.deepEqual([bare.length, bare[4], ...bare.slice(16, 19)], [32, 0, 1, 2, 3]);
});
