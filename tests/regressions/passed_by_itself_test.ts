// A blocking or polling put passed what its own thread had wanted to put before, without blocking, and what waited for room
// still. So a thread that used both forms was no producer of which the order holds; likewise a send.

import { ClosedError, type Connection, LifoQueue, pipe, PriorityQueue, Queue, Thread } from "../../mod.ts";
import { blockedOn } from "../conformance/_kit.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

/** Puts 1 to 6, in different forms, of which the first ones find no room. */
export async function putAll(queue: Queue<number>): Promise<void> {
  const putting = [queue.putAsync(1), queue.putManyAsync([2, 3])];
  queue.put(4);
  queue.putMany([5, 6]);
  await Promise.all(putting);
  queue.close();
}

/** Sends two long messages, a short one and a long one, in different forms, of which the first ones find no room. */
export async function sendAll(end: Connection<string, never>): Promise<void> {
  const sending = ["a", "b"].map((letter) => end.sendAsync(letter.repeat(300)));
  end.send("c");
  await Promise.all(sending);
  end.send("d".repeat(300));
}

for (const Kind of [Queue, PriorityQueue]) {
  test(`Q2 ${Kind.name}: what a thread puts goes behind what it waits to put`, async () => {
    const queue = new Kind<number>({ maxSize: 1 });
    queue.put(0);
    const putting = [queue.putAsync(1), queue.putManyAsync([2, 3]), queue.putAsync(4)];
    const late: number[] = [];
    const got: number[] = [];
    while (late.length < 2) {
      if (late.length === 0 ? queue.tryPut(5) : queue.tryPutMany([6]) === 1) late.push(got.length);
      got.push(queue.get());
    }
    assert.deepEqual([got, late], [[0, 1, 2, 3, 4, 5, 6], [5, 6]]);
    assert.deepEqual((await Promise.all(putting)).slice(1), [2, undefined]);
    assert.equal(queue.isEmpty, true);
  });
}

for (const Kind of [Queue, LifoQueue, PriorityQueue]) {
  test(`Q2 ${Kind.name}: a put that blocks waits until what its thread put before is in`, async () => {
    const queue = new Kind<number>({ maxSize: 1, name: "narrow" });
    queue.put(0);
    const thread = new Thread({ target: putAll, module: import.meta.url, args: [queue as Queue<number>] }).start();
    await until(() => blockedOn(Kind.name, queue.name) === 1);
    assert.deepEqual([...queue], [0, 1, 2, 3, 4, 5, 6]);
    thread.join();
  });
}

test("G8 a put that was given up is not put by a later one, and one that was put is not given up", async () => {
  const queue = new Queue<number>({ maxSize: 2 });
  queue.putMany([1, 2]);
  const [early, late] = [new AbortController(), new AbortController()];
  const given = assert.rejects(queue.putAsync(3, { signal: early.signal }));
  const kept = queue.putAsync(4, { signal: late.signal });
  const some = queue.putManyAsync([5, 6], { signal: late.signal });
  assert.deepEqual(queue.getMany(2), [1, 2]);
  early.abort("early");
  assert.equal(queue.tryPut(7), false); // 4 and 5 are in
  late.abort("late");
  assert.equal(queue.get(), 4);
  assert.equal(queue.tryPut(8), true);
  assert.equal(await given, "early");
  await kept;
  assert.equal(await some, 1);
  queue.close();
  assert.deepEqual([...queue], [5, 8]);
});

test("Q18 the queue is closed: each put keeps its own value, and a put that was in before is put", async () => {
  const queue = new Queue<number>({ maxSize: 1 });
  queue.put(1);
  const [done, unsent] = [queue.putAsync(2), assert.rejects<ClosedError>(queue.putAsync(3), ClosedError)];
  assert.equal(queue.get(), 1);
  assert.equal(queue.tryPut(4), false);
  queue.close();
  assert.equal(assert.throws<ClosedError>(() => queue.put(4), ClosedError).value, 4);
  assert.equal((await unsent).value, 3);
  await done;
  assert.deepEqual([...queue], [2]);
});

test("P3 what a thread sends goes behind what it waits to send, in parts or whole", async () => {
  const [here, there] = pipe<string>({ maxBytes: 200 });
  here.send("0".repeat(150));
  const sending = ["a".repeat(100), "b".repeat(1000), "c"].map((text) => here.sendAsync(text));
  const got: string[] = [];
  let sent = false;
  for (let i = 0; i < 1000 && got.length < 5; i++) {
    sent ||= here.trySend("last");
    const box = there.tryRecv();
    if (box !== undefined) got.push(box.value[0]! + box.value.length);
  }
  assert.deepEqual([got, sent], [["0150", "a100", "b1000", "c1", "l4"], true]);
  await Promise.all(sending);
});

test("P3 a send that blocks waits until what its thread sent before is on its way", async () => {
  const [here, there] = pipe<string>({ duplex: false, maxBytes: 100, name: "narrow" });
  const thread = new Thread({ target: sendAll, module: import.meta.url, args: [there] }).start();
  await until(() => blockedOn("Connection", here.name) === 1);
  assert.deepEqual(["a", "b", "c", "d"].map(() => here.recv()[0]), ["a", "b", "c", "d"]);
  thread.join();
});

test("G8 a send that was given up is not sent by a later one, and one that was sent is not given up", async () => {
  const [here, there] = pipe<string>({ maxBytes: 100 });
  here.send("0".repeat(90));
  const [early, late] = [new AbortController(), new AbortController()];
  const given = assert.rejects(here.sendAsync("1".repeat(50), { signal: early.signal }));
  const kept = here.sendAsync("2".repeat(50), { signal: late.signal });
  assert.equal(there.recv().length, 90);
  early.abort("early");
  assert.equal(here.trySend("3".repeat(90)), false);
  late.abort("late");
  assert.equal(await given, "early");
  assert.equal(there.recv(), "2".repeat(50));
  await kept;
  assert.equal(there.poll(), false);
});
