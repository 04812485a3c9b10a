// Output that appears at once. A worker's console of Node goes through the event
// loop of the thread that started it, and is not seen while that is blocked.

import { builtin, process } from "./_node_api.ts";
import type { NodeFiles } from "./_node_api.ts";
import { threadParker } from "../primitives/_park.ts";

const encoder = new TextEncoder();

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
  ["stdout", "stderr"].forEach((name, i) => {
    const { get, value } = Object.getOwnPropertyDescriptor(process, name) ?? {};
    if (get === undefined) {
      if (value !== undefined) direct(value, i + 1);
      return;
    }
    // Node makes the stream when it is first asked for, which many threads never do.
    let stream: object | undefined;
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => stream ??= direct(get.call(process), i + 1),
    });
  });
}

/** Has a stream write to a descriptor. */
function direct(stream: object, descriptor: number): object {
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
