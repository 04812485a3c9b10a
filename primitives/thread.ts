/**
 * Thread: a function of a module, run by a worker, joined for its result.
 *
 * The record and its states are in the header of `_thread_record.ts`.
 *
 * @module
 */

import { agent } from "./_agent.ts";
import { checkName, describe, optionsObject, signalOf } from "./_arguments.ts";
import { checkTimeout, deadlineOf } from "./_deadline.ts";
import type { Handle } from "./_handle.ts";
import { shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import { memory } from "./_memory.ts";
import type { ThreadState } from "./_thread_core.ts";
import { ThreadCore } from "./_thread_core.ts";
import { faces } from "./_thread_hook.ts";
import type { ThreadCall } from "./_thread_messages.ts";
import type { ThreadOptions } from "./_thread_options.ts";
import { callOf, checkFields, checkOptions, Given } from "./_thread_options.ts";
import { startThread, terminateThread } from "./_thread_start.ts";
import { ThreadError } from "./errors.ts";
import { lower } from "./message.ts";

export type { ThreadState } from "./_thread_core.ts";
export type {
  ServedOptions,
  SubclassOptions,
  TargetOptions,
  ThreadArguments,
  ThreadOptions,
  ThreadSettings,
  WorkerLike,
} from "./_thread_options.ts";

/** Threads that start one another, as those do that a module starts which each of them imports, end after so many. */
const MOST_GENERATIONS = 64;

let coreOfThread: (thread: Thread<any, any>) => ThreadCore;

/** The shared side of a thread. */
export function threadCore(thread: Thread<any, any>): ThreadCore {
  return coreOfThread(thread);
}

/**
 * A thread: an exported function, called in a worker of its own, on any runtime.
 *
 * The worker imports the target's module anew, as Python's "spawn" does: its variables are the thread's own, and a
 * module that starts threads while it is imported guards that with `isMainThread`. Arguments and results are copied;
 * Lockstep's primitives in them, at any depth, are shared. The thread ends when the target returns, or the promise
 * that it returned settles, and the threads that it has started, daemons apart, have ended; timers and
 * requests that are then still pending are dropped.
 *
 * A subclass may override `run()` instead. The worker then makes an instance of it without running its
 * constructor, and copies the public fields of the one that was started; it has no `#private` fields there.
 *
 * - **Memory:** 64 bytes, and room for the result: `maxResultBytes`, reserved and not used up.
 * - **Cost:** that of a worker: 20 to 60 ms to start; on Deno ten times that for a thread that a thread starts.
 * - **Errors:** what the target throws is rethrown by `join()`; with nobody joining, it is printed.
 *
 * @example Call a function in a thread
 * ```ts
 * import { Thread } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * // As a rule the target is a function of yours, and the module import.meta.url where it is exported.
 * const module = "data:text/javascript,export function add(a, b) { return a + b; }";
 * const { add }: { add: (a: number, b: number) => number } = await import(module);
 *
 * const thread = new Thread({ target: add, module, args: [3, 4] }).start();
 * assert.equal(await thread.joinAsync(), 7);
 * ```
 *
 * @example A class of threads
 * ```ts
 * import type { Thread } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * // As a rule: export class Doubler extends Thread { constructor() { super({ module: import.meta.url }) } … }
 * const module = `data:text/javascript,
 *   import { Thread } from "@lockstep/lockstep";
 *   export class Doubler extends Thread {
 *     constructor(number) {
 *       super({ module: import.meta.url });
 *       this.number = number;
 *     }
 *     run() {
 *       return 2 * this.number;
 *     }
 *   }`;
 * const { Doubler }: { Doubler: new (number: number) => Thread<number> } = await import(module);
 * assert.equal(await new Doubler(21).start().joinAsync(), 42);
 * ```
 */
export class Thread<R = unknown, A extends readonly unknown[] = readonly []> {
  readonly #core: ThreadCore;
  readonly #target: ((...args: any[]) => unknown) | undefined = undefined;
  readonly #args: readonly unknown[] = [];
  readonly #call: ThreadCall | undefined = undefined;
  readonly #worker: (() => unknown) | undefined = undefined;

  /**
   * Makes a thread; `start()` starts it.
   *
   * @param options What it runs, with what, and how it is called.
   * @throws {TypeError} If there is nothing to run, or an option has the wrong type.
   * @throws {RangeError} If `maxResultBytes` is out of range.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options: ThreadOptions<R, A>) {
    if (options instanceof Given) {
      this.#core = options.core;
      this.#target = options.target;
      this.#args = options.args;
      return;
    }
    const { target, worker, args = [], name, daemon, maxResultBytes } = checkOptions(options);
    this.#call = callOf(options, overrides(this) ? this.constructor.name : undefined);
    this.#worker = worker;
    this.#args = args;
    this.#target = typeof target === "function" ? target : undefined;
    const { roster } = memory();
    const of = typeof target === "function" ? target.name : target ?? "";
    const given = name ?? "";
    this.#core = ThreadCore.create(
      given !== "" ? given : `Thread-${roster.nextName()}${of === "" ? "" : ` (${of})`}`,
      daemon,
      maxResultBytes,
      this.#call.interval !== undefined,
    );
  }

  /**
   * The thread that a handle stands for, to be joined from anywhere.
   *
   * @throws {LayoutError} If it is no handle of a Thread, or damaged.
   */
  static attach<R = unknown>(handle: Handle): Thread<R> {
    return face(ThreadCore.attach(handle)) as Thread<R>;
  }

  /** What crosses threads in its place: post it, and `Thread.attach()` it there. */
  get handle(): Handle {
    return this.#core.handle;
  }

  /** Its name; at most 64 bytes of it are seen by other threads once it runs. */
  get name(): string {
    return this.#core.name;
  }

  set name(name: string) {
    checkName("a thread", name);
    this.#core.name = name;
  }

  /** Whether the program ends without waiting for it. Set before `start()`, or it throws `ThreadError`. */
  get daemon(): boolean {
    return this.#core.daemon;
  }

  set daemon(daemon: boolean) {
    if (typeof daemon !== "boolean") {
      throw new TypeError(`Cannot make a thread a daemon as daemon must be a boolean: it is ${describe(daemon)}`);
    }
    this.#core.daemon = daemon;
  }

  /** Its id among the program's threads; `undefined` before `start()`. */
  get id(): number | undefined {
    return this.#core.id || undefined;
  }

  /** Whether it has been started and has not ended, at this moment. */
  get alive(): boolean {
    return this.#core.alive;
  }

  /** What it is doing, at this moment. */
  get state(): ThreadState {
    return this.#core.state;
  }

  /**
   * Starts it. Returns at once, with the id given and the thread listed; it comes up also if the caller
   * then blocks.
   *
   * @returns The thread itself.
   * @throws {ThreadError} If it was started before, if its worker cannot be made, or if a module starts threads
   * while it is imported by one: guard that with `isMainThread`.
   * @throws {TypeError} If an argument cannot be carried; the message says where it stands, and nothing was started.
   * If a class field is called as what every thread has: `daemon = true` there does not set it, `super({ daemon: true })` does.
   * @throws {RangeError} If 1024 threads are alive.
   *
   * @example Start several, then wait for all
   * ```ts
   * import { Thread } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const module = "data:text/javascript,export const square = (n) => n * n";
   * const { square }: { square: (n: number) => number } = await import(module);
   * const threads = [2, 3, 4].map((n) => new Thread({ target: square, module, args: [n] }).start());
   * assert.deepEqual(await Promise.all(threads.map((thread) => thread.joinAsync())), [4, 9, 16]);
   * ```
   */
  start(): this {
    const core = this.#core;
    const call = this.#call;
    if (core.started) {
      throw new ThreadError(`Cannot start ${core.title} as it has been started before: make a new Thread`, {
        threadName: core.name,
      });
    }
    if (call === undefined) {
      throw new ThreadError(
        `Cannot start ${core.title} through a handle: only the object that was made with \`new\` can`,
        {
          threadName: core.name,
        },
      );
    }
    if (agent.importing) {
      throw new ThreadError(
        `Cannot start ${core.title} as this module is being imported by a thread: ` +
          "guard what only the main thread is to do with isMainThread",
        { threadName: core.name },
      );
    }
    if (agent.generation >= MOST_GENERATIONS) {
      throw new ThreadError(
        `Cannot start ${core.title} as ${MOST_GENERATIONS} threads have started one another: if that is the work of a ` +
          "module that each of them imports, guard what only the main thread is to do with isMainThread",
        { threadName: core.name },
      );
    }
    checkFields(this, Thread.prototype, core.title);
    const given: object[] = [];
    startThread(core, {
      call,
      args: lower(this.#args, "start a thread with", "args", given),
      fields: call.subclass === undefined ? undefined : lower({ ...this }, "start a thread with", "this", given),
      given,
      worker: this.#worker,
    });
    return this;
  }

  /**
   * Waits until the thread has ended.
   *
   * - **Waits for:** its end, and that of the threads it has started, daemons apart; blocking this thread.
   * - **Woken by:** the thread itself as it ends, however it ends. Ends that it cannot report, as running out of memory,
   *   are learnt by the event loop of the thread that started it: there, `joinAsync()` is the safe way to wait.
   * - **Returns early:** never.
   *
   * @returns What the target returned: each join gets a copy of its own.
   * @throws What the target threw.
   * @throws {ThreadError} If it ended otherwise (see `reason`), was not started, or is not a thread of Lockstep.
   * @throws {DeadlockError} If it waits for this thread, or is this thread.
   * @throws {BlockingUnavailableError} If this thread may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example The result, or the error
   * ```ts
   * import { Thread } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const module = "data:text/javascript,export function fail() { throw new RangeError('too far') }";
   * const { fail }: { fail: () => void } = await import(module);
   * assert.throws(() => new Thread({ target: fail, module }).start().join(), RangeError);
   * ```
   */
  join(): Awaited<R> {
    return this.#core.join(Infinity)!.value as Awaited<R>;
  }

  /**
   * Waits until the thread has ended, but not for ever.
   *
   * - **Waits for:** its end, at most `timeout` ms (by default not at all), blocking this thread.
   * - **Woken by:** the thread itself as it ends.
   * - **Returns early:** `undefined` when the time is over; that disturbs nothing.
   *
   * @param options `timeout` in milliseconds, 0 or more.
   * @returns What the target returned, boxed.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws What the target threw, and all that `join()` throws.
   *
   * @example Not yet
   * ```ts
   * import { Thread } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const module = "data:text/javascript,export const one = () => 1";
   * const { one }: { one: () => number } = await import(module);
   * const thread = new Thread({ target: one, module }).start();
   * while (thread.tryJoin({ timeout: 10 }) === undefined) { /* … something else … *\/ }
   * assert.equal(thread.tryJoin()?.value, 1);
   * ```
   */
  tryJoin(options?: { timeout?: number }): { value: Awaited<R> } | undefined {
    return this.#core.join(deadlineOf(options)) as { value: Awaited<R> } | undefined;
  }

  /**
   * Waits until the thread has ended, without blocking this one.
   *
   * - **Waits for:** its end; for a result with a primitive or shared memory in it also for the event loop of the thread that
   *   started it, which passes that on.
   * - **Woken by:** the thread itself as it ends, or the runtime's word that it did.
   * - **Returns early:** rejects with `signal.reason`; that disturbs nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws What the target threw, and all that `join()` throws, apart from `BlockingUnavailableError`.
   *
   * @example Where blocking is not allowed
   * ```ts
   * import { Thread } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const module = "data:text/javascript,export const later = async () => 'done'";
   * const { later }: { later: () => Promise<string> } = await import(module);
   * assert.equal(await new Thread({ target: later, module }).start().joinAsync(), "done");
   * ```
   */
  async joinAsync(options?: { signal?: AbortSignal }): Promise<Awaited<R>> {
    return (await this.#core.joinAsync(signalOf(options))).value as Awaited<R>;
  }

  /**
   * What the thread does: calls the target. A subclass overrides it; what it returns is what `join()` gives.
   *
   * @example Run it here, as a plain call
   * ```ts
   * import { Thread } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const one = () => 1;
   * assert.equal(new Thread({ target: one, module: import.meta.url }).run(), 1);
   * ```
   */
  run(): R | PromiseLike<R> {
    const target = this.#target; // called as a function, not as a method
    return target?.(...this.#args) as R;
  }

  /**
   * Stops the thread: every Lockstep wait in it, present or later, throws `ThreadStoppedError`, which unwinds it
   * through its `finally` blocks; after `grace` ms the runtime kills it, where it can. Does nothing to a thread
   * that has ended.
   *
   * - **Waits for:** its end, without blocking this thread.
   * - **Woken by:** the thread itself as it ends, or the runtime's word that it did.
   * - **Returns early:** never; where the runtime cannot kill it, it gives up after 1 to 10 s (see below).
   *
   * Deno cannot stop running code: there a thread that neither waits nor returns to its event loop goes on.
   *
   * @param options `grace` in milliseconds: 100 by default.
   * @throws {ThreadError} With reason `"unstoppable"` if it goes on; if it was not started, or is not a thread of Lockstep.
   * @throws {RangeError} If `grace` is negative or NaN.
   *
   * @example Stop a thread that waits
   * ```ts
   * import { Thread, ThreadError } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const module = `data:text/javascript,
   *   import { Lock } from "@lockstep/lockstep";
   *   export function hang() { const lock = new Lock({ handoff: true }); lock.acquire(); lock.acquire(); }`;
   * const { hang }: { hang: () => void } = await import(module);
   * const thread = new Thread({ target: hang, module }).start();
   * await thread.terminate();
   * await assert.rejects(thread.joinAsync(), ThreadError);
   * ```
   */
  async terminate(options?: { grace?: number }): Promise<void> {
    const grace = checkTimeout(optionsObject<{ grace: number }>(options).grace, 100);
    await terminateThread(this.#core, grace);
  }

  /** What printing it shows: class, name and state. */
  toString(): string {
    return this.#core.toString();
  }

  static {
    coreOfThread = (thread) => thread.#core;
  }
}
shareable("Thread", Thread.prototype, Thread.attach);
inspectable(Thread.prototype);

function overrides(thread: Thread<any, any>): boolean {
  return thread.run !== Thread.prototype.run;
}

/** The object for a thread that is known by its core alone. */
export function face(core: ThreadCore): Thread {
  return core.isTimer ? timerFace.of(core) : faceAs(Thread, core);
}

/** The same of a given class, whose constructor does not run. */
export function faceAs(of: abstract new (...args: any[]) => Thread, core: ThreadCore): Thread {
  return Reflect.construct(Thread, [new Given(core)], of);
}

/** The object for a Timer; timer.ts, which stands above, puts its own here. */
export const timerFace: { of(core: ThreadCore): Thread } = { of: (core) => faceAs(Thread, core) };

faces.of = (core) => selfOf(core) ?? face(core);

/** In a thread: makes the object that stands for it, with what it runs. */
export function adoptThread(
  core: ThreadCore,
  target: ((...args: any[]) => unknown) | undefined,
  args: readonly unknown[],
  subclass: unknown = Thread,
): Thread {
  if (typeof subclass !== "function" || subclass !== Thread && !(subclass.prototype instanceof Thread)) {
    throw new ThreadError(`Cannot run ${core.title} as ${describe(subclass)} is no subclass of Thread`, {
      reason: "error",
      threadName: core.name,
    });
  }
  // Thread's own constructor alone runs: the subclass's ran where the thread was made.
  const thread: Thread = Reflect.construct(Thread, [new Given(core, target, args)], subclass);
  agent.selves.set(core.roster.key, thread);
  return thread;
}

function selfOf(core: ThreadCore): Thread | undefined {
  const self = agent.selves.get(core.roster.key) as Thread | undefined;
  return self !== undefined && self.id === core.id ? self : undefined;
}
