// What a user's first program does, on whatever runs this: imports every sub-path of the installed package and lets
// two threads share a lock. `npm/site.ts` copies it beside the installed package.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isMainThread, Lock, SharedValue, Thread } from "lockstep";

const ROUNDS = 1000;

/** The threads' target. */
export function count(lock, total) {
  for (let i = 0; i < ROUNDS; i++) lock.withLock(() => total.value++);
  return "counted";
}

if (isMainThread) {
  const manifest = JSON.parse(readFileSync(new URL("./node_modules/lockstep/package.json", import.meta.url), "utf8"));
  for (const path of Object.keys(manifest.exports)) {
    if (path !== "./package.json") await import(`lockstep${path.slice(1)}`);
  }

  const lock = new Lock();
  const total = new SharedValue("i32", 0, { lock: false });
  const options = { target: count, module: import.meta.url, args: [lock, total] };
  const threads = [new Thread(options).start(), new Thread(options).start()];
  assert.deepEqual(threads.map((thread) => thread.join()), ["counted", "counted"]);
  assert.equal(total.value, 2 * ROUNDS);
  assert.equal(lock.locked, false);
  console.log("two threads counted to", total.value);
}
