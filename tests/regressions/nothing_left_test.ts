// Under Deno's sanitizers every test that had started a thread failed: the port to it was closed as late as the runtime told of
// the worker's end, which a join does not wait for.

import { Event, isMainThread, Lock, Thread, Timer } from "../../mod.ts";
import { assert } from "../_harness.ts";
import * as targets from "../testdata/thread_targets.ts";

const module = new URL("../testdata/thread_targets.ts", import.meta.url);
const adding = { target: targets.add, module, args: [3, 4] as const };

function leavesNothing(name: string, fn: () => void | Promise<void>): void {
  if (isMainThread) Deno.test({ name: `${name} leaves nothing`, fn, sanitizeOps: true, sanitizeResources: true });
}

leavesNothing("A blocking join", () => assert.equal(new Thread(adding).start().join(), 7));

leavesNothing("An async join", async () => assert.equal(await new Thread(adding).start().joinAsync(), 7));

leavesNothing("A join for a result that comes by message", async () => {
  const thread = new Thread({ target: targets.giveBytes, module, args: [new Lock()] }).start();
  assert((await thread.joinAsync()).lock instanceof Lock);
});

leavesNothing("A timer", async () => {
  assert.equal(await new Timer({ ...adding, interval: 10 }).start().joinAsync(), 7);
  const late = new Timer({ ...adding, interval: 60_000 }).start();
  late.cancel();
  assert.equal(late.join(), undefined);
});

leavesNothing("A thread that was terminated and joined", async () => {
  const thread = new Thread({ target: targets.waitFor, module, args: [new Event()] }).start();
  await thread.terminate();
  await assert.rejects(thread.joinAsync(), { reason: "terminated" });
});
