/**
 * pipe(): messages between two ends, each of which a thread holds.
 *
 * The record and why it works are in the header of `_pipe_record.ts`.
 *
 * @module
 */

import { checkInteger, checkName, describe, optionsObject } from "./_arguments.ts";
import { checkThreads } from "./_cells.ts";
import type { Placement } from "./_layout.ts";
import { createRecord } from "./_memory.ts";
import { PipeEnd } from "./_pipe_end.ts";
import { holdBoth } from "./_pipe_holders.ts";
import { type EndNumber, fillPipe, pipeBytes, shapeOf } from "./_pipe_record.ts";
import { type Connection, connectionOf } from "./connection.ts";

export { type Bytes, Connection, type PipeWaitOptions } from "./connection.ts";

/** Options of `pipe()`. */
export interface PipeOptions {
  /** Whether both ends send and receive, as is the default; else the first receives and the second sends. */
  duplex?: boolean;
  /** What each direction holds before a sender waits, in bytes: 1 MiB by default. Longer messages pass in parts. */
  maxBytes?: number;
  /** Shown in errors and dumps. */
  name?: string;
  /** How many threads may hold an end at a time: 64 by default. One more gets a `RangeError`. */
  threads?: number;
  /** A place for the record; by default it has memory of its own. */
  at?: Placement;
}

const MAX_BYTES = 1 << 20;
const MOST_BYTES = 0x3fffff00;

/**
 * Makes a pipe: two ends, of which each receives what the other sends, message by message, in order.
 *
 * Give one end to a thread as an argument, and close your own copy of it if the end of that thread is to end the pipe: an
 * end lives until its last holder closes it or dies, and a thread that is still starting counts. A handle that is sent by
 * `postMessage` counts from the moment it is attached: keep your own copy open until then.
 *
 * @param options Whether both ends send, how much may be on its way, its name.
 * @returns The two ends; of a one-way pipe the first receives and the second sends, as in Python.
 * @throws {UnsupportedError} Where memory cannot be shared.
 *
 * @example There and back
 * ```ts
 * import { pipe } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const [here, there] = pipe<string, number>();
 * here.send("hello");
 * assert.equal(there.recv(), "hello");
 * there.send(42);
 * assert.equal(here.recv(), 42);
 * ```
 *
 * @example A thread at the other end
 * ```ts
 * import { type Connection, pipe, Thread } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const module = "data:text/javascript,export function double(c) { for (let n; (n = c.recv()) > 0;) c.send(2 * n) }";
 * const { double }: { double: (c: Connection<number, number>) => void } = await import(module);
 * const [here, there] = pipe<number, number>();
 * const thread = new Thread({ target: double, module, args: [there] }).start();
 * there.close(); // the thread has its own
 * here.send(21);
 * assert.equal(await here.recvAsync(), 42);
 * here.send(0);
 * await thread.joinAsync();
 * assert.equal(await here.pollAsync(), true); // end of file
 * ```
 */
export function pipe<T>(options: PipeOptions & { duplex: false }): [Connection<never, T>, Connection<T, never>];
/** Makes a pipe whose two ends both send and receive. */
export function pipe<A, B = A>(options?: PipeOptions & { duplex?: true }): [Connection<A, B>, Connection<B, A>];
export function pipe(options?: PipeOptions): [Connection<unknown, unknown>, Connection<unknown, unknown>] {
  const { duplex = true, maxBytes = MAX_BYTES, name = "", threads, at } = optionsObject<PipeOptions>(options);
  if (typeof duplex !== "boolean") {
    throw new TypeError(`Cannot make a pipe as duplex must be a boolean: it is ${describe(duplex)}`);
  }
  checkName("a pipe", name);
  const shape = shapeOf(duplex, checkInteger("maxBytes", maxBytes, 1, MOST_BYTES), checkThreads(threads));
  const { words, roster } = createRecord("Connection", pipeBytes(shape), at, (words) => fillPipe(words, shape));
  holdBoth(words, roster.me);
  const ends = [0, 1].map((end) => {
    return connectionOf(new PipeEnd(words, roster, name, end as EndNumber, true));
  });
  return ends as [Connection<unknown, unknown>, Connection<unknown, unknown>];
}
