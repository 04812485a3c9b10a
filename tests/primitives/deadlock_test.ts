// Circles of waits among real threads: found in time, told well, broken once; and nothing else is ever reported.

import type { Cycle } from "../../mod.ts";
import { Condition, DeadlockError, Event, Latch, Lock, RLock, RWLock, Thread, threadDump } from "../../mod.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { clock } from "../testdata/death_threads.ts";
import type { Outcome, Step } from "../testdata/deadlock_threads.ts";
import {
  burn,
  holdAndAwait,
  holdAndFail,
  holdAndJoin,
  holdAndStep,
  holdAndTry,
  holdAndWait,
  holdAndWantAll,
  holdAsyncAndWait,
  notifyAndWant,
  wantOnly,
} from "../testdata/deadlock_threads.ts";

const module = new URL("../testdata/deadlock_threads.ts", import.meta.url);
/** ms from the closing of a circle to the error. */
// deno-lint-ignore no-explicit-any
const IN_TIME = 500 * Number((globalThis as any).process?.env?.LOCKSTEP_PATIENCE ?? 1);
/** By how many ms the clocks of two threads may differ. */
const SKEW = 10;

/** Starts a ring of threads, each holding one lock and wanting the next one. */
async function ring(locks: readonly (Lock | RLock)[], hold = holdAndWait, depth = 1): Promise<Outcome[]> {
  const met = new Latch(locks.length);
  const threads = locks.map((mine, i) => {
    const args: Parameters<typeof holdAndWait> = [mine, locks[(i + 1) % locks.length]!, met, depth];
    return new Thread({ target: hold as typeof holdAndWait, module, args, name: `worker-${i + 1}` }).start();
  });
  return await Promise.all(threads.map((thread) => thread.joinAsync()));
}

/** Checks that exactly one got the error, in time once the last of them had begun to wait, and returns it. */
function theOne(
  outcomes: readonly Outcome[],
  closed: number = Math.max(...outcomes.map(({ began }) => began)),
): { readonly message: string; readonly cycle: Cycle } {
  const told = outcomes.filter(({ message }) => message !== undefined);
  assert.equal(told.length, 1);
  assert.between(told[0]!.ended - closed, -SKEW, IN_TIME);
  return { message: told[0]!.message!, cycle: told[0]!.cycle! };
}

test("D13 two threads take A and B in opposite order: exactly one DeadlockError, naming both threads and locks", async () => {
  const outcomes = await ring([new Lock({ name: "accounts" }), new Lock({ name: "audit" })]);
  const { message, cycle } = theOne(outcomes);
  const first = outcomes[0]!.message === undefined ? 2 : 1;
  const [mine, other] = first === 1 ? ["accounts", "audit"] : ["audit", "accounts"];
  assert.equal(
    message,
    `Cannot acquire Lock "${other}" as this closes a circle of 2 threads, each waiting for the next:\n` +
      `  worker-${first} holds Lock "${mine}", waits for Lock "${other}", held by worker-${3 - first}\n` +
      `  worker-${3 - first} holds Lock "${other}", waits for Lock "${mine}", held by worker-${first}`,
  );
  assert.deepEqual(cycle.map(({ threadName, holds, waitsFor }) => [threadName, holds, waitsFor]), [
    [`worker-${first}`, `Lock "${mine}"`, `Lock "${other}"`],
    [`worker-${3 - first}`, `Lock "${other}"`, `Lock "${mine}"`],
  ]);
});

for (const size of [3, 5, 8]) {
  test(`A ring of ${size} threads over Lock and RLock is broken once, and told in order`, async () => {
    const locks = Array.from({ length: size }, (_, i) => new (i % 2 === 0 ? Lock : RLock)({ name: `${i + 1}` }));
    const { cycle } = theOne(await ring(locks));
    assert.equal(cycle.length, size);
    cycle.forEach(({ waitsFor }, i) => assert.equal(waitsFor, cycle[(i + 1) % size]!.holds));
  });
}

test("A ring of nested RLocks is found, and the others go on once all levels are given back", async () => {
  theOne(await ring([new RLock({ name: "a" }), new RLock({ name: "b" })], holdAndWait, 3));
});

test("A thread that blocks while one of its tasks holds a lock takes part", async () => {
  const hold = holdAsyncAndWait as unknown as typeof holdAndWait;
  theOne(await ring([new Lock({ name: "a" }), new RLock({ name: "b" })], hold));
});

test("A join takes part: one thread joins another that waits for its lock", async () => {
  const lock = new Lock({ name: "results" });
  const met = new Latch(2);
  const waiter = new Thread({ target: wantOnly, module, args: [lock, met], name: "waiter" }).start();
  const joiner = new Thread({ target: holdAndJoin, module, args: [lock, waiter, met], name: "joiner" })
    .start();
  const outcomes = await Promise.all([joiner.joinAsync(), waiter.joinAsync()]);
  const { message, cycle } = theOne(outcomes);
  assert.match(message, /joiner holds Lock "results", waits for Thread "waiter" to end/);
  assert.match(message, /waiter waits for Lock "results", held by joiner/);
  assert.equal(cycle.length, 2);
});

/** Each thread takes the first, and then, in turn, wants the second. */
async function play(...parts: readonly (readonly [Step | undefined, Step, after?: number])[]): Promise<Outcome[]> {
  const met = new Latch(parts.length);
  const threads = parts.map(([mine, other, after], turn) =>
    // Blocked for a while: a wait shows a moment before a writer is counted as waiting.
    new Thread({
      target: holdAndStep,
      module,
      args: [mine, other, met, after ?? turn, 100],
      name: `worker-${turn + 1}`,
    })
      .start()
  );
  return await Promise.all(threads.map((thread) => thread.joinAsync()));
}

test("A DeadlockError that nobody catches ends its thread, and reaches the joiner whole", async () => {
  const [a, b, met] = [new Lock({ name: "a" }), new Lock({ name: "b" }), new Latch(2)];
  const pairs: Parameters<typeof holdAndFail>[] = [[a, b, met], [b, a, met]];
  const threads = pairs.map((args) => new Thread({ target: holdAndFail, module, args }).start());
  const ends = await Promise.allSettled(threads.map((thread) => thread.joinAsync()));
  assert.equal(ends.filter(({ status }) => status === "fulfilled").length, 1);
  const { reason } = ends.find(({ status }) => status === "rejected") as PromiseRejectedResult;
  assert.instance(reason, DeadlockError);
  assert.equal(reason.code, "deadlock");
  assert.equal(reason.cycle.length, 2);
  assert.match(reason.message, /held by/);
});

test("A circle that closes long after its first threads went to sleep is found in time", async () => {
  const [a, b, c] = [new Lock({ name: "a" }), new Lock({ name: "b" }), new Lock({ name: "c" })];
  const met = new Latch(3);
  const threads = ([[a, b], [b, c], [c, a]] as const).map(([mine, other], turn) =>
    new Thread({ target: holdAndStep, module, args: [{ lock: mine }, { lock: other }, met, turn, 600] }).start()
  );
  const outcomes = await Promise.all(threads.map((thread) => thread.joinAsync()));
  theOne(outcomes);
  assert(outcomes[2]!.cycle, "the third one closed it");
});

test("RWLock: a writer and a reader that hold what the other wants", async () => {
  const [table, log] = [new RWLock({ name: "table" }), new RWLock({ name: "log" })];
  for (let i = 0; i < 2; i++) {
    const { message } = theOne(
      await play([{ read: table }, { write: log }], [i === 0 ? { read: log } : { write: log }, { write: table }]),
    );
    assert.match(message, /worker-1 holds RWLock "table", waits for RWLock "log", held by worker-2/);
  }
});

test("RWLock: a writer waits for two readers, one of which waits for the writer's lock", async () => {
  const [table, lock] = [new RWLock({ name: "table" }), new Lock({ name: "lock" })];
  const free = new Lock();
  const outcomes = await play(
    [{ read: table }, { lock: free }, 0],
    [{ read: table }, { lock }, 0],
    [{ lock }, { write: table }, 1],
  );
  assert.equal(theOne(outcomes).cycle.length, 2);
});

test("RWLock: a reader that a waiting writer keeps out takes part", async () => {
  const [table, lock] = [new RWLock({ name: "table" }), new Lock({ name: "lock" })];
  // The third waits to read as the second waits to write, which waits for the first to end reading, which waits for the third.
  const outcomes = await play([{ read: table }, { lock }], [undefined, { write: table }], [{ lock }, { read: table }]);
  assert.equal(theOne(outcomes).cycle.length, 3);
});

// C11: a wait that ended with an error would end without the lock, and a release in its `finally` would end another's hold.
test("C11 a Condition's re-acquire takes part in a circle, which whoever waits for something else breaks", async () => {
  for (let round = 0; round < 6; round++) {
    const lock = new Lock({ name: "lock" });
    const condition = new Condition(round % 2 === 0 ? new Lock({ name: "inner" }) : undefined, { name: "ready" });
    const met = new Latch(1);
    const threads = [
      new Thread({ target: holdAndAwait, module, args: [lock, condition, met], name: "awaits" }).start(),
      new Thread({ target: notifyAndWant, module, args: [lock, condition, met], name: "notifies" }).start(),
    ];
    // The circle is closed once the one that was notified wants its lock back, however late it wakes up.
    let closed = Infinity;
    const wantsBack = () =>
      threadDump().threads.some(({ name, waits: [wait] }) => name === "awaits" && wait?.kind.endsWith("Lock"));
    await until(() => wantsBack() ? closed = clock() : !threads[1]!.alive, 10_000);
    const [awaits, notifies] = await Promise.all(threads.map((thread) => thread.joinAsync()));
    assert.equal(awaits!.message, undefined);
    const { message } = theOne([notifies!], Math.min(closed, notifies!.ended));
    assert.match(message, /^Cannot acquire Lock "lock" as this closes a circle of 2 threads/);
    assert.match(message, /awaits holds Lock "lock", waits for R?Lock "(inner|ready)", held by notifies/);
    assert.equal(lock.locked || condition.lock.locked, false);
  }
});

test("acquireAll() in a circle with plain acquires is told as well, and lets go of what it had taken", async () => {
  const [a, b, c] = [new Lock({ name: "a" }), new Lock({ name: "b" }), new Lock({ name: "c" })];
  const met = new Latch(2);
  const threads = [
    new Thread({ target: holdAndWantAll, module, args: [a, [b, c], met] }).start(),
    new Thread({ target: holdAndWait, module, args: [b, a, met] }).start(),
  ];
  theOne(await Promise.all(threads.map((thread) => thread.joinAsync())));
  assert.equal(a.locked || b.locked || c.locked, false);
});

test("Waits with a time limit are no deadlock", async () => {
  const [a, b] = [new Lock(), new Lock()];
  const met = new Latch(2);
  // Far apart, as either may be the first to wait; the second one has what it wants once the first has given up.
  const pairs: Parameters<typeof holdAndTry>[] = [[a, b, met, 700], [b, a, met, 8_000]];
  const threads = pairs.map((args) => new Thread({ target: holdAndTry, module, args }).start());
  assert.deepEqual(await Promise.all(threads.map((thread) => thread.joinAsync())), [false, true]);
});

test("A ring through a handoff lock is none: somebody else may release it", async () => {
  const [plain, handed] = [new Lock({ name: "plain" }), new Lock({ name: "handed", handoff: true })];
  const met = new Latch(3);
  const pairs: Parameters<typeof holdAndWait>[] = [[plain, handed, met], [handed, plain, met]];
  const threads = pairs.map((args) => new Thread({ target: holdAndWait, module, args }).start());
  met.countDown();
  met.wait();
  assert.equal(threads[0]!.tryJoin({ timeout: 900 }), undefined);
  handed.release();
  const outcomes = await Promise.all(threads.map((thread) => thread.joinAsync()));
  assert(outcomes.every(({ message }) => message === undefined));
});

test("A ring of 8 threads is found in time while every core is busy", async () => {
  const stop = new Event();
  const burners = [1, 2].map(() => new Thread({ target: burn, module, args: [stop] }).start());
  try {
    theOne(await ring(Array.from({ length: 8 }, () => new Lock())));
  } finally {
    stop.set();
    for (const burner of burners) burner.join();
  }
}, { limit: 30_000 });
