// acquireAll: all or none, in any order, without a deadlock.

import { acquireAll, acquireAllAsync } from "../../primitives/acquire_all.ts";
import { Lock } from "../../primitives/lock.ts";
import { model, type ModelOptions, twin } from "./_model.ts";
import { expectFree, lockRecord } from "./_names.ts";
import { skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";

type Locks = readonly [Lock, Lock];

const base = () => {
  const handles = ["A", "B"].map((name) => new Lock({ name }).handle);
  return {
    records: handles.map((handle) => lockRecord(handle)),
    attach: (): Locks => [Lock.attach(handles[0]!), Lock.attach(handles[1]!)],
  };
};

/** Holds both: nobody else is inside A, or inside B. */
function inBoth(self: Self): void {
  self.inside("inside A");
  self.inside("inside B");
}

const SIZE: ModelOptions = { threads: 2, preemptions: 3, longPreemptions: 4 };

model<Locks>("acquireAll() takes all in any order, and closes no circle", SIZE, () => ({
  ...base(),
  threads: [
    ([a, b], self) => {
      const guard = acquireAll([a, b]);
      inBoth(self);
      guard.release();
    },
    ([a, b], self) => {
      const guard = acquireAll([b, a]);
      inBoth(self);
      guard.release();
    },
  ],
  after(look) {
    expectFree(look, "A");
    expectFree(look, "B");
  },
}), [
  twin("a release that wakes nobody", /nobody can move/, (op) => op.kind === "notify" ? skipped(op) : undefined),
]);

model<Locks>("acquireAll() and acquireAllAsync() beside a thread that holds one of them", {
  ...SIZE,
  threads: 3,
  preemptions: 3,
  longPreemptions: 4,
}, () => ({
  ...base(),
  threads: [
    ([a, b], self) => {
      const guard = acquireAll([b, a]);
      inBoth(self);
      guard.release();
    },
    async ([a, b], self) => {
      const guard = await acquireAllAsync([a, b]);
      inBoth(self);
      guard.release();
    },
    ([, b], self) => {
      const guard = b.acquire();
      self.inside("inside B");
      guard.release();
    },
  ],
  after(look) {
    expectFree(look, "A");
    expectFree(look, "B");
  },
}));
