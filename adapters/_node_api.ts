// What the adapters of Deno, Node and Bun use of Node's modules, which all three
// have. Modules come from process.getBuiltinModule, so that this file loads everywhere.

import type { Port } from "./_port.ts";

/** A worker of node:worker_threads. */
export interface NodeWorker {
  readonly threadId: number;
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  on(event: string, listener: (value: any) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}

/** What is used of node:worker_threads. */
export interface NodeThreads {
  readonly isMainThread: boolean;
  readonly threadId: number;
  readonly workerData: unknown;
  readonly parentPort: Pick<NodeWorker, "postMessage" | "on" | "unref"> | null;
  readonly MessageChannel: new () => { readonly port1: Port; readonly port2: Port };
  readonly Worker: new (url: URL, options: object) => NodeWorker;
  receiveMessageOnPort(port: Port): { readonly message: unknown } | undefined;
}

/** What is used of the global process. */
export interface NodeProcess {
  readonly platform: string;
  readonly execArgv: readonly string[];
  readonly stdout: object;
  readonly stderr: object;
  exit(code?: number): never;
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
  listeners(event: string): ((...args: any[]) => void)[];
  removeAllListeners(event: string): unknown;
  getBuiltinModule(name: string): unknown;
}

/** What is used of node:fs. */
export interface NodeFiles {
  existsSync(path: URL): boolean;
  writeSync(descriptor: number, bytes: Uint8Array, offset: number): number;
}

const realm = globalThis as { process?: NodeProcess };

/** The global process, where there is one that has Node's modules. */
export const process: NodeProcess | undefined = typeof realm.process?.getBuiltinModule === "function"
  ? realm.process
  : undefined;

/** One of Node's own modules. */
export function builtin<T>(name: string): T {
  return process!.getBuiltinModule(name) as T;
}

/** node:worker_threads. */
export function threads(): NodeThreads {
  return builtin<NodeThreads>("node:worker_threads");
}
