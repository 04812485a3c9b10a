// What one thread can show of PYTHON.md section 5; tests/conformance/semaphore.ts has the rest.

import { agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { LayoutError, Lock } from "../../primitives/mod.ts";
import { BoundedSemaphore, Semaphore } from "../../primitives/semaphore.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, hasDispose, inspect, random, test } from "../_harness.ts";
import { posted } from "../_posted.ts";

const KINDS = [Semaphore, BoundedSemaphore] as const;

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

for (const Kind of KINDS) {
  test(`S1 ${Kind.name}: 1 by default, 0 is legal, negative or fractional is RangeError`, () => {
    assert.equal(new Kind().value, 1);
    assert.equal(new Kind(0).value, 0);
    assert.equal(new Kind(2 ** 31 - 1).value, 2 ** 31 - 1);
    for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 31]) assert.throws(() => new Kind(wrong), RangeError);
    for (const wrong of ["1", null, 1n, {}]) assert.throws(() => new Kind(wrong as never), TypeError);
    for (const wrong of [0, 2.5, 4097]) assert.throws(() => new Kind(1, { threads: wrong }), /threads/);
    assert.throws(() => new Kind(1, 3 as never), TypeError);
    assert.throws(() => new Kind(1, { name: 3 as never }), TypeError);
  });

  test(`S5 ${Kind.name}: tryAcquire() on 2: guard, guard, undefined; again after a release`, () => {
    const semaphore = new Kind(2);
    const first = semaphore.tryAcquire();
    assert(first && semaphore.tryAcquire());
    assert.equal(semaphore.tryAcquire(), undefined);
    first.release();
    assert(semaphore.tryAcquire());
    assert.equal(semaphore.tryAcquire({ timeout: 0 }), undefined);
  });

  test(`S13 ${Kind.name}: a guard gives back one permit, once`, () => {
    const semaphore = new Kind(2);
    const guard = semaphore.acquire();
    guard.release();
    guard.release();
    assert.equal(semaphore.value, 2);
    if (!hasDispose) return;
    const disposed = semaphore.acquire();
    disposed[Symbol.dispose]();
    disposed[Symbol.dispose]();
    assert.equal(semaphore.value, 2);
  });

  test(`S11 ${Kind.name}: a timed acquire really waits, and gives up with undefined`, () => {
    const semaphore = new Kind(0);
    assert.equal(timeAsleep(() => assert.equal(semaphore.tryAcquire({ timeout: 60 }), undefined)), 60);
  });

  test(`G2 G4 ${Kind.name}: arguments are checked first`, async () => {
    const semaphore = new Kind(1);
    for (const wrong of [-1, NaN]) assert.throws(() => semaphore.tryAcquire({ timeout: wrong }), RangeError);
    assert.throws(() => semaphore.tryAcquire({ timeout: "1" as never }), TypeError);
    assert.throws(() => semaphore.tryAcquire(1 as never), TypeError);
    await assert.rejects(semaphore.acquireAsync({ signal: 1 as never }), TypeError);
    assert.equal(semaphore.value, 1);
    for (const long of [1e100, Number.MAX_VALUE, Infinity]) semaphore.tryAcquire({ timeout: long })!.release();
  });

  test(`G8 ${Kind.name}: an aborted signal takes nothing`, async () => {
    const semaphore = new Kind(1);
    await assert.rejects(semaphore.acquireAsync({ signal: AbortSignal.abort("no") }), (e) => e === "no");
    assert.equal(semaphore.value, 1);
  });

  test(`S12 ${Kind.name}: an aborted waiter eats no permit and leaves the others alone`, async () => {
    const semaphore = new Kind(1);
    const held = semaphore.acquire();
    const [a, b, c] = [new AbortController(), new AbortController(), new AbortController()];
    const results = [a, b, c].map((it) => semaphore.acquireAsync({ signal: it.signal }).then((g) => g, (e) => e));
    await settle();
    b.abort("b"); // in line
    assert.equal(await results[1], "b");
    a.abort("a"); // at its head
    assert.equal(await results[0], "a");
    held.release();
    (await results[2] as { release(): void }).release();
    assert.equal(semaphore.value, 1);
  });

  test(`S12 ${Kind.name}: a task let in and aborted at once takes nothing`, async () => {
    for (let turn = 0; turn < 12; turn++) {
      const semaphore = new Kind(2);
      const held = [semaphore.acquire(), semaphore.acquire()];
      const controller = new AbortController();
      const first = semaphore.acquireAsync();
      const second = semaphore.acquireAsync({ signal: controller.signal }).then((g) => g, (e) => e);
      await settle();
      held.forEach((guard) => guard.release());
      const guard = await first;
      for (let i = 0; i < turn; i++) await Promise.resolve();
      controller.abort("late");
      const result = await second;
      if (result !== "late") result.release();
      guard.release();
      assert.equal(semaphore.value, 2);
      assert.equal((await semaphore.acquireAsync()) !== undefined, true);
    }
  });

  test(`S2 S4 ${Kind.name}: release(n) admits exactly n waiting tasks, first come first served`, async () => {
    const semaphore = new Kind(5);
    const taken = Array.from({ length: 5 }, () => semaphore.acquire());
    const order: number[] = [];
    for (let i = 0; i < 8; i++) void semaphore.acquireAsync().then(() => order.push(i));
    await settle();
    assert.deepEqual(order, []);
    semaphore.release(3);
    await untilEqual(() => order.length, 3);
    semaphore.release(2);
    await untilEqual(() => order.length, 5);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
    assert.equal(semaphore.value, 0);
    taken.length = 0;
    semaphore.release(3);
    await untilEqual(() => order.length, 8);
  });

  test(`G15 ${Kind.name}: printing it shows its value`, () => {
    const semaphore = new Kind(3, { name: "seats" });
    semaphore.acquire();
    const shown = Kind === Semaphore ? 'Semaphore "seats" (value=2)' : 'BoundedSemaphore "seats" (value=2/3)';
    assert.equal(String(semaphore), shown);
    assert.equal(inspect(semaphore) ?? String(semaphore), shown);
    assert.equal(Object.prototype.toString.call(semaphore), `[object ${Kind.name}]`);
  });

  test(`${Kind.name}: a handle brings the same permits to another object`, () => {
    const semaphore = new Kind(2, { name: "seats" });
    const other = Kind.attach(posted(semaphore.handle));
    assert.equal(other.name, "seats");
    const guard = other.acquire();
    assert.equal(semaphore.value, 1);
    guard.release();
    assert.equal(semaphore.value, 2);
  });

  test(`${Kind.name}: attaching to anything else is LayoutError`, () => {
    const { handle } = new Kind(2);
    const Other = Kind === Semaphore ? BoundedSemaphore : Semaphore;
    assert.throws(() => Other.attach(handle), LayoutError);
    assert.throws(() => Kind.attach(new Lock().handle), LayoutError);
    assert.throws(() => Kind.attach({ ...new Lock().handle, kind: Kind.name }), LayoutError);
    assert.throws(() => Kind.attach({ ...handle, byteLength: 64 } as never), LayoutError);
    assert.throws(() => Kind.attach({ ...handle, byteLength: 128 } as never), LayoutError);
    assert.throws(() => Kind.attach(null as never), TypeError);
  });

  test(`${Kind.name}: any bytes in the record neither crash nor hang`, () => {
    const prng = random();
    for (let round = 0; round < 300; round++) {
      const { handle } = new Kind(2, { threads: 2 });
      const { buffer } = handle as FullHandle;
      const words = new Int32Array(buffer);
      for (let i = 0; i < 4; i++) words[3 + prng.below(words.length - 3)] = prng.next() | 0;
      words[11] = 0; // a monitor that is held for ever by a living thread is reported after 10 s
      try {
        const semaphore = Kind.attach(handle);
        String(semaphore);
        semaphore.tryAcquire()?.release();
        semaphore.release(1 + prng.below(3));
      } catch (error) {
        assert(error instanceof RangeError || error instanceof LayoutError, String(error));
      }
    }
  });

  test(`${Kind.name}: it lives where it is put`, () => {
    const buffer = new SharedArrayBuffer(256);
    const semaphore = new Kind(2, { at: { buffer, byteOffset: 64 }, threads: 4 });
    semaphore.acquire();
    assert.equal(new Int32Array(buffer)[16 + 3], 1);
    assert.throws(() => new Kind(2, { at: { buffer, byteOffset: 192 }, threads: 4 }), RangeError);
    assert.throws(() => new Kind(2, { at: { buffer, byteOffset: 4 }, threads: 4 }), RangeError);
  });
}

test("S7 value follows every step", () => {
  const semaphore = new Semaphore(2);
  const seen = [semaphore.value];
  semaphore.acquire();
  seen.push(semaphore.value);
  semaphore.acquire();
  seen.push(semaphore.value);
  semaphore.tryAcquire();
  seen.push(semaphore.value);
  for (let i = 0; i < 4; i++) {
    semaphore.release();
    seen.push(semaphore.value);
  }
  assert.deepEqual(seen, [2, 1, 0, 0, 1, 2, 3, 4]);
});

test("S8 releasing without acquiring raises the count of a Semaphore", () => {
  const semaphore = new Semaphore(0);
  semaphore.release(5);
  assert.equal(semaphore.value, 5);
  assert.throws(() => semaphore.release(2 ** 31 - 5), RangeError);
  assert.equal(semaphore.value, 5);
});

test("S9 BoundedSemaphore: a release above the start value is RangeError, also in part", () => {
  const semaphore = new BoundedSemaphore(3);
  assert.throws(() => semaphore.release(), /Cannot release BoundedSemaphore 1 time .* exceed 3: it is 3/);
  semaphore.acquire();
  semaphore.acquire();
  assert.throws(() => semaphore.release(3), RangeError);
  assert.equal(semaphore.value, 1);
  semaphore.release(2);
  assert.equal(semaphore.value, 3);
});

test("S10 release(0), negative or fractional is RangeError and changes nothing", () => {
  const semaphore = new BoundedSemaphore(3);
  semaphore.acquire();
  for (const wrong of [0, -1, 0.5, NaN]) assert.throws(() => semaphore.release(wrong), RangeError);
  assert.throws(() => semaphore.release("1" as never), TypeError);
  assert.equal(semaphore.value, 2);
});

test("BoundedSemaphore: the guard of a permit that release() gave back is spent", () => {
  const semaphore = new BoundedSemaphore(2);
  const first = semaphore.acquire();
  semaphore.release();
  const second = semaphore.acquire();
  first.release();
  assert.equal(semaphore.value, 1);
  second.release();
  assert.equal(semaphore.value, 2);
});

test("S13 BoundedSemaphore: a guard beside acquire() and release() gives its own permit back", () => {
  const semaphore = new BoundedSemaphore(2);
  const guard = semaphore.acquire();
  semaphore.acquire();
  semaphore.release();
  guard.release();
  assert.equal(semaphore.value, 2);
});

test("S13 BoundedSemaphore: pairs of acquire() and release() before spend no guard", () => {
  const semaphore = new BoundedSemaphore(2);
  for (let i = 0; i < 3; i++) {
    semaphore.acquire();
    semaphore.release();
  }
  const guards = [semaphore.acquire(), semaphore.acquire()];
  semaphore.release();
  for (const guard of guards) guard.release();
  assert.equal(semaphore.value, 2);
});

test("S13 BoundedSemaphore: the guard of a permit taken after release() is good, one taken before is spent", () => {
  const semaphore = new BoundedSemaphore(3);
  const [first, second] = [semaphore.acquire(), semaphore.acquire()];
  semaphore.release();
  const third = semaphore.acquire();
  first.release();
  second.release(); // one of the two was given back above
  assert.equal(semaphore.value, 2);
  third.release();
  assert.equal(semaphore.value, 3);
});

test("S13 BoundedSemaphore: of two tasks one uses guards, one acquireAsync() and release()", async () => {
  const prng = random();
  const semaphore = new BoundedSemaphore(3);
  const pause = async (): Promise<void> => {
    for (let i = prng.below(4); i > 0; i--) await Promise.resolve();
  };
  const guarded = async (): Promise<void> => {
    const guard = await semaphore.acquireAsync();
    await pause();
    guard.release();
  };
  const bare = async (): Promise<void> => {
    await semaphore.acquireAsync();
    await pause();
    semaphore.release();
  };
  for (let round = 0; round < 50; round++) {
    await Promise.all([guarded(), bare()]);
    assert.equal(semaphore.value, 3);
  }
});

test("S13 BoundedSemaphore: a guard is good although all objects were collected before it was taken", () => {
  const { handle } = new BoundedSemaphore(2);
  for (let i = 0; i < 2; i++) {
    const semaphore = BoundedSemaphore.attach(handle);
    semaphore.acquire();
    semaphore.release();
    agent.locals.clear(); // as a collection of garbage may do
  }
  const semaphore = BoundedSemaphore.attach(handle);
  const guards = [semaphore.acquire(), semaphore.acquire()];
  semaphore.release();
  for (const guard of guards) guard.release();
  assert.equal(semaphore.value, 2);
});

test("BoundedSemaphore: any mix of guards and release() gives back what was taken, never more", () => {
  const prng = random();
  const semaphore = new BoundedSemaphore(6);
  for (let round = 0; round < 200; round++) {
    const guards = [];
    let held = 0; // permits that are out
    for (let step = 0; step < 40; step++) {
      if (prng.chance(0.5)) {
        const guard = semaphore.tryAcquire();
        if (guard !== undefined) guards.push(guard), held++;
        else assert.equal(held, 6);
      } else if (prng.chance(0.4)) {
        if (held > 0) semaphore.release(), held--;
        else assert.throws(() => semaphore.release(), RangeError);
      } else if (guards.length > 0) {
        guards.splice(prng.below(guards.length), 1)[0]!.release();
        held = 6 - semaphore.value;
      }
      assert.equal(semaphore.value, 6 - held);
    }
    for (const guard of guards) guard.release();
    assert.equal(semaphore.value, 6);
  }
});

test("Semaphore: guards give one back each, whoever released meanwhile", () => {
  const semaphore = new Semaphore(1);
  const guard = semaphore.acquire();
  semaphore.release();
  guard.release();
  assert.equal(semaphore.value, 2);
});

async function untilEqual<T>(read: () => T, expected: T): Promise<void> {
  const { until } = await import("../_until.ts");
  await until(() => read() === expected);
  await settle();
  assert.equal(read(), expected);
}
