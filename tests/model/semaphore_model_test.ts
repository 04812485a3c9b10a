// Semaphore: permits with a thread's name on them, see the header of primitives/_permits_state.ts.

import { BoundedSemaphore, Semaphore } from "../../primitives/semaphore.ts";
import { LONG, type Look, model, type ModelOptions, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const CELLS = 3;
const NAMES = ["VALUE", "TOTAL", "BOUND", "THREADS", "SLEEPERS", "TASKS", "GATE", "HEIR", "HOLDER", "COMMIT"]
  .concat(["LEFT", "OWED", "EPOCH"])
  .concat(...Array.from({ length: CELLS }, (_, i) => [`THREAD ${i}`, `HELD ${i}`, `WAITS ${i}`]))
  .concat(Array.from({ length: CELLS }, (_, i) => `OLD ${i}`));
const AGES = 1e9;

const base = (permits: number) => {
  const { handle } = new Semaphore(permits, { threads: CELLS, name: "S" });
  return {
    records: [record(handle, NAMES, ["BOUND", "THREADS"])],
    attach: () => Semaphore.attach(handle),
    always: consistent(permits),
  };
};

/** Invariants 1, 2 and 6, whenever nobody is inside. */
function consistent(permits: number): (look: Look) => void {
  return (look) => {
    if (look.word("S.HOLDER") !== 0) return;
    const sum = (name: string): number => [0, 1, 2].reduce((all, i) => all + look.word(`S.${name} ${i}`), 0);
    const value = look.word("S.VALUE");
    const owed = look.word("S.OWED");
    if (value < 0 || value + sum("HELD") - owed !== look.word("S.TOTAL")) look.fail("permits were lost or made");
    if (owed !== 0 && owed >= sum("OLD")) look.fail(`what is owed is not settled, though ${owed} of ${sum("OLD")} are`);
    if (look.word("S.TOTAL") !== permits) look.fail(`TOTAL is ${look.word("S.TOTAL")}`);
  };
}

/** At the end: nobody holds or waits, and all permits can be taken again. */
function usable(permits: number): (look: Look, semaphore: Semaphore) => void {
  return (look, semaphore) => {
    for (let i = 0; i < permits; i++) {
      if (semaphore.tryAcquire() === undefined) return look.fail(`permit ${i + 1} of ${permits} is gone`);
    }
    if (semaphore.tryAcquire() !== undefined) return look.fail("there is one permit too many");
    semaphore.release(permits);
    expectZero(look, "S.SLEEPERS", "S.TASKS", "S.HEIR", "S.HOLDER");
    for (let i = 0; i < CELLS; i++) expectZero(look, `S.HELD ${i}`, `S.WAITS ${i}`);
  };
}

function counting(permits: number): (self: Self) => void {
  return (self) => {
    self.step("goes inside", (world) => {
      const inside = world.get("inside") | (1 << self.index);
      const living = [0, 1, 2].filter((i) => (inside & (1 << i)) !== 0 && !world.dead(i)).length;
      if (living > permits) world.fail(`${living} threads are inside, with ${permits} permits`);
      world.set("inside", inside);
    });
    self.step("goes outside", (world) => world.set("inside", world.get("inside") & ~(1 << self.index)));
  };
}

const blocking = (semaphore: Semaphore, self: Self): void => {
  const permit = semaphore.acquire();
  counting(1)(self);
  permit.release();
};

const awaiting = async (semaphore: Semaphore, self: Self): Promise<void> => {
  const permit = await semaphore.acquireAsync();
  counting(1)(self);
  permit.release();
};

const isOn = (op: Op, kind: Op["kind"], name: string): boolean => op.kind === kind && op.word?.name === `S.${name}`;

const MIXED: ModelOptions = { threads: 3, preemptions: 2, longPreemptions: 3 };

model<Semaphore>("Semaphore admits as many as it has permits, threads and tasks (invariants 1 to 5)", MIXED, () => ({
  ...base(1),
  threads: [blocking, awaiting, blocking],
  after: usable(1),
}), [
  twin(
    "a release that forgets the threads",
    /nobody can move/,
    (op) => isOn(op, "notify", "VALUE") ? skipped(op) : undefined,
  ),
  twin(
    "a release that forgets the tasks",
    /nobody can move/,
    (op) => isOn(op, "notify", "GATE") ? skipped(op) : undefined,
  ),
  twin(
    "a take that does not take",
    /permits were lost or made|threads are inside/,
    (op) => isOn(op, "store", "VALUE") && op.a === 0 ? skipped(op) : undefined,
  ),
  twin(
    "a waiter that is not counted",
    /nobody can move/,
    (op) => isOn(op, "store", "SLEEPERS") && op.a > 0 ? skipped(op) : undefined,
  ),
]);

model<Semaphore>("Semaphore with two permits admits two of three", MIXED, () => ({
  ...base(2),
  thread(semaphore, self) {
    const permit = semaphore.acquire();
    counting(2)(self);
    permit.release();
  },
  after: usable(2),
}));

model<Semaphore>("Semaphore passes the wake-up of a waiter that gives up on to another", {
  ...{ threads: 3, timeouts: 1, timed: [1], aborts: 1, preemptions: 2, longPreemptions: 3 },
}, () => ({
  ...base(1),
  threads: [
    blocking,
    (semaphore, self) => {
      const permit = semaphore.tryAcquire({ timeout: 7 });
      if (permit === undefined) return;
      counting(1)(self);
      permit.release();
    },
    async (semaphore, self) => {
      try {
        const permit = await semaphore.acquireAsync({ signal: self.signal });
        counting(1)(self);
        permit.release();
      } catch (error) {
        if (!self.signal.aborted) throw error;
      }
    },
  ],
  after: usable(1),
}));

const surviving = (semaphore: Semaphore, self: Self): void => {
  const permit = semaphore.tryAcquire({ timeout: AGES })!;
  counting(1)(self);
  permit.release();
};

model<Semaphore>("Semaphore gets back the permits of the dead, at whatever step they die", {
  ...{ threads: LONG ? 3 : 2, deaths: 1, preemptions: 2, longPreemptions: 1 },
}, () => ({
  ...base(1),
  threads: LONG ? [surviving, awaiting, surviving] : [surviving, awaiting],
  after: usable(1),
}), [
  twin(
    "a reaper that gives nothing back",
    /waits for ever|is gone|permits were lost/,
    (op) =>
      op.word?.name.startsWith("S.HELD") && op.kind === "store" && op.stack!.includes("reapInside")
        ? skipped(op)
        : undefined,
  ),
]);

model<BoundedSemaphore>("BoundedSemaphore never exceeds its bound, and guards spend their own hold only", MIXED, () => {
  const { handle } = new BoundedSemaphore(1, { threads: CELLS, name: "S" });
  return {
    records: [record(handle, NAMES, ["BOUND", "THREADS"])],
    attach: () => BoundedSemaphore.attach(handle),
    always: consistent(1),
    threads: [
      (semaphore, self) => {
        const permit = semaphore.acquire();
        counting(1)(self);
        permit.release();
        permit.release();
      },
      (semaphore) => {
        try {
          semaphore.release(); // ends the hold of another thread, if there is one
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
      },
      (semaphore) => semaphore.acquire().release(),
    ],
    after: usable(1),
  };
});

model<BoundedSemaphore>("BoundedSemaphore gives back once what one thread takes and another gives back, whoever dies", {
  ...{ threads: 3, deaths: 1, preemptions: 1, longPreemptions: 2 },
}, () => {
  const { handle } = new BoundedSemaphore(2, { threads: CELLS, name: "S" });
  return {
    records: [record(handle, NAMES, ["BOUND", "THREADS"])],
    attach: () => BoundedSemaphore.attach(handle),
    always(look) {
      consistent(2)(look);
      if (look.word("S.HOLDER") === 0 && look.word("S.VALUE") > 2) look.fail("there is one permit too many");
    },
    threads: [
      (semaphore) => void semaphore.acquire(), // for the last one to give back
      (semaphore) => semaphore.acquire().release(),
      (semaphore) => {
        try {
          semaphore.release();
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
      },
    ],
    after(look, semaphore) {
      const held = look.word("S.HOLDER") === 0
        ? look.word("S.HELD 0") + look.word("S.HELD 1") + look.word("S.HELD 2")
        : 2;
      const { value } = semaphore;
      if (value > 2 || value < 2 - held) look.fail(`${value} of 2 permits are left, and ${held} are held`);
    },
  };
}, [
  twin(
    "a settlement that forgets whose it was",
    /permits were lost or made|too many/,
    (op) =>
      op.word?.name.startsWith("S.HELD") && op.kind === "store" && op.stack!.includes("settleFor")
        ? skipped(op)
        : undefined,
  ),
]);
