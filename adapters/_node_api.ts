// What the adapters of Deno, Node and Bun use of Node's modules, which all three
// have. Modules come from process.getBuiltinModule, so that this file loads everywhere.

/** A port or worker of node:worker_threads. */
export interface NodePort {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  on(event: string, listener: (value: any) => void): unknown;
  ref(): void;
  unref(): void;
  close?(): void;
}

/** A worker of node:worker_threads. */
export interface NodeWorker extends NodePort {
  readonly threadId: number;
  terminate(): Promise<unknown>;
}

/** What is used of node:worker_threads. */
export interface NodeThreads {
  readonly isMainThread: boolean;
  readonly threadId: number;
  readonly workerData: unknown;
  readonly MessageChannel: new () => { readonly port1: NodePort; readonly port2: NodePort };
  readonly Worker: new (url: URL, options: object) => NodeWorker;
  receiveMessageOnPort(port: NodePort): { readonly message: unknown } | undefined;
}

/** What is used of the global process. */
export interface NodeProcess {
  readonly stdout: object;
  readonly stderr: object;
  exit(code?: number): never;
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
  listenerCount(event: string): number;
  getBuiltinModule(name: string): unknown;
}

/** What is used of node:fs. */
export interface NodeFiles {
  writeSync(descriptor: number, bytes: Uint8Array, offset: number): number;
}

/** The global process, where there is one. */
export const process: NodeProcess | undefined =
  (globalThis as { process?: NodeProcess }).process?.getBuiltinModule === undefined
    ? undefined
    : (globalThis as { process?: NodeProcess }).process;

/** One of Node's own modules. */
export function builtin<T>(name: string): T {
  return process!.getBuiltinModule(name) as T;
}
