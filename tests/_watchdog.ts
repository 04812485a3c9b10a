/**
 * The watchdog behind `_harness.ts`: a thread of its own, since a test that hangs mostly hangs its event loop too.
 *
 * It shares two words with it, and gets names and records over a port that it reads without an event loop:
 *
 *   word  name    written by   meaning
 *   0     TURN    main thread  odd while a test is running; the thread sleeps on it
 *   1     LIMIT   main thread  milliseconds until the thread dumps the records and kills the process
 *
 * @module
 */

import { describe } from "./_watchdog_dump.ts";
import type { Watched } from "./_watchdog_dump.ts";
import { SEED } from "./_prng.ts";

/** Something whose words can be dumped: a view, a handle, or anything else with a buffer. */
export type Watchable = ArrayBufferView | object;

/** What goes over the port. */
export type Message = { readonly begin: string; readonly seed: number } | { readonly record: Watched };

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
// Taken now: model tests put another Atomics in place.
const { add, notify, store } = Atomics;
const TURN = 0;
const LIMIT = 1;
/** How much longer than a test's limit the thread waits, so that the test can fail by itself where it still can. */
const GRACE = 3_000;

let records: Watched[] = [];
let words: Int32Array | undefined;
let port: { postMessage(message: Message): void } | undefined;

/** A test begins. */
export function arm(name: string, limit: number): void {
  records = [];
  start();
  if (words === undefined) return;
  port!.postMessage({ begin: name, seed: SEED });
  store(words, LIMIT, Math.min(limit + GRACE, 2 ** 31 - 1));
  turn();
}

/** The test has ended. */
export function disarm(): void {
  turn();
}

/** Has a record dumped if the running test hangs. */
export function remember(label: string, record: Watchable, names: readonly string[]): void {
  const bytes = bytesOf(record);
  if (bytes === undefined) return;
  const watched = { label, names, ...bytes };
  records.push(watched);
  port?.postMessage({ record: watched });
}

/** The report on a test that hangs. */
export function dump(name: string, limit: number): string {
  return describe(name, limit, SEED, records);
}

function turn(): void {
  if (words === undefined) return;
  add(words, TURN, 1);
  notify(words, TURN);
}

/** Starts the thread, where there is `node:worker_threads`; in a page, the browser's driver keeps watch. */
function start(): void {
  const threads = realm.process?.getBuiltinModule?.("node:worker_threads");
  if (words !== undefined || threads === undefined) return;
  words = new Int32Array(new SharedArrayBuffer(8));
  const { port1, port2 } = new threads.MessageChannel();
  port = port1;
  port1.unref();
  const worker = new threads.Worker(new URL("./_watchdog_worker.ts", import.meta.url), {
    workerData: { words, port: port2 },
    transferList: [port2],
  });
  worker.unref();
}

/** Finds the buffer of a view, of a handle, or of an object that has one of these as a property. */
function bytesOf(record: Watchable, depth = 2): Omit<Watched, "label" | "names"> | undefined {
  // deno-lint-ignore no-explicit-any
  const { buffer, byteOffset = 0, byteLength } = record as any;
  if (buffer instanceof SharedArrayBuffer) {
    return { buffer, byteOffset, byteLength: byteLength ?? Math.min(256, buffer.byteLength - byteOffset) };
  }
  if (depth === 0) return undefined;
  for (const value of Object.values(record)) {
    const found = typeof value === "object" && value !== null ? bytesOf(value, depth - 1) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
