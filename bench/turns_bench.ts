// Two threads pass a turn to each other and back: an Event or a Condition against
// the bare words of Atomics. Run once free, where each thread has its own core and
// spinning is what counts, and once with both on one core (LOCKSTEP_BENCH_PINNED),
// where only sleeping and waking does.

import * as wt from "node:worker_threads";
import { Condition, Event } from "../mod.ts";
import { median, report, SHORT } from "./_report.ts";

type Kind = "event" | "condition" | "spin" | "sleep";

const ROUNDS = SHORT ? 200 : 60_000;
const PINNED = process.env.LOCKSTEP_BENCH_PINNED === "1";
/** Rounds before that, in which both engines compile: on one core they do that in the place of the threads. */
const WARM = SHORT ? 20 : PINNED ? 30_000 : 150_000;

interface Start {
  kind: Kind;
  handles: [Event["handle"], Event["handle"]];
  condition: Condition["handle"];
  out: SharedArrayBuffer;
}

/** Waits for the turn of `side` and passes it on, so many times. */
function play(side: 0 | 1, { kind, handles, condition, out }: Start, rounds: number): void {
  const word = new Int32Array(out);
  const other = 1 - side;
  if (kind === "event") {
    const [mine, theirs] = [Event.attach(handles[side]), Event.attach(handles[other]!)];
    for (let i = 0; i < rounds; i++) {
      mine.wait();
      mine.clear();
      theirs.set();
    }
  } else if (kind === "condition") {
    const turn = Condition.attach(condition);
    for (let i = 0; i < rounds; i++) {
      const guard = turn.acquire();
      turn.waitFor(() => word[16] === side);
      word[16] = other;
      turn.notify();
      guard.release();
    }
  } else {
    for (let i = 0; i < rounds; i++) {
      while (Atomics.load(word, 16) !== side) if (kind === "sleep") Atomics.wait(word, 16, other);
      Atomics.store(word, 16, other);
      if (kind === "sleep") Atomics.notify(word, 16, 1);
    }
  }
}

/** µs for one turn there and back. */
async function once(kind: Kind): Promise<number> {
  const out = new SharedArrayBuffer(128);
  const events = [new Event(), new Event()] as const;
  const start: Start = {
    kind,
    handles: [events[0].handle, events[1].handle],
    condition: new Condition().handle,
    out,
  };
  const words = new Int32Array(out);
  words[16] = 1; // nobody's turn before both are there
  const worker = new wt.Worker(new URL(import.meta.url), { workerData: start });
  const ended = new Promise((resolve) => worker.on("exit", resolve));
  while (Atomics.load(words, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  words[16] = 0;
  events[0].set();
  play(0, start, WARM);
  const begin = performance.now();
  play(0, start, ROUNDS);
  const time = performance.now() - begin;
  await ended;
  return time * 1000 / ROUNDS;
}

async function best(kind: Kind): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < (SHORT ? 1 : 3); i++) times.push(await once(kind));
  return median(times);
}

if (wt.isMainThread) {
  const floor: Kind = PINNED ? "sleep" : "spin";
  const theirs = await best(floor);
  const peer = PINNED ? "sleeping Atomics, one core" : "spinning Atomics";
  for (const kind of ["event", "condition"] as const) {
    const what = `a turn there and back through ${kind === "event" ? "two Events" : "a Condition"}`;
    const ours = await best(kind);
    report({ what, ours, peer, theirs, unit: "µs", as: "times theirs", goal: PINNED ? 2 : 6 });
  }
} else {
  Atomics.store(new Int32Array(wt.workerData.out), 0, 1);
  play(1, wt.workerData, WARM + ROUNDS);
}
