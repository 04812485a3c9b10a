// A thread that is told to stop while it waits on a Condition has the lock back before the wait throws, however long that
// takes: else its guards would end nothing, and what it tidies up on its way out would be unguarded.

import { Condition, RLock, SharedValue, Thread } from "../../mod.ts";
import { load } from "../../primitives/_atomics.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

const OWNER = 3;

/** Notes whether it has the lock when its wait has ended. */
export function waitAndLook(condition: Condition, held: SharedValue<"i32">): void {
  condition.withLock(() => {
    try {
      condition.wait();
    } finally {
      held.value = condition.heldByCurrentThread ? 1 : 2;
    }
  });
}

test("Condition.wait() in a thread that is told to stop waits to have its lock back", async () => {
  const [lock, held] = [new RLock(), new SharedValue("i32")];
  const condition = new Condition(lock);
  const { roster, rosterOffset, buffer, byteOffset } = lock.handle as FullHandle;
  const words = new Int32Array(buffer, byteOffset, 16);
  const args: [Condition, SharedValue<"i32">] = [condition, held];
  const thread = new Thread({ target: waitAndLook, module: import.meta.url, args }).start();
  await until(() => String(condition).includes("(1 waiting)"));
  const guard = lock.acquire();
  Roster.attach(roster, rosterOffset).tellToStop(thread.id!);
  await until(() => load(words, OWNER) < 0); // it wants the lock
  assert.equal(held.value, 0);
  guard.release();
  await assert.rejects(thread.joinAsync());
  assert.deepEqual([held.value, lock.locked], [1, false]);
});
