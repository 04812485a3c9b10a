// PYTHON.md section 3, with threads: what is an RLock's alone. The rest is in lock.ts.

import { NotHeldError, RLock, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { blockedOn } from "./_kit.ts";

const ask = asker(import.meta.url);
type Count = SharedValue<"i32">;

/** Releases somebody else's lock; returns how that went. */
export function releaseForeign(lock: RLock): string {
  try {
    lock.release();
    return "released";
  } catch (error) {
    return error instanceof NotHeldError ? `not held: ${error.owner}` : String(error);
  }
}

/** Nests as deep as it is told; returns the depth on the way in and out. */
export function nest(lock: RLock, times: number): number[] {
  const depths = [lock.depth];
  for (let i = 0; i < times; i++) {
    lock.acquire();
    depths.push(lock.depth);
  }
  for (let i = 0; i < times; i++) {
    lock.release();
    depths.push(lock.depth);
  }
  return depths;
}

/** Takes the lock once, blocked. */
export function take(lock: RLock, taken: Count): void {
  lock.withLock(() => taken.add(1));
}

/** Takes the lock once, as a task. */
export async function takeAsync(lock: RLock, taken: Count): Promise<void> {
  await lock.withLockAsync(() => taken.add(1));
}

/** Registers the cases. */
export function rlockCases(_has: Capabilities): void {
  test("R1 R2 depth counts up and down in any thread", async () => {
    const lock = new RLock();
    assert.deepEqual(await ask(nest, lock, 3).joinAsync(), [0, 1, 2, 3, 2, 1, 0]);
    assert.deepEqual(nest(lock, 3), [0, 1, 2, 3, 2, 1, 0]);
    assert.equal(lock.locked, false);
  });

  test("R4 another thread cannot release an RLock", async () => {
    const lock = new RLock();
    const guard = lock.acquire();
    assert.equal(await ask(releaseForeign, lock).joinAsync(), `not held: ${lock.owner}`);
    assert.deepEqual([lock.depth, lock.heldByCurrentThread], [1, true]);
    guard.release();
    assert.equal(await ask(releaseForeign, lock).joinAsync(), "not held: undefined");
  });

  test("R7 contenders wait for depth 0, blocked and as tasks, not for one release", async () => {
    const lock = new RLock({ name: "deep" });
    const taken = new SharedValue("i32");
    const guards = [lock.acquire(), lock.acquire(), lock.acquire()];
    const threads = [ask(take, lock, taken), ask(takeAsync, lock, taken), ask(take, lock, taken)];
    await until(() => blockedOn("RLock", "deep") === 2);
    guards[1]!.release(); // R9: in any order, each once
    guards[1]!.release();
    guards[0]!.release();
    assert.deepEqual([lock.depth, taken.value], [1, 0]);
    guards[2]!.release();
    for (const thread of threads) await thread.joinAsync();
    assert.deepEqual([lock.depth, taken.value, lock.locked], [0, 3, false]);
  });

  test("R8 tasks of several threads hold it one at a time", async () => {
    const lock = new RLock();
    const taken = new SharedValue("i32");
    const threads = [ask(takeAsync, lock, taken), ask(takeAsync, lock, taken)];
    await Promise.all([takeAsync(lock, taken), takeAsync(lock, taken), ...threads.map((thread) => thread.joinAsync())]);
    assert.equal(taken.value, 4);
  });
}
