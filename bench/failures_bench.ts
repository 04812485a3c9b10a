// What happens when things go wrong, here and elsewhere: objects at full speed, a worker that exits in the middle of a
// call or holding a lock, an error that crosses, two threads that wait for each other, a release of what nobody holds, one
// word for two kinds of waiters. Not how fast, but whether: docs/comparison.md says the same in a table.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as wt from "node:worker_threads";
import { Mutex as AsyncMutex } from "./peers/node_modules/async-mutex/index.mjs";
import { Mutex } from "./peers/node_modules/multithreading/src/lib/sync/mutex.js";
import { Latch, Lock, Queue, Semaphore, Thread } from "../mod.ts";
import { SHORT, tell } from "./_report.ts";
import * as targets from "./_failing.ts";
import type { Start } from "./_failing_worker.ts";

/** How long to wait for others before it is said that they wait for ever, in ms. */
const LIMIT = SHORT ? 100 : 3000;
/** The same before it is said that something does not work here at all, in ms. */
const PATIENCE = SHORT ? 1000 : 10_000;
const OBJECTS = SHORT ? 1000 : 20_000;
const module = new URL("./_failing.ts", import.meta.url);
const peers = createRequire(new URL("./peers/package.json", import.meta.url));

/** How a promise ends; `undefined` if it has not within that time. */
async function outcome(promise: Promise<unknown>, ms: number): Promise<string | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms);
  try {
    return await Promise.race([
      promise.then((value) => `resolves: ${value}`, (error) => `rejects: ${nameOf(error)}`),
      over,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : String(error);
}

/** The same of others, said in words. */
async function theirs(promise: Promise<unknown>): Promise<string> {
  return await outcome(promise, LIMIT) ?? `still waiting after ${LIMIT} ms`;
}

/** The same of Lockstep, which has all the time in the world. */
async function ours(promise: Promise<unknown>): Promise<string> {
  return await outcome(promise, 60_000) ?? "still waiting after a minute";
}

/** A worker that does one of those things with the primitives of others; gives its message, if it posts one. */
function worker(start: Start): Promise<unknown> {
  const thread = new wt.Worker(new URL("./_failing_worker.ts", import.meta.url), { workerData: start });
  let posted: unknown;
  thread.on("message", (message) => posted = message);
  return new Promise((resolve) => thread.on("exit", () => resolve(posted)));
}

/** Objects streamed by one thread to another, each looked at as soon as it is there. */
async function objects(): Promise<void> {
  const wrongOf = async (next: () => Promise<unknown>): Promise<number> => {
    let wrong = 0;
    for (let i = 0; i < OBJECTS; i++) {
      if (JSON.stringify(await next()) !== JSON.stringify(targets.object(i))) wrong++;
    }
    return wrong;
  };
  const say = (wrong: number): string => `${wrong} wrong (${(wrong / OBJECTS * 100).toFixed(0)} %)`;

  const queue = new Queue<unknown>({ maxSize: 64 });
  const thread = new Thread({ target: targets.produce, module, args: [queue, OBJECTS] }).start();
  const mine = await wrongOf(() => queue.getAsync());
  await thread.joinAsync();

  const { spawn, move, channel } = peers("multithreading");
  const [sender, receiver] = channel(64);
  spawn(move(sender, OBJECTS), async (sender: { send(value: unknown): Promise<unknown> }, objects: number) => {
    for (let i = 0; i < objects; i++) await sender.send({ id: i, name: `message ${i}`, ok: true, tags: ["a", "b"] });
  });
  const rivals = await wrongOf(async () => (await receiver.recv()).value);
  tell({
    what: `${OBJECTS} objects streamed to another thread`,
    ours: say(mine),
    right: mine === 0,
    others: [["multithreading, channel", say(rivals)]],
  });
}

/** A worker exits while somebody waits for what it was asked. */
async function exits(): Promise<void> {
  const file = (as: string): URL => new URL(`./_failing_peer.mjs?as=${as}`, import.meta.url);
  const path = fileURLToPath(new URL("./_failing_peer.mjs", import.meta.url));
  type Call = (what: "answer" | "exit") => Promise<unknown>;
  const start: Record<string, () => Call | Promise<Call>> = {
    piscina: () => {
      const pool = new (peers("piscina").Piscina)({ filename: file("piscina").href, maxThreads: 1 });
      return (what) => pool.run(what);
    },
    workerpool: () => {
      const pool = peers("workerpool").pool(path, { workerType: "thread", maxWorkers: 1 });
      return (what) => pool.exec("serve", [what]);
    },
    tinypool: () => {
      const pool = new (peers("tinypool").Tinypool)({ filename: file("tinypool").href, maxThreads: 1 });
      return (what) => pool.run(what);
    },
    poolifier: () => {
      const pool = new (peers("poolifier").FixedThreadPool)(1, path, { errorHandler() {} });
      return (what) => pool.execute(what);
    },
    comlink: () => {
      const worker = new wt.Worker(file("comlink"));
      const service = peers("comlink").wrap(peers("comlink/dist/umd/node-adapter.js")(worker));
      return (what) => service.serve(what);
    },
    "threads.js": async () => {
      const { spawn, Worker } = peers("threads");
      return await spawn(new Worker("./_failing_peer.mjs")); // from where this file is
    },
    multithreading: () => {
      const { spawn, move } = peers("multithreading");
      const serve = (what: string): number => what === "exit" ? process.exit(3) : 42;
      return async (what) => (await spawn(move(what), serve).join()).value;
    },
  };
  const others: [string, string][] = [];
  for (const [name, make] of Object.entries(start)) {
    process.env.LOCKSTEP_BENCH_PEER = name; // for those that are told no more than a path
    const call = await make();
    const answers = await outcome(call("answer"), PATIENCE) === "resolves: 42";
    others.push([name, answers ? await theirs(call("exit")) : "does not run on this runtime"]);
  }
  const mine = await ours(new Thread({ target: targets.exit, module }).start().joinAsync());
  tell({
    what: "a worker exits in the middle of a call",
    ours: mine,
    right: mine === "rejects: ThreadError",
    others,
  });
}

/** A thread exits that holds a lock which another one wants. */
async function holderDies(): Promise<void> {
  const lock = new Lock();
  const holder = new Thread({ target: targets.holdAndExit, module, args: [lock] }).start();
  await outcome(holder.joinAsync(), 60_000);
  const mine = await ours(lock.acquireAsync());

  const buffer = new SharedArrayBuffer(64);
  await worker({ what: "hold and exit", buffers: [buffer] });
  tell({
    what: "the holder of a lock has exited: acquire()",
    ours: mine,
    right: mine === "rejects: OwnerDiedError",
    others: [["multithreading, Mutex", await theirs(new Mutex(undefined, buffer).lock())]],
  });
}

/** Two threads take two locks in opposite order. */
async function deadlock(): Promise<void> {
  const [first, second, both] = [new Lock(), new Lock(), new Latch(2)];
  const threads = [[first, second], [second, first]].map(([one, other]) =>
    new Thread({ target: targets.takeBoth, module, args: [one!, other!, both] }).start()
  );
  const ends = await Promise.all(threads.map((thread) => ours(thread.joinAsync())));

  const [a, b, met] = [new SharedArrayBuffer(64), new SharedArrayBuffer(64), new SharedArrayBuffer(4)];
  const workers = [[a, b, met], [b, a, met]].map((buffers) => worker({ what: "take both", buffers }));
  tell({
    what: "two threads take two locks in opposite order",
    ours: ends.sort().join(", "),
    right: ends.join() === "rejects: DeadlockError,resolves: both",
    others: [["multithreading, Mutex", await theirs(Promise.all(workers).then(() => "both"))]],
  });
}

/** What is not held is released. */
async function notHeld(): Promise<void> {
  const lock = new Lock();
  const mine = await ours(Promise.resolve().then(() => lock.release()));
  const mutex = new AsyncMutex();
  tell({
    what: "releasing a lock that nobody holds",
    ours: mine,
    right: mine === "rejects: NotHeldError",
    others: [["async-mutex", await theirs(Promise.resolve().then(() => mutex.release()))]],
  });
}

/** A thread waits, after one of its tasks, for the same thing; it is there once. */
async function twoKinds(): Promise<void> {
  const [permits, ready] = [new Semaphore(0), new Latch(1)];
  const thread = new Thread({ target: targets.twoWaiters, module, args: [permits, ready] }).start();
  await ready.waitAsync();
  permits.release();
  const mine = await ours(thread.joinAsync());

  const buffer = new SharedArrayBuffer(8);
  const words = new Int32Array(buffer);
  const ended = worker({ what: "two waiters", buffers: [buffer], ms: LIMIT });
  while (Atomics.load(words, 1) !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, LIMIT / 10)); // until it sleeps: that cannot be asked
  Atomics.notify(words, 0, 1);
  await ended;
  tell({
    what: "one wake-up for a thread that waits blocked, and in one of its tasks",
    ours: mine,
    right: mine === "resolves: woken",
    others: [["one word of Atomics", words[1] === 2 ? "woken" : `still waiting after ${LIMIT} ms`]],
  });
}

/** An error of the program's own class crosses. */
async function errors(): Promise<void> {
  const mine = await new Thread({ target: targets.fail, module }).start().joinAsync().catch(targets.told);
  tell({
    what: "an error of a class of the program's own, thrown in another thread",
    ours: `${mine}`,
    right: mine === "AccountError, code E_LOW, balance 5, cause TypeError",
    others: [["postMessage", targets.told(await worker({ what: "post an error" }))]],
  });
}

await objects();
await errors();
await exits();
await holderDies();
await deadlock();
await notHeld();
await twoKinds();
process.exit(0); // those who wait for ever keep it from ending
