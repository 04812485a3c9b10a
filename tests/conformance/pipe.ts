// PYTHON.md section 10, with threads: messages of every length, ends that are handed on, closed or left by the dead.

import {
  BlockingUnavailableError,
  ClosedError,
  type Connection,
  currentThread,
  Event,
  pipe,
  SharedValue,
  Thread,
} from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, random, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { blockedOn, joined, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);

type Any = Connection<any, any>;

const MIB = 1 << 20;

/** Bytes that show where they stand. */
function pattern(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8) + salt;
  return bytes;
}

/** The first byte that is not as it should be, -1 for none. */
function wrongByte(bytes: Uint8Array, salt = 0): number {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== ((i * 31 + (i >> 8) + salt) & 255)) return i;
  return -1;
}

/** Gives everything back that comes, by one of the forms, until the end of file. */
export async function echo(end: Any, task: boolean): Promise<number> {
  for (let count = 0;; count++) {
    try {
      if (task) await end.sendAsync(await end.recvAsync());
      else end.send(end.recv());
    } catch (error) {
      if (error instanceof ClosedError) return count;
      throw error;
    }
  }
}

/** The same for bytes, into one array. */
export function echoBytes(end: Any, longest: number): number {
  const frame = new Uint8Array(longest);
  for (let count = 0;; count++) {
    try {
      end.sendBytes(frame.subarray(0, end.recvBytesInto(frame)));
    } catch (error) {
      if (error instanceof ClosedError) return count;
      throw error;
    }
  }
}

/** Sends one long message, and then does nothing with the end. */
export function sendAndStay(end: Any, bytes: number, done: Event): void {
  end.sendBytes(pattern(bytes));
  done.wait();
}

/** Receives messages of bytes, once it may; their lengths. */
export function recvLong(end: Any, count: number, begin: Event): number[] {
  begin.wait();
  return Array.from({ length: count }, () => {
    const bytes: Uint8Array = end.recvBytes();
    return wrongByte(bytes) < 0 ? bytes.length : -1;
  });
}

/** Receives one message between two of them, looking for it only now and then; how many it was. */
export function recvNowAndThen(end: Any, got: SharedValue<"i32">): number {
  const never = new Event();
  while (got.value === 0) {
    const bytes: Uint8Array | undefined = end.tryRecvBytes({ timeout: 5 });
    if (bytes === undefined) {
      never.tryWait({ timeout: 20 });
      continue;
    }
    got.value = wrongByte(bytes) < 0 ? bytes.length : -1;
    return 1;
  }
  return 0;
}

/** Receives values, once it may. */
export function recvSome(end: Any, count: number, begin: Event): number[] {
  begin.wait();
  return Array.from({ length: count }, () => end.recv().i);
}

/** Sends numbers with its own mark. */
export function produce(end: Any, mark: number, count: number): void {
  for (let i = 0; i < count; i++) end.send({ mark, i, fill: "x".repeat(i % 97) });
}

/** The same as tasks. */
export async function produceAsync(end: Any, mark: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await end.sendAsync({ mark, i, fill: "x".repeat(i % 97) });
}

/** Receives until the end of file. */
export async function consume(end: Any, task: boolean): Promise<{ mark: number; i: number }[]> {
  const got: { mark: number; i: number }[] = [];
  if (task) {
    for await (const { mark, i } of end) got.push({ mark, i });
    return got;
  }
  for (;;) {
    try {
      const { mark, i } = end.recv();
      got.push({ mark, i });
    } catch (error) {
      if (error instanceof ClosedError) return got;
      throw error;
    }
  }
}

/** Sends a lot, and only then receives as much. */
export function exchange(end: Any, bytes: number, salt: number, times: number): number {
  const mine = pattern(bytes, salt);
  for (let i = 0; i < times; i++) {
    if (i % 2 === 0) end.send(mine);
    else end.sendBytes(mine);
  }
  for (let i = 0; i < times; i++) {
    const theirs: Uint8Array = i % 2 === 0 ? end.recv() : end.recvBytes();
    if (theirs.length !== bytes) return -2;
    const wrong = wrongByte(theirs, 1 - salt);
    if (wrong >= 0) return wrong;
  }
  return -1;
}

/** The same as a task. */
export async function exchangeAsync(end: Any, bytes: number, salt: number): Promise<number> {
  await end.sendAsync(pattern(bytes, salt));
  const theirs: Uint8Array = await end.recvAsync();
  return theirs.length === bytes ? wrongByte(theirs, 1 - salt) : -2;
}

/** Takes one message; the length of it, -1 for the end of file. */
export function receiveBytes(end: Any): number {
  try {
    return end.recvBytes().length;
  } catch (error) {
    if (error instanceof ClosedError) return -1;
    throw error;
  } finally {
    end.close();
  }
}

/** Sends two messages, and ends. */
export function sendTwo(end: Any, first: number, second: number): void {
  end.sendBytes(new Uint8Array(first));
  end.sendBytes(new Uint8Array(second));
}

/** Holds an end until it is told to go. */
export function hold(end: Any, ready: Event, leave: Event): boolean {
  ready.set();
  leave.wait();
  return end.writable;
}

/** Holds an end, and ends by an error. */
export function dieHolding(end: Any, leave: Event): void {
  leave.wait();
  throw new Error(`dies with ${end}`);
}

/** Sends one message after the other has long been waiting, and returns. */
export function sendLate(end: Any, leave: Event): void {
  leave.wait();
  end.send("late");
}

/** Hands its end down, and ends. */
export async function handDown(end: Any, depth: number): Promise<number> {
  if (depth > 0) return await go(handDown, end, depth - 1).joinAsync() + 1;
  end.send("from below");
  end.send(pattern(3 * MIB));
  return 0;
}

/** Makes a pipe, keeps one end to itself and returns the other. */
export function makePipe(): Connection<string, string> {
  const [mine, theirs] = pipe<string>();
  mine.send("in the pipe");
  return theirs;
}

/** Blocks in a receive, and counts what comes. */
export function receiveOne(end: Any, arrived: SharedValue<"i32">): unknown {
  arrived.add(1);
  return end.recv();
}

/** Begins to receive a long message, and stays in the middle of it. */
export function beginLong(end: Any, begun: Event): void {
  end.tryRecv({ timeout: 50 });
  begun.set();
  new Event().wait();
}

/** Begins to send a long message. */
export function sendLong(end: Any, bytes: number): void {
  end.send(pattern(bytes));
}

/** What comes through the wrong form, in a thread that may block or not. */
export function names(end: Any): string[] {
  return [String(end), currentThread().name];
}

/** Registers the cases. */
export function pipeCases(has: Capabilities): void {
  for (const task of [false, true]) {
    const how = task ? "as tasks" : "blocking";
    test(`P3 P7 values go to a thread and back, ${how}, and the end of file follows`, async () => {
      const [here, there] = pipe<any>();
      const thread = go(echo, there, task);
      there.close(); // P11
      const values = [0, -0, NaN, "", "text", null, undefined, { a: [1, { b: new Map([[1, 2]]) }] }, 10n ** 40n];
      for (let round = 0; round < 30; round++) {
        for (const value of values) {
          await here.sendAsync(value);
          assert.deepEqual(await here.recvAsync(), value);
        }
      }
      here.close();
      assert.equal(await thread.joinAsync(), 30 * values.length);
    }, { limit: 20_000 });

    test(`P6 16 MiB and more pass a pipe of 1 MiB, ${how}`, async () => {
      const [here, there] = pipe<any>();
      const thread = go(echo, there, task);
      there.close();
      for (const bytes of [16 * MIB, MIB, MIB - 16, 5 * MIB + 3]) {
        const sent = pattern(bytes);
        const sending = here.sendAsync(sent);
        const got = await here.recvAsync();
        await sending;
        assert.equal(got.length, bytes);
        assert.equal(wrongByte(got), -1);
      }
      const text = "é\u0000𝄞".repeat(MIB);
      await here.sendAsync(text);
      assert(await here.recvAsync() === text);
      here.close();
      assert.equal(await thread.joinAsync(), 5);
    }, { limit: 30_000 });
  }

  test("P12 P13 bytes of every length come back into one array", async () => {
    const prng = random();
    const [here, there] = pipe({ maxBytes: 1000 });
    const thread = go(echoBytes, there, 20_000);
    there.close();
    const frame = new Uint8Array(20_001);
    for (let round = 0; round < 200; round++) {
      const sent = pattern(prng.below(prng.pick([10, 300, 1100, 20_000])), round);
      await here.sendBytesAsync(sent);
      frame.fill(7);
      assert.equal(await here.recvBytesIntoAsync(frame), sent.length);
      assert.equal(wrongByte(frame.subarray(0, sent.length), round), -1);
      assert.equal(frame[sent.length], 7);
    }
    here.close();
    assert.equal(await thread.joinAsync(), 200);
  }, { limit: 20_000 });

  test("two ends that send each other long messages at once, both blocking, get through", async () => {
    for (const [bytes, maxBytes, times] of [[12 * MIB, MIB, 1], [300_000, 1000, 3], [MIB, 65536, 4]] as const) {
      const [a, b] = pipe<any>({ maxBytes });
      const threads = [ask(exchange, a, bytes, 0, times), ask(exchange, b, bytes, 1, times)];
      assert.deepEqual(await joined(threads), [-1, -1]);
    }
  }, { limit: 40_000 });

  test("the same with one of them a task, and this thread in between", async () => {
    const [a, b] = pipe<any>({ maxBytes: 5000 });
    assert.deepEqual(await joined([ask(exchange, a, 2 * MIB, 0, 1), ask(exchangeAsync, b, 2 * MIB, 1)]), [-1, -1]);
    const [c, d] = pipe<any>();
    const thread = ask(exchange, c, 8 * MIB, 0, 1);
    assert.equal(await exchangeAsync(d, 8 * MIB, 1), -1);
    assert.equal(await thread.joinAsync(), -1);
  }, { limit: 30_000 });

  test("several threads send, several receive: each message once, in each sender's order", async () => {
    const COUNT = 400;
    for (const maxBytes of [300, MIB]) {
      const [reader, writer] = pipe<any>({ duplex: false, maxBytes });
      const consumers = [false, true, false].map((task) => go(consume, reader, task));
      const producers = [
        go(produce, writer, 0, COUNT),
        go(produceAsync, writer, 1, COUNT),
        go(produce, writer, 2, COUNT),
      ];
      writer.close();
      reader.close();
      await joined(producers);
      const got = await joined(consumers);
      assert.equal(got.flat().length, 3 * COUNT);
      assert.equal(new Set(got.flat().map(({ mark, i }) => mark * COUNT + i)).size, 3 * COUNT);
      for (const list of got) {
        for (const sender of [0, 1, 2]) {
          const own = list.filter(({ mark }) => mark === sender).map(({ i }) => i);
          assert.deepEqual(own, own.slice().sort((a, b) => a - b));
        }
      }
    }
  }, { limit: 30_000 });

  test("P7 two threads take one message each, and the sender closes or ends: neither sees an end of file", async () => {
    for (let round = 0; round < 4; round++) {
      const [writer, reader] = pipe<any, any>({ maxBytes: 8 * MIB });
      const receivers = [1, 2].map(() => go(receiveBytes, reader));
      reader.close();
      if (round % 2 === 0) {
        await writer.sendBytesAsync(new Uint8Array(12 * MIB)); // in parts: the other receiver looks meanwhile
        await writer.sendBytesAsync(new Uint8Array(10));
        writer.close();
      } else {
        const sender = go(sendTwo, writer, 12 * MIB, 10);
        writer.close();
        await sender.joinAsync();
      }
      assert.deepEqual((await joined(receivers)).sort((a, b) => a - b), [10, 12 * MIB]);
    }
  }, { limit: 30_000 });

  test("P11 the starter may close its copy right after start(): nobody sees an end of file before", async () => {
    for (let round = 0; round < 8; round++) {
      const [here, there] = pipe<string>();
      const receiving = round % 2 === 0 ? here.recvAsync() : undefined;
      const leave = new Event();
      const thread = go(sendLate, there, leave);
      there.close();
      assert.equal(here.poll(), false);
      leave.set();
      assert.equal(await (receiving ?? here.recvAsync()), "late");
      await thread.joinAsync();
      await assert.rejects(here.recvAsync(), ClosedError);
    }
  }, { limit: 20_000 });

  test("P9 the end of the last thread that held the other end is an end of file, however it ends", async () => {
    for (const how of ["returns", "throws", "is terminated"]) {
      const [here, there] = pipe<string>();
      const [ready, leave, arrived] = [new Event(), new Event(), new SharedValue("i32")];
      const thread: Thread<unknown, any> = how === "throws"
        ? go(dieHolding, there, leave)
        : go(hold, there, ready, leave);
      const blocked = go(receiveOne, here, arrived);
      const waiting = [here.recvAsync(), blocked.joinAsync()].map((it) => it.then(() => undefined, (error) => error));
      there.close();
      await until(() => arrived.value === 1);
      const ended = thread.joinAsync().catch(() => {});
      if (how === "is terminated") await thread.terminate();
      else leave.set();
      await ended;
      for (const error of await Promise.all(waiting)) assert(error instanceof ClosedError);
      assert.throws(() => here.send("unsent"), (error) => error instanceof ClosedError && error.value === "unsent");
      assert.equal(here.poll(), true);
    }
  }, { limit: 30_000 });

  test("P8 a sender that waits for room gets its value back when the last receiver ends", async () => {
    const [here, there] = pipe<Uint8Array>({ maxBytes: 1000 });
    const [ready, leave] = [new Event(), new Event()];
    const thread = go(hold, there, ready, leave);
    there.close();
    const big = pattern(5000);
    const sending = here.sendAsync(big).then(() => undefined, (error) => error);
    leave.set();
    await thread.joinAsync();
    const error = await sending;
    assert(error instanceof ClosedError && error.value === big);
  });

  test("P17 an end is handed down to a grandchild, and closes after the last of them", async () => {
    const [here, there] = pipe<any>();
    const thread = go(handDown, there, 2);
    there.close();
    assert.equal(await here.recvAsync(), "from below");
    assert.equal(wrongByte(await here.recvAsync()), -1);
    assert.equal(await thread.joinAsync(), 2);
    await assert.rejects(here.recvAsync(), ClosedError);
  }, { limit: 20_000 });

  for (const stays of [true, false]) {
    const what = `one thread sends, another receives at the same end: nothing goes to the wrong one, which ${
      stays ? "stays" : "ends"
    }`;
    test(`P17 ${what}`, async () => {
      const [here, there] = pipe<any, any>({ name: "split" });
      const [begin, done] = [new Event(), new Event()];
      if (!stays) done.set();
      const writer = go(sendAndStay, there, 4 * MIB, done);
      const reader = go(recvSome, there, 30, begin);
      there.close();
      await until(() => blockedOn("Connection", "split") === 1, 8_000);
      let sent = 0;
      const sending = (async () => {
        for (; sent < 30; sent++) await here.sendAsync({ i: sent, fill: "x".repeat(100_000) });
      })();
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 10)); // now both are stuck
      assert(sent < 30, `${sent} were taken though nobody has received`);
      const { length } = await here.recvBytesAsync() as Uint8Array;
      assert.equal(length, 4 * MIB);
      if (!stays) await writer.joinAsync();
      begin.set();
      assert.deepEqual(await reader.joinAsync(), Array.from({ length: 30 }, (_, i) => i));
      await sending;
      done.set();
      await writer.joinAsync();
    }, { limit: 30_000 });
  }

  test("P18 a receive that gives up in the middle of a long message leaves it to another thread", async () => {
    for (const form of ["try", "abort"]) {
      const [here, there] = pipe<any, any>();
      const begin = new Event();
      begin.set();
      const sending = there.sendBytesAsync(pattern(3 * MIB)); // goes on only as this event loop turns
      if (form === "try") assert.equal(here.tryRecvBytes(), undefined);
      else {
        const controller = new AbortController();
        const receiving = here.recvBytesAsync({ signal: controller.signal });
        controller.abort("enough");
        assert.equal(await receiving.catch((reason: unknown) => reason), "enough");
      }
      const other = go(recvLong, here, 2, begin);
      await sending;
      await there.sendBytesAsync(pattern(10));
      assert.deepEqual(await other.joinAsync(), [3 * MIB, 10]);
      assert.equal(here.tryRecvBytes(), undefined); // what it had begun is no message any more
    }
  }, { limit: 30_000 });

  test("P18 a long message that its receiver leaves in the middle does not stand in the way of others", async () => {
    for (const way of ["close", "give up", "poll", "wrong sort"]) {
      const [here, there] = pipe<any, any>();
      const [begin, last] = [new Event(), way === "give up" ? 1 : 2];
      const controller = new AbortController();
      const sending = there.sendBytesAsync(pattern(3 * MIB), { signal: controller.signal }).catch(() => {});
      assert.equal(here.tryRecvBytes(), undefined); // it has taken the beginning
      const other = go(recvLong, here, last, begin);
      await until(() => other.state === "running");
      if (way === "close") here.close();
      if (way === "poll") assert.equal(here.poll(), true);
      if (way === "wrong sort") assert.throws(() => here.tryRecv(), TypeError);
      if (way === "give up") controller.abort();
      begin.set();
      await sending;
      await there.sendBytesAsync(pattern(10));
      assert.deepEqual(await other.joinAsync(), [3 * MIB, 10].slice(-last), way);
    }
  }, { limit: 30_000 });

  test("P18 two threads that look for it now and then get a long message from a sender that is slow", async () => {
    const [here, there] = pipe<any, any>({ maxBytes: 20_000 });
    const got = new SharedValue("i32");
    const receivers = [1, 2].map(() => ask(recvNowAndThen, here, got));
    const bytes = pattern(300_000);
    let sent = false;
    const sending = there.sendBytesAsync(bytes).then(() => sent = true);
    for (let turn = 0; turn < 100 && !sent; turn++) {
      await new Promise((resolve) => setTimeout(resolve)); // enough for a few parts only
      const end = performance.now() + 120; // longer than an idle receiver is waited for
      while (performance.now() < end && !sent);
    }
    assert(sent, "the receivers took it from each other again and again");
    await sending;
    await until(() => got.value === bytes.length, 10_000);
    assert.deepEqual((await joined(receivers)).sort(), [0, 1]);
  }, { limit: 30_000 });

  test("P16 a thread returns an end: it stays open for the one who joins", async () => {
    const end = await go(makePipe).joinAsync();
    assert.equal(end.recv(), "in the pipe");
    await assert.rejects(end.recvAsync(), ClosedError); // the maker had the other one
  });

  test("D3 a receiver that is blocked dies: another one gets the next message", async () => {
    const [reader, writer] = pipe<string>({ duplex: false, name: "mourned" });
    const arrived = new SharedValue("i32");
    const killed = go(receiveOne, reader as Any, arrived);
    await until(() => arrived.value === 1 && blockedOn("Connection", "mourned") === 1);
    const living = go(receiveOne, reader as Any, arrived);
    await until(() => blockedOn("Connection", "mourned") === 2);
    const ended = killed.joinAsync().catch(() => {});
    await killed.terminate();
    await ended;
    writer.send("next");
    assert.equal(await living.joinAsync(), "next");
  }, { limit: 20_000 });

  test("D4 a sender dies in the middle of a long message: it never shows, and the end of file follows", async () => {
    for (const held of [false, true]) {
      const [reader, writer] = pipe<any>({ duplex: false, name: "cut", maxBytes: 10_000 });
      writer.send("before");
      const thread = go(sendLong, writer as Any, MIB);
      if (!held) writer.close();
      await until(() => blockedOn("Connection", "cut") === 1);
      assert.equal(reader.recv(), "before");
      assert.equal(reader.tryRecv(), undefined); // a part of it is here
      const ended = thread.joinAsync().catch(() => {});
      await thread.terminate();
      await ended;
      if (held) {
        writer.send("after");
        assert.equal(await reader.recvAsync(), "after");
      } else await assert.rejects(reader.recvAsync(), ClosedError);
    }
  }, { limit: 20_000 });

  test("a receiver dies in the middle of a long message: the rest is dropped, the next one arrives whole", async () => {
    const [reader, writer] = pipe<any>({ duplex: false, maxBytes: 10_000 });
    const begun = new Event();
    const thread = go(beginLong, reader as Any, begun);
    const sending = writer.sendAsync(pattern(MIB));
    const next = writer.sendAsync("next");
    await begun.waitAsync();
    const receiving = reader.recvAsync();
    const ended = thread.joinAsync().catch(() => {});
    await thread.terminate();
    await ended;
    assert.equal(await receiving, "next");
    await sending;
    await next;
  }, { limit: 20_000 });

  test("printing an end in another thread", async () => {
    const [here, there] = pipe({ name: "wire" });
    const thread = new Thread({ target: names, module: import.meta.url, args: [there], name: "printer" }).start();
    assert.deepEqual(await thread.joinAsync(), ['Connection "wire" (duplex, open)', "printer"]);
    here.close();
  });

  test("a thread that may not block is told which form to use", () => {
    const [here, there] = pipe<any>({ maxBytes: 100 });
    const view = new Uint8Array(200);
    const expected: [() => unknown, string][] = [
      [() => here.recv(), "recvAsync"],
      [() => here.tryRecv({ timeout: 5 }), "recvAsync"],
      [() => here.recvBytes(), "recvBytesAsync"],
      [() => here.recvBytesInto(view), "recvBytesIntoAsync"],
      [() => here.poll({ timeout: 5 }), "pollAsync"],
      [() => here.send("x".repeat(500)), "sendAsync"],
      [() => here.sendBytes(view), "sendBytesAsync"],
    ];
    for (const [call, hint] of expected) {
      assert.throws(call, (error) => error instanceof BlockingUnavailableError && error.hint === hint);
    }
    assert.equal(there.poll(), false);
    assert.equal(here.trySend("fits"), true);
    assert.deepEqual(there.tryRecv(), { value: "fits" });
  }, { skip: has.blocksMain ? "this thread may block" : undefined });
}
