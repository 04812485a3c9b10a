// A Pipe between two threads: a message there and back, both sides blocking, against
// postMessage and the bare words of Atomics, once free and once with both threads on
// one core (LOCKSTEP_BENCH_PINNED); and taking out 1 MiB, against one copy of as many
// bytes.

import * as wt from "node:worker_threads";
import { Connection } from "../mod.ts";
import { pipe } from "../mod.ts";
import { median, report, SHORT } from "./_report.ts";

type Kind = "pipe" | "object" | "post" | "spin" | "sleep";

const PINNED = process.env.LOCKSTEP_BENCH_PINNED === "1";
const ROUNDS = SHORT ? 200 : 60_000;
/** Rounds before that, in which both engines compile: on one core they do that in the place of the threads. */
const WARM = SHORT ? 20 : PINNED ? 30_000 : 150_000;
const MESSAGES = SHORT ? 20 : 1000;
const MIB = 1 << 20;
const deno = "Deno" in globalThis;

interface Start {
  kind: Kind;
  handle: Connection["handle"];
  out: SharedArrayBuffer;
}

const OBJECT = { id: 7, name: "seven", ok: true, tags: [2, 3] };

/** Waits for the turn of `side` and passes it on, so many times. */
function turns(side: 0 | 1, kind: Kind, word: Int32Array, rounds: number): void {
  const other = 1 - side;
  for (let i = 0; i < rounds; i++) {
    while (Atomics.load(word, 16) !== side) if (kind === "sleep") Atomics.wait(word, 16, other);
    Atomics.store(word, 16, other);
    if (kind === "sleep") Atomics.notify(word, 16, 1);
  }
}

/** The worker's side. */
function serve({ kind, handle, out }: Start): void {
  const word = new Int32Array(out);
  const there = Connection.attach<unknown, unknown>(handle);
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
  switch (kind) {
    case "pipe":
    case "object":
      for (let i = 0; i < WARM + ROUNDS; i++) there.send(there.recv());
      break;
    case "post":
      wt.parentPort!.on("message", (message) => {
        if (message === "end") process.exit();
        wt.parentPort!.postMessage(message);
      });
      break;
    default:
      turns(1, kind, word, WARM + ROUNDS);
  }
}

/** µs for one message there and back, or for one message of a stream. */
async function once(kind: Kind): Promise<number> {
  const out = new SharedArrayBuffer(128);
  const [here, there] = pipe<unknown, unknown>();
  const words = new Int32Array(out);
  words[16] = 1; // nobody's turn before both are there
  const worker = new wt.Worker(new URL(import.meta.url), { workerData: { kind, handle: there.handle, out } });
  const ended = new Promise((resolve) => worker.on("exit", resolve));
  while (Atomics.load(words, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const timed = (warm: () => void, body: () => void): number => {
    warm();
    const begin = performance.now();
    body();
    return (performance.now() - begin) * 1000 / ROUNDS;
  };
  let time: number;
  switch (kind) {
    case "pipe":
    case "object": {
      const message = kind === "pipe" ? 42 : OBJECT;
      const echo = (rounds: number) => {
        for (let i = 0; i < rounds; i++) {
          here.send(message);
          here.recv();
        }
      };
      time = timed(() => echo(WARM), () => echo(ROUNDS));
      break;
    }
    case "post": {
      const count = ROUNDS / 10;
      const echo = (rounds: number) =>
        new Promise<void>((resolve) => {
          let left = rounds;
          worker.on("message", function echoed() {
            if (--left > 0) return worker.postMessage(42);
            worker.off("message", echoed);
            resolve();
          });
          worker.postMessage(42);
        });
      await echo(WARM / 10);
      const begin = performance.now();
      await echo(count);
      time = (performance.now() - begin) * 1000 / count;
      worker.postMessage("end");
      break;
    }
    default:
      words[16] = 0;
      time = timed(() => turns(0, kind, words, WARM), () => turns(0, kind, words, ROUNDS));
  }
  await ended;
  return time;
}

async function best(kind: Kind): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < (SHORT ? 1 : 3); i++) times.push(await once(kind));
  return median(times);
}

/** µs for each of many calls, the middle one; `before` is not counted. */
function each(before: () => void, call: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    before();
    const begin = performance.now();
    call();
    times.push((performance.now() - begin) * 1000);
  }
  return median(times);
}

/** Taking 1 MiB that is there out of shared memory, into a new array or always the same, against a bare copy. */
function large(): void {
  const shared = new Uint8Array(new SharedArrayBuffer(MIB)).fill(7);
  const array = new Uint8Array(MIB).fill(7);
  const [here, there] = pipe<Uint8Array>({ maxBytes: 4 * MIB });
  const nothing = (): void => {};
  report({
    what: "1 MiB array, recv()",
    ours: each(() => there.send(array), () => here.recv()),
    theirs: each(nothing, () => new Uint8Array(array)),
    goal: deno ? 0.25 : 0.3,
    peer: "one copy of as many bytes into a new array",
    unit: "µs",
    as: "times as fast",
  });
  report({
    what: "1 MiB, recvBytesInto()",
    ours: each(() => there.sendBytes(array), () => here.recvBytesInto(array)),
    theirs: each(nothing, () => array.set(shared)),
    goal: 0.5,
    peer: "one copy of as many bytes out of shared memory",
    unit: "µs",
    as: "times as fast",
  });
}

if (wt.isMainThread) {
  const ours = await best("pipe");
  const what = "a number through a Pipe and back, both blocking";
  if (PINNED) {
    const theirs = await best("sleep");
    report({ what, ours, peer: "sleeping Atomics, one core", theirs, unit: "µs", as: "times theirs", goal: 2 });
  } else {
    const [spin, post, object] = [await best("spin"), await best("post"), await best("object")];
    report({ what, ours, peer: "spinning Atomics", theirs: spin, unit: "µs", as: "times theirs", goal: 6 });
    report({ what, ours, peer: "postMessage", theirs: post, unit: "µs", as: "times as fast", goal: 10 });
    const small = "a small object through a Pipe and back";
    report({
      what: small,
      ours: object,
      peer: "postMessage of a number",
      theirs: post,
      unit: "µs",
      as: "times as fast",
    });
    large();
  }
} else {
  serve(wt.workerData);
}
