// acquireAll() in one thread; philosophers.ts and the stress have it among many.

import { Agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import {
  acquireAll,
  acquireAllAsync,
  Condition,
  DeadlockError,
  type Guard,
  Lock,
  LockOrderError,
  OwnerDiedError,
  RLock,
  RWLock,
  Semaphore,
} from "../../primitives/mod.ts";
import { asAgent, ENDED } from "../_as_agent.ts";
import { timeAsleep, withStoppedClock } from "../_clock.ts";
import { assert, random, test } from "../_harness.ts";

function mixed(): { locks: [Lock, RLock, Condition, Semaphore]; states: () => string } {
  const locks: [Lock, RLock, Condition, Semaphore] = [new Lock(), new RLock(), new Condition(), new Semaphore(2)];
  const [lock, rlock, condition, semaphore] = locks;
  return {
    locks,
    states: () => `${lock.locked} ${rlock.depth} ${(condition.lock as RLock).locked} ${semaphore.value}`,
  };
}

test("acquireAll() takes Locks, RLocks, Conditions' locks and permits in any order, and releases them all, once", async () => {
  const { locks, states } = mixed();
  for (let i = 0; i < 10; i++) {
    const guard = acquireAll(random(`${i}`).shuffle(locks));
    assert.equal(states(), "true 1 true 1");
    guard.release();
    guard.release();
    assert.equal(states(), "false 0 false 2");
    const later = await acquireAllAsync(locks);
    assert.equal(states(), "true 1 true 1");
    later.release();
    assert.equal(states(), "false 0 false 2");
  }
  acquireAll([]).release();
});

test("acquireAll() is disposed like any guard", () => {
  const lock = new Lock();
  const guard = acquireAll([lock]) as Guard & { [key: symbol]: (() => void) | undefined };
  const dispose = (Symbol as { dispose?: symbol }).dispose;
  if (dispose === undefined) guard.release();
  else guard[dispose]!();
  assert.equal(lock.locked, false);
});

test("acquireAll() refuses what is listed twice, naming it, and what is no lock, taking nothing", async () => {
  const [a, b] = [new Lock({ name: "a" }), new Lock({ name: "b" })];
  assert.throws(() => acquireAll([a, b, Lock.attach(a.handle)]), /^Cannot acquire all.*listed twice: Lock "a"$/);
  assert.throws(() => acquireAll([a, b, a]), TypeError);
  const condition = new Condition(b);
  assert.throws(() => acquireAll([condition, b]), /listed twice: Lock "b"/);
  const semaphore = new Semaphore(3, { name: "s" });
  assert.throws(() => acquireAll([semaphore, semaphore]), /listed twice: Semaphore "s"/);
  for (const wrong of [undefined, null, 3, "lock", {}, a.handle, { read: a }, { read: 1, write: 2 }]) {
    assert.throws(() => acquireAll([b, wrong as never]), TypeError);
    await assert.rejects(() => acquireAllAsync([b, wrong as never]), TypeError);
  }
  for (const wrong of [undefined, null, 3, a, {}]) assert.throws(() => acquireAll(wrong as never), TypeError);
  assert.equal(a.locked || b.locked, false);
});

test("acquireAll() throws DeadlockError when this thread holds one already, taking nothing; an RLock nests", () => {
  const [a, b, nested] = [new Lock({ name: "a" }), new Lock({ name: "b" }), new RLock()];
  const held = b.acquire();
  const outer = nested.acquire();
  for (const list of [[a, b], [b, a]]) {
    const error = assert.throws(() => acquireAll(list), DeadlockError);
    assert.match(error.message, /Lock "b" as this thread holds it/);
    assert.equal(a.locked, false);
  }
  assert.equal(acquireAll([a, b], { timeout: 20 }), undefined);
  assert.equal(a.locked, false);
  const guard = acquireAll([a, nested]);
  assert.equal(nested.depth, 2);
  guard.release();
  assert.equal(nested.depth, 1);
  outer.release();
  held.release();
});

const OWNER = 3;

/** The words of a lock. */
function words(lock: Lock): Int32Array<SharedArrayBuffer> {
  const { buffer, byteOffset } = lock.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, 16);
}

test("acquireAll() releases what it had taken when the holder of another lock has died", async () => {
  const [alive, dead] = [new Lock({ rank: 1 }), new Lock({ rank: 2 })];
  words(dead)[OWNER] = ENDED;
  assert.throws(() => acquireAll([dead, alive]), OwnerDiedError);
  assert.equal(alive.locked, false);
  assert.throws(() => acquireAll([dead, alive], { timeout: 5 }), OwnerDiedError);
  assert.equal(alive.locked, false);
  await assert.rejects(acquireAllAsync([dead, alive]), OwnerDiedError);
  assert.equal(alive.locked, false);
  dead.recover()!.release();
  acquireAll([dead, alive]).release(); // no rank is remembered of what was given back
});

test("acquireAll() does not wait for one lock when another is the thread's own", () => {
  for (let i = 0; i < 8; i++) { // which of the two comes first in the order is a matter of chance
    const [busy, own] = [new Lock(), new Lock()];
    const { handle } = busy;
    asAgent(new Agent(), () => Lock.attach(handle).acquire());
    const guard = own.acquire();
    assert.throws(() => acquireAll([busy, own]), DeadlockError);
    guard.release();
  }
});

test("acquireAllAsync() that is aborted in the instant in which it has all holds nothing", async () => {
  const lock = new Lock();
  const controller = new AbortController();
  const all = acquireAllAsync([lock], { signal: controller.signal });
  assert(lock.locked);
  controller.abort("gone");
  await assert.rejects(all, (reason) => reason === "gone");
  assert.equal(lock.locked, false);
});

/** What happens to OWNER of these locks in `body`: + for each one that is taken, - for each that is let go. */
function steps(locks: readonly Lock[], body: () => void): string[] {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  const seen: string[] = [];
  realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
  Object.defineProperty(realm.Atomics, "compareExchange", {
    value(view: Int32Array, index: number, expected: number, next: number) {
      const lock = locks.find((lock) => words(lock).buffer === view.buffer);
      const found = real.compareExchange(view, index, expected, next);
      if (lock !== undefined && index === OWNER && found === expected) {
        seen.push(`${next === 0 ? "-" : "+"}${lock.name}`);
      }
      return found;
    },
  });
  try {
    body();
  } finally {
    realm.Atomics = real;
  }
  return seen;
}

test("acquireAll() takes locks by rank and releases them last taken first, also what it had taken when it gives up", () => {
  const locks = [3, 1, 4, 2].map((rank) => new Lock({ rank, name: `${rank}` }));
  const all = ["+1", "+2", "+3", "+4", "-4", "-3", "-2", "-1"];
  assert.deepEqual(steps(locks, () => acquireAll(locks).release()), all);
  words(locks[0]!)[OWNER] = ENDED;
  const some = ["+1", "+2", "-2", "-1"];
  const seen = steps(locks, () => assert.throws(() => acquireAll(locks), OwnerDiedError));
  assert.deepEqual(seen.filter((step) => !step.endsWith("3")), some);
  locks[0]!.recover()!.release();
  // The signal is looked at before each lock.
  const { signal } = new AbortController();
  let looks = 0;
  signal.throwIfAborted = () => {
    if (++looks === 4) throw new RangeError("enough");
  };
  assert.deepEqual(steps(locks, () => assert.throws(() => acquireAll(locks, { signal }), RangeError)), some);
});

test("acquireAll() releases all of it where one cannot be released, and throws that", () => {
  for (const full of [0, 1]) { // one of them is released first
    const semaphores = [new Semaphore(1), new Semaphore(1)] as const;
    const guard = acquireAll(semaphores);
    const { buffer, byteOffset } = semaphores[full]!.handle as FullHandle;
    new Int32Array(buffer, byteOffset, 16)[3] = 2 ** 31 - 1; // VALUE: there is no room for one more
    assert.throws(() => guard.release(), RangeError);
    assert.equal(semaphores[1 - full]!.value, 1);
    guard.release();
  }
});

test("acquireAllAsync() may be called while another task holds a higher rank", async () => {
  const [low, high] = [new Lock({ rank: 1 }), new Lock({ rank: 2 })];
  const task = await high.acquireAsync();
  (await acquireAllAsync([low])).release();
  task.release();
});

test("acquireAll(): the time is for all together", () => {
  const locks = [new Lock({ rank: 1 }), new Lock({ rank: 2 })] as const;
  const other = new Agent();
  const held = asAgent(other, () => locks.map(({ handle }) => Lock.attach(handle).acquire()));
  const slept = timeAsleep(() => assert.equal(acquireAll(locks, { timeout: 100 }), undefined), (slept) => {
    if (slept >= 20) asAgent(other, () => held[0]!.release()); // it takes that at its next look, and wants the other one
  });
  assert.equal(slept, 100);
  assert.equal(locks[0].locked, false);
  asAgent(other, () => held[1]!.release());
});

test("acquireAllAsync(): a time longer than a timer holds is waited for piece by piece", async () => {
  const lock = new Lock();
  const held = lock.acquire();
  const realm = globalThis as { setTimeout: unknown };
  const { setTimeout: set } = globalThis;
  const timers: [() => void, number][] = [];
  realm.setTimeout = (act: () => void, ms: number) => ms < 1e9 ? set(act, ms) : timers.push([act, ms]);
  try {
    const all = acquireAllAsync([lock], { timeout: 2 ** 32 });
    assert.equal(timers.length, 1);
    timers[0]![0](); // early, as far as the deadline goes
    assert.equal(timers.length, 2);
    assert(timers.every(([, ms]) => ms === 0x7fffffff));
    held.release();
    (await all)!.release();
  } finally {
    realm.setTimeout = set;
  }
});

test("acquireAllAsync() that was aborted gives the reason although the time is over by then, too", async () => {
  const lock = new Lock();
  const held = lock.acquire();
  const controller = new AbortController();
  const realm = globalThis as { setTimeout: unknown };
  const { setTimeout: set } = globalThis;
  let over: (() => void) | undefined;
  realm.setTimeout = (act: () => void, ms: number) => ms < 500 ? set(act, ms) : over = act;
  try {
    const all = acquireAllAsync([lock], { timeout: 1234, signal: controller.signal });
    const [outcome] = await withStoppedClock(async (pass) => {
      controller.abort("first");
      pass(2000);
      over!();
      return [await all.catch((reason) => reason)];
    });
    assert.equal(outcome, "first");
  } finally {
    realm.setTimeout = set;
  }
  held.release();
});

test("acquireAllAsync() leaves no timer, which would keep the program, and no listener behind", async () => {
  const realm = globalThis as { setTimeout: unknown; clearTimeout: unknown };
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const { signal } = new AbortController();
  const [timers, listeners] = [new Set<unknown>(), new Set<unknown>()];
  realm.setTimeout = (...args: Parameters<typeof setTimeout>) => {
    const timer = set(...args);
    if (args[1]! > 50_000) timers.add(timer);
    return timer;
  };
  realm.clearTimeout = (timer: ReturnType<typeof set>) => {
    timers.delete(timer);
    clear(timer);
  };
  signal.addEventListener = (_: string, listener: unknown) => void listeners.add(listener);
  signal.removeEventListener = (_: string, listener: unknown) => void listeners.delete(listener);
  try {
    const all = acquireAllAsync([new Lock(), new Lock()], { timeout: 60_000, signal });
    assert.equal(listeners.size, 1);
    (await all)!.release();
  } finally {
    Object.assign(realm, { setTimeout: set, clearTimeout: clear });
  }
  assert.deepEqual([timers.size, listeners.size], [0, 0]);
});

test("acquireAll() takes sides of RWLocks, given as { read } or { write }", async () => {
  const [table, log] = [new RWLock({ name: "table" }), new RWLock({ name: "log" })];
  const lock = new Lock();
  const sides = [{ read: table }, lock, { write: log }];
  for (let i = 0; i < 2; i++) {
    const guard = i === 0 ? acquireAll(sides) : await acquireAllAsync(sides);
    assert.equal(table.readers, 1);
    assert.equal(log.writer, lock.owner);
    assert.equal(acquireAll([{ read: log }, { read: table }], { timeout: 5 }), undefined);
    acquireAll([{ read: table }]).release(); // readers share
    guard.release();
    assert.equal(`${table.readers} ${log.writer} ${lock.locked}`, "0 undefined false");
  }
  assert.throws(() => acquireAll([table as never]), /\{ read: lock \} or \{ write: lock \}/);
  assert.throws(() => acquireAll([{ read: table }, { write: table }]), /listed twice: RWLock "table"/);
  const reader = table.read();
  const error = assert.throws(() => acquireAll([lock, { write: table }]), DeadlockError);
  assert.match(error.message, /Cannot write RWLock "table" as this thread reads it/);
  assert.equal(lock.locked, false);
  acquireAll([lock, { read: table }]).release();
  reader.release();
});

test("acquireAll() heeds the ranks of RWLocks", () => {
  const [low, high] = [new RWLock({ rank: 1 }), new RWLock({ rank: 3 })];
  acquireAll([{ write: high }, new Lock({ rank: 3 }), { read: low }]).release();
  const held = high.read();
  const error = assert.throws(() => acquireAll([{ write: low }]), LockOrderError);
  assert.match(error.message, /Cannot write RWLock of rank 1 as this thread holds RWLock of rank 3/);
  held.release();
});

test("acquireAll() with an RLock that a task of this thread holds throws DeadlockError", async () => {
  const [free, taken] = [new Lock(), new RLock()];
  const guard = await taken.acquireAsync();
  assert.throws(() => acquireAll([free, taken]), DeadlockError);
  assert.equal(free.locked, false);
  guard.release();
});

test("acquireAll() with a timeout gives undefined and has released everything", async () => {
  const locks = Array.from({ length: 4 }, () => new Lock());
  for (const taken of locks) {
    const guard = await taken.acquireAsync();
    assert.equal(timeAsleep(() => assert.equal(acquireAll(locks, { timeout: 30 }), undefined)), 30);
    assert.equal(await acquireAllAsync(locks, { timeout: 30 }), undefined);
    assert.equal(acquireAll(locks, { timeout: 0 }), undefined);
    assert.equal(await acquireAllAsync(locks, { timeout: 0 }), undefined);
    assert.equal(locks.filter(({ locked }) => locked).length, 1);
    guard.release();
  }
  acquireAll(locks, { timeout: 0 })!.release();
  (await acquireAllAsync(locks, { timeout: 0 }))!.release();
  for (const wrong of [-1, NaN]) assert.throws(() => acquireAll(locks, { timeout: wrong }), RangeError);
  await assert.rejects(acquireAllAsync(locks, { timeout: "1" as never }), TypeError);
});

test("acquireAllAsync() rejects with signal.reason and has released everything; others go on", async () => {
  const locks = Array.from({ length: 4 }, () => new Lock());
  const guard = await locks[2]!.acquireAsync();
  const controller = new AbortController();
  const given = acquireAllAsync(locks, { signal: controller.signal });
  const other = acquireAllAsync(locks);
  const reason = { gave: "up" };
  setTimeout(() => controller.abort(reason), 20);
  assert.equal(await assert.rejects(given), reason);
  guard.release();
  (await other).release();
  assert(locks.every(({ locked }) => !locked));
  await assert.rejects(acquireAllAsync(locks, { signal: controller.signal }), (error) => error === reason);
  assert.throws(() => acquireAll(locks, { signal: controller.signal }), (error) => error === reason);
  assert(locks.every(({ locked }) => !locked));
});

test("acquireAllAsync(): tasks of one thread that want overlapping sets all get them", async () => {
  const locks = Array.from({ length: 5 }, () => new Lock());
  const prng = random();
  let inside = 0;
  const task = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      const mine = prng.shuffle(locks).slice(0, 1 + prng.below(4));
      const guard = await acquireAllAsync(mine);
      inside++;
      assert(mine.every(({ locked }) => locked));
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      guard.release();
    }
  };
  await Promise.all(Array.from({ length: 8 }, task));
  assert.equal(inside, 160);
  assert(locks.every(({ locked }) => !locked));
});

test("acquireAll() checks ranks before it takes anything, and takes equal ranks together", async () => {
  const [one, two, other, plain] = [new Lock({ rank: 1 }), new Lock({ rank: 2 }), new Lock({ rank: 2 }), new Lock()];
  acquireAll([two, plain, one, other]).release();
  (await acquireAllAsync([two, plain, one, other])).release();
  const held = two.acquire();
  assert.throws(() => acquireAll([plain, one]), LockOrderError);
  assert.throws(() => acquireAll([plain, other]), LockOrderError);
  await assert.rejects(acquireAllAsync([plain, one]), LockOrderError);
  assert.equal(plain.locked || one.locked, false);
  held.release();
  const guard = acquireAll([two, other]);
  assert.throws(() => one.acquire(), LockOrderError);
  assert.throws(() => new Lock({ rank: 2 }).acquire(), LockOrderError);
  guard.release();
});
