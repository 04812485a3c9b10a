// What Lock, RLock and Condition share around a LockWord: the guard of a hold,
// and running something while holding.

import { checkFunction, describe } from "./_arguments.ts";
import { guarding } from "./_dispose.ts";
import type { LockWord } from "./_lock_word.ts";
import type { Guard } from "./guard.ts";

let coreOf: (guard: LockGuard) => LockWord | undefined;
let serialOf: (guard: LockGuard) => number;

/** The guard of one hold of a lock, or of one level of it. */
export class LockGuard implements Guard {
  declare readonly [Symbol.dispose]: () => void;
  #core: LockWord | undefined;
  readonly #serial: number;

  constructor(core: LockWord, serial: number) {
    this.#core = core;
    this.#serial = serial;
  }

  release(): void {
    const core = this.#core;
    this.#core = undefined; // a second call finds nothing to release
    core?.releaseHold(this.#serial); // only the hold that this guard stands for
  }

  static {
    coreOf = (guard) => guard.#core;
    serialOf = (guard) => guard.#serial;
  }
}
guarding(LockGuard.prototype);

/** Throws TypeError for anything but a guard of a lock. */
export function checkGuard(guard: unknown): asserts guard is LockGuard {
  if (guard instanceof LockGuard) return;
  throw new TypeError(`Cannot wait as guard must be what acquire returned: it is ${describe(guard)}`);
}

/** Whether the guard's hold of that lock still stands. */
export function stands(guard: LockGuard, core: LockWord): boolean {
  return coreOf(guard)?.local === core.local && core.holds(serialOf(guard));
}

/** What has to be held. */
interface Held {
  acquire(): Guard;
  acquireAsync(options?: { signal?: AbortSignal }): Promise<Guard>;
}

/** Takes it, runs `body`, then lets go. */
export function holding<T>(lock: Held, body: () => T): T {
  checkFunction("body", body); // before it waits
  const guard = lock.acquire();
  try {
    return body();
  } finally {
    guard.release();
  }
}

/** Takes it, runs `body`, and lets go when its promise settles. */
export async function holdingAsync<T>(
  lock: Held,
  body: () => T | PromiseLike<T>,
  options: { signal?: AbortSignal } | undefined,
): Promise<T> {
  checkFunction("body", body);
  const guard = await lock.acquireAsync(options);
  try {
    return await body();
  } finally {
    guard.release();
  }
}
