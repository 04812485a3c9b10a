// What a thread blocked on a lock costs while nothing happens, in per cent of one
// CPU, beyond what the same threads cost asleep in one endless Atomics.wait.

import * as wt from "node:worker_threads";
import { Lock } from "../mod.ts";
import { report, SHORT } from "./_report.ts";

const THREADS = SHORT ? 2 : 16;
const SETTLE = SHORT ? 300 : 8000;
const MS = SHORT ? 300 : 10_000;

async function cost(handle: Lock["handle"] | undefined): Promise<number> {
  const idle = new SharedArrayBuffer(4);
  const workers = Array.from(
    { length: THREADS },
    () => new wt.Worker(new URL(import.meta.url), { workerData: { handle, idle } }),
  );
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  const before = process.cpuUsage();
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, MS));
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1000 / (performance.now() - begin) / THREADS * 100;
  for (const worker of workers) worker.unref();
  return share;
}

if (wt.isMainThread) {
  const lock = new Lock();
  lock.acquire();
  const bare = await cost(undefined);
  const ours = await cost(lock.handle);
  report({
    what: "CPU of a blocked thread",
    ours: ours - bare,
    peer: "the limit",
    theirs: 0.05,
    unit: "%",
    as: "times theirs",
    goal: 1,
  });
  process.exit(0);
} else if (wt.workerData.handle === undefined) {
  Atomics.wait(new Int32Array(wt.workerData.idle), 0, 0);
} else {
  Lock.attach(wt.workerData.handle).acquire();
}
