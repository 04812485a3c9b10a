// Where nothing but the primitives was imported, as in a worker of one's own, join() of a thread that was still alive
// asked the adapter that was not there.

import { Thread } from "../../mod.ts";
import { Agent, agent, setAgent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { assert, mayBlock, test } from "../_harness.ts";
import { addLater } from "../testdata/thread_targets.ts";

const module = new URL("../testdata/thread_targets.ts", import.meta.url);

test("join() of somebody else's thread needs no adapter", async () => {
  const thread = new Thread({ target: addLater, module, args: [1, 2] }).start();
  const { roster, rosterOffset } = thread.handle as FullHandle;
  const own = agent;
  setAgent(new Agent());
  agent.mayBlock = true;
  const { me } = Roster.attach(roster, rosterOffset);
  try {
    assert.equal(Thread.attach(thread.handle).join(), 3);
  } finally {
    setAgent(own);
    Roster.attach(roster, rosterOffset).markDead(me);
  }
  assert.equal(await thread.joinAsync(), 3);
}, { skip: mayBlock ? undefined : "this main thread may not block" });
