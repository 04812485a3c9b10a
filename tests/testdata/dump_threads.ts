// What the threads of the dump tests do.

import type { Event, Latch, Lock } from "../../mod.ts";

/** Takes the lock, and then waits for the event. */
export function holdUntil(lock: Lock, ready: Latch, done: Event): void {
  lock.withLock(() => {
    ready.countDown();
    done.wait();
  });
}

/** Waits for the lock, with a time limit or without. */
export function want(lock: Lock, ready: Latch, timeout: number): void {
  ready.countDown();
  lock.tryAcquire({ timeout })?.release();
}

/** A task of it waits for the lock. */
export async function wantAsync(lock: Lock, ready: Latch): Promise<void> {
  ready.countDown();
  (await lock.acquireAsync()).release();
}
