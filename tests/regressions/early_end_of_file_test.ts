// Where one receiver was in the middle of a long message and the other end closed, another one saw an end of file though
// messages were left behind that one.

import { IDLE_BIT } from "../../primitives/_pipe_record.ts";
import { ClosedError, type Connection, pipe } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { brief, bytes, OtherEnd, turn, wordsTo1 } from "./_other_agent.ts";

type Any = Connection<any, any>;

const PATIENCE = 100; // ms after which others give up an idle receiver

/** The other one has begun a message of which all was sent; what follows it are so many short ones. */
async function claimed(short: number): Promise<[a: Any, b: Any, other: OtherEnd]> {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
  const other = new OtherEnd(b);
  const sending = a.sendBytesAsync(bytes(2000, 1));
  for (let i = 0; i < 2; i++) {
    assert.equal(other.run((end) => end.tryRecvBytes()), undefined);
    await turn();
  }
  await sending;
  for (let i = 0; i < short; i++) a.sendBytes(bytes(20, 3));
  return [a, b, other];
}

/** All that comes, up to the end of file. */
async function drained(b: Any): Promise<unknown[]> {
  const got: unknown[] = [];
  try {
    for (;;) got.push(brief(await b.recvBytesAsync()));
  } catch (error) {
    assert(error instanceof ClosedError);
    return got;
  }
}

test("P7 no end of file while a message stands behind the one that another thread has begun", async () => {
  for (const idle of [true, false]) {
    const [a, b, other] = await claimed(1);
    if (!idle) wordsTo1(a)[1]! &= ~IDLE_BIT;
    a.close();
    for (let i = 0; i < 2; i++) {
      assert.equal(b.poll(), false);
      assert.equal(b.tryRecvBytes(), undefined);
      assert.equal(b.tryRecvBytes({ timeout: 1.5 * PATIENCE }), undefined);
    }
    const draining = drained(b);
    await turn();
    assert.deepEqual(brief(other.run((end) => end.recvBytes())), [2000, 1]);
    assert.deepEqual(await draining, [[20, 3]]);
    assert.equal(b.poll(), true);
    assert.throws(() => other.run((end) => end.recvBytes()), ClosedError);
  }
});

test("P7 who has begun the last message gets it, and the others the end of file, though it waits for long", async () => {
  for (const idle of [true, false]) {
    const [a, b, other] = await claimed(0);
    const word = wordsTo1(a);
    if (!idle) word[1]! &= ~IDLE_BIT;
    a.close();
    assert.equal(b.poll(), false);
    assert.equal(b.poll({ timeout: 20 * PATIENCE }), true);
    assert.deepEqual(await drained(b), []);
    assert.throws(() => b.tryRecv(), ClosedError);
    assert.equal(await b.pollAsync(), true);
    assert.deepEqual(brief(other.run((end) => end.recvBytes())), [2000, 1]);
    assert.throws(() => other.run((end) => end.recvBytes()), ClosedError);
  }
});

test("P7 D3 who has begun a message dies: the others get what stands behind it, then the end of file", async () => {
  const [a, b, other] = await claimed(2);
  a.close();
  assert.equal(b.tryRecvBytes(), undefined);
  const draining = drained(b);
  await turn();
  other.die();
  assert.deepEqual(await draining, [[20, 3], [20, 3]]);
});

test("P7 who has begun a message that never comes whole does not keep the end of file from others", async () => {
  for (const idle of [true, false]) {
    const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
    const other = new OtherEnd(b);
    const sending = a.sendBytesAsync(bytes(5000, 1)).catch((error) => error);
    assert.equal(other.run((end) => end.tryRecvBytes()), undefined);
    await turn();
    if (!idle) wordsTo1(a)[1]! &= ~IDLE_BIT;
    a.close();
    assert(await sending instanceof ClosedError);
    assert.deepEqual(await drained(b), []);
    assert.throws(() => other.run((end) => end.recvBytes()), ClosedError);
  }
});
