// The demo: counts the words of all text files below a folder, on one thread and
// then on several, and compares. `deno task demo [folder]`

import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Barrier, Event, isMainThread, Latch, Queue, Semaphore, SharedArray, SharedValue, Thread } from "../../mod.ts";
import { count, type Shared } from "./counter.ts";
import { Progress } from "./progress.ts";
import { addCounts, countFile, type Counts, listFiles } from "./words.ts";

const THREADS = Math.max(2, availableParallelism());
const OPEN_FILES = 8;
const TOP = 10;
/** How often the one thread turns its event loop, in ms. */
const TURN = 50;
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

async function main(): Promise<number> {
  const folder = folderOf(process.argv[2]);
  let files;
  try {
    files = listFiles(folder);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
  const stop = new Event({ name: "stop" });
  process.once("SIGINT", () => stop.set());
  console.log(`${files.length} ${files.length === 1 ? "file" : "files"} below ${folder}`);

  const one = await onOneThread(files, stop);
  if (stop.isSet) return stopped(one, files.length);
  const many = await onThreads(files, stop);
  if (stop.isSet) return stopped(many, files.length);
  printResult(many);
  many.shares.forEach((words, index) => {
    console.log(`thread ${index + 1} counted ${words} words, ${percent(words, many.words)}`);
  });
  console.log(`1 thread:  ${one.ms.toFixed(0)} ms`);
  console.log(`${THREADS} threads: ${many.ms.toFixed(0)} ms, and ${many.startMs.toFixed(0)} ms for starting them`);
  console.log(`speed-up:  ${(one.ms / many.ms).toFixed(2)} ×`);
  if (!same(one.counts, many.counts)) {
    console.error("The results differ: a file has changed meanwhile, or this is a bug");
    return 1;
  }
  console.log("Both results are equal.");
  return 0;
}

/** `deno task` runs in the folder of deno.json; what is typed is meant from where one stands. */
function folderOf(typed: string | undefined): string {
  if (typed === undefined || typed === "") return typed ?? REPOSITORY;
  return resolve(process.env.INIT_CWD ?? ".", typed);
}

interface Result {
  readonly counts: Counts;
  readonly files: number;
  readonly leftOut: readonly string[];
  readonly ms: number;
}

/** The measure of the speed-up: the same work, file by file. */
async function onOneThread(files: readonly string[], stop: Event): Promise<Result> {
  const counts: Counts = new Map();
  const leftOut: string[] = [];
  const done = new SharedValue("i32");
  const progress = new Progress("1 thread", files.length, done);
  const begin = performance.now();
  let turned = begin;
  for (const path of files) {
    for (const _part of countFile(path, counts, (line) => leftOut.push(line))) {
      if (performance.now() - turned >= TURN) {
        await new Promise((resolve) => setTimeout(resolve)); // for Ctrl-C and the progress bar
        turned = performance.now();
      }
      if (stop.isSet) break; // of a file that is not read to its end nothing is counted
    }
    if (stop.isSet) break;
    done.add(1);
  }
  const ms = performance.now() - begin;
  progress.end();
  return { counts, files: done.value, leftOut, ms };
}

interface SharedResult extends Result {
  /** Words counted by each thread, and by all. */
  readonly shares: readonly number[];
  readonly words: number;
  readonly startMs: number;
}

async function onThreads(files: readonly string[], stop: Event): Promise<SharedResult> {
  const shared: Shared = {
    ready: new Latch(THREADS),
    files: new Queue<string>({ name: "files" }),
    parts: Array.from({ length: THREADS }, (_, index) => new Queue<Counts>({ name: `part ${index}` })),
    results: new Queue<Counts>({ name: "results" }),
    open: new Semaphore(OPEN_FILES),
    stop,
    leftOut: new Queue<string>({ name: "left out" }),
    done: new SharedValue("i32"),
    share: new SharedArray("i32", THREADS),
    counted: new Barrier(THREADS),
  };
  const begin = performance.now();
  const threads = Array.from(
    { length: THREADS },
    (_, index) =>
      new Thread({ target: count, module: new URL("counter.ts", import.meta.url), args: [index, shared] }).start(),
  );
  await shared.ready.waitAsync();
  const startMs = performance.now() - begin;
  const progress = new Progress(`${THREADS} threads`, files.length, shared.done);
  shared.files.putMany(files);
  shared.files.close();

  const counts: Counts = new Map();
  const collecting = (async () => {
    for (let part = 0; part < THREADS; part++) addCounts(await shared.results.getAsync(), counts);
  })();
  // Not join(): Ctrl-C must get through. Whichever thread fails, its error comes out here.
  await Promise.all([collecting, ...threads.map((thread) => thread.joinAsync())]);
  const ms = performance.now() - begin - startMs;
  progress.end();
  shared.leftOut.close();
  const shares = [...shared.share];
  return {
    counts,
    files: shared.done.value,
    leftOut: [...shared.leftOut],
    ms,
    shares,
    words: shares.reduce((a, b) => a + b, 0),
    startMs,
  };
}

/** After Ctrl-C: what was counted is not lost. */
function stopped(result: Result, all: number): number {
  printResult(result);
  console.log(`Stopped early: ${result.files} of ${all} files were counted`);
  return 130;
}

function printResult({ counts, leftOut }: Result): void {
  for (const line of leftOut) console.error(line);
  const top = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, TOP);
  const width = Math.max(0, ...top.map(([word]) => word.length));
  for (const [word, times] of top) console.log(`  ${word.padEnd(width)}  ${times}`);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${(100 * part / whole).toFixed(1)} %`;
}

function same(a: Counts, b: Counts): boolean {
  return a.size === b.size && [...a].every(([word, times]) => b.get(word) === times);
}

if (isMainThread) process.exitCode = await main();
