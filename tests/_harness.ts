/**
 * The test surface that works wherever Lockstep works: Deno, Node, Bun and a browser page.
 *
 * ```ts
 * import { assert, random, test, watch } from "../_harness.ts";
 *
 * test("Lock.release() frees the lock", () => {
 *   const lock = new Lock();
 *   watch("Lock", lock.handle);                    // its words are dumped if the test hangs
 *   lock.acquire().release();
 *   assert.equal(lock.locked, false);
 * });
 * ```
 *
 * - A module that has tests may also be the module of a thread: only the main thread registers tests.
 * - A test that is still running after its limit (10 s) fails with a dump. Where even the event loop stands still, the
 *   watchdog's own thread prints the dump and kills the process; in a browser the driver does, without the dump.
 * - `random()` is seeded; a failure prints the seed, and `LOCKSTEP_SEED=0x…` brings it back.
 * - Portable tests have no `using` statement, no package import and no `Deno`; they import Lockstep by its name
 *   (`@lockstep/lockstep`) or by a relative path, which both lead to the package under test on every runtime.
 *
 * @module
 */

import { hash, Prng, SEED } from "./_prng.ts";
import { arm, disarm, dump, remember } from "./_watchdog.ts";
import type { Watchable } from "./_watchdog.ts";

export { assert, AssertionError } from "./_assert.ts";
export { Prng } from "./_prng.ts";

/** Where the tests are running. */
export type Runtime = "deno" | "node" | "bun" | "browser";

/** What a test may say about itself. */
export interface TestOptions {
  /** How long it may take, in milliseconds: 10 000 unless told. */
  readonly limit?: number;
  /** Why it cannot run here; it is reported as skipped, with this reason. */
  readonly skip?: string | undefined;
}

/** A test that waits to be run, in a page. */
export interface PageTest {
  readonly name: string;
  readonly run: () => Promise<void>;
  /** How long it may take, in milliseconds. */
  readonly limit: number;
  readonly skip: string | undefined;
}

type Body = () => unknown;

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
const threads = realm.process?.getBuiltinModule?.("node:worker_threads");

/** Where this module is running. */
export const runtime: Runtime = realm.Deno
  ? "deno"
  : realm.Bun
  ? "bun"
  : realm.process?.versions?.node
  ? "node"
  : "browser";

/** The major version of Node, or 0 elsewhere. */
export const nodeMajor: number = runtime === "node" ? Number.parseInt(realm.process.versions.node) : 0;

/** Whether the sources are tested, and not the packed package: then other processes of Deno can be started on them. */
export const fromSource: boolean = runtime === "deno" && import.meta.url.endsWith(".ts");

/** Whether this is the main thread of a page, where nothing may block. */
export const mainOfPage: boolean = runtime === "browser" && typeof realm.document !== "undefined";

/** Whether this thread may block. */
export const mayBlock: boolean = !mainOfPage;

/** Whether the engine has `Symbol.dispose`; without it, guards are released by `release()` only. */
export const hasDispose: boolean = typeof realm.Symbol.dispose === "symbol";

/** Whether tests register here: on the main thread, or where a browser's driver has prepared a list for them. */
export const registers: boolean = runtime === "browser"
  ? Array.isArray(realm.lockstepTests)
  : threads.isMainThread && typeof realm.WorkerGlobalScope === "undefined";

const LIMIT = 10_000;
const PATIENCE = Number(realm.process?.env?.LOCKSTEP_PATIENCE ?? realm.LOCKSTEP_PATIENCE ?? 1);

let running = "";
const ends: (() => void)[] = [];

/** Registers a test with whatever runs tests here. */
export function test(name: string, body: Body, options: TestOptions = {}): void {
  if (!registers) return;
  const limit = (options.limit ?? LIMIT) * PATIENCE;
  register(name, () => guarded(name, body, limit), limit, options.skip);
}

/** Has something done once the running test has ended, however that was. */
export function atEnd(act: () => void): void {
  ends.push(act);
}

/** Has the words of a record dumped if the running test hangs; `names` label them in their order. */
export function watch(label: string, record: Watchable, names: readonly string[] = []): void {
  remember(label, record, names);
}

/** A generator for the running test: the same for the same seed and the same name. */
export function random(salt: string = running): Prng {
  return new Prng(SEED ^ hash(salt));
}

/** What `console.log` of the runtime would print for a value; undefined in browsers, whose consoles show it live. */
export function inspect(value: unknown): string | undefined {
  if (runtime === "deno") return realm.Deno.inspect(value);
  return realm.process?.getBuiltinModule("node:util").inspect(value);
}

function register(name: string, run: () => Promise<void>, limit: number, skip: string | undefined): void {
  const title = skip === undefined ? name : `${name} (skipped: ${skip})`;
  const ignore = skip !== undefined;
  switch (runtime) {
    case "deno":
      // Threads and timers outlive a test on purpose here: whatever must end is asserted by the test itself.
      realm.Deno.test({ name: title, fn: run, ignore, sanitizeOps: false, sanitizeResources: false });
      break;
    case "bun":
    case "node": {
      const { test } = realm.process.getBuiltinModule("node:test");
      test(title, { skip: skip ?? false, timeout: 2 ** 31 - 1 }, run);
      break;
    }
    case "browser":
      realm.lockstepTests.push({ name, run, limit, skip } satisfies PageTest);
  }
}

async function guarded(name: string, body: Body, limit: number): Promise<void> {
  running = name;
  arm(name, limit);
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${dump(name, limit)}`)), limit);
  });
  try {
    await Promise.race([body(), late]);
  } catch (error) {
    throw withSeed(error);
  } finally {
    clearTimeout(timer as number);
    disarm();
    for (const act of ends.splice(0)) act();
  }
}

/** Adds the seed to the message, in place: the stack and the class are the test's own. */
function withSeed(error: unknown): unknown {
  const hint = ` (rerun with LOCKSTEP_SEED=0x${SEED.toString(16)})`;
  if (error instanceof Error && !error.message.includes("LOCKSTEP_SEED")) {
    try {
      error.message += hint;
    } catch {
      // A frozen error goes out as it came.
    }
  }
  return error;
}
