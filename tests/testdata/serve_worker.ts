// A worker of one's own, as a bundler would make one file of it: its functions are served, not imported.

import { serve } from "../../adapters/worker.ts";
import { currentThread, type Event, Lock, Thread } from "../../mod.ts";
import { ownWorker } from "./own_worker.ts";

const worker = () => ownWorker(new URL("./serve_worker.ts", import.meta.url));

serve({
  add: (a: number, b: number) => a + b,
  later: async (text: string) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return text;
  },
});

serve({
  fail() {
    throw new RangeError("served and failed");
  },
  say: (text: string) => console.log(text),
  waitFor: (event: Event) => event.wait(),
  introduce: () => ({ name: currentThread().name, lock: new Lock({ name: "of the served" }) }),
  /** A thread of its own, joined at once. */
  nest: (depth: number): number =>
    depth === 0 ? 0 : 1 + new Thread<number, [number]>({ worker, target: "nest", args: [depth - 1] }).start().join(),
  /** The same in a worker that has been made before: nobody else can make it. */
  nestInMade: async (depth: number): Promise<number> => {
    const made = worker();
    return 1 +
      await new Thread<number, [number]>({ worker: () => made, target: "nest", args: [depth] }).start().joinAsync();
  },
});
