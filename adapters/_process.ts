// The host that Deno, Node and Bun have in common: workers of node:worker_threads.
//
// A blocked thread reads its port by receiveMessageOnPort. Ports keep nothing alive,
// workers do unless told otherwise, which also holds on Deno while they run.

import { builtin, process, threads } from "./_node_api.ts";
import type { NodeFiles } from "./_node_api.ts";
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

interface Realm {
  readonly WorkerGlobalScope?: unknown;
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly Deno?: { readonly permissions: { querySync(what: object): { readonly state: string } } };
}

const realm = globalThis as Realm;

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
    ...notInherited(),
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
    hush: () => port1.close(),
    setRef: (ref) => ref ? worker.ref() : worker.unref(),
  };
}

/** Node's workers take over its options, and refuse this one, which belongs to code on the command line. */
function notInherited(): { execArgv?: [] } {
  return process!.execArgv.some((option) => option.startsWith("--input-type")) ? { execArgv: [] } : {};
}

let found: URL | undefined;

/** The library's own first module of a worker. */
function bootstrap(): URL {
  if (found !== undefined) return found;
  const url = new URL("./bootstrap.ts", import.meta.url);
  // Workers of node:worker_threads do not start from http, but what they start from may import from there.
  if (url.protocol !== "file:") return found = new URL(`data:text/javascript,import ${JSON.stringify(url.href)}`);
  // Webpack copies the file, by a name of its own and without what it imports.
  const isCopy = !url.pathname.includes("bootstrap");
  if (isCopy || mayLook(url) && !builtin<NodeFiles>("node:fs").existsSync(url)) {
    // The worker would not come up, which a starter that is blocked does not learn.
    throw new Error(
      `${
        isCopy ? "a bundler made a copy of it," : "there is no"
      } ${url.href}: leave lockstep out of the bundle, or use { worker, target } with serve()`,
    );
  }
  return found = url;
}

/** Whether a file can be looked for without asking the user for permission. */
function mayLook(url: URL): boolean {
  const { Deno } = realm;
  return Deno === undefined || Deno.permissions.querySync({ name: "read", path: url }).state === "granted";
}
