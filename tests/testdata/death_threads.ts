// Threads that die holding something, and threads that wait for it.

import { type Event, type Latch, type Lock, OwnerDiedError, type RLock, RWLock, type SharedValue } from "../../mod.ts";

/** Something of which one thread at a time is the owner. */
export type Owned = Lock | RLock | RWLock;

/** How a thread ends. */
export type Way = "throw" | "exit" | "close";

/** The time of day in ms, the same for all threads. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

export function take(owned: Owned): { release(): void } {
  return owned instanceof RWLock ? owned.write() : owned.acquire();
}

/** Takes it, and some time later ends without letting go. */
export function dieHolding(owned: Owned, held: Latch, go: Event, diedAt: SharedValue<"f64">, way: Way): void {
  take(owned);
  held.countDown();
  go.wait();
  diedAt.value = clock();
  // deno-lint-ignore no-explicit-any
  const realm: any = globalThis;
  if (way === "exit") realm.process.exit(3);
  if (way === "close") realm.close();
  else throw new Error("on purpose");
}

/** Wants it, blocked or not; returns when it was told that the owner has died. */
export async function wantDead(owned: Owned, ready: Latch, asynchronous: boolean): Promise<number> {
  ready.countDown();
  try {
    if (!asynchronous) take(owned).release();
    else (await (owned instanceof RWLock ? owned.writeAsync() : owned.acquireAsync())).release();
  } catch (error) {
    if (!(error instanceof OwnerDiedError)) throw error;
    return clock();
  }
  throw new Error("It was to be had");
}
