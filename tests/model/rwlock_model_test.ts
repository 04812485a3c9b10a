// RWLock: many read or one writes, nobody waits for ever, see the header of primitives/_rwlock_state.ts.

import { OwnerDiedError } from "../../primitives/errors.ts";
import type { Guard } from "../../primitives/guard.ts";
import { RWLock } from "../../primitives/rwlock.ts";
import { LONG, type Look, model, type ModelOptions, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const CELLS = 3;
const CELL = ["THREAD", "READS", "WAITS", "GRANTS"];
const COUNTS = ["WRITER", "READERS", "WRITERS", "WAITERS", "TASKS", "ENTITLED", "HEIR"];
const NAMES = [...COUNTS, "FREED", "OPENED", "GATE", "THREADS", "FLAGS", "RANK", "HOLDER", "COMMIT", "-", "-"]
  .concat(...Array.from({ length: CELLS }, (_, i) => CELL.map((name) => `${name} ${i}`)));
const AGES = 1e9;

const base = () => {
  const { handle } = new RWLock({ threads: CELLS, name: "RW" });
  return {
    records: [record(handle, NAMES, ["THREADS", "FLAGS", "RANK"])],
    attach: () => RWLock.attach(handle),
    always: consistent,
  };
};

/** Invariant 1, whenever nobody is inside. */
function consistent(look: Look): void {
  if (look.word("RW.HOLDER") !== 0) return;
  const sum = (name: string): number => [0, 1, 2].reduce((all, i) => all + look.word(`RW.${name} ${i}`), 0);
  if (sum("READS") !== look.word("RW.READERS")) look.fail("READERS is not the sum of READS");
  if (sum("GRANTS") !== look.word("RW.ENTITLED")) look.fail("ENTITLED is not the sum of GRANTS");
  if (look.word("RW.WRITER") !== 0 && look.word("RW.READERS") !== 0) {
    look.fail("somebody reads while another one writes");
  }
}

/** Invariant 5. */
function idle(look: Look, lock: RWLock): void {
  lock.write().release();
  lock.read().release();
  for (const name of [...COUNTS, "HOLDER", "COMMIT"]) expectZero(look, `RW.${name}`);
  for (let i = 0; i < CELLS; i++) for (const name of CELL.slice(1)) expectZero(look, `RW.${name} ${i}`);
}

/** Two steps with the lock: nobody writes beside a reader, or beside a writer. */
function inside(self: Self, writes: boolean): void {
  const me = 1 << self.index;
  self.step(writes ? "begins to write" : "begins to read", (world) => {
    const living = (name: string): number =>
      [0, 1, 2].filter((i) => (world.get(name) & (1 << i)) !== 0 && !world.dead(i)).length;
    if (living("writes") > 0 || (writes && living("reads") > 0)) world.fail("a writer is not alone");
    const name = writes ? "writes" : "reads";
    world.set(name, world.get(name) | me);
  });
  self.step("ends", (world) => {
    const name = writes ? "writes" : "reads";
    world.set(name, world.get(name) & ~me);
  });
}

const reading = (lock: RWLock, self: Self): void => {
  const guard = lock.read();
  inside(self, false);
  guard.release();
};

const writing = (lock: RWLock, self: Self): void => {
  const guard = lock.write();
  inside(self, true);
  guard.release();
};

const isOn = (op: Op, kind: Op["kind"], name: string): boolean => op.kind === kind && op.word?.name === `RW.${name}`;

const SIZE: ModelOptions = { threads: 3, preemptions: 2, longPreemptions: 3 };

model<RWLock>("RWLock lets many read or one write (invariants 1 to 5)", SIZE, () => ({
  ...base(),
  threads: [writing, reading, writing],
  after: idle,
}), [
  twin(
    "a writer's release that wakes no reader",
    /nobody can move/,
    (op) => isOn(op, "notify", "OPENED") ? skipped(op) : undefined,
  ),
  twin(
    "a release that wakes no writer",
    /nobody can move/,
    (op) => isOn(op, "notify", "FREED") ? skipped(op) : undefined,
  ),
  twin(
    "a reader that is not counted",
    /READERS is not the sum/,
    (op) => isOn(op, "store", "READERS") && op.a > 0 ? skipped(op) : undefined,
  ),
]);

model<RWLock>("RWLock serves readers and writers that are tasks", SIZE, () => ({
  ...base(),
  threads: [
    writing,
    async (lock, self) => {
      const guard = await lock.readAsync();
      inside(self, false);
      guard.release();
    },
    async (lock, self) => {
      const guard = await lock.writeAsync();
      inside(self, true);
      guard.release();
    },
  ],
  after: idle,
}), [
  twin(
    "a release that forgets the tasks",
    /nobody can move/,
    (op) => isOn(op, "notify", "GATE") ? skipped(op) : undefined,
  ),
]);

model<RWLock>("RWLock lets a reader read again though a writer waits", { ...SIZE, threads: 2, preemptions: 2 }, () => ({
  ...base(),
  threads: [
    (lock, self) => {
      const outer = lock.read();
      const inner = lock.read();
      inside(self, false);
      inner.release();
      outer.release();
    },
    writing,
  ],
  after: idle,
}));

model<RWLock>("RWLock loses no wake-up to waiters that give up", {
  ...{ threads: 3, timeouts: 1, timed: [0], aborts: 1, preemptions: 1, longPreemptions: 2 },
}, () => ({
  ...base(),
  threads: [
    (lock, self) => {
      const guard = lock.tryWrite({ timeout: 7 });
      if (guard === undefined) return;
      inside(self, true);
      guard.release();
    },
    reading,
    async (lock, self) => {
      let guard: Guard;
      try {
        guard = await lock.writeAsync({ signal: self.signal });
      } catch (error) {
        if (!self.signal.aborted) throw error;
        return;
      }
      inside(self, true);
      guard.release();
    },
  ],
  after: idle,
}));

/** Runs with a side of the lock, whoever dies meanwhile. */
function surviving(lock: RWLock, take: () => Guard, self: Self, writes: boolean): void {
  for (;;) {
    try {
      const guard = take();
      inside(self, writes);
      guard.release();
      return;
    } catch (error) {
      if (!(error instanceof OwnerDiedError)) throw error;
      const guard = lock.recover();
      if (guard === undefined) continue;
      inside(self, true);
      guard.release();
      return;
    }
  }
}

const survivingReader = (lock: RWLock, self: Self): void =>
  surviving(lock, () => lock.tryRead({ timeout: AGES })!, self, false);
const survivingWriter = (lock: RWLock, self: Self): void =>
  surviving(lock, () => lock.tryWrite({ timeout: AGES })!, self, true);

model<RWLock>("RWLock is taken over from a writer that died, and a dead reader vanishes", {
  ...{ threads: LONG ? 3 : 2, deaths: 1, preemptions: 1, longPreemptions: 1 },
}, () => ({
  ...base(),
  threads: [survivingWriter, survivingReader, survivingWriter].slice(0, LONG ? 3 : 2),
  always: () => {},
}), [
  twin(
    "a reaper that keeps the holds of dead readers",
    /waits for ever|not alone/,
    (op) =>
      op.kind === "store" && /RW.(READS|THREAD) /.test(op.word?.name ?? "") && /reap/i.test(op.stack!)
        ? skipped(op)
        : undefined,
  ),
]);
