// What Lockstep's threads do in failures_bench.ts.

import type { Latch, Lock, Queue, Semaphore } from "../mod.ts";

/** One of the objects that are streamed. */
export function object(i: number): unknown {
  return { id: i, name: `message ${i}`, ok: true, tags: ["a", "b"] };
}

/** Streams them. */
export function produce(queue: Queue<unknown>, objects: number): void {
  for (let i = 0; i < objects; i++) queue.put(object(i));
}

/** Ends its thread in the middle of a call. */
export function exit(): void {
  process.exit(3);
}

/** An error as programs make their own. */
class AccountError extends RangeError {
  override readonly name = "AccountError";
  readonly code = "E_LOW";
  readonly balance = 5;
}

/** One of them. */
export function accountError(): AccountError {
  return new AccountError("too little", { cause: new TypeError("five") });
}

/** Throws one. */
export function fail(): void {
  throw accountError();
}

/** What is left of one. */
export function told(error: unknown): string {
  const { name, code, balance, cause } = error as Partial<AccountError>;
  return `${name}, code ${code}, balance ${balance}, cause ${(cause as Error | undefined)?.name}`;
}

/** Ends its thread while it holds a lock. */
export function holdAndExit(lock: Lock): void {
  lock.acquire();
  process.exit(3);
}

/** Takes two locks, once another thread has one of them too. */
export function takeBoth(first: Lock, second: Lock, both: Latch): string {
  return first.withLock(() => {
    both.countDown();
    both.wait();
    return second.withLock(() => "both");
  });
}

/** Waits for a permit in a task, and then blocked. */
export function twoWaiters(permits: Semaphore, ready: Latch): string {
  const end = new AbortController();
  permits.acquireAsync({ signal: end.signal }).catch(() => {});
  ready.countDown();
  permits.acquire();
  end.abort();
  return "woken";
}
