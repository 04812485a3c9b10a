// Starting a thread and joining it, against a plain worker of the same runtime
// that reports back in shared memory.

import * as wt from "node:worker_threads";
import { isMainThread, Thread } from "../mod.ts";
import { median, report, SHORT } from "./_report.ts";

/** The target: nothing but an answer. */
export function answer(): number {
  return 42;
}

const TIMES = SHORT ? 2 : 15;

function plain(): Promise<number> {
  const begin = performance.now();
  return new Promise((resolve) => {
    const code = "const wt = require('node:worker_threads'); wt.parentPort.postMessage(42);";
    const worker = new wt.Worker(code, { eval: true });
    worker.on("message", () => worker.on("exit", () => resolve(performance.now() - begin)));
  });
}

async function ours(): Promise<number> {
  const begin = performance.now();
  const thread = new Thread({ target: answer, module: import.meta.url }).start();
  const result = await thread.joinAsync();
  if (result !== 42) throw new Error(`join gave ${result}`);
  return performance.now() - begin;
}

if (isMainThread) {
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    theirs.push(await plain());
    mine.push(await ours());
  }
  report({
    what: "start + join of a thread",
    ours: median(mine),
    peer: "a plain worker",
    theirs: median(theirs),
    unit: "ms",
    as: "times theirs",
    goal: 1.3,
  });
}
