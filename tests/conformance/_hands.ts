/**
 * Hands: threads that do one piece of work after another, of test after test.
 *
 * Most cases are about what threads do to each other, not about how they start and end; starting a thread takes longer
 * than what it does there. A case whose threads are to end, are killed, or block the main thread starts its own, with
 * `starter()`.
 *
 * A hand is a daemon in a worker of our own, which is posted its work with the primitives in it. One whose work has
 * failed, or has not come to an end, is not asked again.
 *
 * All hands are sent away after the last case that uses them. The cases about threads, and the next test file where
 * files share a process as in Bun, are to find no threads but their own; and on hostile memory an idle hand polls, which
 * slows down programs that are given a time.
 *
 * @module
 */

import { fromMessage, Thread, toMessage } from "../../mod.ts";
import type { OwnWorker } from "../testdata/own_worker.ts";
import { ownWorker } from "../testdata/own_worker.ts";

/** What a hand is posted: a function of a module, and its arguments as a message. */
export interface Job {
  readonly module: string;
  readonly target: string;
  readonly args: unknown;
}

/** What it posts back: the result or the error, as a message. */
export type Answer = { readonly value: unknown } | { readonly error: unknown };

/** A piece of work, as far as it is like a thread. */
export interface Work<R> {
  /** Whether it is still being done. */
  readonly alive: boolean;
  /** Its result; rejects with what it threw. */
  joinAsync(): Promise<Awaited<R>>;
}

class Hand {
  readonly #worker: OwnWorker = ownWorker(new URL("../testdata/hand_worker.ts", import.meta.url));
  readonly #thread = new Thread({ worker: () => this.#worker, target: "standBy", name: "hand", daemon: true });
  #hear: (answer: Answer) => void = () => {};

  constructor() {
    this.#thread.start();
    this.#worker.listen((data) => {
      const { answer } = data as { answer?: Answer };
      if (answer !== undefined) this.#hear(answer);
    });
  }

  /** Resolves to the answer; rejects if the thread ends instead. */
  async do(job: Job): Promise<Answer> {
    const done = new AbortController();
    const { signal } = done;
    try {
      const answer = new Promise<Answer>((resolve) => this.#hear = resolve);
      this.#worker.postMessage({ job }, []);
      return await Promise.race([answer, this.#thread.joinAsync({ signal }) as Promise<never>]);
    } finally {
      done.abort();
    }
  }

  /** Ends the thread. */
  async leave(): Promise<void> {
    this.#worker.postMessage({ job: "leave" }, []);
    await this.#thread.joinAsync();
  }
}

const idle: Hand[] = [];

/** Makes `ask(target, ...args)`, which has a hand call an exported function of that module. */
export function asker(
  module: string,
): <R, A extends readonly unknown[]>(target: (...args: A) => R, ...args: A) => Work<R> {
  return <R, A extends readonly unknown[]>(target: (...args: A) => R, ...args: A): Work<R> => {
    const hand = idle.pop() ?? new Hand();
    let alive = true;
    const result = hand.do({ module, target: target.name, args: toMessage(args) }).then((answer) => {
      alive = false;
      if ("error" in answer) {
        void hand.leave();
        throw fromMessage(answer.error);
      }
      idle.push(hand);
      return fromMessage<Awaited<R>>(answer.value);
    });
    result.catch(() => {}); // whoever joins is told
    return {
      get alive() {
        return alive;
      },
      joinAsync: () => result,
    };
  };
}

/** Sends away all hands that have nothing to do. */
export async function dismissHands(): Promise<void> {
  await Promise.all(idle.splice(0).map((hand) => hand.leave()));
}
