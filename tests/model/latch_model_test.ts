// Latch: the last countDown() wakes everybody, and nobody goes before.

import { Latch } from "../../primitives/latch.ts";
import { model, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { forced, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const WAITERS_BIT = 0x80000000 | 0;

const base = () => {
  const { handle } = new Latch(2);
  return { records: [record(handle, ["COUNT"])], attach: () => Latch.attach(handle) };
};

function counts(latch: Latch, self: Self): void {
  self.step("about to count", (world) => world.set("counts", world.get("counts") + 1));
  latch.countDown();
}

function passed(self: Self): void {
  self.step("passes", (world) => {
    if (world.get("counts") < 2) world.fail("a waiter passed a closed latch");
  });
}

model<Latch>("Latch opens with the last count, for all who wait (invariant 1)", { threads: 3, preemptions: 4 }, () => ({
  ...base(),
  threads: [
    counts,
    (latch, self) => {
      counts(latch, self);
      latch.wait();
      passed(self);
    },
    async (latch, self) => {
      await Promise.all([latch.waitAsync(), latch.waitAsync()]);
      passed(self);
    },
  ],
  after: (look) => expectZero(look, "Latch.COUNT"),
}), [
  twin("a last count that wakes one", /nobody can move/, (op) => op.kind === "notify" ? skipped(op) : undefined),
  twin("a waiter that sleeps without a mark", /nobody can move/, (op) => {
    if (op.kind === "wait" || op.kind === "waitAsync") return { ...op, a: op.a & ~WAITERS_BIT };
    return op.kind === "cas" && op.b === (op.a | WAITERS_BIT) ? skipped(op) : undefined;
  }),
  twin(
    "a count that is not compared",
    /nobody can move/,
    (op) => op.kind === "cas" && (op.b & ~WAITERS_BIT) < (op.a & ~WAITERS_BIT) ? forced(op) : undefined,
  ),
]);

model<Latch>("Latch bears time limits, aborts and waits that end for no reason", {
  ...{ threads: 3, timeouts: 1, timed: [1], aborts: 1, spurious: 1, preemptions: 3 },
}, () => ({
  ...base(),
  threads: [
    (latch, self) => {
      counts(latch, self);
      counts(latch, self);
    },
    (latch, self) => {
      if (latch.tryWait({ timeout: 7 })) passed(self);
    },
    async (latch, self) => {
      try {
        await latch.waitAsync({ signal: self.signal });
        passed(self);
      } catch (error) {
        if (!self.signal.aborted) throw error;
      }
    },
  ],
  after: (look) => expectZero(look, "Latch.COUNT"),
}));
