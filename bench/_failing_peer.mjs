// A worker that answers, or exits when it is asked to, as each of the peers of failures_bench.ts wants it served.

import { createRequire } from "node:module";
import * as wt from "node:worker_threads";

const peers = createRequire(new URL("./peers/package.json", import.meta.url));
const as = new URL(import.meta.url).searchParams.get("as") ?? process.env.LOCKSTEP_BENCH_PEER;

/** What piscina and tinypool call. */
export default function serve(what) {
  if (what === "exit") process.exit(3);
  return 42;
}

if (!wt.isMainThread) {
  if (as === "workerpool") peers("workerpool").worker({ serve });
  if (as === "poolifier") new (peers("poolifier").ThreadWorker)(serve);
  if (as === "comlink") peers("comlink").expose({ serve }, peers("comlink/dist/umd/node-adapter.js")(wt.parentPort));
  if (as === "threads.js") peers("threads/worker").expose(serve);
}
