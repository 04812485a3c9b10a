// PYTHON.md section 11, T1 to T11 and T26 to T33: threads that end as they should.

import * as lockstep from "../../mod.ts";
import { Lock, SharedValue, Thread, ThreadError, Timer } from "../../mod.ts";
import { assert, runtime, test } from "../_harness.ts";
import { until } from "../_until.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import * as targets from "../testdata/thread_targets.ts";

const module = new URL("../testdata/thread_targets.ts", import.meta.url);
const { add, addLater, ring } = targets;

/** A worker of a page that Lockstep did not start cannot bring up threads while it is blocked. */
const bringsUpBlocked = runtime !== "browser";

function listed(thread: Thread<unknown, never>): boolean {
  return lockstep.enumerateThreads().some(({ id }) => id === thread.id);
}

/** What a promise was rejected with. */
async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("It was not rejected");
}

const CRUNCH = "function crunch() { return 42; }\n";

/** Ways to export a function called crunch: what each is called, the module, and the exportName that it takes. */
const EXPORTED: readonly [string, string, string?][] = [
  ["its name", `export ${CRUNCH}`],
  ["another name", `${CRUNCH} export { crunch as run }`],
  ["two other names", `${CRUNCH} export { crunch as run, crunch as default }`],
  ["a name that is no identifier", `${CRUNCH} export { crunch as "to crunch" }`, "to crunch"],
  ["a default export that holds it", `${CRUNCH} export default { run: crunch }`],
  [
    "its name, beside what throws when it is read",
    `export ${CRUNCH} export default { get later() { throw Error(); } }`,
  ],
  [
    "another name, beside what throws",
    `${CRUNCH} export { crunch as run }; export default { get later() { throw 1; } }`,
  ],
];

/** The same in CommonJS. */
const COMMON_JS: readonly [string, string?][] = [
  ["module.exports = crunch;"],
  ["module.exports = { crunch };"],
  ["module.exports = { run: crunch };"],
  ["exports.run = exports.crunch = crunch;"],
  // What TypeScript makes of `export default function crunch`, and of `export { crunch } from`.
  ['Object.defineProperty(exports, "__esModule", { value: true });\nexports.default = crunch;'],
  ['Object.defineProperty(exports, "__esModule", { value: true });\nexports.default = crunch;', "default"],
  ['Object.defineProperty(module.exports, ["crunch"][0], { enumerable: true, get: () => crunch });'],
];

export function threadsCases(has: Capabilities): void {
  const blocks = has.blocksMain && bringsUpBlocked;

  test("T1 a name: the given one, or Thread-N (target)", () => {
    assert.equal(new Thread({ target: add, module, args: [1, 2], name: "adder" }).name, "adder");
    const first = new Thread({ target: add, module, args: [1, 2], name: "" });
    const second = new Thread({ target: ring, module, args: [new SharedValue("i32")] });
    const [, n] = /^Thread-(\d+) \(add\)$/.exec(first.name)!;
    assert.equal(second.name, `Thread-${Number(n) + 1} (ring)`);
    assert.match(new targets.Doubler(1).name, /^doubler$/);
    first.name = "renamed";
    assert.equal(first.name, "renamed");
  });

  test("T1 a thread that renames itself has its new name everywhere", async () => {
    const long = "ü".repeat(40);
    for (const [before, after] of [["job-1", "job"], ["job-1", "other"], [long, "ü"], ["job-1", long]] as const) {
      const thread = new Thread({ target: targets.rename, module, args: [after], name: before }).start();
      await thread.joinAsync();
      assert.equal(thread.name, after === long ? "ü".repeat(32) : after); // 64 bytes of it
    }
    const thread = new Thread({ target: add, module, args: [1, 2], name: long }).start();
    await thread.joinAsync();
    assert.equal(thread.name, long);
  });

  test("T2 before start, while alive, after the end", async () => {
    const event = new lockstep.Event();
    const thread = new Thread({ target: targets.waitFor, module, args: [event] });
    assert.deepEqual([thread.alive, thread.id, thread.state], [false, undefined, "initial"]);
    thread.start();
    assert.equal(thread.alive, true);
    assert(thread.id! > 0 && listed(thread));
    assert(lockstep.enumerateThreads().filter(({ id }) => id === thread.id).length === 1);
    event.set();
    await until(() => !thread.alive);
    assert.equal(thread.state, "dead");
    assert.equal(listed(thread), false);
    assert.equal(await thread.joinAsync(), "set");
  });

  test("T2 printing shows class, name and state", async () => {
    const thread = new Thread({ target: add, module, args: [1, 2], name: "printed", daemon: false });
    assert.equal(String(thread), 'Thread "printed" (initial)');
    await thread.start().joinAsync();
    assert.match(String(thread), /^Thread "printed" \(dead, id \d+\)$/);
  });

  test("T3 start() returns with the id given and the thread listed", async () => {
    const thread = new Thread({ target: add, module, args: [20, 22] }).start();
    assert(thread.id !== undefined && listed(thread) && thread.alive);
    assert.equal(await thread.joinAsync(), 42);
  });

  test("T3 a thread comes up while its starter blocks at once", () => {
    const thread = new Thread({ target: add, module, args: [20, 22] }).start();
    assert.equal(thread.join(), 42);
  }, { skip: blocks ? undefined : "this main thread may not block, or brings up no threads then" });

  test("T3 T26 threads start threads, each of which blocks at once, three levels deep", async () => {
    const [lock, value] = [new Lock(), new SharedValue("i32")];
    const thread = new Thread({ target: targets.chain, module, args: [3, lock, value] }).start();
    assert.equal(await thread.joinAsync(), "3 2 1 end");
    assert.equal(value.value, 4);
  });

  test("T4 a module that is missing, broken or not an address", async () => {
    const missing = new URL("../testdata/no_such_module.ts", import.meta.url);
    const cases: [string, string][] = [
      [missing.href, "could not be imported"],
      ["data:text/javascript,this is no module", "could not be imported"],
      ["data:text/javascript,throw new Error('broken')", "broken"],
    ];
    for (const [module, part] of cases) {
      const thread = new Thread({ target: add, module, args: [1, 2] }).start();
      const error = await rejection(thread.joinAsync());
      assert(error instanceof ThreadError, String(error));
      assert.match(error.message, new RegExp(part));
      assert.equal(listed(thread), false);
    }
    assert.throws(() => new Thread({ target: add, module: "./relative.ts", args: [1, 2] }), TypeError);
    const path = "/home/me/module.cjs"; // __filename is no URL
    assert.throws(() => new Thread({ target: add, module: path, args: [1, 2] }), { message: /pathToFileURL/ });
  });

  test("T4 a target that is not exported", async () => {
    const error = await rejection(new Thread({ target: function hidden() {}, module }).start().joinAsync());
    assert(error instanceof ThreadError);
    assert.match(error.message, /"hidden" is no function of .*export it, or give its name as exportName/);
    const outer = new Thread({ target: targets.outer, module }).start();
    assert.equal(await outer.joinAsync(), "renamed");
    const unnamed = new Thread({ target: targets.default, module }).start();
    assert.equal(await unnamed.joinAsync(), "default");
    const given = new Thread({ target: () => "", module, exportName: "outer" }).start();
    assert.equal(await given.joinAsync(), "renamed");
  });

  for (const [how, source, exportName] of EXPORTED) {
    test(`T4 a target is found that is exported by ${how}`, async () => {
      const module = `data:text/javascript,${encodeURIComponent(source)}`;
      assert.equal(await new Thread({ target: function crunch() {}, module, exportName }).start().joinAsync(), 42);
    });
  }

  test("T4 a target is found that a CommonJS module exports, in whatever way", async () => {
    const { process } = globalThis as unknown as { process: { getBuiltinModule(name: string): any } };
    const { mkdtempSync, rmSync, writeFileSync } = process.getBuiltinModule("node:fs");
    const { join } = process.getBuiltinModule("node:path");
    const folder = mkdtempSync(join(process.getBuiltinModule("node:os").tmpdir(), "lockstep-exported-"));
    try {
      for (const [i, [source, exportName]] of COMMON_JS.entries()) {
        const path = join(folder, `${i}.cjs`);
        writeFileSync(path, `function crunch() { return 42; }\n${source}\n`);
        const module = process.getBuiltinModule("node:url").pathToFileURL(path).href;
        const thread = new Thread({ target: function crunch() {}, module, exportName }).start();
        assert.equal(await thread.joinAsync(), 42, source);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, { skip: runtime === "browser" ? "no CommonJS in browsers" : undefined });

  test("T4 one of two functions that are called so has to be named", async () => {
    const source = "const make = () => function crunch() { return 42; }; export const a = make(), b = make();";
    const module = `data:text/javascript,${encodeURIComponent(source)}`;
    const target = function crunch() {};
    const error = await rejection(new Thread({ target, module }).start().joinAsync());
    assert.match(error.message, /give its name as exportName/);
    assert.equal(await new Thread({ target, module, exportName: "b" }).start().joinAsync(), 42);
  });

  test("T4 a bundle, which the library's own worker is missing from, is told so by start()", async () => {
    const told = await new Thread({ target: targets.startInBundle, module }).start().joinAsync();
    const { error, ...rest } = told as { error: Error };
    assert(error instanceof ThreadError, String(told));
    assert.match(error.message, /there is no file:.*bootstrap\.[jt]s: .*serve\(\)/);
    assert.deepEqual(rest, { state: "dead", listed: false });
  }, { skip: runtime === "browser" ? "bundlers take the worker along" : undefined });

  test("T4 so is a bundle that has but a copy of it, by another name", async () => {
    const told = await new Thread({ target: targets.startInBundle, module, args: [true] }).start().joinAsync();
    assert.match(String((told as { error?: Error }).error), /a bundler made a copy of it, file:.*serve\(\)/);
  }, { skip: runtime === "browser" ? "bundlers take the worker along" : undefined });

  test("T5 a second start() throws, also after the end", async () => {
    const thread = new Thread({ target: add, module, args: [1, 2] }).start();
    assert.throws(() => thread.start(), ThreadError);
    await thread.joinAsync();
    assert.throws(() => thread.start(), ThreadError);
    assert.equal(await thread.joinAsync(), 3);
  });

  test("T6 joining before start() throws", async () => {
    const thread = new Thread({ target: add, module, args: [1, 2] });
    assert.throws(() => thread.join(), ThreadError);
    assert.throws(() => thread.tryJoin(), ThreadError);
    assert((await rejection(thread.joinAsync())) instanceof ThreadError);
  });

  test("T7 joining oneself, or one that waits for this one, is a deadlock", async () => {
    assert.equal(await new Thread({ target: targets.joinMyself, module }).start().joinAsync(), "deadlock");
    assert.equal(await new Thread({ target: targets.startsOneThatJoinsMe, module }).start().joinAsync(), "deadlock");
  });

  test("T8 every joiner gets the result, in any thread and however late", async () => {
    const event = new lockstep.Event();
    const thread = new Thread({ target: targets.waitFor, module, args: [event] }).start();
    const others = [true, false].map((block) =>
      new Thread({ target: targets.joinByHandle, module, args: [thread.handle, block] }).start().joinAsync()
    );
    const here = [thread.joinAsync(), thread.joinAsync()];
    event.set();
    assert.deepEqual(await Promise.all(here), ["set", "set"]);
    assert.deepEqual(await Promise.all(others), [{ value: "set" }, { value: "set" }]);
    assert.equal(await thread.joinAsync(), "set");
    const late = new Thread({ target: targets.joinByHandle, module, args: [thread.handle, true] }).start();
    assert.deepEqual(await late.joinAsync(), { value: "set" });
    assert.deepEqual(thread.tryJoin(), { value: "set" });
  });

  test("T8 every joiner gets a result of its own, also one that came by message", async () => {
    for (const lock of [undefined, new Lock()]) {
      const thread = new Thread({ target: targets.giveBytes, module, args: [lock] }).start();
      const first = await thread.joinAsync();
      first.bytes[1] = 99;
      const second = await thread.joinAsync();
      assert.deepEqual([...second.bytes], [1, 2, 3]);
      if (lock === undefined) continue;
      assert.deepEqual([...first.tail], [99, 3]);
      const guard = second.lock!.acquire();
      assert.deepEqual([lock.locked, first.lock!.locked], [true, true]);
      guard.release();
    }
  });

  test("T8 D28 every joiner gets the error, with all that belongs to it", async () => {
    const thread = new Thread({ target: targets.fail, module }).start();
    const other = new Thread({ target: targets.joinByHandle, module, args: [thread.handle, true] }).start();
    const { error: there } = await other.joinAsync() as { error: Error };
    for (const error of [await rejection(thread.joinAsync()), there as Error & Record<string, unknown>]) {
      assert(error instanceof RangeError);
      assert.equal(error.message, "too far");
      assert.equal(error.code, "E_FAR");
      assert.deepEqual(error.more, { deep: [1, 2] });
      assert((error.cause as Error) instanceof TypeError);
      assert.match(error.stack!, /thread_targets/);
    }
    const own = await rejection(new Thread({ target: targets.failWithOwnClass, module }).start().joinAsync());
    assert(own instanceof lockstep.NotHeldError);
    assert.deepEqual([own.code, own.owner, own.message], ["not-held", 7, "not yours"]);
    const text = new Thread({ target: targets.throwValue, module, args: ["just text"] }).start();
    assert.equal(await rejection(text.joinAsync()), "just text");
  });

  test("where the thread may not block, join() says so and names joinAsync()", async () => {
    const thread = new Thread({ target: add, module, args: [1, 2] }).start();
    for (const join of [() => thread.join(), () => thread.tryJoin({ timeout: 5 })]) {
      assert.throws(join, {
        name: "BlockingUnavailableError",
        message: /as this thread may not block: use joinAsync\(\)$/,
      });
    }
    assert.equal(await thread.joinAsync(), 3);
  }, { skip: has.blocksMain ? "this thread may block" : undefined });

  test("T9 tryJoin() on a live thread gives undefined and disturbs nothing", async () => {
    const event = new lockstep.Event();
    const thread = new Thread({ target: targets.waitFor, module, args: [event] }).start();
    assert.equal(thread.tryJoin(), undefined);
    if (has.blocksMain && bringsUpBlocked) assert.equal(thread.tryJoin({ timeout: 50 }), undefined);
    assert.throws(() => thread.tryJoin({ timeout: -1 }), RangeError);
    const controller = new AbortController();
    const aborted = rejection(thread.joinAsync({ signal: controller.signal }));
    controller.abort(new Error("enough"));
    assert.equal((await aborted).message, "enough");
    event.set();
    assert.equal(await thread.joinAsync(), "set");
  });

  test("T10 a joined thread is not listed; activeCount() is the length of the list", async () => {
    const event = new lockstep.Event();
    const threads = [false, true].map((daemon) =>
      new Thread({ target: targets.waitFor, module, args: [event], daemon }).start()
    );
    assert(threads.every(listed));
    assert(lockstep.enumerateThreads().some(({ id }) => id === lockstep.currentThread().id));
    assert.equal(lockstep.activeCount(), lockstep.enumerateThreads().length);
    event.set();
    for (const thread of threads) {
      await thread.joinAsync();
      assert.equal(listed(thread), false);
    }
  });

  test("T11 who is who, from inside a thread", async () => {
    const seen = await new Thread({ target: targets.introduce, module, name: "me", daemon: true }).start().joinAsync();
    const { id, listed, mainName, ...rest } = seen as { id: number; listed: string[]; mainName: string };
    assert(id > 0 && listed.includes("me"));
    assert.deepEqual(rest, {
      ...{ name: "me", daemon: true, alive: true, state: "running", same: true, isMain: false },
      ...{ mainDaemon: false, isMainThread: false, inherited: true },
    });
    assert.equal(mainName, "MainThread");
  }, { skip: lockstep.isMainThread ? undefined : "the suite runs in a worker, and the page does not use Lockstep" });

  test("T11 T15 the main thread", async () => {
    const main = lockstep.mainThread();
    assert.deepEqual([main.name, main.daemon, main.alive, main.state], ["MainThread", false, true, "running"]);
    assert.equal(main, lockstep.currentThread());
    assert.throws(() => main.join(), ThreadError);
    assert.throws(() => main.start(), ThreadError);
    assert.throws(() => main.handle, ThreadError);
    assert((await rejection(main.terminate())) instanceof ThreadError);
    assert.equal(await new Thread({ target: targets.joinMain, module }).start().joinAsync(), "thread-failed");
  }, { skip: lockstep.isMainThread ? undefined : "the suite runs in a worker, and the page does not use Lockstep" });

  test("T13 daemon is false in main, may be set before start() and not after", async () => {
    const thread = new Thread({ target: add, module, args: [1, 2], daemon: false });
    assert.equal(thread.daemon, false);
    if (lockstep.isMainThread) assert.equal(new Thread({ target: add, module, args: [1, 2] }).daemon, false);
    thread.daemon = true;
    assert.equal(thread.daemon, true);
    thread.start();
    assert.throws(() => thread.daemon = false, ThreadError);
    await thread.joinAsync();
    assert.throws(() => thread.daemon = false, ThreadError);
    assert.equal(thread.daemon, true);
  });

  test("T17 a thread that ends waits for its own threads, but not for its daemons", async () => {
    const done = new SharedValue("i32");
    const thread = new Thread({ target: targets.leaveBehind, module, args: [done, false], daemon: false }).start();
    assert.equal(await thread.joinAsync(), "left");
    assert.equal(done.value, 1);
    const turns = new SharedValue("i32");
    const other = new Thread({ target: targets.leaveBehind, module, args: [turns, true] }).start();
    assert.equal(await other.joinAsync(), "left");
    if (!has.killsRunningCode) targets.stopSpinning(turns);
    await until(() => lockstep.enumerateThreads().every(({ name }) => !/spin/.test(name)));
  });

  test("T17 also for one that it starts while it waits for another", async () => {
    const done = new SharedValue("i32");
    const thread = new Thread({ target: targets.leaveTwo, module, args: [done] }).start();
    assert.equal(await thread.joinAsync(), "left");
    assert.equal(done.value, 2);
  });

  test("T17 also when another of them cannot be stopped", async () => {
    const [turns, done] = [new SharedValue("i32"), new SharedValue("i32")];
    const thread = new Thread({ target: targets.leaveBesideStuck, module, args: [turns, done] }).start();
    assert.equal(await thread.joinAsync(), "left");
    assert.equal(done.value, 1);
    targets.stopSpinning(turns);
    await until(() => lockstep.enumerateThreads().every(({ name }) => !/spin/.test(name)));
  });

  test("T23 running out of stack is an ordinary error", async () => {
    assert((await rejection(new Thread({ target: targets.overflow, module }).start().joinAsync())) instanceof Error);
  });

  test("T28 a subclass runs in the worker with its public fields", async () => {
    const thread = new targets.Doubler(21).start();
    assert.deepEqual(await thread.joinAsync(), {
      ...{ doubled: 42, name: "doubler", hidden: false, built: 0, lock: true },
    });
    assert.equal(await new targets.Wrapping(3, 4).start().joinAsync(), -7);
  });

  test("T28 a field that hides what every thread has is refused at start(), with what to do instead", async () => {
    const told = {
      daemon: "pass daemon to super\\(\\)",
      name: "pass name to super\\(\\)",
      state: "another name",
      id: "another name",
    };
    for (const [field, remedy] of Object.entries(told)) {
      const thread = targets.hiding(field);
      const error = assert.throws(() => thread.start(), TypeError) as Error;
      assert.match(error.message, new RegExp(`its field ${field} hides .*: .*${remedy}`));
      delete (thread as unknown as Record<string, unknown>)[field];
      assert.deepEqual([thread.state, thread.id], ["initial", undefined]);
    }
    assert.equal(await new targets.Setting().start().joinAsync(), "a field");
  });

  test("T29 arguments are copied at start(), and primitives in them are shared", async () => {
    const lock = new Lock({ name: "given" });
    const value = new SharedValue("i32", 0);
    const shared: { deep: [Lock, SharedValue<"i32">]; same: Lock } = { deep: [lock, value], same: lock };
    const thread = new Thread({ target: targets.useShared, module, args: [shared] }).start();
    shared.deep = [new Lock(), value];
    assert.deepEqual(await thread.joinAsync(), { held: true, same: true, name: "given" });
    assert.equal(value.value, 1);
  });

  test("T29 an argument that cannot be carried is refused at start(), with its place", () => {
    const refused = new Thread({ target: targets.throwValue, module, args: [{ a: [1, () => 1] }] });
    const error = assert.throws(() => refused.start(), TypeError) as Error;
    assert.match(error.message, /args\[0\]\.a\[1\]/);
    assert.deepEqual([refused.state, refused.id], ["initial", undefined]);
    const field = assert.throws(() => new targets.Unstartable().start(), TypeError) as Error;
    assert.match(field.message, /this\.callback/);
  });

  test("T30 a result that cannot be carried reaches join as an error that says so", async () => {
    const error = await rejection(new Thread({ target: targets.returnFunction, module }).start().joinAsync());
    assert(error instanceof TypeError);
    assert.match(error.message, /result\.list\[1\]\.bad/);
  });

  test("T30 a result larger than maxResultBytes is an error that names it", async () => {
    const [target, args] = [targets.returnBytes, [5000] as [number]];
    const error = await rejection(new Thread({ target, module, args, maxResultBytes: 1000 }).start().joinAsync());
    assert(error instanceof RangeError);
    assert.match(error.message, /maxResultBytes is 1000/);
    const fits = new Thread({ target, module, args: [1_000_000] }).start();
    const bytes = await fits.joinAsync();
    assert(bytes.length === 1_000_000 && bytes.every((byte) => byte === 7));
  });

  test("results may hold primitives", async () => {
    const given = new Lock({ name: "given" });
    const thread = new Thread({ target: targets.giveLocks, module, args: [given] }).start();
    const result = await thread.joinAsync();
    const guard = given.acquire();
    assert.equal(result.given.locked, true);
    guard.release();
    assert.equal(result.made.get("made")!.name, "made in a thread");
    assert.equal(result.made.get("made")!.locked, false);
    assert.equal((await thread.joinAsync()).made.size, 1);
  });

  test("results may hold primitives, also for a joiner that is blocked", () => {
    const thread = new Thread({ target: targets.giveLocks, module, args: [new Lock()] }).start();
    assert.equal(thread.join().made.get("made")!.name, "made in a thread");
  }, { skip: blocks && has.receivesWhileBlocked ? undefined : "no memory reaches a blocked thread here" });

  test("results may hold primitives, also for joiners in other threads", async () => {
    const thread = new Thread({ target: targets.giveLocks, module, args: [new Lock({ name: "given" })] }).start();
    const others = [1, 2].map((depth) => {
      return new Thread({ target: targets.joinDeep, module, args: [thread.handle, depth] }).start().joinAsync();
    });
    assert.deepEqual(await Promise.all(others), ["made in a thread", "made in a thread"]);
    assert.equal((await thread.joinAsync()).made.size, 1);
    const inner = await new Thread({ target: targets.startGiver, module }).start().joinAsync();
    assert.equal(inner, "made in a thread");
  });

  test("T31 the variables of a module are each thread's own", async () => {
    targets.count();
    for (const expected of [1, 1]) {
      assert.equal(await new Thread({ target: targets.count, module }).start().joinAsync(), expected);
    }
  });

  test("an async target's result is what its promise resolves to", async () => {
    assert.equal(await new Thread({ target: addLater, module, args: [1, 2] }).start().joinAsync(), 3);
  });

  test("T32 a timer fires after its interval, not before", async () => {
    const sign = new SharedValue("i32", 5);
    const start = performance.now();
    const timer = new Timer({ interval: 120, target: ring, module, args: [sign, 2] }).start();
    assert.equal(await timer.joinAsync(), 5);
    assert(performance.now() - start >= 119);
    assert.equal(sign.value, 7);
    timer.cancel();
  });

  test("T32 T33 a timer that is cancelled never fires and ends at once", async () => {
    const sign = new SharedValue("i32");
    const waiting = new Timer({ interval: 60_000, target: ring, module, args: [sign] }).start();
    await until(() => waiting.state === "running");
    waiting.cancel();
    assert.equal(await waiting.joinAsync(), undefined);
    const early = new Timer({ interval: 60_000, target: ring, module, args: [sign] });
    early.cancel();
    assert.equal(await early.start().joinAsync(), undefined);
    assert.equal(sign.value, 0);
    assert.throws(() => new Timer({ interval: -1, target: ring, module, args: [sign] }), RangeError);
  });

  test("T32 a timer may be a subclass", async () => {
    assert.equal(await new targets.Alarm(20, "up").start().joinAsync(), "up");
  });

  test("T33 a timer is one in other threads, too", async () => {
    const sign = new SharedValue("i32");
    const timer = new Timer({ interval: 60_000, target: ring, module, args: [sign], name: "tick" });
    assert.match(String(timer), /^Timer "tick" \(initial/);
    assert.equal(String(Timer.attach(timer.handle)), String(timer));
    assert.throws(() => Timer.attach(new Thread({ target: ring, module, args: [sign] }).handle), lockstep.LayoutError);
    timer.start();
    const seen = await new Thread({ target: targets.cancelTimer, module, args: [timer] }).start().joinAsync();
    assert.equal(seen, "Timer");
    assert.equal(await timer.joinAsync(), undefined);
    assert.equal(sign.value, 0);
  });

  test("a thread known by a handle cannot be started or changed before it is started", async () => {
    const thread = new Thread({ target: addLater, module, args: [1, 2], name: "first" });
    const seen = Thread.attach(thread.handle);
    for (const change of [() => seen.start(), () => seen.daemon = true, () => seen.name = "second"]) {
      assert.match(assert.throws(change, ThreadError).message, /through a handle/);
    }
    thread.start();
    seen.name = "";
    assert.deepEqual([thread.name, seen.name], ["", ""]);
    assert.equal(await seen.joinAsync(), 3);
    assert.match(assert.throws(() => seen.start(), ThreadError).message, /started before/);
  });

  test("T33 an error in a timer's function reaches join", async () => {
    const timer = new Timer({ interval: 1, target: targets.fail, module }).start();
    assert((await rejection(timer.joinAsync())) instanceof RangeError);
  });
}
