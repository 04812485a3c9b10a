// A body that is no function was found out only once the lock was held: after a wait, maybe without end.

import { Condition, Lock, RLock, SharedValue } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

const NO_FUNCTIONS = [undefined, null, 7, {}] as never[];

test("withLock() and withLockAsync() refuse what is no function before they wait", async () => {
  for (const lock of [new Lock(), new RLock(), new Condition(new Lock())]) {
    const guard = await lock.acquireAsync(); // a task's, so that neither Lock nor RLock may be had here
    for (const body of NO_FUNCTIONS) {
      const expected = { name: "TypeError", message: /^Cannot use body as it must be a function: it is / };
      assert.throws(() => lock.withLock(body), expected);
      await assert.rejects(lock.withLockAsync(body), expected);
    }
    guard.release();
    assert.equal(lock.locked, false);
  }
});

test("SharedValue.update() and updateAsync() do too", async () => {
  const value = new SharedValue("i32", 5);
  const guard = await value.lock.acquireAsync();
  for (const fn of NO_FUNCTIONS) {
    const expected = { name: "TypeError", message: /^Cannot use fn as it must be a function: it is / };
    assert.throws(() => value.update(fn), expected);
    await assert.rejects(value.updateAsync(fn), expected);
  }
  guard.release();
  assert.equal(value.value, 5);
});
