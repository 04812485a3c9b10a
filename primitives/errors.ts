/**
 * Every error class of Lockstep. Each carries a stable string `code`, which
 * survives the trip between threads and every release; the class name and the
 * wording may improve, the code stays.
 *
 * Wrong arguments are the built-in `TypeError` and `RangeError`. "Not now" is
 * a value, never an error.
 *
 * @module
 */

import { keepName } from "./_inspect.ts";

/** Options of every error here: the standard `cause`. */
export interface LockstepErrorOptions {
  /** What led to this error, usually another error. */
  cause?: unknown;
}

/**
 * The base class of all errors that Lockstep throws on purpose.
 *
 * @example Tell Lockstep's errors from others
 * ```ts
 * import { Lock, LockstepError } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * try {
 *   new Lock().release();
 * } catch (error) {
 *   assert(error instanceof LockstepError);
 *   assert.equal(error.code, "not-held");
 * }
 * ```
 */
export class LockstepError extends Error {
  /** A stable machine-readable name of the kind of error. */
  readonly code: string;

  /** Makes an error with its stable code and message. */
  constructor(code: string, message: string, options?: LockstepErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Thrown by release, wait or notify in a thread that does not hold the lock. */
export class NotHeldError extends LockstepError {
  /** The id of the thread that holds it, `undefined` when nobody does. */
  readonly owner: number | undefined;

  /** Makes the error; `owner` is the present holder, if any. */
  constructor(message: string, options: LockstepErrorOptions & { owner?: number | undefined } = {}) {
    super("not-held", message, options);
    this.owner = options.owner;
  }
}

/** One member of a circle of waits: who it is, what it holds there, what it waits for. */
export interface CycleMember {
  /** The thread's id. */
  readonly thread: number;
  /** The thread's name. */
  readonly threadName: string;
  /** What it waits for, such as `Lock "audit"` or `thread "worker-2"`. */
  readonly waitsFor: string;
  /** What it holds that the member before it waits for. */
  readonly holds: string;
}

/** A closed circle of waits; the last member waits for the first. */
export type Cycle = readonly CycleMember[];

/** Thrown in the one thread of a closed circle of waits that is chosen to break it. */
export class DeadlockError extends LockstepError {
  /** The circle, member by member; the thread that got the error comes first. */
  readonly cycle: Cycle;

  /** Makes the error with the circle that it reports. */
  constructor(message: string, options: LockstepErrorOptions & { cycle?: Cycle } = {}) {
    super("deadlock", message, options);
    this.cycle = options.cycle ?? [];
  }
}

/** Thrown when a lock of a lower or equal rank is asked for while a higher one is held. */
export class LockOrderError extends LockstepError {
  /** A lock held that has the same or a higher rank: of several the one taken first. */
  readonly held: string;
  /** The lock that was asked for. */
  readonly wanted: string;

  /** Makes the error with the names of both locks. */
  constructor(message: string, options: LockstepErrorOptions & { held?: string; wanted?: string } = {}) {
    super("lock-order", message, options);
    this.held = options.held ?? "";
    this.wanted = options.wanted ?? "";
  }
}

/** Thrown when the thread that held a lock has died; `recover()` takes it over. */
export class OwnerDiedError extends LockstepError {
  /** The name of the thread that died. */
  readonly threadName: string;

  /** Makes the error with the name of the dead thread. */
  constructor(message: string, options: LockstepErrorOptions & { threadName?: string } = {}) {
    super("owner-died", message, options);
    this.threadName = options.threadName ?? "";
  }
}

/** Thrown by a blocking call that would have to wait in a thread that may not block. */
export class BlockingUnavailableError extends LockstepError {
  /** The method to use instead. */
  readonly hint: string;

  /** Makes the error with the method to use instead. */
  constructor(message: string, options: LockstepErrorOptions & { hint?: string } = {}) {
    super("blocking-unavailable", message, options);
    this.hint = options.hint ?? "";
  }
}

/** Thrown by put or send on something closed, and by get or receive once it is drained too. */
export class ClosedError extends LockstepError {
  /** The value that was not sent, if there was one. */
  readonly value: unknown;

  /** Makes the error; `value` is what was not sent. */
  constructor(message: string, options: LockstepErrorOptions & { value?: unknown } = {}) {
    super("closed", message, options);
    this.value = options.value;
  }
}

/** Thrown at every party of a barrier whose round cannot be completed. */
export class BrokenBarrierError extends LockstepError {
  /** How many parties a round takes. */
  readonly parties: number;

  /** Makes the error with the number of parties. */
  constructor(message: string, options: LockstepErrorOptions & { parties?: number } = {}) {
    super("broken-barrier", message, options);
    this.parties = options.parties ?? 0;
  }
}

/** Why a thread ended other than by returning or throwing, or `"error"` when it threw. */
export type ThreadEndReason =
  | "error"
  | "exit"
  | "closed"
  | "terminated"
  | "unstoppable"
  | "unknown"
  | "misuse";

/** Thrown for misuse of a Thread, and by join when the thread ended without a result. */
export class ThreadError extends LockstepError {
  /** How the thread ended, `"misuse"` when the call itself was wrong. */
  readonly reason: ThreadEndReason;
  /** The thread's name. */
  readonly threadName: string;
  /** What it passed to the runtime's exit function, where the runtime tells. */
  readonly exitCode: number | undefined;

  /** Makes the error with how the thread ended. */
  constructor(
    message: string,
    options: LockstepErrorOptions & { reason?: ThreadEndReason; threadName?: string; exitCode?: number | undefined } =
      {},
  ) {
    super("thread-failed", message, options);
    this.reason = options.reason ?? "misuse";
    this.threadName = options.threadName ?? "";
    this.exitCode = options.exitCode;
  }
}

/** Thrown by every Lockstep wait of a thread that was told to stop. */
export class ThreadStoppedError extends LockstepError {
  /** Makes the error. */
  constructor(message: string, options: LockstepErrorOptions = {}) {
    super("thread-stopped", message, options);
  }
}

/** Thrown where a feature or the memory it needs is missing. */
export class UnsupportedError extends LockstepError {
  /** What to do about it. */
  readonly hint: string;

  /** Makes the error with what to do about it. */
  constructor(message: string, options: LockstepErrorOptions & { hint?: string } = {}) {
    super("unsupported", message, options);
    this.hint = options.hint ?? "";
  }
}

/** Thrown by attach on memory or a handle that is not what it should be. */
export class LayoutError extends TypeError {
  /** A stable machine-readable name of the kind of error. */
  readonly code = "layout";
  /** What attach looked for. */
  readonly expected: string;
  /** What it found. */
  readonly actual: string;

  /** Makes the error with what was looked for and what was found. */
  constructor(message: string, options: LockstepErrorOptions & { expected?: string; actual?: string } = {}) {
    super(message, options);
    this.name = "LayoutError";
    this.expected = options.expected ?? "";
    this.actual = options.actual ?? "";
  }
}

const CLASSES = {
  LockstepError,
  NotHeldError,
  DeadlockError,
  LockOrderError,
  OwnerDiedError,
  BlockingUnavailableError,
  ClosedError,
  BrokenBarrierError,
  ThreadError,
  ThreadStoppedError,
  UnsupportedError,
  LayoutError,
};
for (const [name, of] of Object.entries(CLASSES)) keepName(of, name);
