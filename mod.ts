/**
 * Threads that share locks, events and values, on Deno, Node, Bun and in browsers.
 *
 * @example Two threads add to one number
 * ```ts
 * import { Lock } from "@lockstep/lockstep";
 * const lock = new Lock();
 * lock.withLock(() => {
 *   // … one thread at a time …
 * });
 * ```
 *
 * @module
 */

import "./adapters/detect.ts";
export * from "./primitives/mod.ts";
