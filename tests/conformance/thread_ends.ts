// PYTHON.md section 11, T12 and T21 to T25: threads that end otherwise, and workers that Lockstep did not start.

import * as lockstep from "../../mod.ts";
import { Event, Lock, Queue, SharedValue, Thread, ThreadError } from "../../mod.ts";
import { assert, runtime, test } from "../_harness.ts";
import { until } from "../_until.ts";
import type { Capabilities, OtherMemory } from "../adapters/conformance.ts";
import { ownWorker } from "../testdata/own_worker.ts";
import * as targets from "../testdata/thread_targets.ts";

const module = new URL("../testdata/thread_targets.ts", import.meta.url);
const worker = new URL("../testdata/raw_worker.ts", import.meta.url);
// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
const server = runtime !== "browser";
/** A worker of Firefox that makes workers itself hangs once in a few dozen times; those of Lockstep are made by the page. */
const nestsRaw = typeof document !== "undefined" || !/Firefox/.test(realm.navigator?.userAgent ?? "")
  ? undefined
  : "workers of Firefox hang when they make workers themselves";
const onServer = server ? undefined : "no process in a browser";

/** What a thread's join is rejected with. */
async function failure(thread: { joinAsync(): Promise<unknown> }): Promise<ThreadError & Record<string, unknown>> {
  try {
    await thread.joinAsync();
  } catch (error) {
    return error as ThreadError & Record<string, unknown>;
  }
  throw new Error("The thread did not fail");
}

function listed(thread: Thread<unknown, never>): boolean {
  return lockstep.enumerateThreads().some(({ id }) => id === thread.id);
}

/** How a thread can end without returning, on this runtime: reason and exit code. */
const ENDS: readonly (readonly [how: string, reason: string, exitCode: number | undefined])[] = [
  ["late error", "error", undefined],
  ["late rejection", "error", undefined],
  ...(server
    ? [
      ["exit", "exit", 3],
      ["exit 0", "exit", 0],
      ["runtime exit", "exit", 4],
      ["nothing left", "closed", undefined],
    ] as const
    : []),
  ...(runtime === "deno" || runtime === "browser" ? [["close", "closed", undefined]] as const : []),
];

/** By base64, as Bun takes what follows the last dot of a URL for the kind of file. */
function moduleOf(source: string): string {
  return `data:text/javascript;base64,${btoa(source)}`;
}

const LATE = Object.assign(new TypeError("late", { cause: new RangeError("why") }), { code: "E_LATE", list: [1n, {}] });
/** The same in the source of a module, with what is thrown later. */
const FAILING = "const late = Object.assign(new TypeError('late', { cause: new RangeError('why') }), " +
  "{ code: 'E_LATE', list: [1n, {}] }); const never = new Promise(() => {}), fail = () => { throw late; };";

/**
 * How a thread ends whose module does not import Lockstep, so that it begins without all that could carry its outcome: the
 * source, and what its join gives.
 */
const BARE: readonly (readonly [
  how: string,
  source: string,
  outcome: { value: unknown } | { error: Error } | { cause: Error },
])[] = [
  ["it returns nothing", "() => {}", { value: undefined }],
  ["it returns a number", "() => 42", { value: 42 }],
  ["it returns an object", "() => ({ a: new Map([[1, [undefined]]]) })", {
    value: { a: new Map([[1, [undefined]]]) },
  }],
  ["it returns an object later", "async () => { await null; return [new Date(0)]; }", { value: [new Date(0)] }],
  ["it throws", "fail", { error: LATE }],
  ["it throws later", "async () => { await null; fail(); }", { error: LATE }],
  ["an error outside at once", "() => { queueMicrotask(fail); return never; }", { cause: LATE }],
  ["an error outside soon", "() => { setTimeout(fail); return never; }", { cause: LATE }],
  ["an error outside later", "async () => { setTimeout(fail, 50); await never; }", { cause: LATE }],
  ["a rejection outside", "() => { Promise.reject(late); return never; }", { cause: LATE }],
];

/** How a thread that has an exit listener can end, and what its join then gives. */
const LISTENED: readonly (readonly [how: string, outcome: string])[] = [
  ["return", "returned"],
  ["return, the listener throws", "ThreadError error 1 from the listener"],
  ["return, the listener exits", "returned"],
  ["throw, the listener exits", "RangeError undefined undefined undefined"],
  ["exit 0", "ThreadError exit 0 undefined"],
  ["exit 0, the listener throws", "ThreadError error 1 from the listener"],
  ["exit 0, the listener exits", "ThreadError exit 3 undefined"],
  ["nothing left", "ThreadError closed 0 undefined"],
  ["late error", "ThreadError error 1 late"],
  ["late error, the listener throws", "ThreadError error 1 late"],
];

/** What nobody has joined goes here instead of to the console. */
function quietly(body: () => Promise<void>): () => Promise<void> {
  return async () => {
    lockstep.setExceptHook(() => {});
    try {
      await body();
    } finally {
      lockstep.setExceptHook(undefined);
    }
  };
}

export function threadEndsCases(has: Capabilities): void {
  for (const [how, reason, exitCode] of ENDS) {
    test(
      `T22 a thread that ends by "${how}" is known to have, and what it held can be recovered`,
      quietly(async () => {
        const lock = new Lock();
        const thread = new Thread({ target: targets.dieHolding, module, args: [lock, how] }).start();
        const error = await failure(thread);
        assert(error instanceof ThreadError, String(error));
        assert.equal(error.reason, reason);
        if (exitCode !== undefined) assert.equal(error.exitCode, exitCode);
        assert.equal(error.threadName, thread.name);
        if (reason === "error") assert.equal((error.cause as Error).message, "late");
        assert.equal(thread.state, "dead");
        assert.equal(listed(thread), false);
        assert.throws(() => lock.tryAcquire(), lockstep.OwnerDiedError);
        lock.recover()!.release();
        lock.acquire().release();
      }),
    );

    test(
      `T22 a thread that ends by "${how}" is known to have, to a joiner that is blocked`,
      quietly(async () => {
        const thread = new Thread({ target: targets.endBy, module, args: [how] }).start();
        const joiner = new Thread({ target: targets.joinByHandle, module, args: [thread.handle, true] }).start();
        const { error } = await joiner.joinAsync() as { error: ThreadError };
        assert.equal(error.reason, reason);
        if (server) assert.equal((assert.throws(() => thread.join()) as ThreadError).reason, reason);
      }),
    );
  }

  for (const [how, source, expected] of BARE) {
    test(
      `T22 a thread whose module does not import Lockstep ends as any other: ${how}`,
      quietly(async () => {
        const module = moduleOf(`${FAILING} export const run = ${source};`);
        const thread = new Thread({ target: function run() {}, module }).start();
        const outcome = await thread.joinAsync().then((value: unknown) => ({ value }), (error) => {
          return error instanceof ThreadError ? { cause: error.cause } : { error };
        });
        assert.deepEqual(outcome, expected);
      }),
    );
  }

  test(
    "T22 it does so too where its starter is blocked, which has to wait for what carries the outcome",
    quietly(() => {
      for (const [how, source, expected] of BARE) {
        const thread = new Thread({
          target: function run() {},
          module: moduleOf(`${FAILING} export const run = ${source};`),
        });
        let outcome: object;
        try {
          outcome = { value: thread.start().join() };
        } catch (error) {
          outcome = error instanceof ThreadError ? { cause: error.cause } : { error };
        }
        assert.deepEqual(outcome, expected, how);
      }
      return Promise.resolve();
    }),
    { skip: has.blocksMain && server ? undefined : "nothing comes up here while blocked" },
  );

  for (const how of ["queueMicrotask(fail)", "setTimeout(fail, 50)"]) {
    test(
      `T30 an error outside of the target that takes more than maxResultBytes says so, and keeps its class: ${how}`,
      quietly(async () => {
        const source = "const fail = () => { throw Object.assign(new RangeError('x'.repeat(20000)), { code: 7 }); };" +
          `export function run() { ${how}; return new Promise(() => {}); }`;
        const options = { target: function run() {}, module: moduleOf(source), maxResultBytes: 1000 };
        const { cause } = await failure(new Thread(options).start()) as { cause: RangeError & { code: number } };
        assert(cause instanceof RangeError);
        assert.match(cause.message, /^x{2000}$/);
        assert.equal(cause.code, 7);
        assert.match(
          (cause.cause as Error).message,
          /what thread "[^"]+" threw as it takes \d+ bytes: maxResultBytes is 1000/,
        );
      }),
    );
  }

  test(
    "T21 the except hook gets an error whole that ends a thread before its codec is there",
    quietly(async () => {
      const told: unknown[] = [];
      lockstep.setExceptHook((error) => told.push(error));
      try {
        const source = `${FAILING} export function run() { queueMicrotask(fail); return never; }`;
        const module = moduleOf(source);
        new Thread({ target: function run() {}, module }).start();
        await until(() => told.length > 0);
        assert.deepEqual(told, [LATE]);
      } finally {
        lockstep.setExceptHook(undefined);
      }
    }),
  );

  for (const [how, expected] of LISTENED) {
    test(
      `T22 the exit listeners of a thread have run when it has ended: ${how}`,
      quietly(async () => {
        const [lock, at] = [new Lock(), new SharedValue("i32")];
        const thread = new Thread({ target: targets.endListening, module, args: [how, lock, at] }).start();
        const outcome = await thread.joinAsync().catch(({ name, reason, exitCode, cause }) =>
          `${name} ${reason} ${exitCode} ${cause?.message}`
        );
        assert.equal(at.value, 2);
        lock.acquire().release();
        assert.equal(outcome, expected);
      }),
      { skip: onServer },
    );
  }

  test("T22 what an exit listener puts does not change the result", async () => {
    const queue = new Queue<unknown>({ maxBytes: 1000 });
    const thread = new Thread({ target: targets.endPutting, module, args: [queue] }).start();
    assert.deepEqual(await thread.joinAsync(), { kept: "result", numbers: [1, 2, 3] });
    assert.deepEqual(await queue.getAsync(), { late: "message", numbers: [9, 9, 9] });
  }, { skip: onServer });

  test("T8 a thread tells its result also where a package has put process.emit back", async () => {
    const thread = new Thread({ target: targets.endUnwrapped, module }).start();
    assert.equal(await thread.joinAsync(), "returned");
  }, { skip: onServer });

  test("T21 setExceptHook() gets the error and the thread, of nested threads too", async () => {
    const told: [string, unknown][] = [];
    lockstep.setExceptHook((error, thread) => told.push([thread.name, error]));
    try {
      new Thread({ target: targets.fail, module, name: "failing" }).start();
      await until(() => told.length === 1);
      assert.equal(told[0]![0], "failing");
      assert(told[0]![1] instanceof RangeError);
      new Thread({ target: targets.leaveFailing, module, name: "outer" }).start();
      await until(() => told.length === 2);
      assert.equal(told[1]![0], "inner");
    } finally {
      lockstep.setExceptHook(undefined);
    }
    assert.throws(() => lockstep.setExceptHook(1 as never), TypeError);
  });

  test("T22 where threads have started one another, the innermost failure is told once", async () => {
    const thread = new Thread({ target: targets.failDeep, module, args: [3] }).start();
    const error = await failure(thread);
    assert(error instanceof ThreadError);
    assert.match(
      error.message,
      /^Cannot get the result of thread "[^"]+" as an error was thrown outside its target: too far$/,
    );
  });

  test("T21 the except hook is not told of what somebody joins", async () => {
    let told = 0;
    lockstep.setExceptHook(() => told++);
    try {
      const thread = new Thread({ target: targets.fail, module }).start();
      await failure(thread);
      await failure(new Thread({ target: targets.fail, module }).start());
      assert.equal(told, 0);
    } finally {
      lockstep.setExceptHook(undefined);
    }
  });

  test("T24 terminate() right after start() neither hangs nor loses the outcome", async () => {
    for (let round = 0; round < 3; round++) {
      const thread = new Thread({ target: targets.waitFor, module, args: [new Event()] }).start();
      await thread.terminate();
      assert.equal((await failure(thread)).reason, "terminated");
      assert.equal(listed(thread), false);
    }
  });

  test("T24 terminate() does nothing to a finished thread, and rejects before start()", async () => {
    const thread = new Thread({ target: targets.add, module, args: [1, 2] });
    assert(await thread.terminate().then(() => false, (error) => error instanceof ThreadError));
    await thread.start().joinAsync();
    await thread.terminate();
    assert.equal(await thread.joinAsync(), 3);
    assert(await thread.terminate({ grace: -1 }).then(() => false, (error) => error instanceof RangeError));
  });

  for (const how of ["lock", "lock async", "event", "event async", "timed", "join", "again"]) {
    test(`T25 terminate() ends a thread that waits (${how}), through its finally blocks`, async () => {
      const [lock, event, out] = [new Lock({ handoff: true }), new Event(), new SharedValue("i32")];
      const guard = lock.acquire();
      const thread = new Thread({ target: targets.waitIn, module, args: [how, lock, event, out] }).start();
      await until(() => out.value === 10);
      await new Promise((resolve) => setTimeout(resolve, 50)); // by now it waits, and if not, that is to work too
      await thread.terminate({ grace: 5_000 }); // a busy machine needs more than 100 ms
      assert.equal(out.value, 11);
      const error = await failure(thread);
      assert(error instanceof ThreadError);
      assert.equal(error.reason, "terminated");
      guard.release();
      event.set();
      lock.acquire().release();
      await until(() => lockstep.enumerateThreads().every(({ name }) => !/waitFor|waitIn/.test(name)));
    });
  }

  test("T25 terminate() ends a thread that idles in its event loop, also from a thread that did not start it", async () => {
    for (const by of ["starter", "other"]) {
      const here = new Event();
      const thread = new Thread({ target: targets.idle, module, args: [here] }).start();
      await here.waitAsync();
      if (by === "starter") await thread.terminate();
      else await new Thread({ target: targets.terminateByHandle, module, args: [thread.handle] }).start().joinAsync();
      assert.equal((await failure(thread)).reason, "terminated");
    }
  });

  test("T25 terminate() of a thread that idles takes the threads with it that it has started", async () => {
    const here = new Event();
    const thread = new Thread({ target: targets.idleWithThread, module, args: [here] }).start();
    await here.waitAsync();
    await thread.terminate();
    assert.equal((await failure(thread)).reason, "terminated");
    await until(() => lockstep.enumerateThreads().every(({ name }) => name !== "idle below"));
  }, { skip: server ? undefined : "in browsers they are the page's, and outlive a starter that is killed" });

  test("T25 terminate() kills a thread that runs", async () => {
    const turns = new SharedValue("i32");
    const thread = new Thread({ target: targets.spin, module, args: [turns], daemon: true }).start();
    await until(() => turns.value > 0);
    await thread.terminate({ grace: 20 });
    assert.equal((await failure(thread)).reason, "terminated");
    const last = turns.value;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(turns.value, last);
  }, { skip: has.killsRunningCode ? undefined : "this runtime cannot stop running code" });

  test("T25 terminate() says so when the runtime cannot stop a thread, and nothing it holds is recovered", async () => {
    const turns = new SharedValue("i32");
    const lock = new Lock();
    const stop = new Event();
    const args: [Lock, SharedValue<"i32">, Event] = [lock, turns, stop];
    const thread = new Thread({ target: targets.holdAndSpin, module, args, daemon: true }).start();
    await until(() => turns.value > 0);
    const error = await thread.terminate().then(() => undefined, (error) => error as ThreadError);
    assert.equal(error?.reason, "unstoppable");
    assert.equal(thread.state, "stopping");
    assert.equal((await failure(thread)).reason, "unstoppable");
    assert.equal(lock.tryAcquire({ timeout: 20 }), undefined);
    assert.equal(lock.recover(), undefined);
    stop.set(); // it ends after all
    await until(() => thread.state === "dead");
  }, { skip: has.killsRunningCode ? "this runtime can stop running code" : undefined });

  test("T12 a raw worker has a currentThread(), which is a daemon and cannot be joined", async () => {
    const raw = startRaw("introduce", new Lock(), has.memory);
    const { name, alive, daemon, join, isMainThread } = await raw.answer as Record<string, unknown>;
    assert.match(String(name), /^Worker-\d+$/);
    assert.deepEqual([alive, daemon, join, isMainThread], [true, true, "thread-failed", false]);
    await until(() => lockstep.enumerateThreads().every((thread) => thread.name !== name));
  }, { skip: nestsRaw });

  test("G11 after 15 raw workers came and went the roster is as short as before", async () => {
    const before = lockstep.activeCount();
    const names = new Set<unknown>();
    for (let i = 0; i < 15; i += 5) {
      const raws = [0, 1, 2, 3, 4].map(() => startRaw("stay", new Lock(), has.memory));
      for (const raw of raws) names.add(((await raw.answer) as { name: string }).name);
      await watched(raws.length);
      for (const raw of raws) raw.terminate();
      await until(() => lockstep.activeCount() === before);
    }
    assert(names.size >= 5);
  }, { limit: 30_000, skip: nestsRaw });

  test("a raw worker that dies holding a lock is known to have died", async () => {
    const lock = new Lock();
    const raw = startRaw("hold", lock, has.memory);
    await raw.answer;
    await watched(1);
    assert.equal(lock.tryAcquire(), undefined);
    raw.terminate();
    await until(() => {
      try {
        return lock.tryAcquire() !== undefined;
      } catch (error) {
        return error instanceof lockstep.OwnerDiedError;
      }
    });
    lock.recover()!.release();
  }, { skip: nestsRaw });

  test("T3 a raw worker that starts a thread and at once blocks goes on, or is told why it cannot", async () => {
    const raw = startRaw("start", new Lock(), has.memory);
    const outcome = JSON.stringify(await raw.answer);
    // In Chromium and WebKit a nested worker comes up only while its maker's event loop turns.
    const told = runtime === "browser" && outcome === JSON.stringify({ woken: false, hint: "waitAsync" });
    assert(told || outcome === JSON.stringify({ woken: true }), outcome);
    raw.terminate();
  }, { limit: 20_000, skip: nestsRaw });

  test("T22 a thread that exits takes the threads that it has started with it", async () => {
    const [first, second] = [new SharedValue("i32"), new SharedValue("i32")];
    const thread = new Thread({ target: targets.exitWithThreads, module, args: [first, second], name: "exiting" });
    assert.equal((await failure(thread.start())).reason, "exit");
    const gone = (name: string) => lockstep.enumerateThreads().every((thread) => thread.name !== name);
    await until(() => gone("sleeper"));
    if (!has.killsRunningCode) targets.stopSpinning(second);
    await until(() => gone("spinner"));
  }, { skip: onServer });
}

/** In browsers a raw worker is watched by a Web Lock that it holds, from when the page has asked for it, too. */
async function watched(count: number): Promise<void> {
  if (server) return;
  for (let n = 0; n < count; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const { pending } = await realm.navigator.locks.query();
    n = pending.filter(({ name }: { name: string }) => name.startsWith("lockstep-life")).length;
  }
}

/** A worker that Lockstep did not start, and its first answer. */
function startRaw(
  what: "introduce" | "stay" | "hold" | "start",
  { handle }: Lock,
  memory: OtherMemory | undefined,
): { answer: Promise<unknown>; terminate(): void } {
  const raw = ownWorker(worker);
  raw.postMessage({ what, handle, memory: memory?.module }, []);
  return { answer: new Promise((resolve) => raw.listen(resolve)), terminate: () => void raw.terminate() };
}
