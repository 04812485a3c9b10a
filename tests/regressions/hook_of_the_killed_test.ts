// The except hook of a thread that was killed together with its starter was counted for ever: the error of any thread
// was sent to that thread's starter from then on, and not printed while the main thread was blocked.

import { Event, setExceptHook, Thread } from "../../mod.ts";
import { memory } from "../../primitives/_memory.ts";
import { assert, runtime, test } from "../_harness.ts";
import { until } from "../_until.ts";

const module = import.meta.url;

export async function hasHook(up: Event): Promise<void> {
  setExceptHook(() => {});
  up.set();
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

export function startsAndSpins(up: Event): void {
  new Thread({ target: hasHook, module, args: [up] }).start();
  up.wait();
  while (up.isSet);
}

test("the hook of a thread that was killed with its starter counts no more", async () => {
  const up = new Event();
  const thread = new Thread({ target: startsAndSpins, module, args: [up] }).start();
  await up.waitAsync();
  assert(memory().roster.hooked);
  await thread.terminate({ grace: 20 });
  await until(() => !memory().roster.hooked);
}, { skip: runtime === "deno" ? "no thread can be killed" : undefined });
