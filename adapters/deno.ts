/**
 * The adapter for Deno.
 *
 * @module
 */

import { processHost } from "./_process.ts";
import type { Host } from "../primitives/host.ts";

export type { Host, HostEnd, HostSpawn, HostWorker, HostWorkerEvents, Membership } from "../primitives/host.ts";
export type { ThreadEndReason } from "../primitives/errors.ts";

/** Deno 2.9 lets go of a worker that it was told to terminate, but the worker's code goes on. */
export function denoHost(): Host {
  return processHost({ name: "deno", stopsRunningCode: false, stopsNested: false });
}
