// A guard in a message or among a thread's arguments arrived as {}: it stands for a hold of its own thread, and is refused.

import { acquireAll, Lock, Queue, RWLock, Semaphore, toMessage } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

test("A guard is refused in messages and thread arguments, and nothing is let go", () => {
  const lock = new Lock();
  const both = new RWLock();
  const read = both.read();
  const guards = [lock.acquire(), new Semaphore(2).acquire(), read, acquireAll([new Lock(), new Lock()])];
  const queue = new Queue<unknown>();
  for (const guard of guards) {
    const reason = "a guard cannot be carried, as it stands for a hold of this thread";
    assert.throws(() => queue.put({ guard }), TypeError, `Cannot put value.guard: ${reason}`);
    assert.throws(() => toMessage([guard]), TypeError, reason);
  }
  read.release();
  const write = both.write();
  assert.throws(() => queue.put(write), TypeError, "a guard cannot be carried");
  assert(queue.isEmpty && lock.locked);
});
