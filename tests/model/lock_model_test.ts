// Lock: the proof of the header of primitives/_lock_word.ts, by exhaustion.

import { OwnerDiedError, ThreadStoppedError } from "../../primitives/errors.ts";
import type { Guard } from "../../primitives/guard.ts";
import { Lock } from "../../primitives/lock.ts";
import { Roster } from "../../primitives/_roster.ts";
import { type Look, model, twin } from "./_model.ts";
import { expectFree, lockRecord } from "./_names.ts";
import { forced, type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";

const WAITERS_BIT = 0x80000000 | 0;
const DIED_BIT = 0x40000000;
const OWNER_MASK = 0x3fffffff;
/** A time limit that never comes: such a wait takes no part in the detection of deadlocks. */
const AGES = 1e9;

const isOwner = (op: Op, kind: Op["kind"]): boolean => op.kind === kind && op.word?.name === "Lock.OWNER";

function fresh(options?: { handoff: boolean }): { handle: Lock["handle"]; rest: Pick<Base, "records" | "attach"> } {
  const { handle } = new Lock(options);
  return { handle, rest: { records: [lockRecord(handle)], attach: () => Lock.attach(handle) } };
}

interface Base {
  records: ReturnType<typeof lockRecord>[];
  attach(): Lock;
}

/** The states of OWNER that the header calls impossible. */
function possible(look: Look): void {
  const owner = look.word("Lock.OWNER");
  if ((owner & DIED_BIT) !== 0 && (owner & OWNER_MASK) === 0) look.fail("nobody died, and yet OWNER says so");
}

/** Free at the end, and still as good as new. */
function usable(look: Look, lock: Lock): void {
  expectFree(look);
  lock.acquire().release();
}

/** Untimed for the library's purposes, but for the detection of deadlocks. */
function patient(lock: Lock, self: Self): void {
  const guard = lock.tryAcquire({ timeout: AGES })!;
  self.inside();
  guard.release();
}

function blocking(lock: Lock, self: Self): void {
  const guard = lock.acquire();
  self.inside();
  guard.release();
}

async function awaiting(lock: Lock, self: Self): Promise<void> {
  const guard = await lock.acquireAsync();
  self.inside();
  guard.release();
}

model<Lock>("Lock admits one thread at a time (invariants 1 to 4)", { threads: 3, preemptions: 3 }, () => ({
  ...fresh().rest,
  thread: blocking,
  always: possible,
  after: usable,
}), [
  twin(
    "a retake that forgets WAITERS_BIT",
    /nobody can move/,
    (op) => isOwner(op, "cas") && op.a === 0 && op.b < 0 ? { ...op, b: op.b & ~WAITERS_BIT } : undefined,
  ),
  twin("a release that wakes nobody", /nobody can move/, (op) => isOwner(op, "notify") ? skipped(op) : undefined),
  twin("a waiter that sleeps without a mark", /nobody can move/, (op) => {
    if (isOwner(op, "wait")) return { ...op, a: op.a & ~WAITERS_BIT };
    return isOwner(op, "cas") && op.a > 0 && op.b === (op.a | WAITERS_BIT) ? skipped(op) : undefined;
  }),
  twin(
    "a take that does not look whether it is free",
    /inside at once/,
    (op) => isOwner(op, "cas") && op.a === 0 ? forced(op) : undefined,
  ),
]);

model<Lock>("Lock wakes tasks and threads that wait side by side", { threads: 3 }, () => ({
  ...fresh().rest,
  threads: [blocking, awaiting, blocking],
  always: possible,
  after: usable,
}), [
  twin(
    "a release that forgets the tasks",
    /nobody can move/,
    (op) => op.kind === "notify" && op.word?.name === "Lock.GATE" ? skipped(op) : undefined,
  ),
  twin(
    "a release that leaves GATE as it was",
    /nobody can move/,
    (op) => op.kind === "add" && op.word?.name === "Lock.GATE" ? skipped(op) : undefined,
  ),
  twin(
    "a task that is not counted",
    /nobody can move/,
    (op) => op.kind === "add" && op.word?.name === "Lock.TASKS" ? skipped(op) : undefined,
  ),
]);

model<Lock>("Lock serves two tasks of one thread and a thread", { threads: 2, preemptions: 3 }, () => ({
  ...fresh().rest,
  threads: [
    (lock, self) => Promise.all([awaiting(lock, self), awaiting(lock, self)]),
    blocking,
  ],
  after: usable,
}));

model<Lock>("Lock loses no wake-up to a waiter whose time is over", { threads: 3, timeouts: 1, timed: [1] }, () => ({
  ...fresh().rest,
  threads: [
    blocking,
    (lock, self) => {
      const guard = lock.tryAcquire({ timeout: 7 });
      if (guard === undefined) return;
      self.inside();
      guard.release();
    },
    blocking,
  ],
  always: possible,
  after: usable,
}));

model<Lock>("Lock loses no wake-up to a task that gives up", { threads: 3, aborts: 1 }, () => ({
  ...fresh().rest,
  threads: [
    blocking,
    async (lock, self) => {
      let guard: Guard;
      try {
        guard = await lock.acquireAsync({ signal: self.signal });
      } catch (error) {
        if (!self.signal.aborted) throw error;
        return;
      }
      self.inside();
      guard.release();
    },
    blocking,
  ],
  after: usable,
}), [
  twin(
    "a task that stays counted when it gives up",
    /TASKS/,
    (op) => op.kind === "add" && op.word?.name === "Lock.TASKS" && op.a < 0 ? skipped(op) : undefined,
  ),
]);

model<Lock>("Lock bears waits that end for no reason", { threads: 3, spurious: 2 }, () => ({
  ...fresh().rest,
  threads: [blocking, awaiting, blocking],
  after: usable,
}));

model<Lock>("Lock may be released by another thread", { threads: 3, preemptions: 3 }, () => ({
  ...fresh({ handoff: true }).rest,
  threads: [
    (lock, self) => {
      lock.acquire();
      self.step("hand over", (world) => world.set("handed", 1));
    },
    (lock, self) => {
      self.until("handed over", (world) => world.get("handed") === 1);
      lock.release();
    },
    (lock, self) => {
      const guard = lock.acquire();
      self.inside();
      guard.release();
      guard.release(); // does nothing, whoever holds it now
    },
  ],
  after: usable,
}));

/** Takes the lock, whoever dies meanwhile; what the dead left is repaired by one. */
function surviving(lock: Lock, self: Self): void {
  for (;;) {
    try {
      const guard = lock.tryAcquire({ timeout: AGES })!;
      self.inside();
      guard.release();
      return;
    } catch (error) {
      if (!(error instanceof OwnerDiedError)) throw error;
      const guard = lock.recover();
      if (guard === undefined) continue; // somebody was faster
      self.inside();
      guard.release();
      return;
    }
  }
}

model<Lock>("Lock is taken over from a holder that died", { threads: 3, deaths: 1 }, () => ({
  ...fresh().rest,
  thread: surviving,
  always: possible,
}), [
  twin(
    "a recovery by two at once",
    /inside at once/,
    (op) =>
      isOwner(op, "cas") && op.b !== 0 && (op.a & OWNER_MASK) !== 0 && (op.a & OWNER_MASK) !== (op.b & OWNER_MASK)
        ? forced(op)
        : undefined,
  ),
]);

/** The same for a task. */
async function survivingAsync(lock: Lock, self: Self): Promise<void> {
  let guard: Guard | undefined;
  while (guard === undefined) {
    try {
      guard = await lock.acquireAsync();
    } catch (error) {
      if (!(error instanceof OwnerDiedError)) throw error;
      guard = lock.recover();
    }
  }
  self.inside();
  guard.release();
}

model<Lock>("Lock is taken over by a task from a holder that died", { threads: 3, deaths: 1 }, () => ({
  ...fresh().rest,
  threads: [surviving, survivingAsync, survivingAsync],
  always: possible,
}));

model<Lock>("Lock keeps what it owes to waiters that were passed too long", {
  threads: 3,
  ticks: 2,
  longPreemptions: 3,
}, () => ({
  ...fresh().rest,
  threads: [
    (lock, self) => {
      patient(lock, self);
      patient(lock, self);
    },
    patient,
    awaiting,
  ],
  always: possible,
  after: usable,
}), [
  twin(
    "an heir that does not resign",
    /HEIR|nobody can move|would have to wait/,
    (op) => op.kind === "cas" && op.word?.name === "Lock.HEIR" && op.b === 0 ? skipped(op) : undefined,
  ),
]);

model<Lock>(
  "Lock throws in a waiter that is told to stop, and in no other",
  { threads: 3, stops: true, slices: true },
  (
    ids,
  ) => ({
    ...fresh().rest,
    threads: [
      blocking,
      (lock, self) => {
        try {
          const guard = lock.tryAcquire({ timeout: AGES })!;
          self.inside();
          guard.release();
        } catch (error) {
          if (!(error instanceof ThreadStoppedError)) throw error;
        }
      },
      patient,
    ],
    helpers: [(lock) => rosterOf(lock).tellToStop(ids[1]!)],
    after: usable,
  }),
);

/** The roster that this thread has attached to together with the lock. */
function rosterOf(lock: Lock): Roster {
  const { roster, rosterOffset } = lock.handle as unknown as { roster: SharedArrayBuffer; rosterOffset: number };
  return Roster.attach(roster, rosterOffset);
}
