// Output that appears at once. A worker's console of Node goes through the event
// loop of the thread that started it, and is not seen while that is blocked.

import { builtin, process, threads } from "./_node_api.ts";
import type { NodeFiles } from "./_node_api.ts";
import { threadParker } from "../primitives/_park.ts";

const encoder = new TextEncoder();

/** The streams, in the order of their descriptors, which begin at 1. */
const STREAMS = ["stdout", "stderr"] as const;

/** A stream of a process. */
export type OutputName = typeof STREAMS[number];

/** Those of this thread that write to the descriptor of the process. */
const written: Set<OutputName> = new Set<OutputName>();

/** Writes text or bytes to a descriptor now; to a pipe that is full, as soon as there is room. */
export function writeNow(descriptor: number, chunk: string | Uint8Array): void {
  const { writeSync } = builtin<NodeFiles>("node:fs");
  const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") return; // nobody reads any more
      threadParker.park(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Makes process.stdout and process.stderr, and with them the console, write at once. */
export function writeAtOnce(): void {
  for (const name of STREAMS) {
    const { get, value } = Object.getOwnPropertyDescriptor(process, name) ?? {};
    if (get === undefined) {
      if (value !== undefined) direct(name, value);
      continue;
    }
    // Node makes the stream when it is first asked for, which many threads never do.
    let stream: object | undefined;
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => stream ??= direct(name, get.call(process)),
    });
    written.add(name);
  }
}

/** The same for some of them, in a worker whose console may have taken them up before. */
export function writeAtOnceFromNow(names: readonly OutputName[]): void {
  for (const name of names) direct(name, process![name]);
}

/** What of a worker's output the runtime writes where this thread's own goes; not what its maker asked to be given. */
export function passedOn(worker: object): OutputName[] {
  return STREAMS.filter((name) => {
    const stream = (worker as Record<OutputName, PassedStream | null | undefined>)[name];
    if (typeof stream?.listeners !== "function" || !written.has(name) && !threads().isMainThread) return false;
    const pipes = stream._readableState?.pipes;
    if (Array.isArray(pipes) && pipes.includes(process![name])) return true; // Node
    return stream.listeners("data").some((listener) => String(listener) === `(chunk) => process.${name}.write(chunk)`); // Bun
  });
}

/** What is looked at of a worker's stdout; its state is not documented, but all of Node's releases have it. */
interface PassedStream {
  readonly _readableState?: { readonly pipes?: unknown };
  listeners(event: string): unknown[];
}

/** Has a stream write to the descriptor of that name. */
function direct(name: OutputName, stream: object): object {
  const descriptor = 1 + STREAMS.indexOf(name);
  written.add(name);
  (stream as { write: unknown }).write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    const encoding = typeof rest[0] === "string" ? rest[0] : "utf8";
    writeNow(descriptor, typeof chunk === "string" && !/^utf-?8$/i.test(encoding) ? decoded(chunk, encoding) : chunk);
    const done = rest.find((item) => typeof item === "function") as (() => void) | undefined;
    if (done !== undefined) queueMicrotask(done);
    return true;
  };
  return stream;
}

function decoded(text: string, encoding: string): Uint8Array {
  const { Buffer } = builtin<{ Buffer: { from(text: string, encoding: string): Uint8Array } }>("node:buffer");
  return Buffer.from(text, encoding);
}
