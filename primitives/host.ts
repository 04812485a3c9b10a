/**
 * What an adapter owes. The primitives name no runtime; all that they need of
 * one goes through this interface, which each file of `adapters/` implements.
 *
 * @module
 */

import { agent } from "./_agent.ts";
import type { ThreadEndReason } from "./errors.ts";

/** How a worker ended, as far as it or its starter's runtime tells. */
export interface HostEnd {
  /** The kind of end. */
  readonly reason: ThreadEndReason;
  /** The exit code, where there is one. */
  readonly exitCode?: number | undefined;
  /** What it threw, where that is known; boxed, as anything can be thrown. */
  readonly thrown?: { readonly error: unknown } | undefined;
}

/** A worker that the host has started. */
export interface HostWorker {
  /** Sends a message; shared memory in it arrives shared. */
  post(message: unknown): void;
  /** Takes one message that has arrived, without the event loop; `undefined` when none is there or the runtime cannot. */
  take(): { readonly message: unknown } | undefined;
  /** Stops it by force, as far as the runtime can; the end is told once it is known to have stopped. */
  terminate(): void;
  /** Hears it no more. It has ended, all messages were taken, and the runtime may be some time in telling of its end. */
  hush?(): void;
  /** Whether its life keeps the program from ending. */
  setRef(ref: boolean): void;
}

/** What the starter wants to hear of a worker. */
export interface HostWorkerEvents {
  /** A message came through the event loop. */
  message(message: unknown): void;
  /** It is known to have stopped; called once. On a runtime that cannot tell, never. */
  end(end: HostEnd): void;
}

/** What a worker is started with. */
export interface HostSpawn {
  /** The thread's name, for debuggers. */
  readonly name: string;
  /** Structured-cloneable start-up data, shared memory included: what `runThread()` gets on the other side. */
  readonly data: unknown;
  /** Makes the worker itself, for bundled code; the library's own bootstrap module otherwise. */
  readonly worker?: (() => unknown) | undefined;
  /** Whether it keeps the program alive. */
  readonly ref: boolean;
}

/** A roster, for an adapter that watches workers which Lockstep did not start. */
export interface Membership {
  /** This agent's `workerNumber`, 0 = none. */
  readonly number: number;
  /** Whether it is the main thread; else it is a worker that Lockstep did not start. */
  readonly isMain: boolean;
  /** All such workers that are alive, each by its `workerNumber` or the number that it has announced. */
  raws(): readonly { readonly id: number; readonly number: number }[];
  /** This agent, such a worker, holds a sign of life of that number. */
  announce(number: number): void;
  /** Calls back now, and whenever another such worker has announced itself. Keeps nothing alive. */
  onRaw(listener: () => void): void;
  /** That thread has stopped. */
  markDead(id: number): void;
  /** Whether a thread is alive that is no daemon and was started by one: by a daemon of this agent, directly or not. */
  awaits(): boolean;
}

/** All that an adapter owes. */
export interface Host {
  /** The runtime: `"deno"`, `"node"`, `"bun"`, `"browser"` or `"unsupported"`. */
  readonly name: string;
  /** Whether this agent is the program's first. */
  readonly isMainThread: boolean;
  /** Whether the host can stop a worker that is running code. */
  readonly stopsRunningCode: boolean;
  /** Whether the workers that a worker has started are stopped when it ends. */
  readonly stopsNested: boolean;
  /** Whether a worker that this agent makes comes up also while this agent is blocked. */
  readonly startsBlocked: boolean;
  /** How often, in ms, timers must turn the event loop for async waits to time out; `undefined` where none need to. */
  readonly tick?: number | undefined;
  /**
   * From how many bytes on the system's allocator always maps fresh memory, which costs only where it is touched; below that
   * it may clear what it has given out before. `undefined` where that is unknown.
   */
  readonly mapsFrom?: number | undefined;
  /** The runtime's own number of this worker, by which its maker knows it; 0 where there is none. */
  readonly workerNumber: number;
  /** How many threads the machine runs at once. */
  readonly hardwareConcurrency: number;
  /** Starts a worker. */
  spawn(start: HostSpawn, events: HostWorkerEvents): HostWorker;
  /** In a thread: sends a message to the starter. */
  post(message: unknown): void;
  /** In a thread: hears what the starter sends through `HostWorker.post`. */
  onMessage(listener: (message: unknown) => void): void;
  /**
   * Calls back, once and at the last moment, when this agent is about to end in a way that the
   * runtime lets it notice: an exit call, a close, nothing left to do. In a thread that Lockstep
   * started also an uncaught error or rejection, which then ends the thread and nothing else; in the main thread of Deno,
   * which tells nothing at its end then, one that may end the program, and that may not be the last call.
   */
  onEnd(listener: (end: HostEnd) => void): void;
  /** This agent has become a member of a roster as the main thread or as a raw worker. */
  joined(membership: Membership): void;
  /** Ends this thread, once what it has posted is with its starter. */
  exit(): void;
  /** Writes text to standard error at once. */
  printError(text: string): void;
}

/** Whether this is the program's first thread. */
export let isMainThread: boolean = true;

/** Makes a host the one of this agent; the first one stays. */
export function installHost(host: Host): void {
  if (agent.host !== undefined) return;
  agent.host = host;
  isMainThread = host.isMainThread;
}
