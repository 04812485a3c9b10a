// What each thread of the demo does: count, meet the others, merge its part.

import type { Barrier, Event, Latch, Queue, Semaphore, SharedArray, SharedValue } from "../../mod.ts";
import { addCounts, countFile, type Counts, partOf } from "./words.ts";

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
  /** What could not be counted, and why. */
  readonly leftOut: Queue<string>;
  /** Files done, for the progress bar. */
  readonly done: SharedValue<"i32">;
  /** Words counted by each thread. */
  readonly share: SharedArray<"i32">;
  /** Between counting and merging. */
  readonly counted: Barrier;
}

/** The target of a thread: counts files until there are none, then merges the words that fall to it. */
export function count(index: number, shared: Shared): void {
  try {
    shared.ready.countDown();
    deal(countFiles(index, shared), shared);
    shared.counted.wait(); // now every table is in its queue
    merge(index, shared);
  } catch (error) {
    shared.counted.abort(); // or the others would wait there for ever
    throw error;
  }
}

function countFiles(index: number, { files, open, stop, leftOut, done, share }: Shared): Counts {
  const counts: Counts = new Map();
  let words = 0;
  for (const path of files) {
    const permit = open.acquire();
    try {
      const counting = countFile(path, counts, (line) => leftOut.put(line));
      let step: IteratorResult<void, number> = { value: undefined };
      while (!step.done && !stop.isSet) step = counting.next();
      if (!step.done) {
        counting.return(0); // closes the file; of one that was not read to its end nothing has been counted
        break;
      }
      words += step.value;
    } finally {
      permit.release();
    }
    done.add(1);
  }
  share.set(index, words);
  return counts;
}

/** Hands each word to the thread that merges it. */
function deal(counts: Counts, { parts }: Shared): void {
  const tables: Counts[] = parts.map(() => new Map());
  for (const [word, times] of counts) tables[partOf(word, parts.length)]!.set(word, times);
  tables.forEach((table, part) => parts[part]!.put(table));
}

function merge(index: number, { parts, results }: Shared): void {
  const merged: Counts = new Map();
  for (let from = 0; from < parts.length; from++) addCounts(parts[index]!.get(), merged);
  results.put(merged);
}
