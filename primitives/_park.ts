// Parking: sleep while a 32-bit word has a value, and wake those who do.
//
// What the primitives rely on, and nothing more:
//   park       compares and goes to sleep as one step; returns when unparked, when
//              the time is over, or for no reason at all. Blocks the agent.
//   parkAny    the same on several words; returns when any of them is unparked or differs.
//   parkAsync  the same comparison without blocking; its promise resolves when park would
//              return, and does not keep a process alive. cancel() makes it resolve soon.
//   unpark     wakes at most `count` of those who sleep on the word. Whom, and how many
//              really, is not told: a sleeper may be dead, or have given up.
// Times are at most a slice (see _wait.ts): whoever was missed looks up by itself.
//
// A parker belongs to a memory, not to an import: the one below serves the agents
// of one program through Atomics; memory shared by processes brings another.

import type { Words } from "./_atomics.ts";
import { load, notify, wait, waitAsync } from "./_atomics.ts";
import { agent } from "./_agent.ts";

/** A word and the value to sleep on. */
export type Parked = readonly [words: Words, index: number, expected: number];

/** An async sleeper. */
export interface AsyncPark {
  /** Resolves when woken, when the time is over, or for no reason. */
  readonly promise: Promise<void>;
  /** Makes the promise resolve soon. */
  cancel(): void;
}

/** How agents that share a memory sleep and wake each other. */
export interface Parker {
  /**
   * Whether this memory is shared by programs: then records made beside one of its records belong to it too, and an
   * agent that was given some of them is not thereby a thread of it.
   */
  readonly shared?: boolean;
  /** Returns whether it has slept for all that time; `false` also where it cannot tell. */
  park(words: Words, index: number, expected: number, ms: number): boolean;
  parkAny(sleepers: readonly Parked[], ms: number): void;
  parkAsync(words: Words, index: number, expected: number, ms: number): AsyncPark;
  unpark(words: Words, index: number, count: number): void;
}

/** How often parkAny looks at the words that it cannot sleep on, in ms. */
const GLANCE = 2;

const DONE: AsyncPark = { promise: Promise.resolve(), cancel() {} };

/** The parker of memory that the agents of one program share. */
export const threadParker: Parker = {
  park(words, index, expected, ms): boolean {
    return wait(words, index, expected, ms) === "timed-out";
  },
  // Atomics sleeps on one word: sleep on the first and glance at the others.
  parkAny(sleepers, ms): void {
    const [words, index, expected] = sleepers[0]!;
    for (let left = ms; left > 0; left -= GLANCE) {
      for (let i = 1; i < sleepers.length; i++) {
        const [others, at, value] = sleepers[i]!;
        if (load(others, at) !== value) return;
      }
      if (wait(words, index, expected, Math.min(left, GLANCE)) !== "timed-out") return;
    }
  },
  parkAsync(words, index, expected, ms): AsyncPark {
    const result = waitAsync(words, index, expected, ms);
    if (!result.async) return DONE;
    let cancel!: () => void;
    const cancelled = new Promise<void>((resolve) => cancel = resolve);
    // The wait itself cannot be taken back: it lapses with its slice, and takes
    // no wake-up from anybody as async sleepers are always woken all at once.
    return { promise: Promise.race([result.value.then(() => {}), cancelled]), cancel };
  },
  unpark(words, index, count): void {
    notify(words, index, count);
  },
};

/** Whether this agent may block at all; tried once, without sleeping. */
export function mayBlock(): boolean {
  if (agent.mayBlock === undefined) {
    try {
      wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0); // the value differs: returns at once
      agent.mayBlock = true;
    } catch {
      agent.mayBlock = false;
    }
  }
  return agent.mayBlock;
}
