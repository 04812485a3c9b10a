// A Pipe between two threads: a message there and back, both sides blocking, against
// postMessage and the bare words of Atomics, once free and once with both threads on
// one core (LOCKSTEP_BENCH_PINNED); and 1 MiB messages in a stream, against one copy
// of as many bytes.

import * as wt from "node:worker_threads";
import { Connection } from "../mod.ts";
import { pipe } from "../mod.ts";
import { median, report, SHORT } from "./_report.ts";

type Kind = "pipe" | "object" | "post" | "spin" | "sleep" | "arrays" | "bytes";

const PINNED = process.env.LOCKSTEP_BENCH_PINNED === "1";
const ROUNDS = SHORT ? 200 : 20_000;
const MESSAGES = SHORT ? 20 : 1000;
const MIB = 1 << 20;
const deno = "Deno" in globalThis;

interface Start {
  kind: Kind;
  handle: Connection["handle"];
  out: SharedArrayBuffer;
}

const OBJECT = { id: 7, name: "seven", ok: true, tags: [2, 3] };

/** Waits for the turn of `side` and passes it on, ROUNDS times. */
function turns(side: 0 | 1, kind: Kind, word: Int32Array): void {
  const other = 1 - side;
  for (let i = 0; i < ROUNDS; i++) {
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
      for (let i = 0; i < ROUNDS; i++) there.send(there.recv());
      break;
    case "post":
      wt.parentPort!.on("message", (message) => {
        if (message === "end") process.exit();
        wt.parentPort!.postMessage(message);
      });
      break;
    case "arrays":
    case "bytes": {
      const array = new Uint8Array(MIB);
      there.recv();
      for (let i = 0; i < MESSAGES; i++) {
        if (kind === "arrays") there.send(array);
        else there.sendBytes(array);
      }
      there.recv();
      break;
    }
    default:
      turns(1, kind, word);
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
  const begin = performance.now();
  let count = ROUNDS;
  switch (kind) {
    case "pipe":
    case "object": {
      const message = kind === "pipe" ? 42 : OBJECT;
      for (let i = 0; i < ROUNDS; i++) {
        here.send(message);
        here.recv();
      }
      break;
    }
    case "post": {
      count = ROUNDS / 10;
      await new Promise<void>((resolve) => {
        let left = count;
        worker.on("message", () => left-- === 0 ? resolve() : worker.postMessage(42));
        worker.postMessage(42);
      });
      worker.postMessage("end");
      break;
    }
    case "arrays":
    case "bytes": {
      count = MESSAGES;
      const array = new Uint8Array(MIB);
      here.send(0);
      for (let i = 0; i < MESSAGES; i++) {
        if (kind === "arrays") here.recv();
        else here.recvBytesInto(array);
      }
      break;
    }
    default:
      words[16] = 0;
      turns(0, kind, words);
  }
  const time = performance.now() - begin;
  if (kind === "arrays" || kind === "bytes") here.send(0);
  await ended;
  return time * 1000 / count;
}

async function best(kind: Kind): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < (SHORT ? 1 : 5); i++) times.push(await once(kind));
  return median(times);
}

/** µs for one copy of 1 MiB out of shared memory, into a new array or always the same. */
function copy(fresh: boolean): number {
  const from = new Uint8Array(new SharedArrayBuffer(MIB));
  const same = new Uint8Array(MIB);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const begin = performance.now();
    for (let i = 0; i < MESSAGES; i++) (fresh ? new Uint8Array(MIB) : same).set(from);
    times.push((performance.now() - begin) * 1000 / MESSAGES);
  }
  return median(times);
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
    const arrays = { ours: await best("arrays"), theirs: copy(true), goal: deno ? 0.25 : 0.3 };
    const one = "one copy of as many bytes";
    report({
      what: "1 MiB arrays, recv()",
      ...arrays,
      peer: `${one} into a new array`,
      unit: "µs",
      as: "times as fast",
    });
    const bytes = { ours: await best("bytes"), theirs: copy(false), goal: 0.5 };
    report({ what: "1 MiB, recvBytesInto()", ...bytes, peer: one, unit: "µs", as: "times as fast" });
  }
} else {
  serve(wt.workerData);
}
