// A thread that held an RLock twice, through objects that were collected meanwhile, gave it up with one release: the depth
// went with the last object for that lock.

import { RLock } from "../../mod.ts";
import { agent } from "../../primitives/_agent.ts";
import { assert, test } from "../_harness.ts";

/** Does what a collection of garbage may do at any time: forgets what the agent keeps weakly. */
function collect(): void {
  for (const [key, local] of [...agent.locals]) {
    if (!agent.nested.has(local.deref()!)) agent.locals.delete(key);
  }
}

test("RLock keeps its depth although all objects for it are collected", () => {
  const { handle } = new RLock();
  const before = agent.nested.size; // Bun runs all files in one process
  for (let round = 0; round < 2; round++) {
    for (let depth = 1; depth <= 3; depth++) {
      RLock.attach(handle).acquire();
      collect();
      assert.equal(RLock.attach(handle).depth, depth);
    }
    for (let depth = 3; depth >= 1; depth--) {
      assert.equal(RLock.attach(handle).locked, true);
      RLock.attach(handle).release();
      collect();
      assert.equal(RLock.attach(handle).depth, depth - 1);
    }
    assert.equal(RLock.attach(handle).locked, false);
    assert.equal(agent.nested.size, before);
  }
});
