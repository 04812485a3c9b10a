// The thread's own side: what a worker does from its first line to its last.

import { agent } from "./_agent.ts";
import { encodeResult, isSmallValue, needCodec } from "./_codec_late.ts";
import { now } from "./_deadline.ts";
import { passOn } from "./_handle.ts";
import { useRoster } from "./_memory.ts";
import { ThreadCore } from "./_thread_core.ts";
import { messageOf, tellOwnEnd, tellUntold } from "./_thread_hook.ts";
import type { ThreadStart } from "./_thread_messages.ts";
import { bytesOf, failureOf } from "./_thread_outcome.ts";
import { CANCELLED, FIRED, HEARD_BIT, KILL_BIT, STOP_BIT, TIMER, UP_BIT } from "./_thread_record.ts";
import type { Ending } from "./_thread_record.ts";
import { askToStop, hearChildren, receive, requireHost, terminateThread, watch } from "./_thread_start.ts";
import { exported } from "./_thread_target.ts";
import type { Target } from "./_thread_target.ts";
import { load } from "./_atomics.ts";
import { SLICE, waitAsync } from "./_wait.ts";
import type { HostEnd } from "./host.ts";
import { ThreadError, ThreadStoppedError } from "./errors.ts";
import { fromMessage, lower } from "./message.ts";
import { adoptThread } from "./thread.ts";
import type { Thread } from "./thread.ts";

/** What a thread's daemons get to unwind in when it ends, in ms. */
const GRACE = 100;
/** How long it waits for the last messages of threads that have ended, in ms. */
const LAST_WORDS = 1000;
/** What async waits get to unwind in when the thread is told to go, in ms. */
const UNWINDING = 50;

/** What serve() was given, by name. */
export const served: Map<string, Target> = new Map<string, Target>();

/**
 * Runs a thread, from start to exit. `loadClasses` is for what was not loaded with this module: the classes that its
 * arguments may hold.
 */
export async function runThread(start: ThreadStart, loadClasses?: () => Promise<unknown>): Promise<void> {
  const host = requireHost();
  agent.started = true;
  agent.generation = start.generation;
  if (start.primitives) await loadClasses?.();
  if (start.memory !== undefined) await import(/* @vite-ignore */ start.memory);
  const core = ThreadCore.attach(start.record);
  useRoster(core.roster);
  core.roster.adopt(start.id); // before the target's module makes anything
  core.record.tell(UP_BIT);
  const end = new ThreadEnd(core);
  host.onEnd((how) => end.abruptly(how));
  watch(core.record, () => end.obey());
  host.onMessage((message) => receive(message));
  try {
    const value = await perform(core, start);
    if (!isSmallValue(value)) await needCodec();
    await end.childrenEnd();
    for (const used of agent.leaving) used.leave();
    core.roster.markReturned();
    end.returned(value);
  } catch (error) {
    await needCodec().catch(() => {}); // then the error goes without
    await end.childrenEnd();
    end.threw(error);
  }
  await end.leave();
}

async function perform(core: ThreadCore, start: ThreadStart): Promise<unknown> {
  const { call } = start;
  const { record } = core;
  const args = fromMessage<unknown[]>(start.args);
  const thread = await locate(core, start, args);
  if (call.interval !== undefined && !await fires(core, call.interval)) return undefined;
  if ((record.control & STOP_BIT) !== 0) throw stopped(core);
  const running = thread.run();
  if (isThenable(running)) void needCodec().catch(() => {}); // it goes on for a while, and may end anyhow
  return await running;
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function stopped(core: ThreadCore): ThreadStoppedError {
  return new ThreadStoppedError(`Cannot run ${core.title} as it was told to stop`);
}

/** Finds the target or subclass, and makes the object that stands for this thread. */
async function locate(core: ThreadCore, start: ThreadStart, args: unknown[]): Promise<Thread> {
  const { module, target, subclass } = start.call;
  if (module === undefined) return adoptThread(core, find(core, Object.fromEntries(served), target!, "serve()"), args);
  let found: object;
  agent.importing = true;
  try {
    found = await import(/* @vite-ignore */ module);
  } catch (cause) {
    if (cause instanceof ThreadError) throw cause;
    throw failure(core, `its module could not be imported: ${messageOf(cause)}`, cause);
  } finally {
    agent.importing = false;
  }
  const run = target === undefined ? undefined : find(core, found, target, module);
  if (subclass === undefined) return adoptThread(core, run, args);
  const thread = adoptThread(core, run, args, find(core, found, subclass, module));
  return Object.defineProperties(thread, Object.getOwnPropertyDescriptors(fromMessage<object>(start.fields))); // no setters
}

/** The function of that name. */
function find(core: ThreadCore, exports: object, name: string, where: string): Target {
  const found = exported(exports, name);
  if (found !== undefined) return found;
  const advice = where === "serve()"
    ? "give it there"
    : "export it, or give its name as exportName (what was made inside of a call, as a closure, cannot be found)";
  throw failure(core, `${JSON.stringify(name)} is no function of ${where}: ${advice}`);
}

function failure(core: ThreadCore, why: string, cause?: unknown): ThreadError {
  return new ThreadError(`Cannot run ${core.title} as ${why}`, {
    reason: "error",
    threadName: core.name,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A Timer's wait; whether it fires. */
function fires(core: ThreadCore, interval: number): Promise<boolean> {
  const { words, roster, name, record } = core;
  return waitAsync({ kind: "thread", name, verb: "run", roster }, () => {
    const seen = load(words, TIMER);
    if (seen === CANCELLED) return { done: true, value: false };
    return { done: false, sleep: { words, index: TIMER, expected: seen } };
  }, { timeout: interval, onTimeout: () => record.settleTimer(FIRED) });
}

/** Every way in which a thread ends. */
class ThreadEnd {
  readonly #core: ThreadCore;
  /** How it is going to have ended once no code of the program runs any more. */
  #kept: Ending | undefined;

  constructor(core: ThreadCore) {
    this.#core = core;
  }

  /** Told to stop: waits of ours throw by themselves; told to go: goes, as soon as nothing unwinds any more. */
  obey(): void {
    const { record, roster } = this.#core;
    if ((record.control & (STOP_BIT | HEARD_BIT)) === STOP_BIT) {
      record.tell(HEARD_BIT);
      roster.tellToStop(record.id);
      for (const wake of [...agent.sleepers]) wake();
    }
    if ((record.control & KILL_BIT) === 0) return;
    // What was woken by the stop is on its way out.
    setTimeout(() => void this.#exit(), agent.pending === 0 ? 0 : UNWINDING);
  }

  async #exit(): Promise<void> {
    if (this.#kept !== undefined) return; // it is about to end
    this.#keep({ kind: "ended", reason: "terminated" }, undefined);
    for (const child of children()) void terminateThread(child, GRACE).catch(() => {});
    await Promise.all(children().map((child) => child.ended({ unstoppable: true, timeout: 2 * GRACE })));
    hearChildren();
    await this.leave();
  }

  /** Ends it. The program's exit listeners run first: they may take locks, which would be recovered from under them. */
  async leave(): Promise<void> {
    const host = requireHost();
    if (!host.stopsRunningCode && children().length > 0) {
      this.#settleKept(); // it has ended, but stays, as the end of its worker would cut short threads that go on: see deno.ts
      for (const child of children()) await child.ended({ unstoppable: true, timeout: Infinity });
    }
    host.exit(); // in a process this ends in abruptly()
    this.#settleKept();
  }

  /** The target returned. */
  returned(value: unknown): void {
    const { record, roster, title } = this.#core;
    let bytes: Uint8Array | "posted";
    try {
      bytes = encodeResult(value, `return from ${title}`);
    } catch (reason) {
      try {
        const given: object[] = [];
        const message = lower(value, `return from ${title}`, "result", given);
        passOn(given, roster, roster.parent(record.id));
        requireHost().post({ lockstep: "outcome", value: message });
        bytes = "posted";
      } catch (refused) {
        return this.threw(refused ?? reason);
      }
    }
    if (bytes === "posted" || bytes.length <= record.limit) {
      // A copy, as a hook or an exit listener may encode too, before it is given out.
      return this.#keep({ kind: "returned", bytes: bytes === "posted" ? bytes : bytes.slice() }, undefined);
    }
    this.threw(
      new RangeError(
        `Cannot return from ${title} as its result takes ${bytes.length} bytes: maxResultBytes is ${record.limit}`,
      ),
    );
  }

  /** The target threw. */
  threw(error: unknown): void {
    const { record } = this.#core;
    if (error instanceof ThreadStoppedError && (record.control & STOP_BIT) !== 0) {
      return this.#keep({ kind: "ended", reason: "terminated" }, undefined);
    }
    this.#keep({ kind: "threw", bytes: bytesOf(this.#core, error) }, error);
  }

  /** It ends in the middle of whatever it does: an exit call, a close, an error that nobody caught; or at its end. */
  abruptly(end: HostEnd): void {
    const { record } = this.#core;
    if (record.done) return;
    // What an exit listener throws is not lost; that it exits changes nothing.
    if (end.thrown === undefined || this.#kept?.kind !== "returned") this.#settleKept();
    if (record.done) return;
    const mine = children();
    for (const child of mine) askToStop(child);
    for (const child of mine) child.endedBy(now() + (child.roster.waits(child.id) ? 2 * SLICE : GRACE));
    for (const child of children()) child.record.tell(KILL_BIT);
    hearChildren();
    const { reason, exitCode, thrown } = end;
    const bytes = thrown === undefined ? undefined : bytesOf(this.#core, thrown.error);
    const stopping = (record.control & KILL_BIT) !== 0;
    this.#settle({ kind: "ended", reason: stopping ? "terminated" : reason, exitCode, bytes }, thrown?.error);
  }

  #keep(ending: Ending, error: unknown): void {
    if (this.#kept !== undefined) return;
    this.#kept = ending;
    this.#tell(ending, error); // now, as in a browser nothing can be posted once the worker is to close
  }

  #settleKept(): void {
    if (this.#kept === undefined) return;
    tellUntold();
    this.#end(this.#kept);
  }

  #settle(ending: Ending, error: unknown): void {
    const { record } = this.#core;
    if (record.done) return;
    this.#tell(ending, error);
    this.#end(ending);
  }

  #end(ending: Ending): void {
    const { record, roster } = this.#core;
    roster.markHook(false); // before anybody sees that it has ended: a hook that is gone would have errors sent to it
    record.end(ending);
  }

  #tell(ending: Ending, error: unknown): void {
    tellUntold();
    tellOwnEnd(this.#core, ending, error ?? (ending.kind === "ended" ? failureOf(this.#core, ending) : undefined));
  }

  /** Waits for the threads that this one has started, also meanwhile; its daemons are terminated. */
  async childrenEnd(): Promise<void> {
    const stuck = new Set<ThreadCore>();
    const next = () => children().find((child) => !child.daemon && !stuck.has(child));
    do {
      for (let child = next(); child !== undefined; child = next()) {
        try {
          await child.ended({});
        } catch (error) {
          if (error instanceof ThreadStoppedError) break; // then they are to stop as well
          stuck.add(child); // it cannot end, which is no fault of the others
        }
      }
      await Promise.all(children().map((child) => terminateThread(child, GRACE).catch(() => {})));
      const gone = ([...agent.children] as ThreadCore[]).filter((child) => !child.alive);
      await Promise.all(gone.map((child) => child.stopped(LAST_WORDS)));
    } while (next() !== undefined && (this.#core.record.control & STOP_BIT) === 0);
  }
}

/** The living threads that this one has started. */
function children(): ThreadCore[] {
  return ([...agent.children] as ThreadCore[]).filter((child) => child.alive);
}
