/**
 * The adapter for Bun.
 *
 * @module
 */

import { processHost } from "./_process.ts";
import type { Host } from "../primitives/host.ts";

/** Bun stops a worker within milliseconds, whatever it does. */
export function bunHost(): Host {
  return processHost({ name: "bun", stopsRunningCode: true, stopsNested: true });
}
