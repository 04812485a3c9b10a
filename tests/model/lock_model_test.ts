import { Lock } from "../../primitives/lock.ts";
import { model, twin } from "./_model.ts";
import { expectFree, lockRecord } from "./_names.ts";
import { skipped } from "./_ops.ts";

const WAITERS_BIT = 0x80000000 | 0;

model("Lock admits one thread at a time (invariants 1 to 4)", { threads: 3 }, () => {
  const { handle } = new Lock();
  return {
    records: [lockRecord(handle)],
    attach: () => Lock.attach(handle),
    thread(lock, self) {
      const guard = lock.acquire();
      self.inside();
      guard.release();
    },
    after: (look) => expectFree(look),
  };
}, [
  twin(
    "a retake that forgets WAITERS_BIT",
    /nobody can move/,
    (op) =>
      op.kind === "cas" && op.word?.name === "Lock.OWNER" && op.a === 0 && op.b < 0
        ? { ...op, b: op.b & ~WAITERS_BIT }
        : undefined,
  ),
  twin(
    "a release that wakes nobody",
    /nobody can move/,
    (op) => op.kind === "notify" && op.word?.name === "Lock.OWNER" ? skipped(op) : undefined,
  ),
]);
