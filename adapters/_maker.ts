// What a web worker and the agent that made it tell each other besides the port: by
// the worker's own postMessage, under a key that the user's messages do not have.

import { process, threads } from "./_node_api.ts";
import type { Greeting, Port } from "./_port.ts";

/** From a worker to its maker. */
export interface ToMaker {
  /** It holds its sign of life. */
  readonly alive?: true;
  /** It wants another worker made; in browsers one that is made here would not come up while this one is blocked. */
  readonly make?: { readonly number: number; readonly greeting: Greeting; readonly how: Made };
  /** It wants that one stopped. */
  readonly kill?: number;
}

/** From the maker to a worker. */
export interface ToWorker extends Partial<Greeting> {
  /** That worker, which it had made for this one, has stopped. */
  readonly ended?: number;
}

/** How a worker is made: on the library's own first module, or as the user said. */
export interface Made {
  readonly name: string;
  readonly url?: string;
  readonly options?: object;
}

interface Realm {
  readonly WorkerGlobalScope?: unknown;
  postMessage?(message: unknown, transfer: readonly Port[]): void;
  addEventListener?(type: string, listener: (event: { readonly data: unknown }) => void): void;
  removeEventListener?(type: string, listener: (event: { readonly data: unknown }) => void): void;
}

const realm = globalThis as Realm;

/** node:worker_threads' port to the maker, in a worker of that kind; Bun's web workers are such as well. */
function parentPort() {
  return process !== undefined && realm.WorkerGlobalScope === undefined ? threads().parentPort : null;
}

/** Tells the maker of this worker something. */
export function tellMaker(message: ToMaker, transfer: readonly Port[] = []): void {
  const port = parentPort();
  if (port !== null) port.postMessage({ lockstep: message }, transfer);
  else realm.postMessage!({ lockstep: message }, transfer);
}

/** Hears what the maker of this worker says. Until it has said something, the worker stays alive. */
export function hearMaker(listener: (message: ToWorker) => void): void {
  const port = parentPort();
  const hear = (data: unknown): void => {
    const said = messageIn(data);
    if (said === undefined) return;
    port?.unref();
    listener(said);
  };
  if (port !== null) port.on("message", hear);
  else realm.addEventListener?.("message", (event) => hear(event.data));
  stopKeeping();
  for (const said of kept.splice(0)) {
    port?.unref();
    listener(said);
  }
}

function messageIn(data: unknown): ToWorker | undefined {
  const said = (data as { lockstep?: ToWorker } | null | undefined)?.lockstep;
  return typeof said === "object" && said !== null ? said : undefined;
}

/** How long a worker of Deno or Bun keeps what is said, in ms: its listener keeps it alive, and the greeting comes first. */
const KEEPING = 1000;

const kept: ToWorker[] = [];
let stopKeeping = (): void => {};

/**
 * Keeps what the maker says until hearMaker() is called. A web worker drops a message that nobody hears, as the greeting is
 * while its module awaits something; a port of node:worker_threads keeps it by itself.
 */
export function keepForHearing(): void {
  const isWorker = realm.WorkerGlobalScope !== undefined || process !== undefined && !threads().isMainThread;
  if (!isWorker || realm.addEventListener === undefined || realm.postMessage === undefined) return;
  const keep = (event: { readonly data: unknown }): void => {
    const said = messageIn(event.data);
    if (said !== undefined) kept.push(said);
  };
  realm.addEventListener("message", keep);
  const timer = process === undefined ? undefined : setTimeout(() => stopKeeping(), KEEPING);
  stopKeeping = () => {
    stopKeeping = () => {};
    realm.removeEventListener!("message", keep);
    clearTimeout(timer);
  };
}
