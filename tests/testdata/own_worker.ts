// Makes a worker of one's own, on any runtime.

import type { WorkerLike } from "../../mod.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

/** What the workers of all runtimes have: they are posted to, and they post back. */
export interface OwnWorker extends WorkerLike {
  /** Calls back with all that it posts. */
  readonly listen: (hear: (data: unknown) => void) => void;
}

/** A worker that runs the module of that address. */
export function ownWorker(url: URL): OwnWorker {
  if (typeof realm.Worker === "function") {
    const worker = new Worker(url, { type: "module" });
    const listen: OwnWorker["listen"] = (hear) => worker.addEventListener("message", ({ data }) => hear(data));
    return Object.assign(worker, { listen });
  }
  return nodeWorker(url);
}

/** The same of node:worker_threads, which Deno and Bun have too. */
export function nodeWorker(url: URL): OwnWorker {
  const { Worker: NodeWorker } = realm.process.getBuiltinModule("node:worker_threads");
  const worker = new NodeWorker(url);
  return Object.assign(worker, { listen: (hear: (data: unknown) => void) => worker.on("message", hear) });
}

/** In such a worker: calls back with all that is posted to it; returns how to post back. */
export function listenToOwner(hear: (data: unknown) => void): (data: unknown) => void {
  if (typeof realm.postMessage === "function") {
    realm.addEventListener("message", (event: { data: unknown }) => hear(event.data));
    return (data) => realm.postMessage(data);
  }
  const { parentPort } = realm.process.getBuiltinModule("node:worker_threads");
  parentPort.on("message", hear);
  return (data) => parentPort.postMessage(data);
}
