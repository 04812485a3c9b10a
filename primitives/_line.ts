// The async waiters of one agent for one record, first come first served. Only
// the one at the head sleeps on shared memory, so a release wakes one async
// waiter for each agent, however many tasks it has waiting.

import { keepAlive, letGo } from "./_keep_alive.ts";

interface Waiting {
  next(): void;
}

/** A local queue of tasks; the one at its head has the right to wait on shared memory. */
export class AsyncLine {
  readonly #waiting = new Set<Waiting>();
  #busy = false;

  /** How many tasks are in line, the head included. */
  get length(): number {
    return this.#waiting.size + (this.#busy ? 1 : 0);
  }

  /** Resolves when the caller is the head; rejects with `signal.reason`. Whoever was let in must leave(). */
  enter(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (!this.#busy) {
      this.#busy = true;
      return Promise.resolve();
    }
    return new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(waiting);
        signal?.removeEventListener("abort", onAbort);
        letGo();
      };
      const onAbort = (): void => {
        done();
        reject(signal!.reason);
      };
      const waiting: Waiting = {
        next(): void {
          done();
          resolve();
        },
      };
      keepAlive();
      this.#waiting.add(waiting);
      signal?.addEventListener("abort", onAbort);
    });
  }

  /** The head is done: the next one becomes it. */
  leave(): void {
    for (const waiting of this.#waiting) {
      waiting.next();
      return;
    }
    this.#busy = false;
  }
}
