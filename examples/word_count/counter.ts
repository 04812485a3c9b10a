// What each thread of the demo does: count, meet the others, merge its part.

import { readFileSync } from "node:fs";
import type { Barrier, Event, Latch, Queue, Semaphore, SharedArray, SharedValue } from "../../mod.ts";
import { addCounts, type Counts, countWords, partOf, reason } from "./words.ts";

/** What the threads share. */
export interface Shared {
  /** Counts down as threads come up. */
  readonly ready: Latch;
  /** The files still to be read; closed, so that it ends. */
  readonly files: Queue<string>;
  /** For each thread: the tables of words that it merges, one from each thread. */
  readonly parts: readonly Queue<Counts>[];
  /** Merged words, on their way to the main thread. */
  readonly results: Queue<Counts>;
  /** At most so many files are open at a time. */
  readonly open: Semaphore;
  /** Set by Ctrl-C: no further files. */
  readonly stop: Event;
  /** Files done, for the progress bar. */
  readonly done: SharedValue<"i32">;
  /** Words counted by each thread. */
  readonly share: SharedArray<"i32">;
  /** Between counting and merging. */
  readonly counted: Barrier;
}

/** The target of a thread: counts files until there are none, then merges the words that fall to it. */
export function count(index: number, shared: Shared): void {
  const { ready, files, parts, results, open, stop, done, share, counted } = shared;
  ready.countDown();
  const mine: Counts = new Map();
  let words = 0;
  for (const path of files) {
    if (stop.isSet) break;
    words += countFile(path, open, mine);
    done.add(1);
  }
  share.set(index, words);

  const tables: Counts[] = parts.map(() => new Map());
  for (const [word, times] of mine) tables[partOf(word, parts.length)]!.set(word, times);
  tables.forEach((table, part) => parts[part]!.put(table));
  counted.wait(); // now every table is in its queue

  const merged: Counts = new Map();
  for (let from = 0; from < parts.length; from++) addCounts(parts[index]!.get(), merged);
  results.put(merged);
}

function countFile(path: string, open: Semaphore, counts: Counts): number {
  const permit = open.acquire();
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    console.error(`Left out ${path}: ${reason(error)}`);
    return 0;
  } finally {
    permit.release();
  }
  return countWords(bytes, counts);
}
