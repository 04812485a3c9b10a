// Which of Deno, Node and Bun this is; undefined where there is no process of the kind.

import { process } from "./_node_api.ts";
import { bunHost } from "./bun.ts";
import { holdLife, watchWorkers } from "./_raw_workers.ts";
import { denoHost } from "./deno.ts";
import { nodeHost } from "./node.ts";
import type { Host } from "../primitives/host.ts";

const realm = globalThis as { Deno?: unknown; Bun?: unknown; WorkerGlobalScope?: unknown };

let watching = false;

/** The host of the server runtime that this is. */
export function serverHost(): Host | undefined {
  if (process === undefined) return undefined;
  if (!watching) watchWorkers(); // before the program makes any
  if (realm.WorkerGlobalScope !== undefined) holdLife(); // a web worker of Deno
  watching = true;
  return realm.Deno !== undefined ? denoHost() : realm.Bun !== undefined ? bunHost() : nodeHost();
}
