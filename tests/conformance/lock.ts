// PYTHON.md sections 2 and 3, with threads: what Lock and RLock have in common, and where they differ.

import { DeadlockError, Event, Lock, NotHeldError, OwnerDiedError, RLock, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, random, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { assembled, blockedOn, CREWS, joined, play, type Role, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);
type AnyLock = Lock | RLock;
type Count = SharedValue<"i32">;
const KINDS = [Lock, RLock] as const;

/** A thread of a crew: each takes the lock once and counts, not in one step, while it holds it. */
export async function take(
  role: Role,
  lock: AnyLock,
  arrived: Count,
  taken: Count,
): Promise<void> {
  const count = () => {
    taken.value += 1;
  };
  // Tasks and their own thread exclude each other too: the thread must not block while a task holds the lock.
  const block = () => {
    const guard = lock.tryAcquire({ timeout: 60_000 });
    assert(guard !== undefined);
    count();
    guard.release();
  };
  await play(role, arrived, () => lock.withLockAsync(count), block);
}

/** Adds to a value in two steps, again and again, as the dice choose the form. */
export async function add(lock: AnyLock, value: Count, times: number, seed: number): Promise<void> {
  const dice = random(`add ${seed}`);
  const step = () => {
    value.value += 1;
  };
  for (let i = 0; i < times; i++) {
    switch (dice.below(4)) {
      case 0:
        lock.withLock(step);
        break;
      case 1:
        await lock.withLockAsync(step);
        break;
      case 2: {
        const guard = lock.tryAcquire({ timeout: dice.below(3) });
        if (guard === undefined) i--;
        else {
          step();
          guard.release();
        }
        break;
      }
      default: {
        const signal = AbortSignal.timeout(60_000);
        const guard = await lock.acquireAsync({ signal });
        step();
        guard.release();
        guard.release();
      }
    }
  }
}

/** What the lock looks like from another thread, and what a try gives. */
export function look(lock: AnyLock): Record<string, unknown> {
  const { locked, owner, heldByCurrentThread } = lock;
  const start = performance.now();
  const got = [lock.tryAcquire(), lock.tryAcquire({ timeout: 40 })].map((guard) =>
    guard === undefined ? "none" : "guard"
  );
  const depth = lock instanceof RLock ? lock.depth : undefined;
  return { locked, owner, heldByCurrentThread, depth, got, ms: performance.now() - start };
}

/** Takes the lock and returns, holding it. */
export function takeAndReturn(lock: Lock): void {
  lock.acquire();
}

/** Releases somebody else's lock; returns how that went. */
export function releaseForeign(lock: AnyLock): string {
  try {
    lock.release();
    return "released";
  } catch (error) {
    return error instanceof NotHeldError ? `not held: ${error.owner}` : String(error);
  }
}

/** Takes the lock so many times and dies with it. */
export function dieHolding(lock: AnyLock, depth: number): never {
  for (let i = 0; i < depth; i++) lock.acquire();
  throw new Error("dies");
}

/** Holds the lock until told to let go. */
export function hold(lock: AnyLock, holding: Event, enough: Event): void {
  lock.withLock(() => {
    holding.set();
    enough.wait();
  });
}

/** Blocks in acquire(); returns how it ended. */
export function block(lock: AnyLock): string {
  try {
    lock.acquire().release();
    return "acquired";
  } catch (error) {
    return (error as Error).name;
  }
}

/** A task holds the lock, and the thread tries to block for it. */
export async function holdAsTask(lock: AnyLock): Promise<string[]> {
  const guard = await lock.acquireAsync();
  const seen: string[] = [];
  try {
    lock.acquire();
  } catch (error) {
    seen.push(error instanceof DeadlockError ? "deadlock" : String(error));
  }
  seen.push(String(lock.tryAcquire({ timeout: 5 })));
  let other = "waits";
  const second = lock.acquireAsync().then((guard) => {
    other = "holds";
    guard.release();
  });
  await Promise.resolve();
  seen.push(other);
  guard.release();
  await second;
  seen.push(other, String(lock.locked));
  return seen;
}

/** Takes and lets go without a pause until told to stop. */
export function hog(lock: AnyLock, stop: Event): void {
  while (!stop.isSet) lock.acquire().release();
}

/** Registers the cases. */
export function lockCases(has: Capabilities): void {
  for (const Kind of KINDS) {
    const kind = Kind.name;

    for (const crew of CREWS) {
      test(`L5 R7 ${kind}: ${crew.name} wait for the release, then each gets it once`, async () => {
        const [lock, arrived, taken] = [new Kind({ name: "door" }), new SharedValue("i32"), new SharedValue("i32")];
        for (let turn = 0; turn < 2; turn++) {
          const guard = await lock.acquireAsync();
          arrived.value = taken.value = 0;
          const threads = crew.roles.map((role) => ask(take, role, lock, arrived, taken));
          await assembled(crew, arrived, kind, "door");
          assert.equal(taken.value, 0);
          guard.release();
          await joined(threads);
          assert.equal(taken.value, crew.size);
          assert.equal(lock.locked, false);
        }
      }, { limit: 20_000 });
    }

    test(`L5 ${kind}: six threads add in every form, and lose nothing`, async () => {
      const [lock, value] = [new Kind(), new SharedValue("i32")];
      const seed = random().next();
      await joined([0, 1, 2, 3, 4, 5].map((i) => ask(add, lock, value, 300, seed + i)));
      assert.equal(value.value, 1800);
      assert.equal(lock.locked, false);
    }, { limit: 30_000 });

    test(`L2 L4 R2 R5 ${kind}: held here, another thread sees who, and gets nothing`, async () => {
      const lock = new Kind();
      const guard = lock.acquire();
      const inner = lock instanceof RLock ? lock.acquire() : undefined;
      const { ms, ...seen } = await ask(look, lock).joinAsync();
      assert.deepEqual(seen, {
        locked: true,
        owner: lock.owner,
        heldByCurrentThread: false,
        depth: lock instanceof RLock ? 0 : undefined,
        got: ["none", "none"],
      });
      assert.between(ms as number, 40, 3_000);
      inner?.release();
      guard.release();
      assert.equal(lock.locked, false);
      lock.tryAcquire()!.release(); // L11: the waiter that gave up left nothing behind
    });

    test(`L14 R8 ${kind}: held by a task, its thread may not block, and other tasks wait`, async () => {
      assert.deepEqual(await ask(holdAsTask, new Kind()).joinAsync(), [
        "deadlock",
        "undefined",
        "waits",
        "holds",
        "false",
      ]);
      assert.deepEqual(await holdAsTask(new Kind()).catch(String), [
        "deadlock",
        "undefined",
        "waits",
        "holds",
        "false",
      ]);
    }, { skip: has.blocksMain ? undefined : "the main thread may not block" });

    test(`D1 ${kind}: its holder dies; every form throws OwnerDiedError until recover()`, async () => {
      const lock = new Kind({ name: "widow" });
      const [holding, enough] = [new Event(), new Event()];
      const keeper = go(hold, lock, holding, enough);
      await holding.waitAsync();
      const waiter = ask(block, lock);
      const late = lock.withLockAsync(() => "acquired").catch((error) => error.name);
      await until(() => blockedOn(kind, "widow") === 1);
      const ended = assert.rejects(keeper.joinAsync());
      await keeper.terminate();
      await ended; // it let go on its way out, or died with it
      enough.set();
      const fates = [await waiter.joinAsync(), await late];
      for (const fate of fates) assert(fate === "acquired" || fate === "OwnerDiedError", fate);
      const fresh = new Kind();
      await assert.rejects(go(dieHolding, fresh, kind === "RLock" ? 3 : 1).joinAsync(), /dies/);
      for (const attempt of [() => fresh.acquire(), () => fresh.tryAcquire()]) assert.throws(attempt, OwnerDiedError);
      await assert.rejects(fresh.acquireAsync(), OwnerDiedError);
      const guard = fresh.recover()!;
      assert.equal(fresh.recover(), undefined);
      assert(fresh.heldByCurrentThread);
      guard.release();
      assert.equal(fresh.locked, false);
      fresh.acquire().release();
    }, { limit: 20_000 });

    test(`L13 ${kind}: threads that hog it leave it to those who wait, blocked or not`, async () => {
      const [lock, stop] = [new Kind(), new Event()];
      const hogs = [ask(hog, lock, stop), ask(hog, lock, stop)];
      for (let i = 0; i < 10; i++) (await lock.acquireAsync()).release();
      for (let i = 0; i < 3; i++) assert.equal(await ask(block, lock).joinAsync(), "acquired");
      stop.set();
      await joined(hogs);
    }, { limit: 20_000 });
  }

  test("L8 L9 another thread releases a Lock: it is free, and the guard is spent", async () => {
    const lock = new Lock();
    const guard = lock.acquire();
    assert.equal(await ask(releaseForeign, lock).joinAsync(), "released");
    assert.deepEqual([lock.locked, lock.owner], [false, undefined]);
    const [holding, enough] = [new Event(), new Event()];
    const next = ask(hold, lock, holding, enough);
    await holding.waitAsync();
    guard.release(); // not the next holder's
    assert.equal(lock.locked, true);
    enough.set();
    await next.joinAsync();
    const again = lock.acquire();
    guard.release(); // nor this thread's next one
    assert.equal(lock.locked, true);
    again.release();
  });

  test("L8 a Lock that a thread took and left behind is released by another", async () => {
    const lock = new Lock();
    await go(takeAndReturn, lock).joinAsync();
    assert.equal(lock.locked, true);
    lock.release();
    assert.deepEqual([lock.locked, lock.owner], [false, undefined]);
    lock.acquire().release();
  });

  test("L8 so it is after somebody has tried to take it and was told of the death", async () => {
    const lock = new Lock();
    await go(takeAndReturn, lock).joinAsync();
    assert.throws(() => lock.tryAcquire(), OwnerDiedError);
    lock.release();
    assert.equal(lock.locked, false);
    lock.acquire().release();
  });

  test("D1 a Lock that a thread took and left behind keeps nobody waiting", async () => {
    const lock = new Lock();
    await go(takeAndReturn, lock).joinAsync();
    await assert.rejects(lock.acquireAsync(), OwnerDiedError);
    lock.recover()!.release();
    lock.acquire().release();
  });

  test("A handoff Lock that a thread took and left behind waits for whoever releases it", async () => {
    const lock = new Lock({ handoff: true });
    await go(takeAndReturn, lock).joinAsync();
    assert.equal(lock.tryAcquire(), undefined);
    const next = lock.acquireAsync();
    lock.release();
    (await next).release();
  });
}
