// What one thread can show of PYTHON.md section 4; tests/conformance/condition.ts has the rest.

import { Agent } from "../../primitives/_agent.ts";
import { load, store } from "../../primitives/_atomics.ts";
import { ConditionCore } from "../../primitives/_condition_core.ts";
import type { Grants } from "../../primitives/_grants.ts";
import { TASK_SLEEPS } from "../../primitives/_grants.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import type { Guard } from "../../primitives/guard.ts";
import { Condition, LayoutError, Lock, NotHeldError, RLock, RWLock } from "../../primitives/mod.ts";
import { asAgent, ENDED } from "../_as_agent.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, random, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { posted } from "../_posted.ts";
import { until } from "../_until.ts";

/** How many wait now. */
function waiting(condition: Condition): number {
  return Number(/\((\d+) waiting\)/.exec(String(condition))![1]);
}

/** A task that waits, and notes that it was woken. */
function waiter(condition: Condition, woken: number[], i: number, signal?: AbortSignal): Promise<void> {
  return condition.withLockAsync(async () => {
    await condition.waitAsync(signal === undefined ? {} : { signal });
    assert(condition.lock.heldByCurrentThread);
    woken.push(i);
  });
}

const locks = () => [undefined, new Lock(), new RLock(), new Lock({ handoff: true })];

test("C1 C2 Condition: its own lock is an RLock; a given one is that very lock", () => {
  const own = new Condition();
  const guards = [own.acquire(), own.tryAcquire()!];
  assert.equal((own.lock as RLock).depth, 2);
  for (const guard of guards) guard.release();
  const lock = new Lock();
  const condition = new Condition(lock);
  assert.equal(condition.lock, lock);
  assert.deepEqual([condition.locked, condition.owner, condition.heldByCurrentThread], [false, undefined, false]);
  lock.acquire();
  assert.deepEqual([condition.locked, condition.owner, condition.heldByCurrentThread], [true, lock.owner, true]);
  assert.equal(condition.tryAcquire(), undefined);
  condition.release();
  assert.equal(lock.locked, false);
  assert.equal(condition.recover(), undefined);
});

test("Condition: wrong arguments are refused", async () => {
  for (const wrong of [3, null, {}, "x"]) assert.throws(() => new Condition(wrong as never), TypeError);
  assert.throws(() => new Condition(undefined, { name: 3 as never }), TypeError);
  for (const threads of [0, 1.5, 4097]) assert.throws(() => new Condition(undefined, { threads }), /threads/);
  const condition = new Condition();
  for (const wrong of [3, undefined, "x"]) {
    assert.throws(() => condition.waitFor(wrong as never), TypeError);
    await assert.rejects(condition.waitForAsync(wrong as never), TypeError);
  }
  const guard = condition.acquire();
  for (const timeout of [-1, NaN]) assert.throws(() => condition.tryWait({ timeout }), RangeError);
  for (const timeout of [-1, NaN]) assert.throws(() => condition.tryWaitFor(() => true, { timeout }), RangeError);
  assert.throws(() => condition.tryWait({ timeout: "1" as never }), TypeError);
  await assert.rejects(condition.waitAsync({ signal: 1 as never }), TypeError);
  await assert.rejects(condition.waitAsync({ guard: {} as never }), TypeError);
  assert.throws(() => condition.tryWaitFor(() => Promise.resolve(true)), /promise/);
  assert.equal(waiting(condition), 0);
  guard.release();
});

test("C3 C4 Condition: without the lock everything throws NotHeldError, and says who holds it", async () => {
  const condition = new Condition(new Lock({ name: "mine" }), { name: "ready" });
  const attempts = [
    () => condition.wait(),
    () => condition.tryWait(),
    () => condition.waitFor(() => true),
    () => condition.tryWaitFor(() => true),
    () => condition.notify(),
    () => condition.notify(0),
    () => condition.notifyAll(),
  ];
  for (const attempt of attempts) assert.throws(attempt, NotHeldError);
  await assert.rejects(condition.waitAsync(), NotHeldError);
  await assert.rejects(condition.waitForAsync(() => true), NotHeldError);
  assert.match(
    assert.throws(() => condition.wait()).message,
    /^Cannot wait on Condition "ready" as thread \d+ does not hold its Lock "mine": it is free; acquire\(\) it before$/,
  );
  const guard = condition.acquire();
  guard.release();
  condition.acquire();
  await assert.rejects(condition.waitAsync({ guard }), NotHeldError); // not this hold's guard
  condition.release();
});

test("C5 C6 C7 C18 Condition: exactly min(n, waiting) tasks wake, and nothing is stored", async () => {
  for (const lock of locks()) {
    const condition = new Condition(lock);
    const woken: number[] = [];
    for (let round = 0; round < 2; round++) {
      woken.length = 0;
      const tasks = [0, 1, 2, 3, 4].map((i) => waiter(condition, woken, i));
      await until(() => waiting(condition) === 5);
      condition.withLock(() => {
        assert.equal(condition.notify(0), 0);
        assert.equal(condition.notify(), 1);
        assert.equal(condition.notify(2), 2);
        assert.deepEqual(woken, []);
      });
      await Promise.all(tasks.slice(0, 3));
      assert.deepEqual(woken, [0, 1, 2]); // in order, within one thread
      condition.withLock(() => assert.equal(condition.notify(7), 2));
      await Promise.all(tasks);
      condition.withLock(() => {
        assert.equal(condition.notifyAll(), 0);
        assert.equal(condition.notify(Number.MAX_SAFE_INTEGER), 0);
        for (const wrong of [-1, 0.5, NaN, Infinity]) assert.throws(() => condition.notify(wrong), RangeError);
        assert.equal(condition.tryWait({ timeout: 5 }), false); // none of it was stored
      });
    }
  }
});

test("C10 C16 Condition: a timed wait is false after its time, the lock held again", () => {
  for (const lock of locks()) {
    const condition = new Condition(lock);
    condition.withLock(() => {
      assert.equal(timeAsleep(() => assert.equal(condition.tryWait({ timeout: 40 }), false)), 40);
      assert(condition.lock.heldByCurrentThread);
      assert.equal(condition.notify(), 0); // nobody waits any more
      assert.equal(condition.tryWait(), false);
      assert.equal(condition.notify(), 0);
      let tests = 0;
      assert.equal(condition.tryWaitFor(() => ++tests > 1), false);
      assert.equal(tests, 1);
      assert.equal(condition.tryWaitFor(() => ++tests > 1), true);
      const boom = new Error("predicate");
      assert.throws(() =>
        condition.tryWaitFor(() => {
          throw boom;
        }), (error) => error === boom); // deno-fmt-ignore
      assert(condition.lock.heldByCurrentThread);
    });
    assert.equal(condition.lock.locked, false);
  }
});

test("C8 C11 Condition: an aborted task holds the lock again, and is off the list", async () => {
  for (const lock of locks()) {
    const condition = new Condition(lock);
    const woken: number[] = [];
    const controllers = Array.from({ length: 5 }, () => new AbortController());
    const tasks = controllers.map(({ signal }, i) => waiter(condition, woken, i, signal).catch((reason) => reason));
    await until(() => waiting(condition) === 5);
    const guard = condition.acquire();
    controllers[0]!.abort("first");
    controllers[3]!.abort("fourth");
    await until(() => waiting(condition) === 3); // though they still wait for the lock
    guard.release();
    assert.deepEqual([await tasks[0], await tasks[3]], ["first", "fourth"]);
    condition.withLock(() => assert.equal(condition.notify(1), 1));
    await tasks[1];
    condition.withLock(() => assert.equal(condition.notifyAll(), 2));
    await Promise.all(tasks);
    assert.deepEqual(woken, [1, 2, 4]);
  }
});

test("G8 Condition: an aborted signal ends a wait before it lets go of the lock", async () => {
  const condition = new Condition();
  const guard = condition.acquire();
  const signal = AbortSignal.abort("no");
  await assert.rejects(condition.waitAsync({ signal }), (reason) => reason === "no");
  await assert.rejects(condition.waitForAsync(() => true, { signal }), (reason) => reason === "no");
  assert(condition.lock.heldByCurrentThread);
  guard.release();
});

test("C9 Condition: a task aborted in the instant of its notification was notified, or another one is", async () => {
  const dice = random();
  for (let round = 0; round < 200; round++) {
    const condition = new Condition(dice.chance(0.5) ? new Lock() : undefined);
    const woken: number[] = [];
    const controllers = Array.from({ length: 3 }, () => new AbortController());
    const tasks = controllers.map(({ signal }, i) => waiter(condition, woken, i, signal).catch(() => {}));
    await until(() => waiting(condition) === 3);
    let granted = 0;
    const hop = async () => {
      for (let i = dice.below(8); i > 0; i--) await Promise.resolve();
    };
    for (const [first, second] of [dice.shuffle(["notify", "abort"]), dice.shuffle(["notify", "hop"])]) {
      await condition.withLockAsync(async () => {
        for (const step of [first, second]) {
          if (step === "notify") granted += condition.notify();
          else if (step === "abort") controllers[dice.below(3)]!.abort();
          else await hop();
        }
      });
      await hop();
    }
    for (const controller of dice.shuffle(controllers)) controller.abort();
    await Promise.all(tasks);
    assert.equal(woken.length, granted);
    assert.equal(waiting(condition), 0);
  }
});

test("C12 Condition: waiting lets go of every level and restores them, and guards stay good", async () => {
  const condition = new Condition();
  const lock = condition.lock as RLock;
  const guards = [condition.acquire(), condition.acquire(), condition.acquire()];
  assert.equal(condition.tryWait({ timeout: 5 }), false);
  assert.equal(lock.depth, 3);
  const wait = condition.waitAsync({ guard: guards[1]! });
  assert.equal(lock.locked, false);
  condition.withLock(() => condition.notify());
  await wait;
  assert.equal(lock.depth, 3);
  for (const guard of guards) guard.release();
  assert.equal(lock.locked, false);
});

test("C12 Condition: the guard of an async hold stays good, whatever other tasks did meanwhile", async () => {
  for (const lock of locks()) {
    const condition = new Condition(lock);
    const guard = await condition.acquireAsync();
    const wait = condition.waitAsync({ guard });
    const others = [await condition.acquireAsync()];
    others[0]!.release();
    others.push(await condition.acquireAsync());
    condition.notify();
    others[1]!.release();
    await wait;
    for (const other of others) other.release(); // spent: they end no hold of the waiter's
    assert(condition.lock.heldByCurrentThread);
    if (condition.lock instanceof RLock) assert.throws(() => condition.release(), NotHeldError); // a task's, as before
    guard.release();
    assert.equal(condition.lock.locked, false);
    const next = await condition.acquireAsync();
    for (const spent of [guard, ...others]) spent.release();
    assert(condition.lock.locked);
    next.release();
  }
});

test("G9 Condition: a guard released while its task waits ends that wait, and nothing stays held", async () => {
  for (const lock of locks()) {
    for (const signal of [undefined, new AbortController().signal]) {
      const condition = new Condition(lock, { name: "ready" });
      const guard = await condition.acquireAsync();
      const wait = condition.waitAsync(signal === undefined ? { guard } : { guard, signal });
      await Promise.race([wait, new Promise((resolve) => setTimeout(resolve, 5))]);
      guard.release();
      const { message } = await assert.rejects(wait, NotHeldError);
      assert.match(
        message,
        /^Cannot wait on Condition "ready" as its R?Lock.* was released during the wait: it is free$/,
      );
      assert.equal(waiting(condition), 0);
      await condition.withLockAsync(() => assert.equal(condition.notify(), 0));
      assert.equal(condition.locked, false);
      const next = await condition.acquireAsync();
      guard.release(); // spent
      assert(condition.locked);
      next.release();
    }
  }
});

test("Condition: what was granted to a wait whose guard was released goes to another", async () => {
  for (const lock of locks()) {
    for (const release of ["before", "at once", "later"]) { // than its notification, and while it waits for the lock
      const condition = new Condition(lock);
      const guard = await condition.acquireAsync();
      const wait = condition.waitAsync({ guard });
      const ended = assert.rejects(wait, NotHeldError);
      const woken: number[] = [];
      const other = waiter(condition, woken, 1);
      await until(() => waiting(condition) === 2);
      const notifier = condition.acquire();
      if (release === "before") guard.release(); // it is still counted
      assert.equal(condition.notify(), 1);
      if (release === "at once") guard.release();
      notifier.release();
      if (release === "later") {
        const holder = condition.acquire();
        await new Promise((resolve) => setTimeout(resolve, 5));
        guard.release();
        await ended; // though the lock is held
        holder.release();
      }
      await ended;
      await other;
      assert.deepEqual([woken, condition.locked], [[1], false]);
    }
  }
});

test("Condition: a passed on grant wakes who gets it in the same thread", () => {
  const { grants, lock, words } = ConditionCore.create(undefined, undefined);
  lock.withLock(() => {
    const [one, other] = [{ granted: false }, { granted: false }];
    const at = grants.registerTask("one", one);
    assert.equal(grants.registerTask("other", other), at);
    grants.sleeps(at, TASK_SLEEPS, true);
    assert.equal(grants.notify(1), 1);
    grants.deal(at);
    const woken = notified(words.buffer, () => assert.equal(grants.withdrawTask(at, one, true), false));
    assert.deepEqual([one.granted, other.granted, grants.waiting], [false, true, 0]);
    assert(woken.includes(grants.wordOf(at)), `woken are ${woken}`);
    grants.goTask(at);
    for (let word = 1; word < 6; word++) assert.equal(load(words, at + word), 0);
  });
});

test("Condition: that a blocked waiter has gone is known to all before its lock is free, whatever it does first", () => {
  for (const lock of [undefined, new Lock()]) for (const ending of ["guard", "release"]) goneBeforeFree(lock, ending);
});

function goneBeforeFree(given: Lock | undefined, ending: string): void {
  const { grants, lock, word, words } = ConditionCore.create(given, undefined);
  const task = { granted: false };
  const allGone = (at: number, what: string) => {
    for (let i = 1; i < 7; i++) assert.equal(load(words, at + i), 0, `word ${i} of the cell of one that ${what}`);
  };
  const ways: Record<string, (at: number) => void> = {
    nothing() {},
    notifies() {
      assert.equal(grants.notify(1), 0);
    },
    "has a task that waits": (at) => {
      assert.equal(grants.registerTask("a task", task), at);
      assert.deepEqual([task.granted, grants.granted(at)], [false, false], "it is not the task that was notified");
      assert.equal(grants.withdrawTask(at, task, false), false);
    },
    "notifies a task": (at) => {
      grants.registerTask("a task", task);
      assert.equal(grants.notify(2), 1);
      grants.deal(at);
      assert.equal(task.granted, true);
      grants.goTask(at);
      task.granted = false;
    },
    "waits again": () => grants.withdraw(grants.register("again"), false),
    "gives the lock up for a wait": (at) => {
      const hold = word.suspend();
      allGone(at, "has given the lock up");
      word.resume(hold);
    },
  };
  for (const [what, act] of Object.entries(ways)) {
    const guard = lock.acquire();
    const at = grants.register("it");
    assert.equal(grants.notify(1), 1);
    grants.go(at);
    word.beforeFree(grants.settle);
    act(at);
    if (ending === "guard") guard.release();
    else lock.release();
    allGone(at, what);
  }
}

test("Condition: who was notified is woken as the lock is let go, in whichever way", async () => {
  const [granted, asleep] = [32 + 2, 32 + 6]; // of the first cell
  const handed = new Lock({ handoff: true });
  for (const lock of [new RLock(), new Lock(), handed]) {
    const condition = new Condition(lock);
    const other = new Condition(lock);
    const { buffer, byteOffset } = condition.handle as FullHandle;
    const words = new Int32Array(buffer, byteOffset, 64);
    const ways: Record<string, (guard: Guard) => void> = {
      "a guard": (guard) => guard.release(),
      "release()": () => lock.release(),
      "a wait for something else": () => void other.tryWait(),
    };
    for (const [how, letGo] of Object.entries(ways)) {
      const wait = waiter(condition, [], 1);
      await until(() => load(words, asleep) !== 0);
      const guard = condition.acquire();
      const woken = [() => void condition.notify(), () => letGo(guard)].map((act) => notified(buffer, act));
      assert(woken.flat().includes(granted), `by ${how} nobody was woken`);
      // Another thread may release it, of which nobody would learn here.
      if (lock === handed) assert(woken[0]!.includes(granted));
      guard.release();
      await wait;
    }
  }
});

test("Condition: a guard released in the instant in which its wait has the lock back ends that wait", async () => {
  const condition = new Condition();
  const guard = await condition.acquireAsync();
  const wait = condition.waitAsync({ guard });
  const ended = assert.rejects(wait, NotHeldError);
  condition.withLock(() => assert.equal(condition.notify(), 1));
  for (let turn = 0; turn < 1000 && !condition.locked; turn++) await undefined;
  assert(condition.locked);
  guard.release(); // before the wait has gone on
  await ended;
  assert.deepEqual([condition.locked, waiting(condition)], [false, 0]);
});

/** The counts of a cell, THREAD left out. */
function cellOf({ words }: ConditionCore, at: number): number[] {
  return [1, 2, 3, 4, 5, 6].map((word) => load(words, at + word));
}

const NOTHING = [0, 0, 0, 0, 0, 0]; // WAITING GRANTED SYNC TICKET TAKEN ASLEEP
const SECOND = 32 + 8; // its cell
const HIGH = 5;

/** A condition, and another thread, played by this one, as it sees the same. */
function scene() {
  const core = ConditionCore.create(undefined, undefined);
  const other = new Agent();
  const { handle } = core;
  const { grants } = asAgent(other, () => ConditionCore.open(handle as FullHandle));
  const there = <T>(act: (theirs: Grants) => T): T => asAgent(other, () => act(grants));
  return { core, grants: core.grants, lock: core.lock, there };
}

test("Condition: what a blocked waiter was granted, and may not have, goes to another thread, or to a task of its own", () => {
  const { core, grants, lock, there } = scene();
  const task = { granted: false };
  lock.withLock(() => {
    let at = grants.register("it"); // alone
    assert.equal(grants.notify(1), 1);
    assert.equal(grants.withdraw(at, true), false);
    assert.deepEqual(cellOf(core, at), NOTHING);

    at = grants.register("it"); // with a task
    grants.registerTask("its task", task);
    assert.equal(grants.notify(1), 1);
    assert.equal(grants.withdraw(at, true), false);
    grants.deal(at);
    assert.equal(task.granted, true);
    grants.goTask(at);
    assert.deepEqual(cellOf(core, at), NOTHING);

    at = grants.register("it"); // with somebody in another thread
    const far = there((grants) => grants.registerTask("another", { granted: false }));
    assert.equal(grants.notify(1), 1);
    assert(grants.granted(at) && !grants.granted(far));
    assert.equal(grants.withdraw(at, true), false);
    assert(grants.granted(far) && grants.waiting === 0);
    assert.deepEqual(cellOf(core, at), NOTHING);
  });
});

test("Condition: what a task was granted, and may not have, is passed on to another thread whole", () => {
  const { core, grants, lock, there } = scene();
  const task = { granted: false };
  lock.withLock(() => {
    const at = grants.registerTask("it", task);
    const far = there((grants) => grants.registerTask("another", { granted: false }));
    assert.equal(grants.notify(1), 1);
    assert.equal(grants.withdrawTask(at, task, true), false);
    assert(grants.granted(far));
    assert.deepEqual(cellOf(core, at), NOTHING); // were it still TAKEN, this thread's death would pass it on once more
  });
});

test("Condition.notify() chooses whoever can run before the tasks of a thread that has been granted its own wait", () => {
  const { core, grants, lock, there } = scene();
  lock.withLock(() => {
    const at = grants.register("it");
    grants.registerTask("its task", { granted: false });
    assert.equal(grants.notify(1), 1);
    const far = there((grants) => grants.registerTask("another", { granted: false }));
    assert.equal(grants.notify(1), 1);
    assert(grants.granted(far), `it came later: ${cellOf(core, at)}`);
  });
});

test("Condition: nothing is left of the dead, and whoever finds them wakes who gets what they were granted", () => {
  const core = ConditionCore.create(undefined, undefined);
  const { grants, lock, words } = core;
  lock.withLock(() => {
    const at = grants.registerTask("it", { granted: false });
    grants.sleeps(at, TASK_SLEEPS, true);
    store(words, HIGH, 2);
    [ENDED, 3, 1, 1, 7, 0, 3].forEach((value, i) => store(words, SECOND + i, value));
    const woken = notified(words.buffer, () => grants.lookAround());
    assert(woken.includes(grants.wordOf(at)), `woken are ${woken}`);
    assert(grants.granted(at));
    assert.deepEqual([words[SECOND], ...cellOf(core, SECOND)], [0, ...NOTHING]);
  });
});

test("Condition: a record that is damaged during a wait keeps nobody from letting go of the lock", () => {
  const { grants, lock, word, words } = ConditionCore.create(undefined, undefined);
  const guard = lock.acquire();
  const at = grants.register("it");
  grants.notify(1);
  grants.go(at);
  word.beforeFree(grants.settle);
  store(words, 8, word.me); // the condition's internal lock seems to be this thread's
  guard.release();
  assert.equal(lock.locked, false);
});

test("Condition: levels of an RLock that are released during a wait are not taken back", async () => {
  const condition = new Condition();
  const lock = condition.lock as RLock;
  const guards = [condition.acquire(), condition.acquire(), condition.acquire()];
  const wait = condition.waitAsync({ guard: guards[0]! });
  guards[1]!.release();
  guards[1]!.release(); // spent
  condition.withLock(() => condition.notify());
  await wait;
  assert.equal(lock.depth, 2);
  guards[0]!.release();
  guards[2]!.release();
  assert.equal(lock.locked, false);
});

test("Condition: a wait that outlives withLock() ends with it", async () => {
  for (const lock of locks()) {
    const condition = new Condition(lock);
    const wait = condition.withLock(() => condition.waitAsync());
    const waitFor = condition.withLock(() => condition.waitForAsync(() => false));
    for (const ended of [wait, waitFor]) await assert.rejects(ended, NotHeldError);
    assert.deepEqual([condition.locked, waiting(condition)], [false, 0]);
  }
});

test("Condition.waitForAsync() tests its predicate only while its own hold stands", async () => {
  for (const lock of locks()) {
    const condition = new Condition(lock);
    const guard = await condition.acquireAsync();
    const controller = new AbortController();
    let tests = 0;
    const wait = condition.waitForAsync(() => ++tests > 1, { guard, signal: controller.signal });
    const ended = assert.rejects(wait, NotHeldError);
    condition.withLock(() => condition.notify());
    controller.abort(); // it was notified all the same, and comes back within this turn
    for (let turns = 0; !condition.locked && turns < 100; turns++) await Promise.resolve();
    assert(condition.locked);
    guard.release(); // before it has seen that
    await ended;
    assert.equal(tests, 1);
    const late = await condition.acquireAsync();
    const slow = condition.waitForAsync(async () => {
      await Promise.resolve();
      late.release();
      return false;
    }, { guard: late });
    const other = condition.acquireAsync(); // whose hold is not to be given up in its place
    await assert.rejects(slow, NotHeldError);
    (await other).release();
    assert.equal(condition.locked, false);
  }
});

test("Condition: a guard of something else is refused, first and whatever the predicate says", async () => {
  const condition = new Condition();
  const spent = condition.acquire();
  spent.release();
  const strange = new Lock().acquire();
  for (const held of [false, true]) {
    const guard = held ? condition.acquire() : undefined;
    for (const wrong of [42, null, {}, new RWLock().read()]) {
      for (
        const attempt of [
          () => condition.waitAsync({ guard: wrong as never }),
          () => condition.waitForAsync(() => true, { guard: wrong as never }),
        ]
      ) {
        assert.match((await assert.rejects(attempt(), TypeError)).message, /what acquire returned: it is /);
      }
    }
    for (const wrong of [spent, strange]) {
      await assert.rejects(condition.waitAsync({ guard: wrong }), NotHeldError);
      await assert.rejects(condition.waitForAsync(() => true, { guard: wrong }), NotHeldError);
    }
    guard?.release();
  }
  strange.release();
});

test("C13 C14 Condition: waitFor tests first and after each notification, with the lock held", async () => {
  const condition = new Condition();
  let tests = 0;
  let ready = false;
  condition.withLock(() => condition.waitFor(() => true));
  const wait = condition.withLockAsync(() =>
    condition.waitForAsync(async () => {
      await Promise.resolve();
      assert(condition.lock.heldByCurrentThread);
      return ++tests > 0 && ready;
    })
  );
  await until(() => waiting(condition) === 1);
  assert.equal(await condition.withLockAsync(() => condition.notify()), 1);
  await until(() => tests === 2 && waiting(condition) === 1);
  await condition.withLockAsync(() => {
    ready = true;
    condition.notify();
  });
  await wait;
  assert.equal(tests, 3);
});

/** The words of a condition's record. */
function wordsOf(condition: Condition): Int32Array {
  const { buffer, byteOffset, byteLength } = condition.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

test("Condition: the record is as at first once nobody waits", async () => {
  const condition = new Condition(undefined, { threads: 2 });
  const words = wordsOf(condition);
  const controller = new AbortController();
  const woken: number[] = [];
  const tasks = [waiter(condition, woken, 0), waiter(condition, woken, 1, controller.signal).catch(() => {})];
  await until(() => waiting(condition) === 2);
  controller.abort();
  condition.withLock(() => condition.notify());
  await Promise.all(tasks);
  condition.withLock(() => condition.tryWait({ timeout: 5 }));
  assert.deepEqual([...words.slice(33, 48)], new Array(15).fill(0)); // cells, save their THREAD
  assert.deepEqual([words[8], words[9]], [0, 0]); // the monitor
});

test("G15 Condition: printing shows class, name, how many wait, and the lock", async () => {
  const condition = new Condition(new Lock({ name: "x" }), { name: "ready" });
  assert.equal(`${condition}`, 'Condition "ready" (0 waiting) over Lock "x" (unlocked)');
  const wait = waiter(condition, [], 0);
  await until(() => waiting(condition) === 1);
  assert.match(`${condition}`, /^Condition "ready" \(1 waiting\) over/);
  condition.withLock(() => condition.notify());
  await wait;
});

test("Condition.attach() gives the same condition over the same lock, and refuses anything else", async () => {
  for (const lock of locks()) {
    const condition = new Condition(lock, { name: "shared" });
    const other = Condition.attach(posted(condition.handle));
    const guard = condition.acquire();
    assert(other.lock.heldByCurrentThread);
    const wait = other.waitAsync({ guard });
    condition.withLock(() => assert.equal(condition.notify(), 1));
    await wait;
    guard.release();
    assert.equal(other.name, "shared");
  }
  assert.throws(() => Condition.attach(new Lock().handle), LayoutError);
  const [own, given] = [new Condition().handle as FullHandle, new Condition(new Lock()).handle as FullHandle];
  const broken = [
    { ...own, byteLength: 256 },
    { ...own, kind: "Event" },
    { ...given, extra: undefined },
    { ...given, extra: { lock: own } },
    { ...given, extra: { lock: { kind: "Lock" } } },
    { ...given, extra: 3 },
  ];
  for (const handle of broken) assert.throws(() => Condition.attach(handle as never), LayoutError);
});

test("Condition: a damaged record neither crashes nor hangs who uses it", () => {
  const dice = random();
  for (let round = 0; round < 300; round++) {
    const condition = new Condition(undefined, { threads: 3 });
    const words = wordsOf(condition);
    for (let i = dice.below(6); i >= 0; i--) words[3 + dice.below(53)] = dice.next();
    words[8] = 0; // a monitor that is held for ever is told of after ten seconds, in _monitor.ts
    try {
      const other = Condition.attach(condition.handle);
      other.withLock(() => {
        other.notify(2);
        other.tryWait({ timeout: 1 });
        other.notifyAll();
        String(other);
      });
    } catch (error) {
      assert(error instanceof LayoutError || error instanceof RangeError, String(error));
    }
  }
});
