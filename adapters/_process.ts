// The host that Deno, Node and Bun have in common: workers of node:worker_threads.
//
// A blocked thread reads its port by receiveMessageOnPort. Ports keep nothing alive,
// workers do unless told otherwise, which also holds on Deno while they run.

import { process, threads } from "./_node_api.ts";
import { writeNow } from "./_output.ts";
import type { Greeting } from "./_port.ts";
import { greeted, greetingIn, listen, starter } from "./_port.ts";
import { exitProcess, onProcessEnd } from "./_process_end.ts";
import { spawnGiven } from "./_given_worker.ts";
import { watchMembers } from "./_raw_workers.ts";
import type { Host, HostEnd, HostSpawn, HostWorker, HostWorkerEvents } from "../primitives/host.ts";

/** In what the three differ. */
export interface ProcessHostOptions {
  readonly name: string;
  readonly stopsRunningCode: boolean;
  readonly stopsNested: boolean;
}

/** `mapsFrom` on Linux: glibc's threshold rises with the size of what is given back, up to 32 MiB. */
const GLIBC_MAPS = 33 << 20;

const realm = globalThis as { WorkerGlobalScope?: unknown; navigator?: { hardwareConcurrency?: number } };

/** Makes the host. */
export function processHost(options: ProcessHostOptions): Host {
  const { isMainThread, threadId, workerData } = threads();
  const greeting = greetingIn(workerData);
  if (greeting !== undefined) greeted(greeting);
  const isMain = isMainThread && realm.WorkerGlobalScope === undefined; // Deno's web workers call themselves main
  return {
    ...options,
    isMainThread: isMain,
    startsBlocked: true,
    takesBlocked: true,
    mapsFrom: process!.platform === "linux" ? GLIBC_MAPS : undefined,
    workerNumber: threadId,
    get hardwareConcurrency() {
      return realm.navigator?.hardwareConcurrency ??
        (process!.getBuiltinModule("node:os") as { availableParallelism(): number }).availableParallelism();
    },
    spawn: (start, events) => start.worker === undefined ? spawn(start, events) : spawnGiven(start, events),
    post: (message) => starter.port?.postMessage(message),
    onMessage: (listener) => starter.port && listen(starter.port, listener),
    onEnd: (listener) => onProcessEnd(listener, starter.port !== undefined, isMain),
    joined: watchMembers,
    exit: exitProcess,
    printError: (text) => writeNow(2, text),
  };
}

function spawn(start: HostSpawn, events: HostWorkerEvents): HostWorker {
  const { MessageChannel, Worker, receiveMessageOnPort } = threads();
  const { port1, port2 } = new MessageChannel();
  const lockstep: Greeting = { start: start.data, port: port2 };
  const worker = new Worker(bootstrap(), {
    name: start.name,
    workerData: { lockstep },
    transferList: [port2],
  });
  if (!start.ref) worker.unref();
  let thrown: HostEnd["thrown"];
  worker.on("error", (error) => thrown = { error });
  worker.on("exit", (exitCode: number) => {
    events.end({ reason: thrown === undefined ? "exit" : "error", exitCode, thrown });
    port1.close();
  });
  listen(port1, events.message);
  return {
    post: (message) => port1.postMessage(message),
    take: () => receiveMessageOnPort(port1),
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
