/**
 * The adapter for Node, 20.16 and later.
 *
 * @module
 */

import { processHost } from "./_process.ts";
import type { Host } from "../primitives/host.ts";

export type { Host, HostEnd, HostSpawn, HostWorker, HostWorkerEvents, Membership } from "../primitives/host.ts";
export type { ThreadEndReason } from "../primitives/errors.ts";

/** Node stops a worker within milliseconds, whatever it does, and with it those that it started. */
export function nodeHost(): Host {
  return processHost({ name: "node", stopsRunningCode: true, stopsNested: true });
}
