// One thread puts, another gets: messages in a second through a Queue, against
// postMessage between the same two threads, and Python's multiprocessing.Queue.

import { execFileSync } from "node:child_process";
import * as wt from "node:worker_threads";
import { Queue } from "../mod.ts";
import { median, report, SHORT } from "./_report.ts";

type Kind = "integers" | "small objects" | "64-byte arrays" | "1 MiB arrays";
type Way = "put" | "putMany" | "post";

const BATCH = 256;
const MIB = 1 << 20;
const COUNTS: Record<Kind, number> = {
  "integers": 800_000,
  "small objects": 300_000,
  "64-byte arrays": 300_000,
  "1 MiB arrays": 400,
};

function count(kind: Kind): number {
  return SHORT ? Math.ceil(COUNTS[kind] / 500) : COUNTS[kind];
}

function item(kind: Kind, i: number): unknown {
  switch (kind) {
    case "integers":
      return i;
    case "small objects":
      return { id: i, name: "message", ok: true, tags: ["a", "b"] };
    case "64-byte arrays":
      return SMALL;
    case "1 MiB arrays":
      return LARGE;
  }
}
const SMALL = new Uint8Array(64).fill(7);
const LARGE = new Uint8Array(MIB).fill(7);

interface Start {
  kind: Kind;
  way: Way;
  handle: Queue<unknown>["handle"];
}

/** The producer, in its worker. */
function produce({ kind, way, handle }: Start): void {
  const total = count(kind);
  if (way === "post") {
    for (let i = 0; i < total; i++) wt.parentPort!.postMessage(item(kind, i));
    return;
  }
  const queue = Queue.attach(handle);
  if (way === "put") { for (let i = 0; i < total; i++) queue.put(item(kind, i)); }
  else {
    for (let i = 0; i < total;) {
      const batch: unknown[] = [];
      for (; batch.length < BATCH && i < total; i++) batch.push(item(kind, i));
      queue.putMany(batch);
    }
  }
}

/** Messages in a second, in thousands, of the last three quarters: in the first one both engines compile. */
async function run(kind: Kind, way: Way): Promise<number> {
  const total = count(kind);
  const queue = new Queue<unknown>({ maxBytes: 8 * MIB });
  const worker = new wt.Worker(new URL(import.meta.url), { workerData: { kind, way, handle: queue.handle } });
  const ended = new Promise((resolve) => worker.on("exit", resolve));
  const warm = Math.ceil(total / 4);
  let begin = 0;
  let got = 0;
  if (way === "post") {
    await new Promise<void>((resolve) =>
      worker.on("message", () => {
        if (++got === warm) begin = performance.now();
        if (got === total) resolve();
      })
    );
  } else if (way === "put") {
    for (; got < warm; got++) queue.get();
    begin = performance.now();
    for (; got < total; got++) queue.get();
  } else {
    while (got < warm) got += queue.getMany(BATCH).length;
    got -= warm;
    begin = performance.now();
    while (got < total - warm) got += queue.getMany(BATCH).length;
  }
  const rate = (total - warm) / (performance.now() - begin);
  await ended;
  return rate;
}

/** Thousands of messages in a second each way. By turns, as a machine that others use too is fast at one time and slow at another. */
async function typical(kind: Kind): Promise<Record<Way, number>> {
  const rates: Record<Way, number[]> = { post: [], put: [], putMany: [] };
  for (let i = 0; i < (SHORT ? 1 : 7); i++) {
    for (const way of Object.keys(rates) as Way[]) rates[way].push(await run(kind, way));
  }
  return { post: median(rates.post), put: median(rates.put), putMany: median(rates.putMany) };
}

/**
 * How often in a ms a large array that is there can be got, and how often one be copied into a new array; by turns, as both
 * depend on what the engine's memory looks like at the moment.
 */
function large(): { gets: number; copies: number } {
  const gets: number[] = [];
  const copies: number[] = [];
  const queue = new Queue<Uint8Array>({ maxBytes: 4 * MIB });
  for (let i = 0; i < (SHORT ? 5 : 1000); i++) {
    queue.put(LARGE);
    const begin = performance.now();
    queue.get();
    const half = performance.now();
    new Uint8Array(LARGE);
    gets.push(1 / (half - begin));
    copies.push(1 / (performance.now() - half));
  }
  return { gets: median(gets), copies: median(copies) };
}

/** Thousands of small objects in a second through Python's own queue, undefined without Python. */
function python(): number | undefined {
  const total = SHORT ? 200 : 50_000;
  const code = `
import multiprocessing as m, time
def produce(q):
    for i in range(${total}): q.put({"id": i, "name": "message", "ok": True, "tags": ["a", "b"]})
if __name__ == "__main__":
    q = m.Queue(); p = m.Process(target=produce, args=(q,)); p.start(); q.get(); t = time.perf_counter()
    for _ in range(${total} - 1): q.get()
    print(${total} / (time.perf_counter() - t) / 1000)`;
  try {
    return Number(execFileSync("python3", ["-c", code], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return undefined;
  }
}

async function compare(): Promise<void> {
  const node = !("Deno" in globalThis);
  const goals: Partial<Record<Kind, [one: number, many: number]>> = {
    "integers": [5, 12],
    "small objects": node ? [2, 3] : [3, 4.5],
    "64-byte arrays": [5, 5],
  };
  for (const [kind, [one, many]] of Object.entries(goals) as [Kind, [number, number]][]) {
    const { post: theirs, put, putMany } = await typical(kind);
    const row = { peer: "postMessage", theirs, unit: "k/s", as: "times as fast" } as const;
    report({ ...row, what: `Queue, ${kind}`, ours: put, goal: one });
    report({ ...row, what: `Queue, ${kind}, many at once`, ours: putMany, goal: many });
    const snake = kind === "small objects" ? python() : undefined;
    if (snake === undefined) continue;
    report({
      ...row,
      what: `Queue, ${kind}`,
      ours: put,
      peer: "Python's multiprocessing.Queue",
      theirs: snake,
      goal: 4,
    });
  }
  const { gets, copies } = large();
  report({
    what: "Queue, get of a 1 MiB array",
    ours: gets,
    peer: "one copy into a new array",
    theirs: copies,
    unit: "k/s",
    as: "times as fast",
    goal: node ? 0.3 : 0.25,
  });
}

if (wt.isMainThread) await compare();
else produce(wt.workerData);
