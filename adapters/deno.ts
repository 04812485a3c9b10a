/**
 * The adapter for Deno.
 *
 * @module
 */

import { processHost } from "./_process.ts";
import type { Host } from "../primitives/host.ts";

/** Deno 2.9 lets go of a worker that it was told to terminate, but the worker's code goes on. */
export function denoHost(): Host {
  return processHost({ name: "deno", stopsRunningCode: false, stopsNested: false });
}
