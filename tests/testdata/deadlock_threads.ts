// What the threads of the deadlock tests do.

import {
  acquireAll,
  type Condition,
  type Cycle,
  DeadlockError,
  Event,
  type Latch,
  type Lock,
  type RLock,
  type RWLock,
  type Thread,
  threadDump,
} from "../../mod.ts";
import { clock } from "./death_threads.ts";

/** How a thread fared that waited for something. */
export interface Outcome {
  /** When it began to wait, and when that was over: the time of day in ms, the same for all threads. */
  readonly began: number;
  readonly ended: number;
  /** What DeadlockError said, where there was one. */
  readonly message?: string;
  readonly cycle?: Cycle;
}

/** Waits for something, and says how that went. */
export function attempt(wait: () => { release(): void } | undefined): Outcome {
  const began = clock();
  try {
    const guard = wait();
    const ended = clock();
    guard?.release();
    return { began, ended };
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return { began, ended: clock(), message: error.message, cycle: error.cycle };
  }
}

/** Takes one lock, meets the others, and then wants another one. */
export function holdAndWait(mine: Lock | RLock, other: Lock | RLock, met: Latch, depth = 1): Outcome {
  const guards = Array.from({ length: depth }, () => mine.acquire());
  met.countDown();
  met.wait();
  const outcome = attempt(() => other.acquire());
  for (const guard of guards) guard.release();
  return outcome;
}

/** The same with a time limit; returns whether it got the other one. */
export function holdAndTry(mine: Lock, other: Lock, met: Latch, timeout: number): boolean {
  const guard = mine.acquire();
  met.countDown();
  met.wait();
  const got = other.tryAcquire({ timeout });
  got?.release();
  guard.release();
  return got !== undefined;
}

/** A task of this thread takes the lock, and then the thread blocks. */
export async function holdAsyncAndWait(mine: Lock | RLock, other: Lock | RLock, met: Latch): Promise<Outcome> {
  const guard = await mine.acquireAsync();
  met.countDown();
  met.wait();
  const outcome = attempt(() => other.acquire());
  guard.release();
  return outcome;
}

/** Takes a lock and, holding it, joins a thread. */
export function holdAndJoin(mine: Lock, thread: Thread<unknown>, met: Latch): Outcome {
  const guard = mine.acquire();
  met.countDown();
  met.wait();
  const outcome = attempt(() => void thread.join());
  guard.release();
  return outcome;
}

/** Only wants a lock. */
export function wantOnly(other: Lock, met: Latch): Outcome {
  met.countDown();
  met.wait();
  return attempt(() => other.acquire());
}

/** Uses its core until told otherwise. */
export function burn(stop: { readonly isSet: boolean }): number {
  let turns = 0;
  while (!stop.isSet) turns++;
  return turns;
}

/** What to do with a lock: take a Lock, or one side of an RWLock. */
export type Step = { readonly lock: Lock } | { readonly read: RWLock } | { readonly write: RWLock };

function take(step: Step): { release(): void } {
  return "lock" in step ? step.lock.acquire() : "read" in step ? step.read.read() : step.write.write();
}

/** Waits until so many threads have been blocked on locks for so long. */
function lockedOut(count: number, ms: number): void {
  const moment = new Event();
  const blocked = () =>
    threadDump().threads.filter(({ waits: [wait] }) =>
      wait !== undefined && !wait.task && wait.kind.endsWith("Lock") && wait.elapsed >= ms
    );
  while (blocked().length < count) moment.tryWait({ timeout: 2 });
}

/** Takes one, meets the others, waits until so many of them are blocked, and then wants the other one. */
export function holdAndStep(mine: Step | undefined, other: Step, met: Latch, after: number, ms = 0): Outcome {
  const guard = mine === undefined ? undefined : take(mine);
  met.countDown();
  met.wait();
  lockedOut(after, ms);
  const outcome = attempt(() => take(other));
  guard?.release();
  return outcome;
}

/** Holds a lock while it waits to be notified, and so for the condition's lock after that. */
export function holdAndAwait(mine: Lock, condition: Condition, met: Latch): Outcome {
  const guard = mine.acquire();
  const inner = condition.acquire();
  met.countDown();
  const outcome = attempt(() => void condition.wait());
  inner.release();
  guard.release();
  return outcome;
}

/** Notifies, and wants a lock before it lets go of the condition's. */
export function notifyAndWant(other: Lock, condition: Condition, met: Latch): Outcome {
  met.wait();
  const guard = condition.acquire();
  condition.notify();
  const outcome = attempt(() => other.acquire());
  guard.release();
  return outcome;
}

/** Takes one lock, meets the others, and then wants several at once. */
export function holdAndWantAll(mine: Lock, others: readonly Lock[], met: Latch): Outcome {
  const guard = mine.acquire();
  met.countDown();
  met.wait();
  const outcome = attempt(() => acquireAll(others));
  guard.release();
  return outcome;
}

/** The same as holdAndWait(), but does not catch the error; its guard lets go. */
export function holdAndFail(mine: Lock, other: Lock, met: Latch): string {
  const guard = mine.acquire();
  try {
    met.countDown();
    met.wait();
    other.acquire().release();
    return "had both";
  } finally {
    guard.release();
  }
}
