// One thread as an agent sees it: its record, its place in the roster and, in the
// agent that started it, its worker. thread.ts is the face of it.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { POLL, remaining } from "./_deadline.ts";
import type { FullHandle } from "./_handle.ts";
import { makeHandle, openHandle } from "./_handle.ts";
import type { Kind } from "./_layout.ts";
import { recordKey } from "./_layout.ts";
import { localOf } from "./_local.ts";
import { createRecord, memory } from "./_memory.ts";
import { mayBlock } from "./_park.ts";
import type { Roster } from "./_roster.ts";
import { DAEMON_BIT, DEAD, MAIN_BIT, NAME_BYTES, RAW_BIT, RUNNING, STARTING } from "./_roster_record.ts";
import type { Joined } from "./_thread_outcome.ts";
import { arrival, outcomeOf, receive, takePosted } from "./_thread_outcome.ts";
import { DONE, fillThread, STUCK_BIT, THREAD_BYTES, threadBytes, ThreadRecord } from "./_thread_record.ts";
import type { Attempt, Wanted } from "./_wait.ts";
import { BlockedWait, SLICE, title, waitAsync } from "./_wait.ts";
import type { HostWorker } from "./host.ts";
import { BlockingUnavailableError, DeadlockError, LayoutError, ThreadError } from "./errors.ts";

/** What a thread is doing. */
export type ThreadState = "initial" | "starting" | "running" | "stopping" | "dead";

/** What this agent knows of a thread, shared by all its objects for it. */
export class ThreadLocal {
  /** In the agent that started it. */
  worker: HostWorker | undefined = undefined;
  /** In that agent: what becomes of the worker's messages. */
  hear: (message: unknown) => void = () => {};
  /** In that agent, to be called once it has ended: lets go of what hears them. */
  letGo: () => void = () => {};
  /** The outcome, where it came by message; "lost" where it cannot come any more. */
  posted: { readonly value: unknown } | "lost" | undefined = undefined;
  /** Called when it comes. */
  readonly listeners: Set<() => void> = new Set<() => void>();
  /** Called when its worker is known to have stopped. */
  readonly stopListeners: Set<() => void> = new Set<() => void>();
}

/** In a handle: it was a daemon when that was made. */
const DAEMON_FLAG = 1;
/** In a handle: it is a Timer's. */
const TIMER_FLAG = 2;

const encoder = new TextEncoder();

/** A name as the roster lists it. */
function cut(name: string): string {
  if (name.length <= NAME_BYTES / 3) return name; // no character takes more
  return name.slice(0, encoder.encodeInto(name, new Uint8Array(NAME_BYTES)).read);
}

/** Room for a result, unless told by the caller or the memory: reserved, and not used up. */
const MAX_RESULT_BYTES = 16 << 20;

/** The shared side of a thread. */
export class ThreadCore implements Wanted {
  readonly kind: Kind = "Thread";
  readonly verb = "join";
  readonly roster: Roster;
  #record: ThreadRecord | undefined;
  #local: ThreadLocal | undefined = undefined;
  #name: string;
  #daemon: boolean;
  #maxResultBytes: number | undefined;
  /** Whether it is a Timer's. */
  readonly isTimer: boolean;
  /** Whether it is known by a handle, and not by what it was made from. */
  #attached = false;
  /** The id of a thread that Lockstep did not start; it has no record. */
  #foreign = 0;

  private constructor(
    roster: Roster,
    name: string,
    daemon: boolean,
    isTimer: boolean,
    record: ThreadRecord | undefined,
  ) {
    this.roster = roster;
    this.isTimer = isTimer;
    this.#name = name;
    this.#daemon = daemon;
    this.#record = record;
  }

  /** A thread that is not started yet. */
  static create(
    name: string,
    daemon: boolean | undefined,
    maxResultBytes: number | undefined,
    isTimer = false,
  ): ThreadCore {
    const { roster } = memory();
    const inherited = (roster.flags(roster.me) & DAEMON_BIT) !== 0;
    const core = new ThreadCore(roster, name, daemon ?? inherited, isTimer, undefined);
    core.#maxResultBytes = maxResultBytes;
    return core;
  }

  /** The thread that a handle stands for. `timer`: throws LayoutError if it is no Timer. */
  static attach(handle: unknown, timer = false): ThreadCore {
    const { words, roster, name, extra } = openHandle("Thread", handle, THREAD_BYTES);
    const flags = typeof extra === "number" ? extra : 0;
    if (timer && (flags & TIMER_FLAG) === 0) {
      throw new LayoutError("Cannot attach Timer as this is the handle of another thread", {
        expected: "Timer",
        actual: "Thread",
      });
    }
    const record = new ThreadRecord(words, roster);
    const core = new ThreadCore(roster, name, (flags & DAEMON_FLAG) !== 0, (flags & TIMER_FLAG) !== 0, record);
    core.#attached = true;
    return core;
  }

  /** The main thread, or a worker that Lockstep did not start. */
  static foreign(roster: Roster, id: number): ThreadCore {
    const core = new ThreadCore(roster, roster.name(id), (roster.flags(id) & DAEMON_BIT) !== 0, false, undefined);
    core.#foreign = id;
    return core;
  }

  get record(): ThreadRecord {
    if (this.#record !== undefined) return this.#record;
    this.#refuseForeign("share");
    const room = this.#maxResultBytes ?? memory().resultBytes ?? MAX_RESULT_BYTES;
    const { words } = createRecord("Thread", threadBytes(room), undefined, (words) => fillThread(words, room));
    return this.#record = new ThreadRecord(words, this.roster);
  }

  get words(): Words {
    return this.record.words;
  }

  get local(): ThreadLocal {
    return this.#local ??= localOf(this.words, () => new ThreadLocal());
  }

  get handle(): FullHandle {
    const { words, roster } = this.record;
    const flags = (this.daemon ? DAEMON_FLAG : 0) | (this.isTimer ? TIMER_FLAG : 0);
    return makeHandle("Thread", words, roster, this.name, flags);
  }

  /** Its class and name, for messages. */
  get title(): string {
    return title("thread", this.name);
  }

  /** Its id, 0 before it is started. */
  get id(): number {
    return this.#foreign !== 0 ? this.#foreign : this.#record === undefined ? 0 : this.#record.id;
  }

  get started(): boolean {
    return this.id !== 0;
  }

  get name(): string {
    const { id } = this;
    if (id === 0) return this.#name;
    const listed = this.roster.name(id); // cut to 64 bytes, "" when the slot has gone to another
    if (listed === cut(this.#name) || listed === "" && !this.roster.alive(id)) return this.#name;
    return this.#name = listed;
  }

  set name(name: string) {
    this.#checkMade("its name");
    this.#name = name;
    if (this.id !== 0) this.roster.rename(this.id, name);
  }

  get daemon(): boolean {
    const { id } = this;
    const flags = id === 0 ? 0 : this.roster.flags(id);
    return flags === 0 ? this.#daemon : (flags & DAEMON_BIT) !== 0;
  }

  set daemon(daemon: boolean) {
    this.#checkMade("whether it is a daemon");
    if (this.started) {
      throw new ThreadError(`Cannot change whether ${this.title} is a daemon as it has been started: set it before`, {
        threadName: this.name,
      });
    }
    this.#daemon = daemon;
  }

  /** Before the start what is set here would not reach it. */
  #checkMade(what: string): void {
    if (!this.#attached || this.started) return;
    throw new ThreadError(
      `Cannot set ${what} through a handle of ${this.title} before it is started: set it where the thread was made`,
      { threadName: this.name },
    );
  }

  get alive(): boolean {
    const { id } = this;
    return id !== 0 && !this.#done() && this.roster.alive(id);
  }

  get state(): ThreadState {
    const { id } = this;
    if (id === 0) return "initial";
    if (this.#done()) return "dead";
    const state = this.roster.state(id);
    return state === DEAD ? "dead" : state === STARTING ? "starting" : state === RUNNING ? "running" : "stopping";
  }

  /** Whether its record says that it has ended. Then the roster says so too, once anybody has seen it. */
  #done(): boolean {
    if (this.#record?.done !== true) return false;
    this.roster.markDead(this.#record.id); // invariant 3 of the record
    return true;
  }

  toString(): string {
    const id = this.id === 0 ? "" : `, id ${this.id}`;
    return `${title(this.isTimer ? "Timer" : "Thread", this.name)} (${this.state}${id}${
      this.daemon ? ", daemon" : ""
    })`;
  }

  owners(): readonly number[] {
    return this.alive ? [this.id] : [];
  }

  // Joining.

  /** Waits for the end, blocked; `undefined` once the deadline is over. Throws what the thread threw. */
  join(deadline: number): Joined | undefined {
    this.#checkJoin(deadline === Infinity);
    this.record.markAsked();
    if (!this.#ended(deadline)) return undefined;
    receive(this);
    return this.#take();
  }

  #take(): Joined {
    try {
      return outcomeOf(this);
    } finally { // what it throws is an outcome, too
      this.record.markTaken();
      agent.untold.delete(recordKey(this.words));
      this.local.letGo();
    }
  }

  #ended(deadline: number): boolean {
    if (this.#settled()) return true;
    if (deadline === POLL) return false;
    const { words } = this;
    this.#checkStarting();
    const wait = BlockedWait.begin(this, deadline);
    try {
      for (;;) {
        if (this.#settled()) return true;
        if (wait.expired) return false;
        wait.park(words, DONE, 0);
      }
    } finally {
      wait.end();
    }
  }

  /** A thread that could not come up while this one is blocked would be waited for in vain. */
  #checkStarting(): void {
    if (!mayBlock() || agent.host?.startsBlocked !== false) return;
    if (this.#local?.worker === undefined || this.state !== "starting") return;
    throw new BlockingUnavailableError(
      `Cannot join ${this.title} as it comes up only while this worker's event loop turns: use joinAsync(), ` +
        "or let Lockstep start the thread that starts it",
      { hint: "joinAsync" },
    );
  }

  /** Waits for the end without blocking. */
  async joinAsync(signal: AbortSignal | undefined): Promise<Joined> {
    signal?.throwIfAborted();
    this.#checkJoin(true);
    const { record } = this;
    record.markAsked();
    await this.ended({ signal });
    if (record.posted && !takePosted(this)) await arrival(this, signal);
    return this.#take();
  }

  /** Resolves when the thread has ended, to whether it has: false when the time is over first. */
  ended(options: { signal?: AbortSignal | undefined; timeout?: number; unstoppable?: boolean }): Promise<boolean> {
    const { kind, verb, name, roster, words } = this;
    const { signal, timeout, unstoppable } = options;
    const attempt = (): Attempt<boolean> =>
      this.#settled(timeout !== undefined)
        ? { done: true, value: true }
        : { done: false, sleep: { words, index: DONE, expected: 0 } };
    return waitAsync({ kind, verb, name, roster, unstoppable: unstoppable === true }, attempt, {
      signal,
      ...(timeout === undefined ? {} : { timeout, onTimeout: () => false }),
    });
  }

  /** Waits for the end, blocked and deaf to everything else; for the last moments of an agent. */
  endedBy(deadline: number): void {
    const { words, roster } = this;
    while (mayBlock() && !this.#settled(true) && remaining(deadline) > 0) {
      roster.parker.park(words, DONE, 0, Math.min(remaining(deadline), SLICE));
    }
  }

  /** Resolves when this agent knows that the worker has stopped, and has all its messages; or after so many ms. */
  stopped(ms: number): Promise<void> {
    if (!agent.children.has(this)) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.local.stopListeners.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Whether it has ended. Throws when it is known that nobody can make it end. */
  #settled(patient = false): boolean {
    const { record, roster } = this;
    if (this.#done()) return true;
    if (!roster.alive(record.id)) return record.end({ kind: "ended", reason: "unknown" }) || true;
    if (!patient && (record.control & STUCK_BIT) !== 0) throw this.stuck("join");
    return false;
  }

  /** What to throw for a thread that does not stop. */
  stuck(verb: string): ThreadError {
    return new ThreadError(
      `Cannot ${verb} ${this.title} as it was told to stop and goes on: ` +
        `${agent.host?.name ?? "this runtime"} cannot stop running code`,
      { reason: "unstoppable", threadName: this.name },
    );
  }

  #checkJoin(untimed: boolean): void {
    this.#refuseForeign("join");
    const { roster, id } = this;
    if (id === 0) {
      throw new ThreadError(`Cannot join ${this.title} as it has not been started: call start() before`, {
        threadName: this.name,
      });
    }
    if (id === roster.me) this.#refuseCycle("a thread cannot wait for its own end");
    if (untimed && this.alive && this.#waitsForMe()) {
      this.#refuseCycle("it started this thread, which is no daemon, and ends only after it");
    }
  }

  /** Whether that thread started this one, or one that this one keeps from ending. */
  #waitsForMe(): boolean {
    const { roster, id } = this;
    for (let at = roster.me; at !== 0; at = roster.parent(at)) {
      if ((roster.flags(at) & (DAEMON_BIT | MAIN_BIT)) !== 0) return false;
      if (roster.parent(at) === id) return true;
    }
    return false;
  }

  #refuseCycle(why: string): never {
    const { me } = this.roster;
    const threadName = this.roster.name(me);
    throw new DeadlockError(`Cannot join ${this.title} as ${why}: it would wait for ever`, {
      cycle: [{ thread: me, threadName, waitsFor: this.title, holds: `thread ${JSON.stringify(threadName)}` }],
    });
  }

  #refuseForeign(verb: string): void {
    if (this.#foreign === 0) return;
    const flags = this.roster.flags(this.#foreign);
    const what = (flags & RAW_BIT) !== 0 ? "it is a worker that Lockstep did not start" : "it is the main thread";
    throw new ThreadError(`Cannot ${verb} ${this.title} as ${what}: only threads with start() have an outcome`, {
      threadName: this.name,
    });
  }

  /** What the calls that only threads with a record have say of others. */
  checkOwn(verb: string): void {
    this.#refuseForeign(verb);
  }
}
