/**
 * The adapter for browsers: pages and their workers, where pages are cross-origin isolated.
 *
 * @module
 */

import { webHost } from "./_browser_host.ts";
import { holdLife } from "./_raw_workers.ts";
import { isPage } from "./_web_end.ts";
import type { Host } from "../primitives/host.ts";

export type { Host, HostEnd, HostSpawn, HostWorker, HostWorkerEvents, Membership } from "../primitives/host.ts";
export type { ThreadEndReason } from "../primitives/errors.ts";

/** Browsers stop a worker whatever it does, Chromium after 2 s; the page makes and watches all of them. */
export function browserHost(): Host {
  if (!isPage) holdLife(); // it may be a worker that Lockstep did not start
  return webHost((name) =>
    new Worker(new URL("./browser_bootstrap.ts", import.meta.url), { type: "module", name }) as never
  );
}
