// Several threads take one lock as often as they can, adding one to a counter
// under it: acquisitions in a second, and how evenly they fell.

import * as wt from "node:worker_threads";
import { Mutex } from "./peers/node_modules/multithreading/src/lib/sync/mutex.js";
import { Lock } from "../mod.ts";
import { report, SHORT } from "./_report.ts";

type Kind = "lock" | "multithreading" | "futex";

const MS = SHORT ? 50 : 700;
/** Before that all of them contend untimed: eight workers that start and compile on two cores take most of a second. */
const WARM_MS = SHORT ? 10 : 700;
const BATCH = 16; // turns between two looks at the clock
const MOST = 8; // threads

interface Start {
  kind: Kind;
  index: number;
  threads: number;
  handle: Lock["handle"];
  rival: SharedArrayBuffer;
  futex: SharedArrayBuffer;
  out: SharedArrayBuffer;
}

/** The three-state futex mutex and nothing else: what a lock without owner, guard or recovery could reach. */
function futexTurn(word: Int32Array, body: () => void): void {
  let seen = Atomics.compareExchange(word, 0, 0, 1);
  if (seen !== 0) {
    if (seen !== 2) seen = Atomics.exchange(word, 0, 2);
    while (seen !== 0) {
      Atomics.wait(word, 0, 2);
      seen = Atomics.exchange(word, 0, 2);
    }
  }
  body();
  if (Atomics.exchange(word, 0, 0) === 2) Atomics.notify(word, 0, 1);
}

function work({ kind, index, threads, handle, rival, futex, out }: Start): void {
  const counts = new Int32Array(out);
  const body = () => {
    counts[1]! += 1;
  };
  const turns: Record<Kind, () => () => void> = {
    lock: () => {
      const lock = Lock.attach(handle);
      return () => {
        const guard = lock.acquire();
        body();
        guard.release();
      };
    },
    multithreading: () => {
      const mutex = new Mutex(undefined, rival);
      return () => {
        const guard = mutex.blockingLock();
        body();
        guard.dispose();
      };
    },
    futex: () => {
      const word = new Int32Array(futex);
      return () => futexTurn(word, body);
    },
  };
  const turn = turns[kind]();
  [WARM_MS, MS].forEach((ms, phase) => {
    Atomics.add(counts, 0, 1);
    const all = (phase + 1) * threads;
    while (Atomics.load(counts, 0) < all) Atomics.wait(counts, 0, Atomics.load(counts, 0), 1);
    const end = performance.now() + ms;
    let done = 0;
    do {
      for (let i = 0; i < BATCH; i++) turn();
      done += BATCH;
    } while (performance.now() < end);
    counts[(phase + 1) * MOST + index] = done;
  });
}

async function run(kind: Kind, threads: number): Promise<{ rate: number; evenness: number }> {
  const out = new SharedArrayBuffer(256);
  const start = {
    kind,
    threads,
    handle: new Lock().handle,
    rival: new SharedArrayBuffer(64),
    futex: new SharedArrayBuffer(64),
    out,
  };
  await Promise.all(Array.from({ length: threads }, (_, index) =>
    new Promise((resolve) => {
      new wt.Worker(new URL(import.meta.url), { workerData: { ...start, index } }).on("exit", resolve);
    })));
  const counts = new Int32Array(out);
  const turns = [...counts.subarray(MOST, 3 * MOST)].reduce((a, b) => a + b, 0);
  if (turns !== counts[1]) throw new Error(`${kind} lost updates: ${turns} turns, ${counts[1]} counted`);
  const each = [...counts.subarray(2 * MOST, 2 * MOST + threads)];
  const sum = each.reduce((a, b) => a + b, 0);
  return { rate: sum / MS, evenness: Math.max(...each) / Math.min(...each) };
}

async function compare(): Promise<void> {
  const node = !("Deno" in globalThis);
  let two = 0;
  for (const threads of SHORT ? [2, 8] : [2, 4, 8]) {
    const what = `one lock, ${threads} threads`;
    const ours = await run("lock", threads);
    const rival = await run("multithreading", threads);
    const futex = await run("futex", threads);
    if (threads === 2) two = ours.rate;
    const rate = { what, ours: ours.rate, unit: "k/s" } as const;
    report({ ...rate, peer: "multithreading", theirs: rival.rate, as: "times as fast", goal: node ? 8 : 6 });
    report({ ...rate, peer: "a bare futex word", theirs: futex.rate, as: "times as fast", goal: 0.5 });
    if (threads === 8) {
      report({ ...rate, peer: "itself with 2 threads", theirs: two, as: "times as fast", goal: 0.5 });
      report({
        what: `${what}: the fastest thread against the slowest`,
        ours: ours.evenness,
        peer: "even",
        theirs: 1,
        unit: "×",
        as: "times theirs",
        goal: 5,
      });
    }
  }
}

if (wt.isMainThread) await compare();
else work(wt.workerData);
