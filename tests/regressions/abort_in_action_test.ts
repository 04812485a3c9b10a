// A Barrier's action that aborted the wait of the task that ran it settled that wait twice: the count of pending async
// waits fell below the truth, and a later one kept the event loop alive no longer.

import { Barrier } from "../../mod.ts";
import { agent } from "../../primitives/_agent.ts";
import { assert, test } from "../_harness.ts";

test("Barrier: an action that aborts the task that runs it settles that wait once", async () => {
  const controller = new AbortController();
  const barrier = new Barrier(2, { action: () => controller.abort(new Error("enough")) });
  const pending = agent.pending;
  const first = barrier.waitAsync();
  const second = barrier.waitAsync({ signal: controller.signal }).catch((error: Error) => error.message);
  assert.deepEqual([await first, await second], [0, "enough"]);
  assert.equal(agent.pending, pending);
  assert.deepEqual((await Promise.all([barrier.waitAsync(), barrier.waitAsync()])).sort(), [0, 1]);
});
