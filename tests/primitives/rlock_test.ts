// What one thread can show of PYTHON.md section 3; lock_test.ts has what it shares with Lock.

import { NotHeldError, RLock } from "../../primitives/mod.ts";
import { assert, random, test } from "../_harness.ts";

test("R1 R2 RLock: the owner nests freely; free at 0 and not before", () => {
  const lock = new RLock();
  const depths: number[] = [lock.depth];
  lock.acquire();
  depths.push(lock.depth);
  lock.tryAcquire();
  lock.tryAcquire({ timeout: 5 });
  depths.push(lock.depth);
  lock.release();
  depths.push(lock.depth);
  lock.release();
  assert.equal(lock.locked, true);
  lock.release();
  assert.deepEqual([...depths, lock.depth], [0, 1, 3, 2, 0]);
  assert.equal(lock.locked, false);
  assert.throws(() => lock.release(), NotHeldError);
});

test("R6 RLock: a nested try gives a guard at once, but a wrong timeout still throws", () => {
  const lock = new RLock();
  lock.acquire();
  for (const timeout of [0, 5, 1e9, Infinity]) lock.tryAcquire({ timeout })!.release();
  for (const timeout of [-1, NaN]) assert.throws(() => lock.tryAcquire({ timeout }), RangeError);
  assert.throws(() => lock.tryAcquire({ timeout: "1" as never }), TypeError);
  assert.equal(lock.depth, 1);
  lock.release();
});

test("R8 RLock: held through acquireAsync it belongs to its guard", async () => {
  const lock = new RLock();
  const guard = await lock.acquireAsync();
  assert.equal(lock.depth, 1);
  assert.throws(() => lock.release(), NotHeldError);
  let second = false;
  const waiting = lock.acquireAsync().then((next) => {
    second = true;
    return next;
  });
  assert.equal(lock.tryAcquire(), undefined);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(second, false);
  guard.release();
  (await waiting).release();
  assert.deepEqual([lock.locked, lock.depth], [false, 0]);
});

test("R8 RLock: a task waits for the thread's own synchronous hold", async () => {
  const lock = new RLock();
  const guards = [lock.acquire(), lock.acquire()];
  const waiting = lock.acquireAsync();
  guards[0]!.release();
  await Promise.resolve();
  assert.equal(lock.depth, 1);
  guards[1]!.release();
  (await waiting).release();
});

test("R9 RLock: nested guards in any order, each one level, once", () => {
  const lock = new RLock();
  const dice = random();
  for (let round = 0; round < 100; round++) {
    const guards = Array.from({ length: 1 + dice.below(6) }, () => lock.acquire());
    let depth = guards.length;
    for (const guard of dice.shuffle([...guards, ...guards])) {
      const before = lock.depth;
      guard.release();
      if (lock.depth < before) depth--;
      assert.equal(lock.depth, depth);
    }
    assert.deepEqual([depth, lock.locked], [0, false]);
  }
});

test("R9 RLock: a guard of an earlier hold gives back no level of a later one", () => {
  const lock = new RLock();
  const [outer, inner] = [lock.acquire(), lock.acquire()];
  lock.release();
  lock.release(); // without the guards
  const later = [lock.acquire(), lock.acquire()];
  outer.release();
  inner.release();
  assert.equal(lock.depth, 2);
  for (const guard of later) guard.release();
  assert.equal(lock.locked, false);
});

test("RLock: two objects for one record share the depth", () => {
  const lock = new RLock({ rank: 3 });
  const other = RLock.attach(lock.handle);
  const guards = [lock.acquire(), other.acquire(), lock.acquire()];
  assert.deepEqual([lock.depth, other.depth], [3, 3]);
  for (const guard of guards) guard.release();
  assert.equal(other.locked, false);
});

test("RLock: handoff is refused, as only the owner may release it", () => {
  assert.throws(() => new RLock({ handoff: true } as never), /handoff/);
});

test("G15 RLock: printing shows the depth to its owner", () => {
  const lock = new RLock();
  lock.acquire();
  lock.acquire();
  assert.match(`${lock}`, /^RLock \(locked, owner \d+ .+, depth 2\)$/);
  lock.release();
  lock.release();
});
