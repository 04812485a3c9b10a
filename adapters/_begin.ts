// How a worker that Lockstep was given, or that a page made, becomes a thread.

import { hold, tellsLives } from "./_life.ts";
import { hearMaker, tellMaker } from "./_maker.ts";
import { writeAtOnceFromNow } from "./_output.ts";
import { greeted } from "./_port.ts";
import type { ThreadStart } from "../primitives/_thread_messages.ts";
import { runThread } from "../primitives/_thread_run.ts";

/** Waits for the greeting, says that it is alive, and runs. */
export function beginWhenGreeted(): void {
  let begun = false;
  hearMaker(({ start, port, life, output = [] }) => {
    if (begun || port === undefined) return;
    begun = true;
    greeted({ start, port });
    writeAtOnceFromNow(output);
    // Its maker must never wait for a sign of life that nobody holds, so it comes first.
    const ready = tellsLives && life !== undefined
      ? hold(life).then((held) => held && tellMaker({ alive: true }))
      : undefined;
    void Promise.resolve(ready).then(() => runThread(start as ThreadStart));
  });
}
