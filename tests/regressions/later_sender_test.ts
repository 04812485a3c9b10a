// A receiver rests in the middle of a long message whose last part is in the ring already, and its sender has begun the
// next one. Another receiver took the sender for that of the first message: it had the next one sent again, and the first
// one was lost.

import { ClosedError, pipe } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { brief, bytes, OtherEnd, turn, wordsTo1 } from "./_other_agent.ts";

const PATIENCE = 100; // ms that others wait for an idle receiver

test("P7 a message that was sent completely is left to the one who has begun it, though its sender has begun another", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
  const other = new OtherEnd(b);
  const first = a.sendBytesAsync(bytes(2000, 1));
  for (let i = 0; i < 2; i++) {
    assert.equal(other.run((end) => end.tryRecvBytes()), undefined);
    await turn();
  }
  await first;
  const second = a.sendBytesAsync(bytes(2000, 2));
  let settled = false;
  const receiving = b.recvBytesAsync().finally(() => settled = true);
  await turn(3 * PATIENCE);
  assert.equal(settled, false);
  assert.equal(wordsTo1(a)[2], 0); // AGAIN
  assert.deepEqual(brief(other.run((end) => end.tryRecvBytes())), [2000, 1]);
  assert.deepEqual(brief(await receiving), [2000, 2]);
  await second;
  a.close();
  assert.throws(() => b.recvBytes(), ClosedError);
});

test("P7 a message that was given up does not stand in the way of a later one of the same sender, nor sends it twice", async () => {
  for (const taken of ["some of it", "all that had come"]) {
    const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
    const other = new OtherEnd(b);
    const given = new AbortController();
    const first = a.sendBytesAsync(bytes(5000, 1), { signal: given.signal }).catch((reason) => reason);
    assert.equal(other.run((end) => end.tryRecvBytes()), undefined);
    if (taken === "some of it") await turn(); // more of it comes
    given.abort("given up");
    assert.equal(await first, "given up");
    const second = a.sendBytesAsync(bytes(5000, 2));
    assert.deepEqual(brief(await b.recvBytesAsync()), [5000, 2]);
    await second;
    a.sendBytes(bytes(10, 3));
    assert.deepEqual(brief(b.recvBytes()), [10, 3]);
    assert.equal(b.poll(), false);
    assert.equal(other.run((end) => end.tryRecvBytes()), undefined);
  }
});
