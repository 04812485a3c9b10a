// A receiver closes its end in the middle of a long message of which all was sent: the message was lost, though it had
// room in the pipe and others held the end. And where its sender had begun another, that one was sent again for nothing.

import { Connection, pipe } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { dies } from "../primitives/_deaths.ts";
import { brief, bytes, OtherEnd, turn, wordsTo1 } from "./_other_agent.ts";

type Any = Connection<any, any>;

/** Another holder of the end has begun a message of 700 bytes, of which all was sent; the ring begins `shift` bytes later. */
async function begun(shift = 0): Promise<[a: Any, b: Any, other: OtherEnd]> {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
  const other = new OtherEnd(b);
  if (shift > 0) {
    a.sendBytes(bytes(shift - 8, 8));
    b.recvBytes();
  }
  a.sendBytes(bytes(400, 9)); // so that the next one passes in parts
  const sending = a.sendBytesAsync(bytes(700, 1).map((_, i) => i + 1));
  assert.deepEqual(brief(b.recvBytes()), [400, 9]);
  assert.equal(other.run((end) => end.tryRecvBytes()), undefined);
  await sending;
  return [a, b, other];
}

function assertBegun(message: Uint8Array | undefined): void {
  assert.deepEqual(message, bytes(700, 1).map((_, i) => i + 1));
}

test("P7 a thread closes its end in the middle of a message that was sent completely: another one gets it", async () => {
  for (const before of ["at once", "others wait", "others follow"]) {
    const [a, b, other] = await begun();
    if (before === "others follow") a.sendBytes(bytes(20, 2));
    const receiving = before === "others wait" ? b.recvBytesAsync() : undefined;
    if (receiving !== undefined) await turn();
    other.run((end) => end.close());
    assertBegun(await (receiving ?? b.recvBytesAsync()));
    if (before === "others follow") assert.deepEqual(brief(b.recvBytes()), [20, 2]);
    assert.equal(b.poll(), false);
    for (let i = 0; i < 10; i++) { // the ring goes on as before
      a.sendBytes(bytes(900, i));
      assert.deepEqual(brief(b.recvBytes()), [900, i]);
    }
  }
});

test("such a message is put back wherever it stands in the ring", async () => {
  for (let shift = 8; shift <= 1008; shift += 8) {
    const [a, b, other] = await begun(shift);
    a.sendBytes(bytes(20, 2));
    other.run((end) => end.close());
    assertBegun(b.recvBytes());
    assert.deepEqual(brief(b.recvBytes()), [20, 2]);
    assert.equal(b.poll(), false);
    assert.equal(a.trySendBytes(bytes(1000, 3)), true);
    assert.deepEqual(brief(b.recvBytes()), [1000, 3]);
  }
});

test("such a message is not written over by who has looked for room before it was put back", async () => {
  for (let shift = 8; shift <= 1008; shift += 40) {
    const [a, b, other] = await begun(shift);
    assert.equal(a.trySendBytes(bytes(1000, 3)), false); // has looked
    other.run((end) => end.close());
    let count = 0;
    while (a.trySendBytes(bytes(8, count))) count++;
    assertBegun(b.recvBytes());
    for (let i = 0; i < count; i++) assert.deepEqual(brief(b.recvBytes()), [8, i]);
    assert.equal(b.poll(), false);
  }
});

test("D3 a thread dies at any step of such a close: another one gets the message whole or not at all, and what follows", async () => {
  for (let steps = 0, done = false; !done; steps++) {
    const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
    a.sendBytes(bytes(400, 9));
    const sending = a.sendBytesAsync(bytes(700, 1).map((_, i) => i + 1));
    done = dies(b.handle, steps, () => {
      const end = Connection.attach<any, any>(b.handle);
      assert.deepEqual(brief(end.recvBytes()), [400, 9]);
      assert.equal(end.tryRecvBytes(), undefined);
      assert.equal(a.trySendBytes(bytes(20, 2)), true); // and the rest before it
      return end;
    }, (end) => end.close());
    await sending;
    let next = b.tryRecvBytes();
    if (next?.length === 700) {
      assertBegun(next);
      next = b.tryRecvBytes();
    } else assert(!done);
    assert.deepEqual(brief(next), [20, 2]);
    assert.equal(b.poll(), false);
    a.sendBytes(bytes(900, 3));
    assert.deepEqual(brief(b.recvBytes()), [900, 3]);
    assert(steps < 1000);
  }
});

test("P14 who asks for the other sort in the middle of a message leaves it to others", async () => {
  const [, b, other] = await begun();
  assert.throws(() => other.run((end) => end.tryRecv()), TypeError);
  assertBegun(b.tryRecvBytes());
});

test("a message that has no room any more is lost with the end; the next one is sent once", async () => {
  const [a, b, other] = await begun();
  const sending = a.sendBytesAsync(bytes(5000, 2));
  other.run((end) => end.close());
  assert.equal(wordsTo1(a)[2], 0); // AGAIN
  assert.deepEqual(brief(await b.recvBytesAsync()), [5000, 2]);
  await sending;
  assert.equal(b.poll(), false);
});
