/**
 * Connection: one end of a pipe, which a thread holds.
 *
 * The record and why it works are in the header of `_pipe_record.ts`.
 *
 * @module
 */

import { describe, signalOf } from "./_arguments.ts";
import { deadlineOf } from "./_deadline.ts";
import { disposable } from "./_dispose.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle, shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import { PipeEnd } from "./_pipe_end.ts";
import { LEAST_BYTES } from "./_pipe_record.ts";
import { ClosedError, LayoutError } from "./errors.ts";

/** Options of what may wait without blocking. */
export interface PipeWaitOptions {
  /** Gives up the wait. */
  signal?: AbortSignal;
}

/** What `sendBytes()` and `recvBytesInto()` take. */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

let endOf: (connection: Connection) => PipeEnd;
let make: (end: PipeEnd) => Connection;

/** The Connection for an end of a pipe that this thread holds. */
export function connectionOf(end: PipeEnd): Connection {
  return make(end);
}

/**
 * One end of a pipe: sends values of type `S` and receives values of type `R`. Several threads may hold it; each message
 * is received by one of them.
 *
 * - **Messages:** anything that structured clone carries, apart from shared memory; of any length. Each keeps its bounds.
 * - **Order:** messages arrive in the order in which they were sent.
 * - **End of file:** once the other end's last holder has closed it or has died, what it sent is still received; then
 *   receiving throws `ClosedError`. A message longer than `maxBytes` whose sender ends in the middle is dropped.
 * - **Two that send to each other at once:** neither waits for ever: while both are blocked, each takes in what arrives,
 *   and its later receives get that first. What a thread has taken in so is its own: it goes with it if it dies or closes.
 * - **Long messages:** one that does not fit passes in parts. The thread that has begun to receive it is the only one that
 *   goes on; if its receive was given up in the middle (a timeout, an abort), its next one goes on there. Where it does not
 *   come back, another thread of this end gets the message from the start, as long as its sender is not done.
 * - **Memory:** 2 × 1 MiB by default, of which only so much is touched as is ever on its way, and 1 to 2 KiB.
 * - **Cost:** about ten atomic operations to send and to receive a short message.
 *
 * @example One way
 * ```ts
 * import { pipe } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const [reader, writer] = pipe<number>({ duplex: false });
 * for (const n of [1, 2, 3]) writer.send(n);
 * writer.close();
 * const received: number[] = [];
 * for await (const n of reader) received.push(n);
 * assert.deepEqual(received, [1, 2, 3]);
 * ```
 */
export class Connection<S = unknown, R = S> {
  /** Closes it, at the end of a `using` block. */
  declare readonly [Symbol.dispose]: () => void;
  readonly #end: PipeEnd;

  /** Connections are made by `pipe()` and `Connection.attach()`. */
  private constructor(end: never) {
    if (!((end as unknown) instanceof PipeEnd)) {
      throw new TypeError("Cannot make a Connection with new: use pipe() or Connection.attach()");
    }
    this.#end = end;
  }

  /**
   * The end of a pipe that a handle stands for. This thread holds it from then on.
   *
   * @throws {LayoutError} If it is no handle of a Connection, or damaged.
   * @throws {ClosedError} If that end was closed, or its last holder died, before.
   * @throws {RangeError} If more threads hold ends than the option `threads` says.
   */
  static attach<S = unknown, R = S>(handle: Handle): Connection<S, R> {
    const { words, roster, name, extra } = openHandle("Connection", handle, LEAST_BYTES);
    if (extra !== 0 && extra !== 1) {
      throw new LayoutError(`Cannot attach Connection as the handle names no end: ${describe(extra)}`, {
        expected: "0 or 1",
        actual: String(describe(extra)),
      });
    }
    return new Connection<S, R>(new PipeEnd(words, roster, name, extra, false) as never);
  }

  /**
   * What crosses threads in its place: post it, and `attach()` it there. Keep this end open until then.
   *
   * @throws {ClosedError} If this Connection is closed.
   */
  get handle(): Handle {
    const { words, roster, name, end } = this.#end;
    this.#end.checkOpen("pass on");
    return makeHandle("Connection", words, roster, name, end);
  }

  /** The name given to the pipe, `""` for none. */
  get name(): string {
    return this.#end.name;
  }

  /** Whether this end can receive. */
  get readable(): boolean {
    return this.#end.readable;
  }

  /** Whether this end can send. */
  get writable(): boolean {
    return this.#end.writable;
  }

  /** Whether this Connection was closed, by `close()`. Other threads may still hold the same end. */
  get closed(): boolean {
    return this.#end.closed;
  }

  /**
   * Sends a copy of a value.
   *
   * - **Waits for:** room; for a message longer than `maxBytes`, until the other end has received all but its last part.
   * - **Woken by:** a receive at the other end.
   * - **Returns early:** never; if the other end closes meanwhile, it throws `ClosedError` with the value.
   * - **Order:** one message after another, whoever sends.
   * - **Cost:** O(encoded bytes), five atomic operations when there is room and nobody sleeps.
   *
   * @param value Anything that structured clone carries, apart from shared memory.
   * @throws {ClosedError} If this or the other end is closed; its `value` is what was not sent.
   * @throws {UnsupportedError} If this end only receives.
   * @throws {TypeError} If the value cannot be carried; nothing is sent.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Nobody there to receive
   * ```ts
   * import { ClosedError, pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe<string>();
   * there.close();
   * assert.throws(() => here.send("unsent"), (error) => error instanceof ClosedError && error.value === "unsent");
   * ```
   */
  send(value: S): void {
    this.#end.send(value, false, Infinity);
  }

  /**
   * Sends a copy of a value if there is room in time.
   *
   * - **Waits for:** room, at most `timeout` ms (by default not at all).
   * - **Woken by:** a receive at the other end.
   * - **Returns early:** `false` when the time is over; then nothing was sent, nor will be.
   *
   * @param options `timeout` in milliseconds, 0 or more. With 0, a value that takes more than `maxBytes` never has room.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `send()` throws.
   *
   * @example A full pipe says so
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here] = pipe<string>({ maxBytes: 100 });
   * assert.equal(here.trySend("x".repeat(60)), true);
   * assert.equal(here.trySend("x".repeat(60)), false);
   * ```
   */
  trySend(value: S, options?: { timeout?: number }): boolean {
    return this.#end.send(value, false, deadlineOf(options));
  }

  /**
   * Sends a copy of a value, taken now, without blocking the thread. What this thread sends later, in whatever form, goes
   * behind it.
   *
   * - **Waits for:** room.
   * - **Woken by:** a receive at the other end.
   * - **Returns early:** rejects with `signal.reason`; then the value was not sent, nor will be.
   *
   * @param value Anything that structured clone carries, apart from shared memory.
   * @param options `signal` gives up the wait.
   * @throws All that `send()` throws, apart from `BlockingUnavailableError`.
   *
   * @example Longer than the pipe
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe<Uint8Array>({ maxBytes: 1000 });
   * const sent = here.sendAsync(new Uint8Array(10_000));
   * assert.equal((await there.recvAsync()).length, 10_000);
   * await sent;
   * ```
   */
  async sendAsync(value: S, options?: PipeWaitOptions): Promise<void> {
    await this.#end.sendAsync(value, false, signalOf(options));
  }

  /**
   * Receives the next value.
   *
   * - **Waits for:** a message, all of it.
   * - **Woken by:** a send at the other end, one receiver for each message, and by the other end's closing.
   * - **Returns early:** never; at the end of file it throws `ClosedError`.
   * - **Cost:** O(encoded bytes), five atomic operations when a message is there and nobody waits for room.
   *
   * @returns A value that shares no memory with the one that was sent, and never changes by itself.
   * @throws {ClosedError} If nothing is left and the other end is closed or its last holder has died, or if this
   * Connection is closed.
   * @throws {UnsupportedError} If this end only sends.
   * @throws {TypeError} If the next message was sent by `sendBytes()`: it stays.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example The end of file
   * ```ts
   * import { ClosedError, pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe<string>();
   * there.send("last");
   * there.close();
   * assert.equal(here.recv(), "last");
   * assert.throws(() => here.recv(), ClosedError);
   * ```
   */
  recv(): R {
    return this.#end.recvValue() as R;
  }

  /**
   * Receives the next value if there is one in time.
   *
   * - **Waits for:** a message, at most `timeout` ms (by default not at all).
   * - **Woken by:** a send at the other end, and by its closing.
   * - **Returns early:** `undefined` when the time is over; nothing is lost by that.
   *
   * @param options `timeout` in milliseconds, 0 or more.
   * @returns The value, boxed.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All that `recv()` throws.
   *
   * @example Nothing there
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe<undefined>();
   * assert.equal(here.tryRecv({ timeout: 5 }), undefined);
   * there.send(undefined);
   * assert.deepEqual(here.tryRecv(), { value: undefined });
   * ```
   */
  tryRecv(options?: { timeout?: number }): { value: R } | undefined {
    return this.#end.recv(deadlineOf(options)) as { value: R } | undefined;
  }

  /**
   * Receives the next value without blocking the thread. Tasks of one thread are served in the order in which they asked.
   *
   * - **Waits for:** a message, all of it.
   * - **Woken by:** a send at the other end, one task in each thread, and by the other end's closing.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws All that `recv()` throws, apart from `BlockingUnavailableError`.
   *
   * @example The first of two pipes
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const pipes = [pipe<string>(), pipe<string>()];
   * pipes[1]![1].send("second");
   * const others = new AbortController();
   * const receiving = pipes.map(([here]) => here.recvAsync({ signal: others.signal }));
   * assert.equal(await Promise.race(receiving), "second");
   * others.abort();
   * await Promise.allSettled(receiving);
   * ```
   */
  async recvAsync(options?: PipeWaitOptions): Promise<R> {
    return await this.#end.recvAsync(signalOf(options)) as R;
  }

  /**
   * Whether a receive would find something: a message, the beginning of a long one that is on its way, or the end of
   * file. Takes nothing.
   *
   * - **Waits for:** that, at most `timeout` ms (by default not at all).
   * - **Woken by:** a send at the other end, and by its closing.
   * - **Returns early:** `false` when the time is over.
   *
   * Where several threads receive at this end, another may be faster.
   *
   * @param options `timeout` in milliseconds, 0 or more; `Infinity` waits for ever.
   * @throws {ClosedError} If this Connection is closed.
   * @throws {UnsupportedError} If this end only sends.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Look first
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe<string>();
   * assert.equal(here.poll(), false);
   * there.send("");
   * assert.equal(here.poll({ timeout: 1000 }), true);
   * ```
   */
  poll(options?: { timeout?: number }): boolean {
    return this.#end.poll(deadlineOf(options));
  }

  /**
   * Waits, without blocking the thread, until a receive would find something.
   *
   * - **Waits for:** a message, the beginning of a long one, or the end of file.
   * - **Woken by:** a send at the other end, and by its closing.
   * - **Returns early:** rejects with `signal.reason`.
   *
   * @param options `signal` gives up the wait.
   * @returns True.
   * @throws All that `poll()` throws, apart from `BlockingUnavailableError`.
   *
   * @example Wait for a message, and leave it there
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe<string>();
   * setTimeout(() => there.send("hello"));
   * assert.equal(await here.pollAsync(), true);
   * assert.equal(here.recv(), "hello");
   * ```
   */
  async pollAsync(options?: PipeWaitOptions): Promise<boolean> {
    return await this.#end.pollAsync(signalOf(options));
  }

  /**
   * Sends bytes as they are: the window that the view shows, none is a message too.
   *
   * - **Waits for, woken by, returns early:** as `send()`.
   *
   * @param view A typed array, a DataView or a whole buffer; shared memory may be copied so.
   * @throws {TypeError} If it is none of these.
   * @throws All that `send()` throws.
   *
   * @example A window of an array
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe();
   * here.sendBytes(new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
   * assert.deepEqual([...there.recvBytes()], [2, 3]);
   * ```
   */
  sendBytes(view: Bytes): void {
    this.#end.send(view, true, Infinity);
  }

  /** `sendBytes()` with the waiting of `trySend()`. */
  trySendBytes(view: Bytes, options?: { timeout?: number }): boolean {
    return this.#end.send(view, true, deadlineOf(options));
  }

  /** `sendBytes()` with the waiting of `sendAsync()`; the bytes are copied before it returns. */
  async sendBytesAsync(view: Bytes, options?: PipeWaitOptions): Promise<void> {
    await this.#end.sendAsync(view, true, signalOf(options));
  }

  /**
   * Receives what the other end sent by `sendBytes()`.
   *
   * - **Waits for, woken by, returns early:** as `recv()`.
   *
   * @returns The bytes, in memory that nobody else writes.
   * @throws {TypeError} If the next message is a value: it stays.
   * @throws All else that `recv()` throws.
   *
   * @example Bytes and values do not mix
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe();
   * here.send("a value");
   * assert.throws(() => there.recvBytes(), TypeError);
   * assert.equal(there.recv(), "a value");
   * ```
   */
  recvBytes(): Uint8Array<ArrayBuffer> {
    return this.#end.recvBytes(Infinity)!;
  }

  /** `recvBytes()` with the waiting of `tryRecv()`; `undefined` when the time is over. */
  tryRecvBytes(options?: { timeout?: number }): Uint8Array<ArrayBuffer> | undefined {
    return this.#end.recvBytes(deadlineOf(options));
  }

  /** `recvBytes()` with the waiting of `recvAsync()`. */
  async recvBytesAsync(options?: PipeWaitOptions): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#end.recvBytesAsync(signalOf(options));
  }

  /**
   * Receives what the other end sent by `sendBytes()` into an array of yours, from its start on.
   *
   * - **Waits for, woken by, returns early:** as `recv()`.
   * - **Cost:** the fastest way to receive much: no memory is allocated.
   *
   * @param view Where the bytes go; those behind the message stay as they are. If it throws or gives up in the middle of
   * a message longer than the pipe, some of the message may stand there.
   * @returns How many bytes the message had.
   * @throws {RangeError} If the message is longer than the view: it stays, and the view is unchanged.
   * @throws {TypeError} If the next message is a value: it stays. If `view` holds no bytes.
   * @throws All else that `recv()` throws.
   *
   * @example One array for all messages
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe();
   * const frame = new Uint8Array(1024);
   * here.sendBytes(new Uint8Array([1, 2, 3]));
   * assert.equal(there.recvBytesInto(frame), 3);
   * assert.throws(() => { here.sendBytes(frame); there.recvBytesInto(frame.subarray(0, 10)); }, RangeError);
   * ```
   */
  recvBytesInto(view: Bytes): number {
    return this.#end.recvBytesInto(view, Infinity)!;
  }

  /** `recvBytesInto()` with the waiting of `tryRecv()`; `undefined` when the time is over. */
  tryRecvBytesInto(view: Bytes, options?: { timeout?: number }): number | undefined {
    return this.#end.recvBytesInto(view, deadlineOf(options));
  }

  /** `recvBytesInto()` with the waiting of `recvAsync()`; the view changes only once the whole message is here. */
  async recvBytesIntoAsync(view: Bytes, options?: PipeWaitOptions): Promise<number> {
    return await this.#end.recvBytesIntoAsync(view, signalOf(options));
  }

  /**
   * Closes this Connection. Once every thread that holds this end has closed it or ended, the other end reads what is
   * left and then the end of file. Waits of this Connection that are pending throw `ClosedError`. A second call does nothing.
   *
   * What was sent before is still received; a message in parts that is still on its way by `sendAsync()` is dropped.
   *
   * If a receive was given up in the middle of a long message, and other threads hold this end, one of them gets that message:
   * it is sent again, or, if its sender is done, what was taken of it goes back into the pipe. It is lost where that has no
   * room, and when this thread dies instead.
   *
   * @example At the end of a block
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [here, there] = pipe<number>();
   * {
   *   using end = there;
   *   end.send(1);
   * }
   * assert.equal(here.recv(), 1);
   * assert.equal(here.poll(), true); // end of file
   * ```
   */
  close(): void {
    this.#end.close();
  }

  /**
   * Receives value after value, until the end of file.
   *
   * @throws {ClosedError} If this Connection is closed before it begins; one closed meanwhile just ends.
   *
   * @example All there is
   * ```ts
   * import { pipe } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const [reader, writer] = pipe<string>({ duplex: false });
   * writer.send("a");
   * writer.send("b");
   * writer.close();
   * let text = "";
   * for await (const part of reader) text += part;
   * assert.equal(text, "ab");
   * ```
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, void> {
    this.#end.checkOpen("receive from");
    for (;;) {
      let value: R;
      try {
        value = await this.recvAsync();
      } catch (error) {
        if (error instanceof ClosedError) return;
        throw error;
      }
      yield value;
    }
  }

  /** What printing it shows: class, name, direction and state. */
  toString(): string {
    return this.#end.toString();
  }

  static {
    endOf = (connection) => connection.#end;
    make = (end) => new Connection(end as never);
  }
}
disposable(Connection.prototype, "close");
shareable(
  "Connection",
  Connection.prototype,
  Connection.attach,
  (connection, roster, thread) => endOf(connection as Connection).give(roster, thread),
);
inspectable(Connection.prototype);
