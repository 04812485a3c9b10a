// Condition: each notify() reaches exactly as many waiters as it says, see the header of primitives/_grants.ts.

import { Condition } from "../../primitives/condition.ts";
import { NotHeldError, OwnerDiedError } from "../../primitives/errors.ts";
import { LONG, type Look, model, type ModelOptions, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const CELLS = 2;
const CELL = ["THREAD", "WAITING", "GRANTED", "SYNC", "TICKET", "TAKEN", "ASLEEP", "-"];
const NAMES = ["THREADS", "LOCK", "HIGH", "TICKETS", "-", "HOLDER", "COMMIT"]
  .concat(...Array.from({ length: 7 }, (_, i) => [`INDEX ${i}`, `VALUE ${i}`]))
  .concat(Array.from({ length: 8 }, () => "-"))
  .concat(...Array.from({ length: CELLS }, (_, i) => CELL.map((name) => `${name} ${i}`)))
  .concat(["lock TAG", "lock ID", "lock ID", "OWNER", "GATE", "TASKS", "HEIR", "FLAGS", "RANK"]);

const base = () => {
  const { handle } = new Condition(undefined, { threads: CELLS, name: "C" });
  const constant = ["THREADS", "LOCK", "lock TAG", "lock ID", "FLAGS", "RANK"];
  return { records: [record(handle, NAMES, constant)], attach: () => Condition.attach(handle) };
};

/** Invariant 6, and the lock is free. */
function idle(look: Look): void {
  expectZero(look, "C.OWNER", "C.TASKS", "C.HEIR", "C.HOLDER", "C.COMMIT");
  for (let i = 0; i < CELLS; i++) {
    for (const word of ["WAITING", "GRANTED", "SYNC", "TICKET", "TAKEN", "ASLEEP"]) expectZero(look, `C.${word} ${i}`);
  }
}

const take = (self: Self): boolean =>
  self.step("looks for an item", (world) => {
    const items = world.get("items");
    if (items > 0) world.set("items", items - 1);
    return items > 0 ? 1 : 0;
  }) === 1;

const put = (self: Self, count: number): void =>
  void self.step(`puts ${count}`, (world) => world.set("items", world.get("items") + count));

/** Takes one item, blocked. */
function consume(condition: Condition, self: Self): void {
  const guard = condition.acquire();
  while (!take(self)) condition.wait();
  guard.release();
}

async function consumeAsync(condition: Condition, self: Self): Promise<void> {
  const guard = await condition.acquireAsync();
  while (!take(self)) await condition.waitAsync();
  guard.release();
}

const isOn = (op: Op, kind: Op["kind"], name: string): boolean =>
  op.kind === kind && op.word?.name.startsWith(`C.${name} `) === true;

/** A wait for the lock that looks up looks for circles too, which takes more preemptions than the gate has. */
const watched = LONG ? "wholly" : "asleep";
const SIZE: ModelOptions = { watched, threads: 3, preemptions: 1, longPreemptions: 2 };

model<Condition>(
  "Condition.notify() wakes one waiter for each item, threads and tasks (invariants 1 to 6)",
  SIZE,
  () => ({
    ...base(),
    threads: [
      consume,
      consumeAsync,
      (condition, self) => {
        for (let i = 0; i < 2; i++) {
          const guard = condition.acquire();
          put(self, 1);
          condition.notify();
          guard.release();
        }
      },
    ],
    after: idle,
  }),
  [
    twin(
      "a grant that wakes nobody",
      /nobody can move/,
      (op) => isOn(op, "notify", "GRANTED") ? skipped(op) : undefined,
    ),
    twin(
      "a waiter that does not register",
      /nobody can move|not held/i,
      (op) =>
        op.kind === "store" && op.stack!.includes("#register") && op.word?.name.startsWith("C.WAITING") && op.a === 1
          ? { ...op, a: 0 }
          : undefined,
    ),
    twin(
      "a waiter that has gone and never says so",
      /GRANTED/,
      (op) =>
        op.kind === "store" && op.stack!.includes("#enter") && isOn(op, "store", "GRANTED") ? skipped(op) : undefined,
    ),
    twin(
      "a waiter that does not say that it sleeps",
      /nobody can move/,
      (op) => isOn(op, "store", "ASLEEP") && op.a !== 0 ? skipped(op) : undefined,
    ),
  ],
);

model<Condition>(
  "Condition.notifyAll() wakes all, whom a second wait does not concern",
  { ...SIZE, preemptions: 2 },
  () => ({
    ...base(),
    threads: [
      consume,
      async (condition, self) => {
        await Promise.all([consumeAsync(condition, self), consumeAsync(condition, self)]);
      },
      (condition, self) => {
        const guard = condition.acquire();
        put(self, 3);
        condition.notifyAll();
        guard.release();
      },
    ],
    after: idle,
  }),
);

model<Condition>("Condition passes on what a waiter that gives up was granted", {
  ...{ watched, threads: 3, timeouts: 1, timed: [0], aborts: 1, preemptions: 1, longPreemptions: 2 },
}, () => ({
  ...base(),
  threads: [
    (condition, self) => {
      const guard = condition.acquire();
      let notified = true;
      if (!take(self)) notified = condition.tryWait({ timeout: 7 });
      if (notified) take(self);
      guard.release();
    },
    async (condition, self) => {
      const guard = await condition.acquireAsync();
      try {
        if (!take(self)) await condition.waitAsync({ signal: self.signal });
        take(self);
      } catch (error) {
        if (!self.signal.aborted) throw error;
      }
      guard.release();
    },
    (condition, self) => {
      const guard = condition.acquire();
      put(self, 1);
      const notified = condition.notify();
      const waited = self.step("counts those asleep", () => notified);
      if (waited > 1) throw new Error(`notify() says ${notified}`);
      guard.release();
    },
  ],
  // Whoever was not notified still waits: only one notify() was there for two.
  rests: () => true,
}));

/** A task that leaves the scope of its guard while it waits: at once, or holding the lock as another task. */
const leaver = (late: boolean) => async (condition: Condition, self: Self): Promise<void> => {
  const guard = await condition.acquireAsync();
  let holds = false;
  const wait = condition.waitAsync({ guard }).then(() => {
    holds = true;
    condition.notify(); // it was notified before it left: then it passes that on
    guard.release();
  }, (error) => {
    if (!(error instanceof NotHeldError)) throw error;
  });
  const other = late ? await condition.acquireAsync() : undefined;
  if (!holds) guard.release();
  other?.release();
  self.step("has left", () => 0);
  await wait;
};

for (const late of [false, true]) {
  const title = `Condition: a wait that ends ${
    late ? "while it waits for the lock" : "asleep"
  }, with its guard, loses no notify()`;
  model<Condition>(title, SIZE, () => ({
    ...base(),
    threads: [
      leaver(late),
      consume,
      (condition, self) => {
        const guard = condition.acquire();
        put(self, 1);
        condition.notify();
        guard.release();
      },
    ],
    after: idle,
  }), [
    twin(
      "a grant that ends with the wait",
      /nobody can move/,
      (op) =>
        isOn(op, "store", "GRANTED") && op.a === 1 && op.stack!.includes("withdrawTask") ? skipped(op) : undefined,
    ),
  ]);
}

/** Runs `body` under the lock, whoever dies meanwhile. */
function locked(condition: Condition, body: () => void): void {
  let guard;
  for (;;) {
    try {
      guard ??= condition.tryAcquire({ timeout: 1e9 })!;
      body();
      guard.release();
      return;
    } catch (error) {
      if (!(error instanceof OwnerDiedError)) throw error;
      guard = condition.recover();
    }
  }
}

/** Two wait for one item, of which the first may die. */
const mortal =
  (wait: (condition: Condition, self: Self) => unknown): Parameters<typeof model<Condition>>[2] => (ids) => ({
    ...base(),
    threads: [
      wait,
      survivor,
      (condition, self) =>
        locked(condition, () => {
          put(self, 1);
          condition.notify();
        }),
    ],
    // Who dies holding the lock leaves it to recover(): what is waited for is to be repaired then.
    mayDie: (look, thread) => (look.word("C.OWNER") & 0x3fffffff) !== ids[thread],
    // There is one item for two: the other one waits on.
    rests: (look) => look.get("items") === 0 && look.done(2),
  });

const survivor = (condition: Condition, self: Self): void =>
  locked(condition, () => {
    while (!take(self)) condition.tryWait({ timeout: 1e9 });
  });

const DEATH: ModelOptions = {
  watched,
  threads: 3,
  deaths: 1,
  mortal: [0],
  preemptions: 0,
  longPreemptions: 1,
};

model<Condition>(
  "Condition loses no notify() to a thread that died, not even on its way to the lock",
  {
    ...DEATH,
    preemptions: 1,
  },
  mortal(survivor),
  [
    twin(
      "a grant that dies with its waiter",
      /waits for ever/,
      (op) =>
        op.kind === "store" && op.stack!.includes("#reap") && op.word?.name.startsWith("C.GRANTED") && op.a === 1
          ? skipped(op)
          : undefined,
    ),
  ],
);

model<Condition>("Condition loses no notify() to a task whose thread died", DEATH, mortal(consumeAsync), [
  twin(
    "a task that has gone before it holds the lock again",
    /waits for ever/,
    (op) =>
      op.kind === "load" && op.word?.name.startsWith("C.TAKEN") && op.stack!.includes("#reap")
        ? { ...op, kind: "skip", a: 0, label: "(looks away)" }
        : undefined,
  ),
]);
