// What one thread can show of RWLock; tests/conformance/rwlock.ts has the rest.

import { Agent } from "../../primitives/_agent.ts";
import { store } from "../../primitives/_atomics.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { DeadlockError, type Guard, LayoutError, Lock, LockOrderError, OwnerDiedError } from "../../primitives/mod.ts";
import { RWLock } from "../../primitives/rwlock.ts";
import { asAgent, leaveWaiting } from "../_as_agent.ts";
import { timeAsleep, withStoppedClock } from "../_clock.ts";
import { assert, inspect, random, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { posted } from "../_posted.ts";
import { until } from "../_until.ts";

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

test("RWLock: a new one is free, and wrong options throw", () => {
  const lock = new RWLock({ name: "table" });
  assert.deepEqual([lock.readers, lock.writer, lock.name], [0, undefined, "table"]);
  for (const wrong of [1, "x", null]) assert.throws(() => new RWLock(wrong as never), TypeError);
  assert.throws(() => new RWLock({ name: 1 as never }), TypeError);
  assert.throws(() => new RWLock({ rank: 0.5 }), RangeError);
  assert.throws(() => new RWLock({ threads: 0 }), /threads/);
});

test("RWLock: many read, one writes, never both", () => {
  const lock = new RWLock();
  const readers = [lock.read(), lock.tryRead()!, lock.read()];
  assert.equal(lock.readers, 3);
  assert.equal(lock.tryWrite(), undefined);
  for (const reader of readers) {
    assert.equal(lock.tryWrite(), undefined);
    reader.release();
    reader.release();
  }
  const writer = lock.write();
  assert(lock.writer! > 0);
  assert.equal(lock.tryRead(), undefined);
  assert.equal(lock.tryWrite(), undefined);
  writer.release();
  writer.release();
  assert.deepEqual([lock.readers, lock.writer], [0, undefined]);
});

test("RWLock: a thread that would wait for itself gets DeadlockError at once", async () => {
  const lock = new RWLock({ name: "table" });
  const reader = lock.read();
  const error = assert.throws<DeadlockError>(() => lock.write(), DeadlockError);
  assert.equal(error.message, 'Cannot write RWLock "table" as this thread reads it: it would wait for itself');
  assert.equal(error.cycle[0]!.waitsFor, 'RWLock "table"');
  assert.throws(() => lock.tryWrite({ timeout: Infinity }), DeadlockError);
  reader.release();
  const writer = lock.write();
  assert.throws(() => lock.read(), /Cannot read RWLock "table" as this thread writes it/);
  assert.throws(() => lock.write(), /Cannot write RWLock "table" as this thread writes it/);
  writer.release();
  const task = await lock.writeAsync();
  assert.throws(() => lock.read(), /a task of this thread writes it/);
  task.release();
  const readingTask = await lock.readAsync();
  assert.throws(() => lock.write(), DeadlockError);
  readingTask.release();
  assert.equal(String(lock), 'RWLock "table" (free)');
});

test("RWLock: a timed try that waits for its own thread gives up in time", () => {
  const lock = new RWLock();
  const reader = lock.read();
  assert.equal(timeAsleep(() => assert.equal(lock.tryWrite({ timeout: 40 }), undefined)), 40);
  lock.read().release(); // it left nothing behind
  reader.release();
  const writer = lock.write();
  assert.equal(lock.tryRead({ timeout: 10 }), undefined);
  assert.equal(lock.tryWrite({ timeout: 10 }), undefined);
  writer.release();
  lock.tryRead({ timeout: 1e100 })!.release();
});

test("RWLock: readers that wait when a writer leaves go before the next writer", async () => {
  const lock = new RWLock();
  const order: string[] = [];
  const enter = async (name: string, wait: Promise<Guard>) => {
    const guard = await wait;
    order.push(name);
    await settle();
    guard.release();
  };
  const first = lock.write();
  const all = [
    enter("w1", lock.writeAsync()),
    enter("r1", lock.readAsync()),
    enter("w2", lock.writeAsync()),
    enter("r2", lock.readAsync()),
  ];
  await settle();
  assert.deepEqual(order, []);
  first.release();
  await Promise.all(all);
  assert.deepEqual(order, ["r1", "r2", "w1", "w2"]);
  assert.deepEqual([lock.readers, lock.writer], [0, undefined]);
});

test("RWLock: while a writer waits nobody begins to read, but who reads may read again", async () => {
  const lock = new RWLock();
  const reader = lock.read();
  const writing = lock.writeAsync();
  await settle();
  lock.read().release();
  const start = performance.now();
  (await lock.readAsync()).release(); // it might be another task: the writer gets its chance first
  assert.between(performance.now() - start, 9, Infinity);
  let wrote = false;
  void writing.then(() => wrote = true);
  await settle();
  assert.equal(wrote, false);
  reader.release();
  (await writing).release();
});

const [WRITERS, WAITERS, HEIR, FREED, OPENED, GATE, MONITOR] = [5, 6, 9, 10, 11, 12, 16];

/** The words of the record. */
function words(lock: RWLock): Int32Array<SharedArrayBuffer> {
  const { buffer, byteOffset } = lock.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, 64);
}

/** Another thread, played by this one. */
function elsewhere(lock: RWLock): {
  readonly id: number;
  do<T>(act: (lock: RWLock) => T): T;
  waitToRead(): void;
  waitToWrite(): void;
  die(): void;
} {
  const other = new Agent();
  const handle = lock.handle as FullHandle;
  const [there, roster] = asAgent(other, () => {
    return [RWLock.attach(handle), Roster.attach(handle.roster, handle.rosterOffset)] as const;
  });
  const me = asAgent(other, () => roster.me);
  return {
    id: me,
    do: (act) => asAgent(other, () => act(there)),
    waitToRead: () => leaveWaiting(other, () => there.readAsync()),
    waitToWrite() {
      this.do((lock) => lock.read().release()); // it has a cell now
      const record = words(lock);
      store(record, record.indexOf(me, 20) + 2, 1); // WAITS: BLOCKED_WRITER
      store(record, WRITERS, 1);
    },
    die: () => void Roster.attach(handle.roster, handle.rosterOffset).markDead(me),
  };
}

test("RWLock: a thread that reads may try to read again although a writer waits", () => {
  const lock = new RWLock();
  const other = elsewhere(lock);
  const reader = lock.read();
  other.waitToWrite();
  const again = lock.tryRead();
  assert(again !== undefined);
  again.release();
  reader.release();
  assert.equal(lock.tryRead(), undefined); // from now on it is the writer's turn
});

test("RWLock: the last reader's release wakes a writer, and readers only where what is kept for a task may lapse", () => {
  for (const [waits, woken] of [[1, [FREED]], [2, [FREED, OPENED]]] as const) { // BLOCKED_WRITER, TASK_WRITER
    const lock = new RWLock();
    const other = elsewhere(lock);
    const readers = [lock.read(), lock.read()];
    other.waitToWrite();
    const record = words(lock);
    record[record.indexOf(1, 24)] = waits;
    store(record, WAITERS, 1);
    assert.deepEqual(notified(record.buffer, () => readers[0]!.release()).filter((word) => word !== MONITOR), []);
    const all = notified(record.buffer, () => readers[1]!.release()).filter((word) => word !== MONITOR);
    assert.deepEqual(all.sort((a, b) => a - b), woken);
  }
});

test("RWLock: tasks of one thread write in the order in which they asked", async () => {
  const lock = new RWLock();
  const order: number[] = [];
  const write = async (task: number) => {
    const guard = await lock.writeAsync();
    order.push(task);
    guard.release();
  };
  const holder = lock.write();
  const tasks = [write(1), write(2)];
  await settle();
  holder.release();
  tasks.push(write(3)); // it is free at this moment
  await Promise.all(tasks);
  assert.deepEqual(order, [1, 2, 3]);
});

test("RWLock: whose time is over is off the list, and in nobody's way", () => {
  const lock = new RWLock();
  const other = elsewhere(lock);
  const reader = other.do((lock) => lock.read());
  assert.equal(lock.tryWrite({ timeout: 100 }), undefined); // so long that it became the heir
  assert.deepEqual([words(lock)[WRITERS], words(lock)[HEIR]], [0, 0]);
  lock.tryRead()!.release();
  other.do(() => reader.release());
  const writer = other.do((lock) => lock.write());
  assert.equal(lock.tryRead({ timeout: 5 }), undefined);
  assert.equal(words(lock)[WAITERS], 0);
  other.do(() => writer.release());
  lock.write().release();
});

test("RWLock: a waiter passed for 10 ms goes before other writers, and is heir no longer once it writes", async () => {
  const lock = new RWLock();
  const holder = lock.write();
  const waiting = lock.writeAsync();
  await until(() => words(lock)[HEIR] !== 0);
  holder.release();
  const other = elsewhere(lock);
  // What is kept for a task lapses within a millisecond.
  withStoppedClock(() => assert.equal(other.do((lock) => lock.tryWrite()), undefined));
  const writer = await waiting;
  assert.equal(words(lock)[HEIR], 0);
  writer.release();
});

test("RWLock: there is nothing to recover where nobody has died", () => {
  const lock = new RWLock();
  const other = elsewhere(lock);
  assert.equal(lock.recover(), undefined);
  const writer = other.do((lock) => lock.write());
  assert.equal(lock.recover(), undefined);
  other.do(() => writer.release());
  lock.write().release();
});

test("RWLock: the guard of a hold that was taken over ends none, neither another's nor a later one", () => {
  const lock = new RWLock();
  const other = elsewhere(lock);
  const write = () => other.do((lock) => lock.write());
  const early = write();
  other.die(); // so it is said, but it runs on for a moment
  const mine = lock.recover()!;
  const { writer } = lock;
  other.do(() => early.release());
  assert.equal(lock.writer, writer);
  mine.release();
  const lost = write();
  lock.recover()!.release();
  const late = write();
  other.do(() => lost.release());
  assert(lock.writer !== undefined);
  other.do(() => late.release());
  assert.equal(lock.writer, undefined);
});

const WAYS: Record<string, (lock: RWLock) => PromiseLike<Guard | undefined> | Guard | undefined> = {
  "tryRead()": (lock) => lock.tryRead(),
  "tryRead({ timeout })": (lock) => lock.tryRead({ timeout: 5_000 }),
  "readAsync()": (lock) => lock.readAsync(),
  "tryWrite()": (lock) => lock.tryWrite(),
  "tryWrite({ timeout })": (lock) => lock.tryWrite({ timeout: 5_000 }),
  "writeAsync()": (lock) => lock.writeAsync(),
};

for (const [how, take] of Object.entries(WAYS)) {
  test(`D6 RWLock: the dead are in nobody's way: ${how}`, async () => {
    for (const held of ["reads", "waits to write"]) {
      const lock = new RWLock();
      lock.read().release(); // this thread has a cell already
      const [first, second] = [elsewhere(lock), elsewhere(lock)];
      if (held !== "reads") second.waitToWrite();
      else first.do((lock) => lock.read());
      second.die();
      first.die();
      (await take(lock))!.release();
      assert.equal(lock.readers, 0); // somebody has looked by now
      assert.deepEqual([...words(lock).slice(3, 10)], [0, 0, 0, 0, 0, 0, 0]); // WRITER … HEIR
    }
  });

  test(`D7 RWLock: a dead writer is reported, and all are woken to hear of it: ${how}`, async () => {
    const lock = new RWLock();
    const [writer, reader] = [elsewhere(lock), elsewhere(lock)];
    writer.do((lock) => lock.write());
    reader.waitToRead();
    writer.die();
    let got: unknown;
    const woken = notified(words(lock).buffer, () => {
      try {
        got = take(lock);
      } catch (error) {
        got = Promise.reject(error);
      }
    });
    await assert.rejects(got as Promise<unknown>, OwnerDiedError);
    assert(woken.includes(GATE), `woken are ${woken}`);
  });
}

test("D6 RWLock: the dead need no room", () => {
  for (const how of ["read", "write"] as const) {
    const lock = new RWLock({ threads: 1 });
    const other = elsewhere(lock);
    other.do((lock) => lock.read());
    if (how === "read") assert.throws(() => lock.tryRead(), /raise its option threads/);
    other.die();
    lock[how]().release();
  }
});

test("RWLock: what a task reads is not what its thread reads, as ranks see it", async () => {
  const lock = new RWLock({ rank: 5 });
  const lower = new Lock({ rank: 1 });
  const own = lock.read();
  const task = await lock.readAsync();
  task.release();
  await assert.rejects(lower.acquireAsync(), LockOrderError);
  own.release();
  (await lower.acquireAsync()).release();
});

test("RWLock: a stream of reading tasks does not starve a writer", async () => {
  const lock = new RWLock();
  let on = true;
  let reads = 0;
  const stream = Array.from({ length: 3 }, async (_, i) => {
    while (on) {
      const guard = await lock.readAsync();
      await new Promise((resolve) => setTimeout(resolve, 1 + i));
      reads++;
      guard.release();
    }
  });
  await until(() => reads > 5);
  for (let i = 0; i < 5; i++) (await lock.writeAsync()).release();
  on = false;
  await Promise.all(stream);
  assert.deepEqual([lock.readers, lock.writer], [0, undefined]);
});

test("RWLock: a stream of writing tasks does not starve a reader", async () => {
  const lock = new RWLock();
  let on = true;
  let writes = 0;
  const stream = Array.from({ length: 3 }, async () => {
    while (on) {
      const guard = await lock.writeAsync();
      await Promise.resolve();
      guard.release();
      if (++writes % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  });
  await until(() => writes > 5);
  for (let i = 0; i < 5; i++) (await lock.readAsync()).release();
  on = false;
  await Promise.all(stream);
});

test("G8 G7 RWLock: an aborted waiter takes nothing and leaves the others alone", async () => {
  const lock = new RWLock();
  for (const side of ["readAsync", "writeAsync"] as const) {
    await assert.rejects(lock[side]({ signal: AbortSignal.abort("no") }), (error) => error === "no");
    await assert.rejects(lock[side]({ signal: 1 as never }), TypeError);
  }
  for (let round = 0; round < 2; round++) {
    const reader = lock.read();
    const controllers = [new AbortController(), new AbortController(), new AbortController()];
    const [w1, r1, w2] = controllers as [AbortController, AbortController, AbortController];
    const results = [
      lock.writeAsync({ signal: w1.signal }),
      lock.writeAsync({ signal: w2.signal }),
    ].map((wait) => wait.then((guard) => guard, (error) => error));
    await settle();
    const read = lock.readAsync({ signal: r1.signal }).then((guard) => guard, (error) => error);
    await settle();
    w1.abort("w1");
    r1.abort("r1");
    assert.deepEqual([await results[0], await read], ["w1", "r1"]);
    const late = lock.readAsync();
    await settle();
    w2.abort("w2"); // nobody wants to write any more
    assert.equal(await results[1], "w2");
    (await late).release();
    reader.release();
    lock.write().release();
  }
});

test("RWLock: who gives up while it is free wakes a writer, or else the readers; held, nobody", async () => {
  for (const [writers, free] of [[true, true], [false, true], [true, false], [false, false]] as const) {
    const lock = new RWLock();
    const [writer, reader, holder] = [elsewhere(lock), elsewhere(lock), elsewhere(lock)];
    const record = words(lock);
    if (writers) writer.waitToWrite();
    const held = holder.do((lock) => lock.write());
    reader.waitToRead();
    record[record.indexOf(8, 20)] = 4; // as a thread, not as a task
    const controller = new AbortController();
    const waiting = assert.rejects(lock.writeAsync({ signal: controller.signal }));
    await settle();
    if (free) holder.do(() => held.release());
    const woken = notified(record.buffer, () => controller.abort());
    const who = woken.filter((word) => [FREED, OPENED].includes(word));
    assert.deepEqual(who, !free ? [] : writers ? [FREED] : [OPENED]);
    await waiting;
    if (!free) holder.do(() => held.release());
  }
});

test("RWLock: a reader that gives up leaves the writer of its thread the heir", async () => {
  const lock = new RWLock();
  const other = elsewhere(lock);
  const held = other.do((lock) => lock.write());
  const controller = new AbortController();
  const reading = assert.rejects(lock.readAsync({ signal: controller.signal }));
  await settle();
  const record = words(lock);
  const me = record[record.indexOf(8, 20) - 2]!; // THREAD before READS and WAITS
  store(record, HEIR, me);
  controller.abort();
  await reading;
  assert.equal(record[HEIR], me);
  other.do(() => held.release());
});

test("RWLock: a task that hears of a death before it has waited leaves those alone that wait", async () => {
  const lock = new RWLock();
  const [dying, writer] = [elsewhere(lock), elsewhere(lock)];
  writer.waitToWrite();
  dying.do((lock) => lock.write());
  const first = assert.rejects(lock.readAsync(), OwnerDiedError);
  await settle();
  dying.die();
  const second = assert.rejects(lock.readAsync(), OwnerDiedError);
  assert.equal(words(lock)[WAITERS], 1);
  await Promise.all([first, second]);
  assert.equal(words(lock)[WAITERS], 0);
});

test("G8 RWLock: of two tasks that wait to read each may give up", async () => {
  const lock = new RWLock();
  const writer = lock.write();
  const controllers = [new AbortController(), new AbortController()];
  const waits = controllers.map(({ signal }) => assert.rejects(lock.readAsync({ signal })));
  await settle();
  for (const [i, controller] of controllers.entries()) {
    assert.equal(words(lock)[WAITERS], 2 - i);
    controller.abort();
    await waits[i];
  }
  assert.equal(words(lock)[WAITERS], 0);
  writer.release();
});

test("RWLock: ranks are checked on both sides", () => {
  const low = new RWLock({ rank: 1 });
  const high = new RWLock({ rank: 2, name: "high" });
  const reader = high.read();
  high.read().release();
  assert.throws(() => low.read(), LockOrderError);
  const error = assert.throws<LockOrderError>(() => low.write(), LockOrderError);
  assert.equal(error.message.startsWith('Cannot write RWLock of rank 1 as this thread holds RWLock "high"'), true);
  reader.release();
  const guard = low.read();
  const other = high.write();
  assert.throws(() => new Lock({ rank: 2 }).acquire(), LockOrderError);
  other.release();
  guard.release();
  low.write().release();
});

test("G15 RWLock: printing it shows who holds it", () => {
  const lock = new RWLock({ name: "table" });
  const readers = [lock.read()];
  assert.equal(String(lock), 'RWLock "table" (1 reader)');
  readers.push(lock.read());
  assert.equal(inspect(lock) ?? String(lock), 'RWLock "table" (2 readers)');
  for (const reader of readers) reader.release();
  lock.write();
  assert.match(String(lock), /^RWLock "table" \(writer \d+ .+\)$/);
});

test("RWLock: attaching to anything else is LayoutError", () => {
  const { handle } = new RWLock();
  assert.throws(() => RWLock.attach(new Lock().handle), LayoutError);
  assert.throws(() => RWLock.attach({ ...new Lock().handle, kind: "RWLock" }), LayoutError);
  assert.throws(() => RWLock.attach({ ...handle, byteLength: 128 } as never), LayoutError);
  assert.throws(() => RWLock.attach({} as never), LayoutError);
  const other = RWLock.attach(posted(handle));
  const guard = other.write();
  assert.equal(RWLock.attach(handle).writer, other.writer);
  guard.release();
});

test("RWLock: any bytes in the record neither crash nor hang", () => {
  const prng = random();
  for (let turn = 0; turn < 300; turn++) {
    const { handle } = new RWLock({ threads: 2 });
    const words = new Int32Array((handle as unknown as { buffer: SharedArrayBuffer }).buffer);
    for (let i = 0; i < 4; i++) words[3 + prng.below(words.length - 3)] = prng.next() | 0;
    words[16] = 0; // a monitor that is held for ever by a living thread is reported after 10 s
    try {
      const lock = RWLock.attach(handle);
      String(lock);
      lock.tryRead()?.release();
      lock.tryWrite({ timeout: 1 })?.release();
      lock.recover()?.release();
    } catch (error) {
      const { code } = error as { code?: string };
      assert(error instanceof RangeError || ["owner-died", "layout", "lock-order"].includes(code!), String(error));
    }
  }
});

test("RWLock: random readers and writers of one thread, with aborts, end where they began", async () => {
  const prng = random();
  const lock = new RWLock();
  let readers = 0;
  let writers = 0;
  const task = async () => {
    for (let i = 0; i < 30; i++) {
      const controller = new AbortController();
      const writes = prng.chance(0.4);
      const wait = writes
        ? lock.writeAsync({ signal: controller.signal })
        : lock.readAsync({ signal: controller.signal });
      if (prng.chance(0.2)) controller.abort();
      const guard = await wait.catch(() => undefined);
      if (guard === undefined) continue;
      if (writes) writers++;
      else readers++;
      assert(writers === 0 || (writers === 1 && readers === 0));
      for (let turns = prng.below(4); turns > 0; turns--) await Promise.resolve();
      if (writes) writers--;
      else readers--;
      guard.release();
    }
  };
  await Promise.all(Array.from({ length: 12 }, task));
  assert.equal(String(lock), "RWLock (free)");
  lock.write().release();
});
