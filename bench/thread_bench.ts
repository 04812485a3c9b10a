// Starting a thread and joining it, against a plain worker of the same runtime that posts one message. Once with a
// target whose module needs nothing, as the plain worker's, and once with one that imports Lockstep: to parse that is
// most of the difference. On Node with the package, where it has been built (deno task npm && deno task npm:site), as
// Node strips the types of each source for every worker anew.

import { existsSync } from "node:fs";
import * as wt from "node:worker_threads";
import { median, report, SHORT } from "./_report.ts";

const TIMES = SHORT ? 2 : 15;
const PACKAGE = new URL("../npm/dist/site/node_modules/lockstep/mod.js", import.meta.url);
const SOURCES = new URL("../mod.ts", import.meta.url);
const packaged = !("Deno" in globalThis) && existsSync(PACKAGE);
const { href } = packaged ? PACKAGE : SOURCES;
const { Thread }: typeof import("../mod.ts") = await import(href);

function answer(): number {
  return 42;
}

async function plain(): Promise<number> {
  const begin = performance.now();
  const worker = new wt.Worker("require('node:worker_threads').parentPort.postMessage(42)", { eval: true });
  let result: unknown;
  worker.on("message", (message) => result = message);
  await new Promise((resolve) => worker.on("exit", resolve));
  if (result !== 42) throw new Error(`the worker posted ${result}`);
  return performance.now() - begin;
}

async function ours(module: string): Promise<number> {
  const begin = performance.now();
  const result = await new Thread({ target: answer, module }).start().joinAsync();
  if (result !== 42) throw new Error(`join gave ${result}`);
  return performance.now() - begin;
}

for (const [what, imports] of [["needs nothing", ""], ["imports Lockstep", `import ${JSON.stringify(href)};`]]) {
  const module = `data:text/javascript,${encodeURIComponent(`${imports}export ${answer}`)}`;
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    theirs.push(await plain());
    mine.push(await ours(module));
  }
  report({
    what: `start + join of a thread whose module ${what}${packaged ? ", from the package" : ""}`,
    ours: median(mine),
    peer: "a plain worker",
    theirs: median(theirs),
    unit: "ms",
    as: "times theirs",
    goal: 1.3,
  });
}
