/**
 * Which threads there are: this one, the main one, all of them; and what is told of their errors.
 *
 * @module
 */

import { agent } from "./_agent.ts";
import { describe } from "./_arguments.ts";
import { memory } from "./_memory.ts";
import type { Roster } from "./_roster.ts";
import { DAEMON_BIT, RUNNING, STARTING } from "./_roster_record.ts";
import { ThreadCore } from "./_thread_core.ts";
import type { ThreadState } from "./_thread_core.ts";
import { changeHook } from "./_thread_hook.ts";
import { ThreadError } from "./errors.ts";
import type { Thread } from "./thread.ts";
import { face } from "./thread.ts";

/** One thread of the program, as it was when it was looked at. */
export interface ThreadInfo {
  /** Its id. */
  readonly id: number;
  /** Its name, at most 64 bytes of it. */
  readonly name: string;
  /** Whether the program ends without waiting for it. */
  readonly daemon: boolean;
  /** True: the dead are not listed. */
  readonly alive: boolean;
  /** What it was doing. */
  readonly state: ThreadState;
}

const mains = new WeakMap<Roster, Thread>();

/**
 * The thread that calls: also the main thread, and a worker that Lockstep did not start, which
 * counts as a daemon. Those two cannot be joined.
 *
 * @example Who am I
 * ```ts
 * import { currentThread } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * assert.equal(currentThread().name, "MainThread");
 * ```
 */
export function currentThread(): Thread {
  const { roster } = memory();
  let self = agent.selves.get(roster.key) as Thread | undefined;
  if (self === undefined) {
    self = face(ThreadCore.foreign(roster, roster.me));
    agent.selves.set(roster.key, self);
  }
  return self;
}

/**
 * The program's first thread. It cannot be joined: the program ends with it.
 *
 * @throws {ThreadError} If the main thread has not used Lockstep.
 *
 * @example The main thread is no daemon
 * ```ts
 * import { mainThread } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * assert.equal(mainThread().daemon, false);
 * ```
 */
export function mainThread(): Thread {
  const { roster } = memory();
  const { me, main } = roster;
  if (main === 0) {
    throw new ThreadError("Cannot give the main thread as it has not used Lockstep: import it there first");
  }
  if (main === me) return currentThread();
  let found = mains.get(roster);
  if (found === undefined) mains.set(roster, found = face(ThreadCore.foreign(roster, main)));
  return found;
}

/**
 * Every thread that is alive: main, daemons and those that are starting included.
 *
 * @example Before anything is started
 * ```ts
 * import { enumerateThreads } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * assert(enumerateThreads().some((thread) => thread.name === "MainThread"));
 * ```
 */
export function enumerateThreads(): ThreadInfo[] {
  const { roster } = memory();
  void roster.me; // whoever asks is listed
  return roster.list().map(({ id, name, flags, state }) => ({
    id,
    name,
    daemon: (flags & DAEMON_BIT) !== 0,
    alive: true,
    state: state === STARTING ? "starting" : state === RUNNING ? "running" : "stopping",
  }));
}

/**
 * How many threads are alive.
 *
 * @example At least the one that asks
 * ```ts
 * import { activeCount } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * assert(activeCount() >= 1);
 * ```
 */
export function activeCount(): number {
  return enumerateThreads().length;
}

/**
 * Sets what is told of a thread that failed while nobody joined it, instead of printing `Exception in thread NAME:`
 * and the stack to standard error.
 *
 * The hook runs in the thread that set it, as soon as its event loop turns, for the threads that it has started and
 * those that they have. One that throws, or is async and rejects, is itself printed, together with the error.
 *
 * @param hook Gets what was thrown and the thread; `undefined` restores printing.
 * @throws {TypeError} If the hook is no function.
 *
 * @example Collect errors
 * ```ts
 * import { setExceptHook } from "@lockstep/lockstep";
 * const failures: unknown[] = [];
 * setExceptHook((error, thread) => failures.push([thread.name, error]));
 * setExceptHook(undefined);
 * ```
 */
export function setExceptHook(hook: ((error: unknown, thread: Thread) => void) | undefined): void {
  if (hook !== undefined && typeof hook !== "function") {
    throw new TypeError(`Cannot set the except hook as it must be a function: it is ${describe(hook)}`);
  }
  changeHook(hook as typeof agent.exceptHook, memory().roster);
}
