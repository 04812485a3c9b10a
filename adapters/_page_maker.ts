// In browsers a nested worker does not come up while the worker that made it is
// blocked. So a thread has its threads made by the page, which is never blocked. This
// is the side of whoever made a thread's worker: the page, or an agent between it and
// the thread, which passes on what it is asked for.

import type { AnyWorker } from "./_given_worker.ts";
import { watchWorker } from "./_given_worker.ts";
import type { Made, ToMaker } from "./_maker.ts";
import type { Greeting } from "./_port.ts";
import type { ThreadStart } from "../primitives/_thread_messages.ts";
import { endOrphan } from "../primitives/_thread_start.ts";

/** Makes a worker on the library's own first module. */
export type MakeOwn = (name: string) => AnyWorker;

/** Has a worker made and greeted, and calls back when it has stopped. Returns how to stop it. */
export type Make = (greeting: Greeting, how: Made, ended: () => void) => () => void;

/** Does what a worker asks its maker for; the workers made for it end with it. */
export class PageMaker {
  readonly #worker: AnyWorker;
  readonly #make: Make;
  readonly #kills: Map<number, () => void> = new Map<number, () => void>();

  constructor(worker: AnyWorker, make: Make) {
    this.#worker = worker;
    this.#make = make;
  }

  /** Takes a request. */
  told({ make, kill }: ToMaker): void {
    if (make !== undefined) {
      const { number, greeting, how } = make;
      const ended = (): void => {
        this.#kills.delete(number);
        this.#worker.postMessage({ lockstep: { ended: number } }, []);
      };
      this.#kills.set(number, this.#make(greeting, how, ended));
    }
    if (kill !== undefined) this.#kills.get(kill)?.();
  }

  /** The worker has stopped. */
  ended(): void {
    for (const kill of this.#kills.values()) kill();
  }
}

/** Makes the workers in this agent. */
export function makeHere(makeOwn: MakeOwn): Make {
  const make: Make = (greeting, how, ended) => {
    const worker = how.url === undefined ? makeOwn(how.name) : new Worker(how.url, how.options) as unknown as AnyWorker;
    const maker = new PageMaker(worker, make);
    let killed = false;
    const terminate = watchWorker(worker, greeting.life!, (end) => {
      maker.ended();
      // Whoever asked for it may be blocked, or gone.
      endOrphan(greeting.start as ThreadStart, killed ? { ...end, reason: "terminated" } : end);
      ended();
    }, (message) => maker.told(message));
    worker.postMessage({ lockstep: greeting }, [greeting.port]);
    return () => {
      killed = true;
      terminate();
    };
  };
  return make;
}
