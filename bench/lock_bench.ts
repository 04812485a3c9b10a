// One thread, nobody else wants the lock: what taking and releasing it costs.

import { Mutex } from "./peers/node_modules/multithreading/src/lib/sync/mutex.js";
import { Mutex as AsyncMutex } from "./peers/node_modules/async-mutex/index.mjs";
import { Lock } from "../mod.ts";
import { measure } from "./_measure.ts";
import { report } from "./_report.ts";

interface EngineMutex {
  new (): object;
  lock(mutex: object, body: () => void): void;
}

const lock = new Lock();
const word = new Int32Array(new SharedArrayBuffer(64));
const rival = new Mutex();
const asyncRival = new AsyncMutex();

const ours = await measure(() => {
  lock.acquire().release();
});
const bare = await measure(() => {
  Atomics.compareExchange(word, 0, 0, 1);
  Atomics.compareExchange(word, 0, 1, 0);
});
const theirs = await measure(() => {
  rival.blockingLock().dispose();
});
const what = "uncontended acquire + release, with its guard";
report({ what, ours, peer: "a bare compare-and-swap pair", theirs: bare, unit: "ns", as: "times theirs", goal: 1.6 });
report({ what, ours, peer: "multithreading", theirs, unit: "ns", as: "times as fast", goal: 20 });

const engine = (Atomics as unknown as { Mutex?: EngineMutex }).Mutex;
if (engine !== undefined) { // V8's own, behind a flag
  const mutex = new engine();
  const flagged = await measure(() => {
    engine.lock(mutex, () => {});
  });
  report({ what, ours, peer: "Atomics.Mutex (flag)", theirs: flagged, unit: "ns", as: "times theirs", goal: 1 });
}

const oursAsync = await measure(async () => {
  (await lock.acquireAsync()).release();
});
const theirsAsync = await measure(async () => {
  (await asyncRival.acquire())();
});
report({
  what: "uncontended await acquireAsync() + release",
  ours: oursAsync,
  peer: "async-mutex",
  theirs: theirsAsync,
  unit: "ns",
  as: "times as fast",
  goal: 8,
});
