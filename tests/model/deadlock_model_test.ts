// The detector of deadlocks together with Lock: no circle is missed, nobody is accused falsely, see primitives/_detect.ts.

import { DeadlockError, OwnerDiedError } from "../../primitives/errors.ts";
import { Lock } from "../../primitives/lock.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { expectFree, lockRecord } from "./_names.ts";
import type { Self } from "./_thread.ts";

type Locks = readonly Lock[];

const base = (count: number) => {
  const handles = ["A", "B", "C"].slice(0, count).map((name) => new Lock({ name }).handle);
  return { records: handles.map(lockRecordOf), attach: (): Locks => handles.map((handle) => Lock.attach(handle)) };
};

const lockRecordOf = (handle: object) => lockRecord(handle);

/** Takes one lock, then another; whoever is told of a circle says what it sees, and lets go. */
function both(locks: Locks, self: Self, first: number, second: number): void {
  const one = locks[first]!.acquire();
  self.step("holds its first", (world) => world.set(`holds ${first}`, self.index + 1));
  try {
    self.step("wants its second", (world) => world.set(`wants ${self.index}`, second + 1));
    locks[second]!.acquire().release();
    self.step("had its second", (world) => world.set(`wants ${self.index}`, 0));
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    self.step("is told of a circle", (world) => {
      world.set("told", world.get("told") + 1);
      let thread = self.index;
      for (let i = 0; i < 3; i++) {
        const wanted = world.get(`wants ${thread}`);
        thread = wanted === 0 ? -1 : world.get(`holds ${wanted - 1}`) - 1;
        if (thread < 0) return world.fail("a false alarm: nobody closes the circle");
        if (thread === self.index) return world.set(`wants ${self.index}`, 0);
      }
      world.fail("a false alarm: it leads elsewhere");
    });
  }
  self.step("lets its first go", (world) => world.set(`holds ${first}`, 0));
  one.release();
}

function allFree(count: number): (look: Look) => void {
  return (look) => {
    for (const name of ["A", "B", "C"].slice(0, count)) expectFree(look, name);
    if (look.get("told") > 1) look.fail(`${look.get("told")} threads were told of one circle`);
  };
}

const SEEN: ModelOptions = { watched: "wholly", slices: true, lookUps: 30 };

model<Locks>("A circle of two threads is found and broken in one of them", {
  ...SEEN,
  ...{ threads: 2, preemptions: 2, timeouts: 1, longPreemptions: 3 },
}, () => ({
  ...base(2),
  threads: [(locks, self) => both(locks, self, 0, 1), (locks, self) => both(locks, self, 1, 0)],
  after: allFree(2),
}), [
  twin(
    "a detector that sees nobody wait",
    /waits for ever/,
    (op) =>
      op.kind === "load" && op.stack!.includes("untimedWait")
        ? { ...op, kind: "skip", a: 0, label: "(no)" }
        : undefined,
  ),
]);

model<Locks>("A circle of three threads is found and broken in one of them", {
  ...SEEN,
  ...{ threads: 3, preemptions: 1, longPreemptions: 2 },
}, () => ({
  ...base(3),
  threads: [
    (locks, self) => both(locks, self, 0, 1),
    (locks, self) => both(locks, self, 1, 2),
    (locks, self) => both(locks, self, 2, 0),
  ],
  after: allFree(3),
}));

model<Locks>("Threads that take locks in one order are never told of a circle", {
  ...SEEN,
  ...{ threads: 3, preemptions: 1, longPreemptions: 2, timeouts: 2 },
}, () => ({
  ...base(2),
  threads: [
    (locks, self) => both(locks, self, 0, 1),
    (locks, self) => both(locks, self, 0, 1),
    (locks, self) => {
      const guard = locks[1]!.acquire();
      self.step("holds B", () => {});
      guard.release();
      both(locks, self, 0, 1);
    },
  ],
  after(look) {
    allFree(2)(look);
    if (look.get("told") > 0) look.fail("a false alarm");
  },
}), [
  twin(
    "a detector that trusts what was seen long ago",
    /a false alarm|this closes a circle/,
    (op) =>
      op.kind === "load" && op.word?.name.startsWith("Roster.wait")
        ? { ...op, kind: "skip", a: 0, label: "(old)" }
        : undefined,
    { preemptions: 2 },
  ),
]);

model<Locks>("A circle through a thread that died is no circle", {
  ...SEEN,
  ...{ threads: 2, preemptions: 1, longPreemptions: 2, deaths: 1, mortal: [1] },
}, () => ({
  ...base(2),
  threads: [
    (locks, self) => {
      try {
        both(locks, self, 0, 1);
      } catch (error) {
        if (!(error instanceof OwnerDiedError)) throw error;
        locks[1]!.recover()?.release();
      }
    },
    (locks, self) => both(locks, self, 1, 0),
  ],
}));
