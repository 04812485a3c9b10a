// A receiver whose receive ends in the middle of a long message, and the others: REST and RECEIVER of
// primitives/_pipe_record.ts. Each is an agent of its own, which runs when it is told to, and the clock stands still.

import type { FullHandle } from "../../primitives/_handle.ts";
import { IDLE_BIT } from "../../primitives/_pipe_record.ts";
import { type Connection, LayoutError, pipe } from "../../primitives/mod.ts";
import { withStoppedClock } from "../_clock.ts";
import { assert, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { brief, bytes, OtherEnd, turn, wordsTo1 } from "../regressions/_other_agent.ts";

const PATIENCE = 100; // ms that others wait for an idle receiver
const THREADS = 4;
// Words of a pipe for so many threads, of the direction to end 1.
const DIRECTION = 32 + 80;
const [RECEIVER, AGAIN] = [1, 2];
const GETTERS = DIRECTION + 16 + 33;
const PUTTERS = DIRECTION + 16 + 48;
const WAITING_BIT = 1;

const receives = (end: OtherEnd): [number, number] | undefined => brief(end.run((it) => it.tryRecvBytes()));

/** A sender in the middle of 5000 bytes, two that receive at the other end, and the direction's words. */
function scene() {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: THREADS });
  const sending = a.sendBytesAsync(bytes(5000, 1));
  return { a, b, sending, first: new OtherEnd(b), second: new OtherEnd(b), words: wordsTo1(a) };
}

/** One takes in what is here and rests; the other one waits for long enough, and has it sent again. */
function passOver(first: OtherEnd, second: OtherEnd): void {
  withStoppedClock((pass) => {
    assert.equal(receives(first), undefined);
    assert.equal(receives(second), undefined);
    pass(PATIENCE);
    assert.equal(receives(second), undefined);
  });
}

/** The message goes on to `end`, and one more. */
async function goesOn(a: Connection<any, any>, end: OtherEnd, sending: Promise<void>): Promise<void> {
  let got = receives(end);
  for (; got === undefined; got = receives(end)) await turn();
  assert.deepEqual(got, [5000, 1]);
  await sending;
  a.sendBytes(bytes(20, 2));
  assert.deepEqual(receives(end), [20, 2]);
}

test("P18 a receiver that rests is passed over only after a while in which it has not come back", async () => {
  const { a, sending, first, second, words } = scene();
  withStoppedClock((pass) => {
    const others = (): number => {
      assert.equal(receives(second), undefined);
      return words[AGAIN]!;
    };
    assert.equal(receives(first), undefined);
    assert((words[RECEIVER]! & IDLE_BIT) !== 0);
    assert.equal(others(), 0);
    pass(PATIENCE - 1);
    assert.equal(others(), 0);
    assert.equal(receives(first), undefined); // comes back, in vain
    pass(1);
    assert.equal(others(), 0);
    pass(PATIENCE - 1);
    assert.equal(others(), 0);
    assert.equal(first.run((end) => end.poll()), true); // to look is not to receive
    assert((words[RECEIVER]! & IDLE_BIT) !== 0);
    pass(1);
    assert.equal(others(), 1);
    assert.equal(words[RECEIVER], 0);
  });
  await goesOn(a, second, sending);
});

test("P7 a thread that closes its end in the middle of a message has it sent again to another", async () => {
  const { a, sending, first, second, words } = scene();
  assert.equal(receives(first), undefined);
  first.run((end) => end.close());
  assert.deepEqual([words[RECEIVER], words[AGAIN]], [0, 1]);
  await goesOn(a, second, sending);
});

for (const how of ["closes its end", "ends a wait to send"]) {
  test(`P18 who was passed over does not disturb who passed it when it ${how}`, async () => {
    const { a, sending, first, second, words } = scene();
    passOver(first, second);
    await turn();
    assert.equal(receives(second), undefined);
    const receiver = words[RECEIVER]!;
    if (how === "closes its end") first.run((end) => end.close());
    else assert.equal(first.run((end) => end.trySendBytes(bytes(5000, 3), { timeout: 1 })), false);
    assert.deepEqual([words[RECEIVER], words[AGAIN]], [receiver, 0]);
    await goesOn(a, second, sending);
  });
}

test("P18 all who wait are woken when a receiver rests or is passed over, and when the sender gives up", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: THREADS });
  const [first, second] = [new OtherEnd(b), new OtherEnd(b)];
  const given = new AbortController();
  const sending = a.sendBytesAsync(bytes(5000, 1), { signal: given.signal }).catch((reason) => reason);
  const { buffer } = b.handle as FullHandle;
  const record = new Int32Array(buffer);
  /** Whom it wakes, of those who receive and those who send. */
  const wakes = (act: () => void): string => {
    for (const bell of [GETTERS, PUTTERS]) record[bell]! |= WAITING_BIT; // blocked, in other threads
    const woken = notified(buffer, act);
    return [woken.includes(GETTERS) ? "getters" : "", woken.includes(PUTTERS) ? "putters" : ""].join(" ");
  };
  withStoppedClock((pass) => {
    assert.equal(wakes(() => receives(first)), "getters putters"); // begins, makes room, rests
    assert.equal(wakes(() => receives(first)), "getters "); // rests
    assert.equal(wakes(() => receives(second)), " ");
    pass(PATIENCE);
    assert.equal(wakes(() => receives(second)), " putters");
  });
  await turn();
  given.abort("given up");
  for (const bell of [GETTERS, PUTTERS]) record[bell]! |= WAITING_BIT;
  assert.equal(await sending, "given up");
  for (const bell of [GETTERS, PUTTERS]) assert.equal(record[bell]! & WAITING_BIT, 0);
});

test("D3 who was passed over in the middle of a message does not go on with it when the one who passed it dies", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: THREADS });
  const first = new OtherEnd(b);
  const second = new OtherEnd(b);
  let sent = false;
  const sending = a.sendBytesAsync(bytes(5000, 1)).then(() => sent = true);
  passOver(first, second);
  await turn();
  for (let i = 0; i < 2; i++) {
    assert.equal(second.run((end) => end.tryRecvBytes()), undefined); // takes in more of it than the first one
    await turn();
  }
  assert.equal(sent, false);
  second.die();
  while (!sent) {
    assert.equal(first.run((end) => end.tryRecvBytes()), undefined);
    await turn();
  }
  await sending;
  assert.equal(first.run((end) => end.tryRecvBytes()), undefined);
  a.sendBytes(bytes(20, 2));
  assert.deepEqual(brief(first.run((end) => end.tryRecvBytes())), [20, 2]);
  assert.equal(b.poll(), false);
});

test("D6 a part that is longer than what was announced is dropped with its message, and what follows is received", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: THREADS });
  const sending = a.sendBytesAsync(bytes(5000, 1));
  const { buffer, byteLength } = a.handle as FullHandle;
  new Float64Array(buffer, byteLength - 1024 + 8, 1)[0] = 300; // of the announcement
  assert.throws(() => b.recvBytes(), LayoutError);
  a.sendBytesAsync(bytes(20, 2));
  assert.deepEqual(brief(await b.recvBytesAsync()), [20, 2]);
  await sending;
});

test("what a blocked sender takes in arrives as it was, and is asked for as what it is", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000 });
  const values = [{ text: "one" }, { text: "other", list: [1, 2, 3] }, 1.5, -7, null, new Float64Array([1, 2])];
  for (const value of values) b.send(value);
  b.sendBytes(bytes(10, 4));
  const sending = [b.sendAsync("x".repeat(5000)), a.sendAsync("y".repeat(5000))];
  await turn(); // by now they may be through
  for (const value of values) {
    assert.throws(() => a.recvBytes(), TypeError);
    assert.equal(a.poll(), true);
    assert.deepEqual(a.recv(), value);
  }
  assert.throws(() => a.recv(), TypeError);
  assert.throws(() => a.recvBytesInto(new Uint8Array(9)), RangeError);
  const view = new Uint8Array(11).fill(9);
  assert.equal(a.recvBytesInto(view), 10);
  assert.deepEqual([...view], [...bytes(10, 4), 9]);
  assert.deepEqual(await Promise.all([a.recvAsync(), b.recvAsync()]), ["x".repeat(5000), "y".repeat(5000)]);
  await Promise.all(sending);
});
