// RLock: levels of one hold, by a thread or by one of its tasks.

import { DeadlockError } from "../../primitives/errors.ts";
import { RLock } from "../../primitives/rlock.ts";
import { model, twin } from "./_model.ts";
import { expectFree, lockRecord } from "./_names.ts";
import { skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";

const base = () => {
  const { handle } = new RLock();
  return { records: [lockRecord(handle)], attach: () => RLock.attach(handle) };
};

function nested(lock: RLock, self: Self): void {
  const outer = lock.acquire();
  const inner = lock.acquire();
  if (lock.depth !== 2) throw new Error(`depth ${lock.depth} inside two levels`);
  outer.release(); // in any order
  outer.release(); // does nothing
  self.inside();
  inner.release();
}

model<RLock>("RLock is held until its last level is given back", { threads: 3 }, () => ({
  ...base(),
  thread: nested,
  after: (look) => expectFree(look, "RLock"),
}), [
  twin(
    "a release that wakes nobody",
    /nobody can move/,
    (op) => op.kind === "notify" && op.word?.name === "RLock.OWNER" ? skipped(op) : undefined,
  ),
]);

model<RLock>("RLock held by a task belongs to its guard alone", { threads: 2, preemptions: 3 }, () => ({
  ...base(),
  threads: [
    async (lock, self) => {
      const guard = await lock.acquireAsync();
      let refused = false;
      try {
        lock.acquire(); // this thread waits for its own task
      } catch (error) {
        refused = error instanceof DeadlockError;
      }
      if (!refused) throw new Error("a thread took what one of its tasks holds");
      const next = lock.acquireAsync();
      self.inside();
      guard.release();
      const other = await next;
      self.inside();
      other.release();
    },
    nested,
  ],
  after: (look) => expectFree(look, "RLock"),
}));
