// What acquireAll() takes, whatever its class, and the one order in which all threads take it.

import { describe } from "./_arguments.ts";
import { BRAND } from "./_brand.ts";
import type { FullHandle } from "./_handle.ts";
import type { Holdable } from "./_held.ts";
import { recordKey } from "./_layout.ts";
import type { LockWord } from "./_lock_word.ts";
import { title } from "./_wait.ts";
import type { Condition } from "./condition.ts";
import type { Guard } from "./guard.ts";
import type { Lock } from "./lock.ts";
import { lockCore } from "./lock.ts";
import type { RLock } from "./rlock.ts";
import { rlockCore } from "./rlock.ts";
import type { RWLock } from "./rwlock.ts";
import { rwlockCore } from "./rwlock.ts";
import type { Semaphore } from "./semaphore.ts";

/** What `acquireAll()` takes: a lock, a permit of a semaphore, or one side of an RWLock. */
export type Acquirable =
  | Lock
  | RLock
  | Condition
  | Semaphore
  | { readonly read: RWLock }
  | { readonly write: RWLock };

/** One thing to take, whatever its class. */
export interface Item {
  readonly title: string;
  readonly record: number;
  /** What is checked, if it can have a rank. */
  readonly ranked: Holdable | undefined;
  /** Throws DeadlockError where this thread would wait for itself. */
  refuseOwn(): void;
  take(): Guard;
  tryTake(options: { timeout: number }): Guard | undefined;
  takeAsync(options: { signal: AbortSignal }): Promise<Guard>;
}

/** What is to be taken, checked, in the order that all threads share. */
export function inOrder(locks: Iterable<Acquirable>): Item[] {
  if (typeof locks !== "object" || locks === null || typeof locks[Symbol.iterator] !== "function") {
    throw new TypeError(`Cannot acquire all as locks must be a list of locks: it is ${describe(locks)}`);
  }
  const items = Array.from(locks, itemOf);
  const seen = new Set<number>();
  for (const { record, title } of items) {
    if (seen.has(record)) throw new TypeError(`Cannot acquire all as something is listed twice: ${title}`);
    seen.add(record);
  }
  // Any fixed place will do for what has no rank: first.
  return items.sort((a, b) => (a.ranked?.rank ?? -Infinity) - (b.ranked?.rank ?? -Infinity) || a.record - b.record);
}

function itemOf(what: Acquirable): Item {
  switch (kindOf(what)) {
    case "Lock":
      return lockItem(what as Lock, lockCore(what as Lock));
    case "RLock":
      return lockItem(what as RLock, rlockCore(what as RLock));
    case "Condition":
      return itemOf((what as Condition).lock);
    case "Semaphore":
    case "BoundedSemaphore":
      return semaphoreItem(what as Semaphore);
    case "RWLock":
      throw new TypeError(
        "Cannot acquire all as one side of an RWLock must be chosen: pass { read: lock } or { write: lock }",
      );
  }
  const { read, write } = Object(what) as { readonly read?: RWLock; readonly write?: RWLock };
  if (read !== undefined && write === undefined && kindOf(read) === "RWLock") return sideItem(read, "read");
  if (write !== undefined && read === undefined && kindOf(write) === "RWLock") return sideItem(write, "write");
  throw new TypeError(`Cannot acquire all as there is something that is no lock: it is ${describe(what)}`);
}

function kindOf(what: unknown): string | undefined {
  return typeof what === "object" && what !== null ? (what as { [BRAND]?: string })[BRAND] : undefined;
}

function lockItem(lock: Lock | RLock, core: LockWord): Item {
  return {
    title: core.title,
    record: recordKey(core.words),
    ranked: core,
    refuseOwn: () => {
      const nests = core.kind === "RLock" && core.mine && !core.local.task;
      if (!nests) core.refuseOwn();
    },
    take: () => lock.acquire(),
    tryTake: (options) => lock.tryAcquire(options),
    takeAsync: (options) => lock.acquireAsync(options),
  };
}

function semaphoreItem(semaphore: Semaphore): Item {
  const { buffer, byteOffset } = semaphore.handle as FullHandle;
  return {
    title: title("Semaphore", semaphore.name),
    record: recordKey(new Int32Array(buffer, byteOffset, 3)),
    ranked: undefined,
    refuseOwn: () => {}, // anybody may release a permit
    take: () => semaphore.acquire(),
    tryTake: (options) => semaphore.tryAcquire(options),
    takeAsync: (options) => semaphore.acquireAsync(options),
  };
}

function sideItem(lock: RWLock, verb: "read" | "write"): Item {
  const core = rwlockCore(lock);
  const { words, roster, name, rank, title } = core;
  const reads = verb === "read";
  return {
    title,
    record: recordKey(words),
    ranked: { kind: "RWLock", name, words, roster, rank, verb, holds: () => false },
    refuseOwn: () => core.refuseOwn(verb),
    take: () => reads ? lock.read() : lock.write(),
    tryTake: (options) => reads ? lock.tryRead(options) : lock.tryWrite(options),
    takeAsync: (options) => reads ? lock.readAsync(options) : lock.writeAsync(options),
  };
}
