// What one thread can show of PYTHON.md sections 1 to 3; tests/conformance/lock.ts has the rest.

import { Agent, agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import {
  DeadlockError,
  LayoutError,
  Lock,
  LockOrderError,
  NotHeldError,
  OwnerDiedError,
  RLock,
} from "../../primitives/mod.ts";
import { asAgent, ENDED } from "../_as_agent.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, random, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { posted } from "../_posted.ts";
import { until } from "../_until.ts";

const KINDS = [Lock, RLock] as const;

const [OWNER, HEIR] = [3, 6];
const [DIED_BIT, WAITERS_BIT] = [1 << 30, 1 << 31];

/** The words of the record. */
function words(lock: Lock | RLock): Int32Array {
  const { buffer, byteOffset } = lock.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, 16);
}

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

for (const Kind of KINDS) {
  const kind = Kind.name;

  test(`L1 ${kind}: a new one is free; wrong options are refused`, () => {
    const lock = new Kind();
    assert.deepEqual([lock.locked, lock.owner, lock.heldByCurrentThread, lock.name], [false, undefined, false, ""]);
    assert.throws(() => new Kind(3 as never), TypeError);
    assert.throws(() => new Kind({ name: 3 as never }), TypeError);
    assert.throws(() => new Kind({ rank: "1" as never }), TypeError);
    for (const rank of [1.5, 2 ** 31, NaN]) assert.throws(() => new Kind({ rank }), RangeError);
    assert.throws(() => new Kind({ at: {} as never }), TypeError);
    assert.throws(() => new Kind({ at: { buffer: new SharedArrayBuffer(128), byteOffset: 4 } }), RangeError);
    assert.throws(() => new Kind({ at: { buffer: new SharedArrayBuffer(32) } }), RangeError);
  });

  test(`L2 L3 ${kind}: acquire and release, try, twice on the same object`, () => {
    const lock = new Kind();
    for (let round = 0; round < 2; round++) {
      const guard = lock.acquire();
      assert.deepEqual([lock.locked, lock.heldByCurrentThread, typeof lock.owner], [true, true, "number"]);
      guard.release();
      lock.tryAcquire()!;
      lock.release();
      assert.deepEqual([lock.locked, lock.owner], [false, undefined]);
    }
  });

  test(`L10 R3 ${kind}: release() on a free lock throws NotHeldError each time`, () => {
    const lock = new Kind({ name: "x" });
    for (let i = 0; i < 2; i++) assert.throws(() => lock.release(), NotHeldError);
    lock.acquire().release();
    assert.throws(() => lock.release(), new RegExp(`^Cannot release ${kind} "x" as nobody holds it: it is free`));
    assert.equal(lock.locked, false);
  });

  test(`G9 L9 ${kind}: a guard releases its own hold, once`, () => {
    const lock = new Kind();
    const first = lock.acquire();
    first.release();
    first.release();
    const second = lock.acquire();
    first.release();
    assert.equal(lock.locked, true);
    lock.release(); // ends the second's hold
    const third = lock.acquire();
    second.release();
    assert.equal(lock.locked, true);
    third.release();
    assert.equal(lock.locked, false);
  });

  test(`L9 ${kind}: no spent guard ends an async hold that has just been won`, async () => {
    const lock = new Kind();
    const spent = lock.acquire();
    const winning = lock.acquireAsync();
    lock.release();
    const guard = await winning.then((guard) => {
      spent.release();
      return guard;
    });
    assert.equal(lock.locked, true);
    guard.release();
    assert.equal(lock.locked, false);
  });

  test(`L12 ${kind}: withLock and withLockAsync let go and pass the result or error on`, async () => {
    const lock = new Kind();
    const boom = new Error("body");
    assert.equal(lock.withLock(() => lock.locked), true);
    assert.throws(() =>
      lock.withLock(() => {
        throw boom;
      }), (error) => error === boom); // deno-fmt-ignore
    assert.equal(await lock.withLockAsync(() => Promise.resolve(lock.locked)), true);
    await assert.rejects(lock.withLockAsync(() => Promise.reject(boom)), (error) => error === boom);
    await assert.rejects(
      lock.withLockAsync(() => {
        throw boom;
      }),
      (error) => error === boom,
    ); // deno-fmt-ignore
    assert.equal(lock.locked, false);
  });

  test(`G2 G3 G4 ${kind}: arguments are checked first, long timeouts are long`, async () => {
    const lock = new Kind();
    for (const wrong of [-1, NaN, -Infinity]) assert.throws(() => lock.tryAcquire({ timeout: wrong }), RangeError);
    assert.throws(() => lock.tryAcquire({ timeout: "1" as never }), TypeError);
    assert.throws(() => lock.tryAcquire(1 as never), TypeError);
    await assert.rejects(lock.acquireAsync({ signal: 1 as never }), TypeError);
    assert.equal(lock.locked, false);
    for (const timeout of [1e100, Number.MAX_VALUE, Infinity]) lock.tryAcquire({ timeout })!.release();
  });

  test(`G8 ${kind}: an aborted signal takes nothing`, async () => {
    const lock = new Kind();
    await assert.rejects(lock.acquireAsync({ signal: AbortSignal.abort("no") }), (reason) => reason === "no");
    assert.equal(lock.locked, false);
  });

  test(`L14 ${kind}: tasks take turns in order; one that is aborted leaves the others alone`, async () => {
    const lock = new Kind();
    const held = lock.acquire();
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const order: string[] = [];
    const tasks = controllers.map(({ signal }, i) =>
      lock.acquireAsync({ signal }).then((guard) => {
        order.push(`${i}`);
        guard.release();
      }, (reason) => order.push(reason))
    );
    await settle();
    controllers[0]!.abort("first"); // asleep
    controllers[2]!.abort("third"); // in line
    await settle();
    held.release();
    await Promise.all(tasks);
    assert.deepEqual(order.sort(), ["1", "3", "first", "third"]);
    assert.deepEqual([...words(lock).slice(3, 7)], [0, words(lock)[4], 0, 0]); // free, nobody waits
  });

  test(`G8 ${kind}: a signal that aborts while its turn comes is not missed`, async () => {
    const lock = new Kind();
    const dice = random();
    for (let round = 0; round < 50; round++) {
      const held = lock.acquire();
      const controller = new AbortController();
      const first = lock.acquireAsync();
      const second = lock.acquireAsync({ signal: controller.signal }).then((guard) => guard.release(), () => {});
      held.release();
      const guard = await first;
      const hops = dice.below(6);
      guard.release();
      const blocker = lock.tryAcquire();
      for (let i = 0; i < hops; i++) await Promise.resolve();
      controller.abort();
      if (blocker !== undefined) await second; // it must not wait for the lock any more
      blocker?.release();
      await second;
      assert.equal(lock.locked, false);
    }
  });

  test(`${kind}: what waits without blocking is counted until it ends, one way or another, and once`, async () => {
    const lock = new Kind();
    const { pending } = agent; // as long as it is not 0 the program stays alive
    const held = lock.acquire();
    const controllers = [1, 2, 3].map(() => new AbortController());
    const waits = controllers.map(({ signal }) =>
      lock.acquireAsync({ signal }).then((guard) => guard.release(), () => {})
    );
    await settle();
    assert.equal(agent.pending, pending + 3);
    controllers[1]!.abort();
    await waits[1];
    assert.equal(agent.pending, pending + 2);
    held.release();
    await Promise.all(waits);
    for (const controller of controllers) controller.abort(); // nobody listens any more
    assert.equal(agent.pending, pending);
  });

  test(`L13 ${kind}: whose time is over is the heir no longer`, () => {
    const lock = new Kind();
    const { handle } = lock;
    const other = new Agent();
    const guard = asAgent(other, () => Kind.attach(handle).acquire());
    assert.equal(lock.tryAcquire({ timeout: 100 }), undefined); // so long that it became the heir
    assert.equal(words(lock)[HEIR], 0);
    asAgent(other, () => guard.release());
    assert.equal(words(lock)[OWNER], 0);
  });

  test(`L13 ${kind}: what is released next is kept for an heir that was one before`, async () => {
    const lock = new Kind();
    const { handle } = lock;
    const shared = words(lock);
    asAgent(new Agent(), () => Kind.attach(handle).acquire());
    const heir = shared[OWNER]!;
    for (let turn = 0; turn < 2; turn++) {
      [shared[OWNER], shared[HEIR]] = [WAITERS_BIT, heir]; // free, and kept
      assert.equal(lock.tryAcquire(), undefined);
      [shared[OWNER], shared[HEIR]] = [heir, 0];
      assert.equal(lock.tryAcquire(), undefined);
      await new Promise((resolve) => setTimeout(resolve, 15)); // longer than anything is kept
    }
  });

  test(`L13 ${kind}: what is released next is kept for a task that was passed for 10 ms`, async () => {
    const lock = new Kind();
    const { handle } = lock;
    const held = lock.acquire();
    const waiting = lock.acquireAsync();
    await until(() => words(lock)[HEIR] !== 0);
    held.release();
    assert.equal(asAgent(new Agent(), () => Kind.attach(handle).tryAcquire()), undefined);
    const guard = await waiting;
    assert.equal(words(lock)[HEIR], 0);
    guard.release();
  });

  test(`G8 ${kind}: a signal that aborts in the instant in which its wait becomes the first in line is not missed`, async () => {
    for (let hops = 0; hops < 10; hops++) {
      const lock = new Kind();
      const held = lock.acquire();
      const [first, second] = [new AbortController(), new AbortController()];
      const waits = [first, second].map(({ signal }) => assert.rejects(lock.acquireAsync({ signal }), () => true));
      await settle();
      first.abort();
      for (let i = 0; i < hops; i++) await undefined;
      second.abort();
      await Promise.all(waits); // though the lock is held
      held.release();
      assert.equal(lock.locked, false);
    }
  });

  test(`L14 ${kind}: held by a task, a blocking acquire() throws DeadlockError`, async () => {
    const lock = new Kind({ name: "mine" });
    const guard = await lock.acquireAsync();
    const error = assert.throws(() => lock.acquire(), DeadlockError);
    assert.match(error.message, /"mine" as a task of this thread holds it/);
    assert.throws(() => lock.tryAcquire({ timeout: Infinity }), DeadlockError);
    assert.equal(lock.tryAcquire({ timeout: 5 }), undefined);
    assert.equal(lock.locked, true);
    guard.release();
  });

  test(`${kind}: ranks rise, or LockOrderError`, async () => {
    const [low, high] = [new Kind({ rank: 1, name: "low" }), new Kind({ rank: 2, name: "high" })];
    const outer = high.acquire();
    assert.throws(() => low.acquire(), LockOrderError);
    assert.throws(() => low.tryAcquire(), LockOrderError);
    await assert.rejects(low.acquireAsync(), LockOrderError);
    outer.release();
    const guards = [low.acquire(), high.acquire()];
    for (const guard of guards) guard.release();
    assert.equal(high.locked || low.locked, false);
  });

  test(`G15 ${kind}: printing shows class, name and state`, () => {
    const lock = new Kind({ name: "door" });
    assert.equal(`${lock}`, `${kind} "door" (unlocked)`);
    const guard = lock.acquire();
    assert.match(`${lock}`, new RegExp(`^${kind} "door" \\(locked, owner ${lock.owner} .+\\)$`));
    guard.release();
  });

  test(`${kind}.attach() gives the same lock, and refuses anything else`, () => {
    const lock = new Kind({ name: "shared" });
    const other = Kind.attach(posted(lock.handle));
    assert.equal(other.name, "shared");
    const guard = lock.acquire();
    assert(other.heldByCurrentThread);
    guard.release();
    other.acquire();
    lock.release();
    const handle = lock.handle as FullHandle;
    const nothing = [undefined, null, 3, "x", {}];
    const broken = [...nothing, { ...handle, lockstep: 2 }, { ...handle, kind: "Event" }, { ...handle, byteLength: 8 }];
    for (const wrong of [...broken, { ...handle, byteOffset: 64 }, { ...handle, buffer: new SharedArrayBuffer(64) }]) {
      assert.throws(() => Kind.attach(wrong as never), LayoutError); // which is a TypeError
    }
    const Other = Kind === Lock ? RLock : Lock;
    assert.throws(() => Other.attach(handle), LayoutError);
    assert.throws(() => Other.attach({ ...handle, kind: Other.name } as never), LayoutError);
  });
}

for (const Kind of KINDS) {
  test(`D4 ${Kind.name}: what a dead thread held is taken over with all that is owed to waiters`, () => {
    for (const found of ["by recover()", "by release()", "by an acquire"]) {
      const lock = new Kind();
      const seen = words(lock);
      seen[OWNER] = ENDED | WAITERS_BIT;
      if (found !== "by recover()") {
        const find = () => void (found === "by release()" ? lock.release() : lock.tryAcquire());
        const woken = notified(seen.buffer, () => assert.throws(find, OwnerDiedError));
        assert.deepEqual(woken, [OWNER]); // all are to know
      }
      assert.equal(seen[OWNER], ENDED | WAITERS_BIT | (found === "by recover()" ? 0 : DIED_BIT));
      const guard = lock.recover()!;
      assert.equal(seen[OWNER], lock.owner! | WAITERS_BIT);
      assert.equal(lock.recover(), undefined);
      guard.release();
      assert.equal(seen[OWNER], 0);
    }
  });
}

test("D4 Lock: one that is handed over is released by anybody, whatever became of its holder", () => {
  const lock = new Lock({ handoff: true });
  words(lock)[OWNER] = ENDED;
  lock.release();
  assert.equal(lock.locked, false);
});

test("L6 L7 Lock: its holder cannot take it again", async () => {
  const lock = new Lock({ name: "once" });
  const guard = lock.acquire();
  assert.match(assert.throws(() => lock.acquire(), DeadlockError).message, /"once" as this thread holds it/);
  assert.equal(timeAsleep(() => assert.equal(lock.tryAcquire({ timeout: 30 }), undefined)), 30);
  const waiting = lock.acquireAsync();
  guard.release();
  (await waiting).release();
});
