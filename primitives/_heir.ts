// The bound on barging, for records with a monitor.
//
// A thread that runs may pass those asleep. A waiter that was passed for PATIENCE ms makes itself the heir, and gets
// what is released next. What is reserved so lapses after LAPSE ms (1 for an async heir, whose thread may be busy),
// as seen by whoever waits for it: so an heir that died or sleeps on holds nobody up for long.
//
// The word HEIR: bits 0-29 the heir's thread id, bit 30: it is a task; 0 = none. Written inside the monitor only.

import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { now } from "./_deadline.ts";

const THREAD_MASK = 0x3fffffff;
const TASK_BIT = 0x40000000;

/** ms after which a waiter that is passed again and again becomes the heir. */
export const PATIENCE = 10;
/** ms for which something is kept for a task, and how soon to look again at what is kept for anybody. */
export const LAPSE_TASK = 1;
/** ms for which something is kept for a thread. */
export const LAPSE = 10;

/** The waiter of a record that gets what is released next. Use it inside the record's monitor. */
export class Heir {
  readonly #words: Words;
  readonly #index: number;
  readonly #me: number;
  #seen = 0; // the heir seen last, and since when something free is kept for it
  #since = 0;

  /** The heir of a record, in word `index`. */
  constructor(words: Words, index: number, me: number) {
    this.#words = words;
    this.#index = index;
    this.#me = me;
  }

  /** Nothing is kept now, as it is not free: what is released next is kept anew, for the same heir too. */
  rests(): void {
    this.#seen = 0;
  }

  /**
   * Whether what is free now is kept for another thread. Ends a reservation that has lapsed. Who looks again and again
   * says also when nothing is free, by rests().
   */
  keeps(): boolean {
    const heir = load(this.#words, this.#index);
    if (heir === 0 || (heir & THREAD_MASK) === this.#me) {
      this.#seen = 0;
      return false;
    }
    if (heir !== this.#seen) {
      this.#seen = heir;
      this.#since = now();
      return true;
    }
    if (now() - this.#since < ((heir & TASK_BIT) !== 0 ? LAPSE_TASK : LAPSE)) return true;
    store(this.#words, this.#index, 0);
    this.#seen = 0;
    return false;
  }

  /** Makes this agent the heir, if nobody is. */
  claim(task: boolean): void {
    if (load(this.#words, this.#index) === 0) {
      store(this.#words, this.#index, task ? this.#me | TASK_BIT : this.#me);
    }
  }

  /** This agent is the heir no longer. */
  resign(): void {
    this.forget(this.#me);
  }

  /** That thread is the heir no longer. */
  forget(thread: number): void {
    const heir = load(this.#words, this.#index);
    if (heir !== 0 && (heir & THREAD_MASK) === thread) store(this.#words, this.#index, 0);
  }
}
