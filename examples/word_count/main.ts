// The demo: counts the words of all text files below a folder, on one thread and
// then on several, and compares. `deno task demo [folder]`

import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Barrier, Event, isMainThread, Latch, Queue, Semaphore, SharedArray, SharedValue, Thread } from "../../mod.ts";
import { count, type Shared } from "./counter.ts";
import { Progress } from "./progress.ts";
import { addCounts, type Counts, countWords, listFiles, reason } from "./words.ts";

const THREADS = Math.max(2, availableParallelism());
const OPEN_FILES = 8;
const TOP = 10;
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

async function main(): Promise<number> {
  const folder = process.argv[2] ?? REPOSITORY;
  let files;
  try {
    files = listFiles(folder);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
  const stop = new Event({ name: "stop" });
  process.once("SIGINT", () => stop.set());
  console.log(`${files.length} files below ${folder}`);

  const one = await onOneThread(files, stop);
  const many = await onThreads(files, stop);
  printTop(many.counts);
  many.shares.forEach((words, index) => {
    console.log(`thread ${index + 1} counted ${words} words, ${percent(words, many.words)}`);
  });
  if (stop.isSet) {
    console.log(`Stopped early: ${many.files} of ${files.length} files were counted by the threads`);
    return 130;
  }
  console.log(`1 thread:  ${one.ms.toFixed(0)} ms`);
  console.log(`${THREADS} threads: ${many.ms.toFixed(0)} ms, and ${many.startMs.toFixed(0)} ms for starting them`);
  console.log(`speed-up:  ${(one.ms / many.ms).toFixed(2)} ×`);
  if (!same(one.counts, many.counts)) {
    console.error("The results differ: this is a bug");
    return 1;
  }
  console.log("Both results are equal.");
  return 0;
}

/** The measure of all speed-ups. */
async function onOneThread(files: readonly string[], stop: Event): Promise<{ counts: Counts; ms: number }> {
  const counts: Counts = new Map();
  const done = new SharedValue("i32");
  const progress = new Progress("1 thread", files.length, done);
  const begin = performance.now();
  for (const path of files) {
    if (stop.isSet) break;
    try {
      countWords(await readFile(path), counts);
    } catch (error) {
      console.error(`Left out ${path}: ${reason(error)}`);
    }
    done.add(1);
  }
  const ms = performance.now() - begin;
  progress.end();
  return { counts, ms };
}

interface Outcome {
  readonly counts: Counts;
  readonly shares: number[];
  readonly words: number;
  readonly files: number;
  readonly ms: number;
  readonly startMs: number;
}

async function onThreads(files: readonly string[], stop: Event): Promise<Outcome> {
  const shared: Shared = {
    ready: new Latch(THREADS),
    files: new Queue<string>({ name: "files" }),
    parts: Array.from({ length: THREADS }, (_, index) => new Queue<Counts>({ name: `part ${index}` })),
    results: new Queue<Counts>({ name: "results" }),
    open: new Semaphore(OPEN_FILES),
    stop,
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
  for (let part = 0; part < THREADS; part++) addCounts(await shared.results.getAsync(), counts);
  await Promise.all(threads.map((thread) => thread.joinAsync())); // not join(): Ctrl-C must get through
  const ms = performance.now() - begin - startMs;
  progress.end();
  const shares = [...shared.share];
  return { counts, shares, words: shares.reduce((a, b) => a + b, 0), files: shared.done.value, ms, startMs };
}

function printTop(counts: Counts): void {
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
