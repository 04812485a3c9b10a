// What each runtime can and cannot do, as measured: the ground that the adapters stand on. When one of these fails, a
// runtime has learnt something (or lost it), and the adapter's declared capabilities are to be looked at again.

import { assert, nodeMajor, runtime, test } from "../_harness.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
const page = runtime === "browser";
const engine = page ? browserEngine() : "";

/** Which of the three engines a page is running in. */
function browserEngine(): "chromium" | "firefox" | "webkit" {
  const agent = realm.navigator.userAgent;
  return /Firefox/.test(agent) ? "firefox" : /Chrom/.test(agent) ? "chromium" : "webkit";
}

test("shared memory can be made and shared", () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  Atomics.store(words, 1, 7);
  assert.equal(Atomics.compareExchange(words, 1, 7, 9), 7);
  assert.equal(new Int32Array(words.buffer)[1], 9);
});

test("only the main thread of a page may not block", () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const wait = () => Atomics.wait(words, 0, 1);
  if (typeof document !== "undefined") assert.throws(wait, TypeError);
  else assert.equal(wait(), "not-equal");
});

test("Atomics.waitAsync wakes on notify and on timeout", async () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  // A pending waitAsync keeps no process alive, and its timeout alone does not wake a worker of WebKit.
  const alive = setInterval(() => {}, 10);
  const woken = realm.Atomics.waitAsync(words, 0, 0, 5_000);
  assert.equal(woken.async, true);
  Atomics.notify(words, 0);
  assert.equal(await woken.value, "ok");
  assert.equal(await realm.Atomics.waitAsync(words, 0, 0, 5).value, "timed-out");
  clearInterval(alive);
});

test("a waitAsync times out by itself, but in a worker of WebKit only when timers turn the event loop", async () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const start = performance.now();
  const turn = setInterval(() => {}, 2000);
  await realm.Atomics.waitAsync(words, 0, 0, 5).value;
  clearInterval(turn);
  const late = performance.now() - start > 1500;
  assert.equal(late, engine === "webkit" && typeof document === "undefined");
});

test("a page is isolated, and only a page says so", () => {
  assert.equal(realm.crossOriginIsolated, page ? true : undefined);
});

test("Symbol.dispose is missing in WebKit only", () => {
  assert.equal(typeof realm.Symbol.dispose, engine === "webkit" ? "undefined" : "symbol");
});

test("Promise.withResolvers is missing in Node 20 only", () => {
  assert.equal(typeof realm.Promise.withResolvers, nodeMajor === 20 ? "undefined" : "function");
});

test("Atomics.pause is missing in Node 20 and 22 only", () => {
  const missing = nodeMajor === 20 || nodeMajor === 22;
  assert.equal(typeof realm.Atomics.pause, missing ? "undefined" : "function");
});

test("Web Locks are missing in Node 20 and 22 and in Bun", () => {
  const missing = nodeMajor === 20 || nodeMajor === 22 || runtime === "bun";
  assert.equal(typeof realm.navigator?.locks, missing ? "undefined" : "object");
});

test("text decoders refuse shared memory in Chromium and Firefox", () => {
  const decode = () => new TextDecoder().decode(new Uint8Array(new SharedArrayBuffer(4)));
  if (engine === "chromium" || engine === "firefox") assert.throws(decode, TypeError);
  else assert.equal(decode(), "\0\0\0\0");
});

test("process.getBuiltinModule gives worker_threads wherever there is a process", () => {
  const threads = realm.process?.getBuiltinModule?.("node:worker_threads");
  assert.equal(typeof threads?.Worker, page ? "undefined" : "function");
});
