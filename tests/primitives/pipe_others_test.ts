// Several threads at one end of a pipe, each an agent of its own that runs when it is told to: whose turn it is to send,
// what remains of a sender that died, and whose messages a blocked sender may take in.

import { agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { IDLE_BIT } from "../../primitives/_pipe_record.ts";
import { BlockingUnavailableError, type Connection, LayoutError, pipe } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { brief, bytes, OtherEnd, turn } from "../regressions/_other_agent.ts";

type Any = Connection<any, any>;

/** All that comes until the message that it is told to be the last one. */
async function receivedUpTo(end: Any, last: unknown): Promise<unknown[]> {
  const got: unknown[] = [];
  while (got.at(-1) !== last) got.push(await end.recvAsync());
  return got;
}

test("P3 a send first sends what tasks of its thread wait to send, in their order, unless they have given up", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000 });
  a.send("x".repeat(900));
  const given = new AbortController();
  const sending = [
    a.sendAsync("1".repeat(200)),
    a.sendAsync("2".repeat(200), given).catch((reason) => reason),
    a.sendAsync("3".repeat(200)),
  ];
  given.abort("given up");
  assert.equal(b.recv().length, 900); // there is room now, and no task has run
  assert.equal(a.trySend("last"), true);
  const got = await receivedUpTo(b, "last") as string[];
  assert.deepEqual(got.map((text) => text[0]), ["1", "3", "l"]);
  assert.deepEqual(await Promise.all(sending), [undefined, "given up", undefined]);
  assert.equal(b.poll(), false);
});

test("P3 what was sent so cannot be given up any more", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000 });
  a.send("x".repeat(900));
  const given = new AbortController();
  const sending = a.sendAsync("1".repeat(200), given);
  b.recv();
  assert.equal(a.trySend("last"), true);
  given.abort("too late");
  await sending;
  assert.deepEqual(await receivedUpTo(b, "last"), ["1".repeat(200), "last"]);
});

test("where blocking is not allowed, a send that would have to wait leaves nothing in the pipe", () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000 });
  const own = agent.mayBlock;
  agent.mayBlock = false;
  try {
    assert.throws(() => a.sendBytes(bytes(5000, 1)), BlockingUnavailableError);
    assert.throws(() => a.trySendBytes(bytes(5000, 1), { timeout: 5 }), BlockingUnavailableError);
  } finally {
    agent.mayBlock = own;
  }
  assert.equal(a.trySendBytes(bytes(1000, 2)), true);
  assert.deepEqual(brief(b.recvBytes()), [1000, 2]);
});

test("P18 a blocked sender that gives up in the middle of what it takes in leaves that to others", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
  const { buffer, byteOffset } = a.handle as FullHandle;
  const receiver = new Int32Array(buffer, byteOffset + 4 * 33, 1); // of the direction to end 0
  const sending = b.sendBytesAsync(bytes(5000, 1));
  await turn(); // it waits
  assert.equal(a.trySendBytes(bytes(5000, 2), { timeout: 1 }), false);
  assert((receiver[0]! & IDLE_BIT) !== 0);
  assert.deepEqual(brief(await a.recvBytesAsync()), [5000, 1]);
  await sending;
});

test("P3 while one thread is in the middle of a long message another one cannot send, and can afterwards", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
  const other = new OtherEnd(a);
  const sending = a.sendBytesAsync(bytes(2000, 1));
  assert.equal(b.tryRecvBytes(), undefined); // makes room
  for (const size of [1, 5000]) assert.equal(other.run((end) => end.trySendBytes(bytes(size, 2))), false);
  assert.deepEqual(brief(await b.recvBytesAsync()), [2000, 1]);
  await sending;
  assert.equal(other.run((end) => end.trySendBytes(bytes(1, 2))), true);
  assert.deepEqual(brief(b.recvBytes()), [1, 2]);
});

test("P4 D4 what remains of a message whose sender died is none, for who looks and for who receives", () => {
  for (const looks of [true, false]) {
    const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
    const other = new OtherEnd(a);
    const over = new AbortController();
    void other.run((end) => end.sendBytesAsync(bytes(5000, 1), over).catch(() => {}));
    assert.equal(b.poll(), true); // it is on its way
    other.die();
    if (looks) assert.equal(b.poll(), false);
    assert.equal(b.tryRecvBytes(), undefined);
    assert.equal(a.trySendBytes(bytes(1000, 2)), true);
    assert.deepEqual(brief(b.recvBytes()), [1000, 2]);
    over.abort(); // it would wait here for ever, in the place of the dead
  }
});

for (
  const [who, takesIn] of [
    ["holds this end only", false],
    ["holds both ends and has received here", false],
    ["holds both ends", true],
    ["has died", true],
  ] as const
) {
  test(`a blocked sender ${takesIn ? "takes in" : "leaves"} what arrives where another thread ${who}`, async () => {
    const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 3 });
    const other = new OtherEnd(a);
    if (who.includes("both")) new OtherEnd(b, other);
    if (who.includes("received")) {
      b.send("before");
      assert.deepEqual(other.run((end) => end.tryRecv()), { value: "before" });
    }
    if (who === "has died") other.die();
    b.send("message");
    const sending = [b.sendAsync("x".repeat(3000)), a.sendAsync("y".repeat(3000))];
    for (let i = 0; i < 5; i++) await turn();
    if (takesIn) {
      await sending[0]; // as it is taken in
      assert.equal(a.recv(), "message");
      assert.equal(a.recv().length, 3000);
    } else {
      assert.deepEqual(other.run((end) => end.tryRecv()), { value: "message" });
      assert.equal((await a.recvAsync()).length, 3000);
    }
    assert.equal((await b.recvAsync()).length, 3000);
    await Promise.all(sending);
  });
}

test("D6 a message in parts that ends before what was announced is an error, and what follows is received", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000 });
  const sending = a.sendBytesAsync(bytes(5000, 1));
  const { buffer, byteLength } = a.handle as FullHandle;
  new Float64Array(buffer, byteLength - 1024 + 8, 1)[0] = 5001; // of the announcement
  await assert.rejects(b.recvBytesAsync(), LayoutError);
  await sending;
  a.sendBytes(bytes(20, 2));
  assert.deepEqual(brief(b.recvBytes()), [20, 2]);
});

test("D6 the announcement of a message of no known form is dropped, and what follows is received", async () => {
  for (const form of [2, 3, -1]) {
    const [a, b] = pipe<any, any>({ maxBytes: 1000 });
    const sending = a.sendBytesAsync(bytes(5000, 1));
    const { buffer, byteLength } = a.handle as FullHandle;
    new Int32Array(buffer, byteLength - 1024 + 16, 1)[0] = form; // of the announcement
    await assert.rejects(b.recvBytesAsync(), LayoutError);
    a.sendBytesAsync(bytes(20, 2));
    assert.deepEqual(brief(await b.recvBytesAsync()), [20, 2]);
    await sending;
  }
});

test("P7 P8 whoever waits at either end is woken when an end closes", () => {
  for (const end of [0, 1]) {
    const ends = pipe({ maxBytes: 1000, threads: 3 });
    const { buffer, byteOffset } = ends[0].handle as FullHandle;
    const record = new Int32Array(buffer, byteOffset);
    const bells = [32, 112].flatMap((direction) => [direction + 16 + 33, direction + 16 + 48]);
    for (const bell of bells) record[bell]! |= 1; // blocked, in other threads
    assert.deepEqual(notified(buffer, () => ends[end]!.close()).sort((a, b) => a - b), bells);
  }
});
