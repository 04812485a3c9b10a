// A waiter that was passed for too long becomes the lock's heir. One that died as the heir kept the lock from the next
// acquirer for ten milliseconds more, though nobody held it and nobody waited.

import { store } from "../../primitives/_atomics.ts";
import { OWNER } from "../../primitives/_lock_word.ts";
import { Lock, lockCore } from "../../primitives/lock.ts";
import { ENDED } from "../_as_agent.ts";
import { assert, test } from "../_harness.ts";

const HEIR = 6;
const WAITERS_BIT = 1 << 31;

test("Lock.tryAcquire() takes a lock at once that is kept for a thread that has died", () => {
  const lock = new Lock();
  const { words } = lockCore(lock);
  store(words, HEIR, ENDED);
  store(words, OWNER, WAITERS_BIT); // released for the heir
  const guard = lock.tryAcquire();
  assert(guard !== undefined);
  guard.release();
  assert.deepEqual([words[OWNER], words[HEIR]], [0, 0]);
});
