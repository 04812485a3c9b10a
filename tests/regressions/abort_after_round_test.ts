// A party at a Barrier that was aborted in the instant after its round had been completed was rejected, although it had
// been counted and the others had gone on: whoever tried again was one too many, and the next round lacked one.

import { Barrier, SharedValue, Thread } from "../../mod.ts";
import { assert, runtime, test } from "../_harness.ts";

test("Barrier.waitAsync() aborted after its round was complete gives its place", async () => {
  const barrier = new Barrier(2);
  const controller = new AbortController();
  const first = barrier.waitAsync({ signal: controller.signal });
  const second = barrier.waitAsync(); // completes the round
  controller.abort("too late");
  assert.deepEqual([await first, await second], [0, 1]);
  assert.equal(barrier.waiting, 0);
});

/** Completes a round. */
export function complete(barrier: Barrier, done: SharedValue<"i32">): number {
  const place = barrier.wait();
  done.value = 1;
  return place;
}

test("Barrier.waitAsync() aborted after another thread completed its round gives its place", async () => {
  const barrier = new Barrier(2);
  const done = new SharedValue("i32");
  const controller = new AbortController();
  const first = barrier.waitAsync({ signal: controller.signal });
  const thread = new Thread({ target: complete, module: import.meta.url, args: [barrier, done] }).start();
  while (done.value === 0); // our event loop does not turn meanwhile
  controller.abort("too late");
  assert.deepEqual([await first, await thread.joinAsync()], [0, 1]);
}, { skip: runtime === "browser" ? "it takes an event loop that turns to start a thread" : undefined });
