// Ranks: the wrong order is refused before anything can hang.

import { acquireAll, acquireAllAsync, Condition, Lock, LockOrderError, RLock, RWLock } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";

for (const Kind of [Lock, RLock]) {
  test(`${Kind.name}: a lower or equal rank while holding a higher one throws LockOrderError that names both`, () => {
    const low = new Kind({ name: "config", rank: 1 });
    const high = new Kind({ name: "log", rank: 2 });
    const guard = high.acquire();
    for (const wrong of [() => low.acquire(), () => low.tryAcquire(), () => low.tryAcquire({ timeout: 5 })]) {
      const error = assert.throws(wrong, LockOrderError);
      assert.equal(error.held, `${Kind.name} "log"`);
      assert.equal(error.wanted, `${Kind.name} "config"`);
      assert.match(error.message, /Cannot acquire .*"config" of rank 1 as this thread holds .*"log" of rank 2: /);
      assert.equal(low.locked, false);
    }
    assert.throws(() => new Kind({ rank: 2 }).acquire(), LockOrderError);
    guard.release();
    const first = low.acquire();
    high.acquire().release();
    first.release();
  });

  test(`${Kind.name}: a lock without a rank may be taken at any time, and after its release a rank binds no more`, () => {
    const ranked = new Kind({ rank: 5 });
    const plain = new Kind();
    const guard = ranked.acquire();
    plain.acquire().release();
    guard.release();
    new Kind({ rank: -3 }).acquire().release();
  });

  test(`${Kind.name}: a hold that was given back by a bare release(), or twice, binds no more`, () => {
    const high = new Kind({ rank: 2 });
    const low = new Kind({ rank: 1 });
    const guard = high.acquire();
    high.release();
    low.acquire().release();
    guard.release();
    low.acquire().release();
  });
}

test("The order counts, not when a lock was taken: releasing the lower one first keeps the higher rank in force", () => {
  const [one, two, three] = [1, 2, 3].map((rank) => new Lock({ rank })) as [Lock, Lock, Lock];
  const first = one.acquire();
  const third = three.acquire();
  first.release();
  assert.throws(() => two.acquire(), LockOrderError);
  third.release();
  two.acquire().release();
});

test("An RLock of a rank nests, also through another object for it, and in between others", () => {
  const lock = new RLock({ rank: 4 });
  const again = RLock.attach(lock.handle);
  const outer = lock.acquire();
  const inner = again.acquire();
  const higher = new Lock({ rank: 5 }).acquire();
  const innermost = lock.acquire();
  assert.throws(() => new Lock({ rank: 4 }).acquire(), LockOrderError);
  for (const guard of [innermost, higher, inner]) guard.release();
  assert.throws(() => new Lock({ rank: 4 }).acquire(), LockOrderError);
  outer.release();
  new Lock({ rank: 4 }).acquire().release();
});

test("A Lock taken again by its holder is a deadlock, not an order", () => {
  const lock = new Lock({ rank: 4 });
  const guard = lock.acquire();
  assert.throws(() => Lock.attach(lock.handle).acquire(), { code: "deadlock" });
  guard.release();
});

test("A Condition's lock has its rank", () => {
  const condition = new Condition(new Lock({ rank: 2 }));
  const low = new Lock({ rank: 1 });
  const guard = condition.acquire();
  assert.throws(() => low.acquire(), LockOrderError);
  guard.release();
  const held = new Lock({ rank: 3 }).acquire();
  assert.throws(() => condition.acquire(), LockOrderError);
  held.release();
});

test("Both sides of an RWLock have its rank", () => {
  const lock = new RWLock({ name: "table", rank: 2 });
  for (const take of [() => lock.read(), () => lock.write()]) {
    const guard = take();
    const error = assert.throws(() => new Lock({ name: "low", rank: 1 }).acquire(), LockOrderError);
    assert.equal(error.held, 'RWLock "table"');
    guard.release();
    const higher = new Lock({ rank: 2 }).acquire();
    assert.throws(take, LockOrderError);
    higher.release();
  }
  const [outer, inner] = [lock.read(), lock.read()];
  inner.release();
  assert.throws(() => new Lock({ rank: 2 }).acquire(), LockOrderError);
  outer.release();
  new Lock({ rank: 2 }).acquire().release();
});

test("A blocking call counts what tasks hold; an async call counts only what the thread itself holds", async () => {
  const [low, high] = [new Lock({ rank: 1 }), new Lock({ rank: 2 })];
  const task = await high.acquireAsync();
  assert.throws(() => low.acquire(), LockOrderError);
  (await low.acquireAsync()).release(); // another task may well want it
  task.release();
  const guard = high.acquire();
  await assert.rejects(low.acquireAsync(), LockOrderError);
  guard.release();
});

test("What a thread reads itself and what its tasks read are told apart, whichever came first", async () => {
  const lock = new RWLock({ rank: 2 });
  const low = new Lock({ rank: 1 });
  for (let round = 0; round < 2; round++) {
    const first = lock.read();
    const task = await lock.readAsync();
    first.release();
    (await low.acquireAsync()).release(); // only a task reads now
    assert.throws(() => low.acquire(), LockOrderError);
    const own = RWLock.attach(lock.handle).read();
    const again = lock.read();
    own.release();
    await assert.rejects(low.acquireAsync(), LockOrderError); // the thread reads
    task.release();
    await assert.rejects(low.acquireAsync(), LockOrderError);
    again.release();
    low.acquire().release();
  }
});

test("acquireAll() nests an RLock in between others as acquire() does, acquireAllAsync() does not", async () => {
  const lock = new RLock({ rank: 1 });
  const [second, third] = [new Lock({ rank: 2 }), new Lock({ rank: 3 })];
  const outer = lock.acquire();
  const higher = second.acquire();
  for (const options of [{}, { timeout: 5 }]) {
    const all = acquireAll([third, new Condition(lock)], options)!;
    assert.deepEqual([lock.depth, third.locked], [2, true]);
    all.release();
    assert.throws(() => acquireAll([lock, new Lock({ rank: 2 })], options), LockOrderError);
    assert.equal(lock.depth, 1);
  }
  await assert.rejects(acquireAllAsync([lock]), LockOrderError);
  await assert.rejects(lock.acquireAsync(), LockOrderError);
  outer.release();
  assert.throws(() => acquireAll([lock]), LockOrderError); // nothing to nest in any more
  higher.release();
  const task = await lock.acquireAsync();
  const again = second.acquire();
  assert.throws(() => acquireAll([lock]), LockOrderError); // a task's hold nests nothing
  again.release();
  task.release();
});

test("An RWLock that the thread itself reads may be read again in between others, as that never waits", async () => {
  const lock = new RWLock({ rank: 1 });
  const outer = lock.read();
  const higher = new Lock({ rank: 2 }).acquire();
  const takes = [() => lock.read(), () => lock.tryRead()!, () => lock.tryRead({ timeout: 5 })!];
  takes.push(() => RWLock.attach(lock.handle).read(), () => acquireAll([{ read: lock }]));
  for (const take of takes) take().release();
  assert.equal(lock.readers, 1);
  for (const write of [() => lock.write(), () => lock.tryWrite(), () => acquireAll([{ write: lock }])]) {
    assert.throws(write, LockOrderError);
  }
  await assert.rejects(lock.readAsync(), LockOrderError); // it may have to wait
  outer.release();
  for (const take of takes) assert.throws(take, LockOrderError);
  higher.release();
  const task = await lock.readAsync();
  const again = new Lock({ rank: 2 }).acquire();
  for (const take of takes) assert.throws(take, LockOrderError); // whether a task reads is another matter
  again.release();
  task.release();
});

test("A rank is a whole number of 32 bits", () => {
  for (const wrong of [1.5, NaN, 2 ** 31, Infinity]) assert.throws(() => new Lock({ rank: wrong }), RangeError);
  assert.throws(() => new Lock({ rank: "1" as never }), TypeError);
});
