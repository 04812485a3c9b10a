// A waiter reads the holder, the holder lets go and ends, and only then the waiter
// asks whether it lives: the lock is free, nobody died holding it.

import { store } from "../../primitives/_atomics.ts";
import { OWNER } from "../../primitives/_lock_word.ts";
import { Lock, lockCore } from "../../primitives/lock.ts";
import { NotHeldError } from "../../primitives/mod.ts";
import { ENDED } from "../_as_agent.ts";
import { assert, test } from "../_harness.ts";

/** A lock held by a thread that lets go and ends just before somebody asks whether it lives. */
function lockOfTheEnding(): Lock {
  const lock = new Lock();
  const { words, roster } = lockCore(lock);
  store(words, OWNER, ENDED);
  Object.defineProperty(roster, "alive", {
    configurable: true,
    value() {
      delete (roster as { alive?: unknown }).alive;
      store(words, OWNER, 0);
      return false;
    },
  });
  return lock;
}

test("Lock.tryAcquire() takes a lock whose holder let go and ended meanwhile", () => {
  const lock = lockOfTheEnding();
  const guard = lock.tryAcquire();
  assert(guard !== undefined);
  guard.release();
});

test("Lock.release() of a lock whose holder let go and ended meanwhile says that it is free", () => {
  assert.throws(() => lockOfTheEnding().release(), NotHeldError);
});
