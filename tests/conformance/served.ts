// Threads in workers of one's own, which call serve().

import { Event, type Lock, Thread, ThreadError, Timer, type WorkerLike } from "../../mod.ts";
import { assert, mainOfPage, runtime, test } from "../_harness.ts";
import { until } from "../_until.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { nodeWorker, ownWorker } from "../testdata/own_worker.ts";

const worker = () => ownWorker(new URL("../testdata/serve_worker.ts", import.meta.url));

export function servedCases(has: Capabilities): void {
  test("serve() gives its functions to threads", async () => {
    const sum = new Thread<number, [number, number]>({ worker, target: "add", args: [3, 4] }).start();
    assert.match(sum.name, /^Thread-\d+ \(add\)$/);
    assert.equal(await sum.joinAsync(), 7);
    const later = new Thread<Promise<string>, [string]>({ worker, target: "later", args: ["later"] }).start();
    assert.equal(await later.joinAsync(), "later");
  });

  test("serve() gives its functions to timers", async () => {
    const timer = new Timer<number, [number, number]>({ worker, target: "add", args: [3, 4], interval: 5 }).start();
    assert.equal(await timer.joinAsync(), 7);
  });

  test("serve() after an await", async () => {
    const late = new URL("../testdata/serve_late_worker.ts", import.meta.url);
    const kinds = [() => ownWorker(late)];
    if (runtime !== "browser") kinds.push(() => nodeWorker(late));
    const threads = kinds.map((worker) => {
      return new Thread<number, [number, number]>({ worker, target: "add", args: [3, 4] }).start();
    });
    assert.deepEqual(await Promise.all(threads.map((thread) => thread.joinAsync())), kinds.map(() => 7));
  });

  test("serve() and a blocked starter", () => {
    const sum = new Thread<number, [number, number]>({ worker, target: "add", args: [3, 4] }).start();
    assert.equal(sum.join(), 7);
  }, { skip: has.blocksMain && runtime !== "browser" ? undefined : "nothing comes up here while blocked" });

  test("serve() and errors: one that was thrown, a name that is not served, a worker that cannot be made", async () => {
    const thrown = await new Thread({ worker, target: "fail" }).start().joinAsync().catch((error) => error);
    assert(thrown instanceof RangeError);
    assert.equal(thrown.message, "served and failed");
    const missing = await new Thread({ worker, target: "nothing" }).start().joinAsync().catch((error) => error);
    assert(missing instanceof ThreadError);
    assert.match(missing.message, /"nothing" is no function of serve\(\)/);
    const broken = new Thread({
      worker: () => {
        throw new SyntaxError("no worker");
      },
      target: "add",
    });
    const error = assert.throws(() => broken.start(), ThreadError) as ThreadError;
    assert((error.cause as Error) instanceof SyntaxError);
    assert.equal(broken.state, "dead");
    assert.throws(() => new Thread({ worker } as never), TypeError);
  });

  test("serve() and a function that makes no new worker: start() says so", async () => {
    const one = worker();
    const thread = new Thread<number, [number, number]>({ worker: () => one, target: "add", args: [3, 4] }).start();
    assert.equal(await thread.joinAsync(), 7);
    for (
      const [made, what] of [
        [one, "must make a new Worker for each thread: it returned that of another thread"],
        [undefined, "must be a function that returns a new Worker: it returned undefined"],
        [Promise.resolve(), "must be a function that returns a new Worker: it returned a Promise"],
      ] as const
    ) {
      const again = new Thread({ worker: () => made as WorkerLike, target: "add" });
      const error = assert.throws(() => again.start(), ThreadError);
      assert.match(error.message, new RegExp(`^Cannot start thread .* as its worker could not be made: .*${what}`));
      assert.equal(again.state, "dead");
    }
  });

  test("serve() and a worker that has ended: start() says so", async () => {
    const ended = nodeWorker(new URL("../testdata/serve_worker.ts", import.meta.url));
    await ended.terminate();
    await until(() => (ended as { threadId?: number }).threadId === -1);
    const error = assert.throws(() => new Thread({ worker: () => ended, target: "add" }).start(), ThreadError);
    assert.match(error.message, /it returned one that has ended/);
  }, { skip: runtime === "node" ? undefined : "only Node's workers tell" });

  test("serve() and an argument that cannot be posted: the worker that was made is terminated", () => {
    let terminated = 0;
    const made = (): WorkerLike => {
      const one = worker();
      const terminate = one.terminate.bind(one);
      return Object.assign(one, { terminate: () => (terminated++, terminate()) });
    };
    const gone = new ArrayBuffer(8);
    structuredClone(gone, { transfer: [gone] });
    const thread = new Thread<unknown, [ArrayBuffer]>({ worker: made, target: "later", args: [gone] });
    assert.throws(() => thread.start(), ThreadError);
    assert.deepEqual([thread.state, terminated], ["dead", 1]);
  }, { skip: runtime === "browser" && !mainOfPage ? "the page makes the workers, and is not even asked" : undefined });

  test("serve() and primitives, terminate() and the end of the worker", async () => {
    const told = await new Thread<{ name: string; lock: Lock }>({ worker, target: "introduce", name: "own" }).start()
      .joinAsync();
    assert.equal(told.name, "own");
    assert.equal(told.lock.name, "of the served");
    const event = new Event();
    const waiting = new Thread({ worker, target: "waitFor", args: [event] as never }).start();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await waiting.terminate();
    const error = await waiting.joinAsync().catch((error: unknown) => error) as ThreadError;
    assert.equal(error.reason, "terminated");
    assert.equal(waiting.alive, false);
  });

  test("serve() in threads that start threads, and block at once", async () => {
    const thread = new Thread<number, [number]>({ worker, target: "nest", args: [2] }).start();
    assert.equal(await thread.joinAsync(), 2);
  });

  test("serve() in a worker that a thread has made before: the threads that it starts come up", async () => {
    const thread = new Thread<Promise<number>, [number]>({ worker, target: "nestInMade", args: [2] }).start();
    assert.equal(await thread.joinAsync(), 3);
  });
}
