// The same with the primitives of others, in a plain worker: see failures_bench.ts.

import * as wt from "node:worker_threads";
import { accountError } from "./_failing.ts";
import { Mutex } from "./peers/node_modules/multithreading/src/lib/sync/mutex.js";

/** What a worker is to do, and with what. */
export interface Start {
  readonly what: "hold and exit" | "take both" | "two waiters" | "post an error";
  readonly buffers?: readonly SharedArrayBuffer[];
  readonly ms?: number;
}

const { what, buffers = [], ms } = wt.workerData as Start;
switch (what) {
  case "hold and exit":
    new Mutex(undefined, buffers[0]).blockingLock();
    process.exit(3);
    break;
  case "take both": {
    const met = new Int32Array(buffers[2]!);
    new Mutex(undefined, buffers[0]).blockingLock();
    Atomics.add(met, 0, 1);
    while (Atomics.load(met, 0) < 2) Atomics.wait(met, 0, 1, 1);
    new Mutex(undefined, buffers[1]).blockingLock();
    break;
  }
  case "two waiters": {
    const words = new Int32Array(buffers[0]!);
    Atomics.waitAsync(words, 0, 0, ms);
    Atomics.store(words, 1, 1);
    if (Atomics.wait(words, 0, 0, ms) === "ok") Atomics.store(words, 1, 2);
    process.exit(0);
    break;
  }
  case "post an error":
    wt.parentPort!.postMessage(accountError());
}
