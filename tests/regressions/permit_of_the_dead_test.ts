// A thread dies holding one of two permits, and the first use by another thread both
// takes a permit and gives back the dead one's: neither may be lost.

import { Semaphore, Thread } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

/** Takes a permit and throws, holding it. */
export function takeAndThrow(semaphore: Semaphore): void {
  semaphore.acquire();
  throw new Error("dies holding a permit");
}

test("Semaphore: a first tryAcquire() that finds a dead holder loses no permit", async () => {
  const semaphore = new Semaphore(2);
  const thread = new Thread({ target: takeAndThrow, module: import.meta.url, args: [semaphore] }).start();
  await assert.rejects(thread.joinAsync(), /dies holding/);
  assert(semaphore.tryAcquire() !== undefined);
  assert.equal(semaphore.value, 1);
  assert(semaphore.tryAcquire() !== undefined);
  assert.equal(semaphore.tryAcquire(), undefined);
});
