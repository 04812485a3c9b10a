/**
 * The adapter for Bun.
 *
 * @module
 */

import { processHost } from "./_process.ts";
import type { Host } from "../primitives/host.ts";

export type { Host, HostEnd, HostSpawn, HostWorker, HostWorkerEvents, Membership } from "../primitives/host.ts";
export type { ThreadEndReason } from "../primitives/errors.ts";

/** Bun stops a worker within milliseconds, whatever it does. */
export function bunHost(): Host {
  return processHost({ name: "bun", stopsRunningCode: true, stopsNested: true });
}
