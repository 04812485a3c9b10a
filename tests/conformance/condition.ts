// PYTHON.md section 4, with threads: exactly those who were notified go on, whatever becomes of the others.

import { Condition, Event, Lock, NotHeldError, RLock, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, random, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { blockedOn, CREWS, joined, play, type Role, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);
type Count = SharedValue<"i32">;

const BLOCKED: Role = { tasks: 0, blocks: true };
const ASYNC: Role = { tasks: 1, blocks: false };

/** How many wait now. */
function waiting(condition: Condition): number {
  return Number(/\((\d+) waiting\)/.exec(String(condition))![1]);
}

/** Notifies with the lock held; returns how many it reached. */
function notify(condition: Condition, n = 1): Promise<number> {
  return condition.withLockAsync(() => condition.notify(n));
}

/** A thread of a crew; `woken` counts those that hold the lock again. */
export function wait(role: Role, condition: Condition, woken: Count): Promise<void> {
  let registered = 0;
  const task = () =>
    condition.withLockAsync(async () => {
      const wait = condition.waitAsync();
      registered++;
      await wait;
      woken.add(1);
    });
  const block = async () => {
    await until(() => registered === role.tasks); // or a task would hold the lock that this thread waits for
    condition.withLock(() => {
      condition.wait();
      woken.add(1);
    });
  };
  return play(role, new SharedValue("i32"), task, block);
}

/** Tries to notify, and to take the lock, while another thread holds it. */
export function intrude(condition: Condition): string[] {
  const attempts = [() => condition.notify(), () => condition.notifyAll(), () => condition.wait()];
  const names = attempts.map((attempt) => {
    try {
      return String(attempt());
    } catch (error) {
      return error instanceof NotHeldError ? "not held" : String(error);
    }
  });
  return [...names, String(condition.tryAcquire())];
}

/** Waits with short limits; returns how often it was notified. */
export function tryOften(condition: Condition, limits: readonly number[], done: Count): number {
  let notified = 0;
  for (const timeout of limits) {
    const guard = condition.acquire();
    if (condition.tryWait({ timeout })) notified++;
    assert(condition.lock.heldByCurrentThread);
    guard.release();
  }
  done.add(1);
  return notified;
}

/** The same without blocking, three tasks at once, given up by signals. */
export async function tryOftenAsync(condition: Condition, limits: readonly number[], done: Count): Promise<number> {
  let notified = 0;
  const task = async () => {
    for (const timeout of limits) {
      const guard = await condition.acquireAsync();
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), timeout);
      try {
        await condition.waitAsync({ guard, signal: controller.signal });
        notified++;
      } catch (error) {
        if (error !== controller.signal.reason) throw error;
      }
      assert(condition.lock.heldByCurrentThread);
      guard.release();
      clearTimeout(timer);
    }
  };
  await Promise.all([task(), task(), task()]);
  done.add(1);
  return notified;
}

/** Waits with the lock taken three times; returns the depth before and after. */
export async function waitDeep(condition: Condition, async: boolean): Promise<number[]> {
  const lock = condition.lock as RLock;
  const guards = [condition.acquire(), condition.acquire(), condition.acquire()];
  const before = lock.depth;
  if (async) await condition.waitAsync();
  else condition.wait();
  const after = lock.depth;
  for (const guard of guards) guard.release();
  return [before, after, lock.depth];
}

/** Waits for a predicate that stays false. */
export function waitInVain(condition: Condition): { passed: boolean; ms: number; tests: number } {
  return condition.withLock(() => {
    let tests = 0;
    const start = performance.now();
    const passed = condition.tryWaitFor(() => ++tests < 0, { timeout: 100 });
    return { passed, ms: performance.now() - start, tests };
  });
}

/** Waits as a task, and blocks in something else. */
export async function waitAndBlock(condition: Condition, other: Event, woken: Count): Promise<void> {
  const task = wait(ASYNC, condition, woken);
  await until(() => waiting(condition) > 0);
  other.wait();
  await task;
}

/** Leaves a pending wait behind and dies of an error. */
export async function dieWaiting(condition: Condition, woken: Count): Promise<void> {
  void wait(ASYNC, condition, woken);
  await until(() => waiting(condition) > 0);
  throw new Error("dies");
}

/** Puts numbers into a store of two places. */
export function produce(condition: Condition, stored: Count, items: number): void {
  for (let i = 0; i < items; i++) {
    condition.withLock(() => {
      condition.waitFor(() => stored.value < 2);
      stored.value += 1;
      condition.notifyAll();
    });
  }
}

/** Takes them out again. */
export async function consume(condition: Condition, stored: Count, items: number, async: boolean): Promise<void> {
  for (let i = 0; i < items; i++) {
    const take = () => {
      stored.value -= 1;
      condition.notifyAll();
    };
    if (async) {
      await condition.withLockAsync(async () => {
        await condition.waitForAsync(() => stored.value > 0);
        take();
      });
    } else {
      condition.withLock(() => {
        condition.waitFor(() => stored.value > 0);
        take();
      });
    }
  }
}

/** Waits, or says why it may not. */
export function waitOrSay(condition: Condition): string {
  return condition.withLock(() => {
    try {
      condition.wait();
      return "woken";
    } catch (error) {
      return `${(error as Error).name}, lock held: ${condition.lock.heldByCurrentThread}`;
    }
  });
}

/** Registers the cases. */
export function conditionCases(_has: Capabilities): void {
  for (const crew of CREWS) {
    test(
      `C5 C6 Condition: notify(3) wakes exactly three of ${crew.name}, notify(5) the others and newcomers`,
      async () => {
        for (const lock of [undefined, new Lock()]) {
          const condition = new Condition(lock);
          const woken = new SharedValue("i32");
          const threads = crew.roles.map((role) => ask(wait, role, condition, woken));
          await until(() => waiting(condition) === crew.size);
          const guard = await condition.acquireAsync();
          assert.equal(condition.notify(3), 3);
          assert.equal(waiting(condition), crew.size - 3);
          assert.equal(woken.value, 0); // the lock is ours
          guard.release();
          await until(() => woken.value === 3);
          const late = ask(wait, BLOCKED, condition, woken);
          await until(() => waiting(condition) === crew.size - 2);
          assert.equal(woken.value, 3);
          assert.equal(await notify(condition, crew.size), crew.size - 2);
          await joined([...threads, late]);
          assert.equal(woken.value, crew.size + 1);
          assert.equal(await condition.withLockAsync(() => condition.notifyAll()), 0);
        }
      },
      { limit: 20_000 },
    );
  }

  test("C6 notifyAll() works again and again", async () => {
    const condition = new Condition();
    const woken = new SharedValue("i32");
    for (let round = 1; round <= 3; round++) {
      const threads = [BLOCKED, ASYNC, BLOCKED].map((role) => ask(wait, role, condition, woken));
      await until(() => waiting(condition) === 3);
      assert.equal(await condition.withLockAsync(() => condition.notifyAll()), 3);
      await joined(threads);
      assert.equal(woken.value, 3 * round);
    }
  }, { limit: 20_000 });

  test("C2 C4 the lock held by another thread: no notify, no wait, no tryAcquire", async () => {
    for (const lock of [undefined, new Lock()]) {
      const condition = new Condition(lock);
      const guard = await condition.acquireAsync();
      assert.deepEqual(await ask(intrude, condition).joinAsync(), ["not held", "not held", "not held", "undefined"]);
      guard.release();
    }
  });

  for (const async of [false, true]) {
    test(
      `C9 C11 waiters ${async ? "aborted" : "timing out"} while others notify: every grant counts once`,
      async () => {
        const condition = new Condition(async ? new Lock() : undefined);
        const done = new SharedValue("i32");
        const limits = () => Array.from({ length: 60 }, () => chance.below(4));
        const chance = random();
        const threads = [0, 1, 2].map(() =>
          async ? ask(tryOftenAsync, condition, limits(), done) : ask(tryOften, condition, limits(), done)
        );
        let granted = 0;
        while (done.value < 3) {
          granted += await notify(condition, chance.below(3));
          if (chance.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        const notified = (await joined(threads)).reduce((sum, count) => sum + count, 0);
        assert.equal(notified, granted);
        assert.equal(waiting(condition), 0);
      },
      { limit: 30_000 },
    );
  }

  test("C12 waiting on an RLock held three times lets go of all and restores three", async () => {
    for (const async of [false, true]) {
      const condition = new Condition(new RLock());
      const thread = ask(waitDeep, condition, async);
      await until(() => waiting(condition) === 1);
      assert.equal(await notify(condition), 1);
      assert.deepEqual(await thread.joinAsync(), [3, 3, 0]);
    }
  });

  test("C15 tryWaitFor() gives up after its time although it was notified meanwhile", async () => {
    const condition = new Condition();
    const thread = ask(waitInVain, condition);
    let notified = 0;
    while (notified < 3 && thread.alive) {
      notified += await notify(condition);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { passed, ms, tests } = await thread.joinAsync();
    assert.equal(passed, false);
    assert.between(ms, 100, 3_000);
    assert.equal(tests, notified + 2);
  });

  test("C5 notify(1) goes to a thread that can run rather than to a task of a blocked one", async () => {
    const [condition, other] = [new Condition(), new Event({ name: "elsewhere" })];
    const woken = new SharedValue("i32");
    const blocked = ask(waitAndBlock, condition, other, woken);
    await until(() => waiting(condition) === 1 && blockedOn("Event", "elsewhere") === 1);
    const free = ask(wait, BLOCKED, condition, woken);
    await until(() => waiting(condition) === 2);
    assert.equal(await notify(condition), 1);
    await free.joinAsync();
    assert.equal(await notify(condition), 1); // nobody else is left
    other.set();
    await blocked.joinAsync();
    assert.equal(woken.value, 2);
  });

  test("C8 more threads than its option says: RangeError, the lock still held; the dead need no room", async () => {
    const condition = new Condition(undefined, { threads: 1, name: "narrow" });
    for (let round = 0; round < 2; round++) {
      const first = go(waitOrSay, condition);
      await until(() => waiting(condition) === 1);
      assert.equal(await go(waitOrSay, condition).joinAsync(), "RangeError, lock held: true");
      if (round === 0) {
        const ended = first.joinAsync().catch((error) => (error as Error).name);
        await first.terminate();
        assert.match(await ended, /^(?:ThreadError|ThreadStoppedError, lock held: true)$/);
      } else {
        assert.equal(await notify(condition), 1);
        assert.equal(await first.joinAsync(), "woken");
      }
    }
  }, { limit: 20_000 });

  test("C8 D8 waiters that died are off the list", async () => {
    const condition = new Condition();
    const woken = new SharedValue("i32");
    await assert.rejects(go(dieWaiting, condition, woken).joinAsync(), /dies/);
    const killed = go(wait, BLOCKED, condition, woken);
    await until(() => waiting(condition) === 1);
    const ended = assert.rejects(killed.joinAsync());
    await killed.terminate();
    await ended;
    const living = [ask(wait, BLOCKED, condition, woken), ask(wait, ASYNC, condition, woken)];
    await until(() => waiting(condition) === 2);
    assert.equal(await notify(condition, 1), 1);
    await until(() => woken.value === 1);
    assert.equal(await condition.withLockAsync(() => condition.notifyAll()), 1);
    await joined(living);
  }, { limit: 20_000 });

  test("C8 a grant to a waiter that proves dead moves on to a living one", async () => {
    const [condition, other] = [new Condition(), new Event({ name: "grave" })];
    const woken = new SharedValue("i32");
    const doomed = go(waitAndBlock, condition, other, woken);
    await until(() => waiting(condition) === 1 && blockedOn("Event", "grave") === 1);
    assert.equal(await notify(condition), 1); // to the task of a thread that will not get to run it
    const living = ask(wait, BLOCKED, condition, woken);
    await until(() => waiting(condition) === 1 && blockedOn("Condition", "") === 1);
    const ended = assert.rejects(doomed.joinAsync());
    await doomed.terminate();
    await ended;
    await living.joinAsync();
    assert.equal(woken.value, 1);
  }, { limit: 20_000 });

  test("C14 producers and consumers of all kinds share a small store", async () => {
    const condition = new Condition();
    const stored = new SharedValue("i32");
    const threads = [
      ask(produce, condition, stored, 150),
      ask(produce, condition, stored, 150),
      ask(consume, condition, stored, 100, false),
      ask(consume, condition, stored, 100, true),
      ask(consume, condition, stored, 100, false),
    ];
    await joined(threads);
    assert.equal(stored.value, 0);
  }, { limit: 20_000 });
}
