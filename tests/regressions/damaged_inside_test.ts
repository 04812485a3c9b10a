// A record whose internal lock belonged to a dead thread, and whose second one seemed to be this thread's own, made every
// later call of this thread on any record fail: seen when damaged records were tried in Bun.

import { currentThread, Queue, Semaphore } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

/** Words of a Queue's record: who is inside of put and get. See _queue_core.ts and _ring.ts. */
const PUT_HOLDER = 32 + 5;
const GET_HOLDER = 32 + 20;
/** Of no thread that there ever was. */
const DEAD = 0x3ff00fff;

test("A record that is damaged where its dead holder has to be replaced disturbs no other", () => {
  const queue = new Queue<number>();
  const { buffer, byteOffset } = queue.handle as unknown as { buffer: SharedArrayBuffer; byteOffset: number };
  const words = new Int32Array(buffer, byteOffset);
  words[PUT_HOLDER] = DEAD;
  words[GET_HOLDER] = currentThread().id!;
  assert.throws(() => queue.put(1), { name: "LayoutError" });
  const permits = new Semaphore(1);
  const guard = permits.acquire();
  assert.equal(permits.value, 0);
  guard.release();
  const other = new Queue<number>();
  other.put(7);
  assert.equal(other.get(), 7);
  assert.throws(() => queue.get(), { name: "LayoutError" });
});
