/**
 * What an adapter owes. The primitives name no runtime; all that they need of
 * one goes through this interface, which each file of `adapters/` implements.
 *
 * @module
 */

import type { ThreadEndReason } from "./errors.ts";

/** How a worker ended, as far as its starter's runtime tells. */
export interface HostEnd {
  /** The kind of end. */
  readonly reason: ThreadEndReason;
  /** The exit code, where there is one. */
  readonly exitCode?: number | undefined;
  /** What it threw, where that is known. */
  readonly error?: unknown;
}

/** A worker that the host has started. */
export interface HostWorker {
  /** Sends a message; shared memory in it arrives shared. */
  post(message: unknown): void;
  /** Takes one message that has arrived, without the event loop; `undefined` when none is there or the runtime cannot. */
  take(): { readonly message: unknown } | undefined;
  /** Stops it by force, as far as the runtime can. */
  terminate(): Promise<void>;
  /** Whether its life keeps the program from ending. */
  setRef(ref: boolean): void;
}

/** What the starter wants to hear of a worker. */
export interface HostWorkerEvents {
  /** A message came through the event loop. */
  message(message: unknown): void;
  /** It has ended; called once. On a runtime that cannot tell, never. */
  end(end: HostEnd): void;
}

/** What a worker is started with. */
export interface HostSpawn {
  /** The thread's name, for debuggers. */
  readonly name: string;
  /** Structured-cloneable start-up data, shared memory included; the worker finds it in `startData`. */
  readonly data: unknown;
  /** Makes the worker itself: bundled browser code does this on its own. */
  readonly worker?: (() => unknown) | undefined;
  /** Whether it keeps the program alive. */
  readonly ref: boolean;
}

/** All that an adapter owes. */
export interface Host {
  /** The runtime: `"deno"`, `"node"`, `"bun"`, `"browser"` or `"unsupported"`. */
  readonly name: string;
  /** Whether this agent is the program's first. */
  readonly isMainThread: boolean;
  /** Whether the host can stop a worker that is running code. */
  readonly stopsRunningCode: boolean;
  /** How many threads the machine runs at once. */
  readonly hardwareConcurrency: number;
  /** What `spawn` was given, in a thread that Lockstep started; else `undefined`. */
  readonly startData: unknown;
  /** Starts a worker on the library's own bootstrap module. */
  spawn(start: HostSpawn, events: HostWorkerEvents): HostWorker;
  /** In a worker: sends a message to the starter. */
  post(message: unknown): void;
  /** In a worker: hears what the starter sends through `HostWorker.post`, once per message. */
  onMessage(listener: (message: unknown) => void): void;
  /** Calls back when this agent ends in any way that the runtime lets it notice. */
  onEnd(listener: (end: HostEnd) => void): void;
  /** Ends this agent now: its thread in a worker. */
  exit(code: number): void;
  /** Writes text to standard error at once. */
  printError(text: string): void;
}
