/**
 * The adapter for Bun.
 *
 * @module
 */

import { workerThreadsHost } from "./_worker_threads.ts";
import type { Host } from "../primitives/host.ts";

/** Bun stops a worker within milliseconds, whatever it does. */
export function bunHost(): Host {
  return workerThreadsHost({ name: "bun", stopsRunningCode: true, stopsNested: true });
}
