/**
 * Threads that share locks, events and values, on Deno, Node, Bun and in browsers.
 *
 * @example Two threads count to 2000 together
 * ```ts
 * import { Lock, SharedValue, Thread } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * // As a rule this is a file of yours, and `module` is import.meta.url there.
 * const module = `data:text/javascript,
 *   export function count(lock, sum) {
 *     for (let i = 0; i < 1000; i++) lock.withLock(() => sum.value++);
 *   }`;
 * const { count }: { count: (lock: Lock, sum: SharedValue<"i32">) => void } = await import(module);
 *
 * const lock = new Lock();
 * const sum = new SharedValue("i32", 0);
 * const threads = [1, 2].map(() => new Thread({ target: count, module, args: [lock, sum] }).start());
 * for (const thread of threads) await thread.joinAsync();
 * assert.equal(sum.value, 2000);
 * ```
 *
 * @module
 */

import "./adapters/detect.ts";
export * from "./primitives/mod.ts";
