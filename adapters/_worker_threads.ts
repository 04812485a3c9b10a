// The host that Deno, Node and Bun have in common: node:worker_threads.
//
// Every worker gets a MessagePort of its own with its start-up data, which a blocked
// thread reads by receiveMessageOnPort. The port keeps nothing alive, the worker does.

import { builtin, process } from "./_node_api.ts";
import type { NodePort, NodeThreads, NodeWorker } from "./_node_api.ts";
import { writeNow } from "./_output.ts";
import { onProcessEnd } from "./_process_end.ts";
import type { Host, HostEnd, HostSpawn, HostWorker, HostWorkerEvents } from "../primitives/host.ts";

/** In what the three differ. */
export interface WorkerThreadsOptions {
  readonly name: string;
  readonly stopsRunningCode: boolean;
  readonly stopsNested: boolean;
}

/** What a worker gets from its starter. */
export interface Greeting {
  readonly start: unknown;
  readonly port: NodePort;
}

/** Makes the host. */
export function workerThreadsHost(options: WorkerThreadsOptions): Host {
  const threads = builtin<NodeThreads>("node:worker_threads");
  const os = builtin<{ availableParallelism(): number }>("node:os");
  const realm = globalThis as { WorkerGlobalScope?: unknown };
  const greeting = greetingOf(threads.workerData);
  return {
    ...options,
    isMainThread: threads.isMainThread && realm.WorkerGlobalScope === undefined,
    takesBlocked: true,
    get hardwareConcurrency() {
      return os.availableParallelism();
    },
    spawn: (start, events) => spawn(threads, start, events),
    post: (message) => greeting?.port.postMessage(message),
    onMessage(listener) {
      greeting?.port.on("message", listener);
      greeting?.port.unref();
    },
    onEnd: (listener) => onProcessEnd(listener, greeting !== undefined),
    exit: process!.exit.bind(process),
    printError: (text) => writeNow(2, text),
  };
}

/** The start-up data of this worker, if Lockstep started it. */
export function greetingOf(data: unknown): Greeting | undefined {
  return (data as { lockstep?: Greeting } | null | undefined)?.lockstep;
}

function spawn(threads: NodeThreads, start: HostSpawn, events: HostWorkerEvents): HostWorker {
  const { port1, port2 } = new threads.MessageChannel();
  const lockstep: Greeting = { start: start.data, port: port2 };
  const worker: NodeWorker = new threads.Worker(bootstrap(), {
    name: start.name,
    workerData: { lockstep },
    transferList: [port2],
  });
  if (!start.ref) worker.unref();
  let thrown: HostEnd["thrown"];
  worker.on("error", (error) => thrown = { error });
  worker.on("exit", (exitCode: number) => {
    events.end({ reason: thrown === undefined ? "exit" : "error", exitCode, thrown });
    port1.close?.();
  });
  port1.on("message", events.message);
  port1.unref();
  return {
    post: (message) => port1.postMessage(message),
    take: () => threads.receiveMessageOnPort(port1),
    terminate: () => void worker.terminate(),
    setRef: (ref) => ref ? worker.ref() : worker.unref(),
  };
}

/** The library's own first module of a worker. */
function bootstrap(): URL {
  const url = new URL("./bootstrap.ts", import.meta.url);
  // Workers of node:worker_threads do not start from http, but what they start from may import from there.
  return url.protocol === "file:" ? url : new URL(`data:text/javascript,import ${JSON.stringify(url.href)}`);
}
