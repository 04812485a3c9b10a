// In browsers a nested worker does not come up while the worker that made it is
// blocked. So a thread has its threads made by the page, which is never blocked. This
// is the page's side, and that of any other agent that makes a thread's worker.

import type { AnyWorker } from "./_given_worker.ts";
import { watchWorker } from "./_given_worker.ts";
import type { ToMaker } from "./_maker.ts";
import type { ThreadStart } from "../primitives/_thread_messages.ts";
import { endOrphan } from "../primitives/_thread_start.ts";

/** Makes a worker on the library's own first module. */
export type MakeOwn = (name: string) => AnyWorker;

/** Does what a worker asks its maker for; the workers made for it end with it. */
export class PageMaker {
  readonly #worker: AnyWorker;
  readonly #makeOwn: MakeOwn;
  readonly #kills: Map<number, () => void> = new Map<number, () => void>();

  constructor(worker: AnyWorker, makeOwn: MakeOwn) {
    this.#worker = worker;
    this.#makeOwn = makeOwn;
  }

  /** Takes a request. */
  told(message: ToMaker): void {
    const { make, kill } = message;
    if (make !== undefined) this.#make(make);
    if (kill !== undefined) this.#kills.get(kill)?.();
  }

  /** The worker has stopped. */
  ended(): void {
    for (const kill of this.#kills.values()) kill();
  }

  #make({ number, greeting, how }: NonNullable<ToMaker["make"]>): void {
    const worker = how.url === undefined
      ? this.#makeOwn(how.name)
      : new Worker(how.url, how.options) as unknown as AnyWorker;
    const maker = new PageMaker(worker, this.#makeOwn);
    let killed = false;
    const terminate = watchWorker(worker, greeting.life!, (end) => {
      this.#kills.delete(number);
      maker.ended();
      // Whoever asked for it may be blocked, or gone.
      endOrphan(greeting.start as ThreadStart, killed ? { ...end, reason: "terminated" } : end);
      this.#worker.postMessage({ lockstep: { ended: number } }, []);
    }, (message) => maker.told(message));
    this.#kills.set(number, () => {
      killed = true;
      terminate();
    });
    worker.postMessage({ lockstep: greeting }, [greeting.port]);
  }
}
