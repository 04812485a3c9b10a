// The room for a thread's result was 16 MiB of a size that the allocator had given out before, and had to clear: each start
// took up to 50 ms more, and as much memory as if every thread had returned 16 MiB.

import { SharedValue, Thread } from "../../mod.ts";
import { assert, runtime, test } from "../_harness.ts";

const THREADS = 24;

/** Target of the threads. */
export function addOne(count: SharedValue<"i32">): void {
  count.add(1);
}

// deno-lint-ignore no-explicit-any
const process = (globalThis as any).process;
const skip = runtime !== "browser" && process.platform === "linux" ? undefined : "only Linux tells what is resident";

test("Room for results is reserved, and not used up by thread after thread", async () => {
  const count = new SharedValue("i32", 0);
  const module = import.meta.url;
  const kept: Thread[] = [];
  let before = 0;
  for (let i = 0; i < THREADS; i++) {
    const thread = new Thread({ target: addOne, module, args: [count] }).start();
    await thread.joinAsync();
    if (i % 2 === 0) kept.push(thread);
    if (i === THREADS / 2) before = process.memoryUsage().rss;
  }
  assert.equal(count.value, THREADS);
  assert.equal(kept.length, THREADS / 2);
  const { buffer } = kept[0]!.handle as unknown as { buffer: SharedArrayBuffer };
  assert.between(buffer.byteLength, 32 * 2 ** 20 + 1, Infinity, "below that, memory may have to be cleared");
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.between(grown, -Infinity, 16 * THREADS / 4, `MiB for ${THREADS / 2} threads`);
}, { skip, limit: 30_000 });
