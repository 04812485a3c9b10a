// Makes the worker of serve_worker.ts, on any runtime.

import type { WorkerLike } from "../../mod.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

export function makeServed(): WorkerLike {
  if (typeof realm.Worker === "function") {
    return new Worker(new URL("./serve_worker.ts", import.meta.url), { type: "module" });
  }
  const { Worker: NodeWorker } = realm.process.getBuiltinModule("node:worker_threads");
  return new NodeWorker(new URL("./serve_worker.ts", import.meta.url));
}
