// What primitives/_queue_store.ts asks of the ring and of the heap: whom each call wakes, and what its looks promise.

import { Agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { Batch } from "../../primitives/_queue_batch.ts";
import {
  makeQueue,
  openQueue,
  queueHandle,
  type QueueKind,
  type QueueParameters,
} from "../../primitives/_queue_make.ts";
import { Message } from "../../primitives/_queue_message.ts";
import { CRAMPED, DONE, EMPTY, FULL, KEPT, OVER } from "../../primitives/_queue_store.ts";
import { asAgent } from "../_as_agent.ts";
import { assert, random, test } from "../_harness.ts";
import { wakeUps } from "../_notified.ts";

const WAITING_BIT = 1;

function message(value: unknown): Message {
  const staged = new Message();
  staged.stage(value, "put");
  return staged;
}

function batchOf(values: readonly unknown[]): Batch {
  const batch = new Batch();
  for (const value of values) batch.add(message(value));
  return batch;
}

/** Where the words stand: the bells of those who get and of those who put, and HEIR. */
const PLACES = { Queue: [65, 80, 68], LifoQueue: [48, 51, 54], PriorityQueue: [48, 51, 54] } as const;

function scene(kind: QueueKind, options: QueueParameters) {
  const core = makeQueue(kind, options);
  const handle = queueHandle(core) as FullHandle;
  const [getters, putters, heir] = PLACES[kind as keyof typeof PLACES];
  return { store: core.store, words: core.words, handle, getters, putters, heir };
}

for (const kind of ["Queue", "LifoQueue", "PriorityQueue"] as const) {
  test(`${kind}: each change wakes as many as can go on, and one that does not happen wakes nobody`, () => {
    const { store, words, getters, putters } = scene(kind, { maxSize: 4 });
    const wakes = (act: () => unknown, want: unknown): readonly (readonly [string, number])[] => {
      words[getters]! |= WAITING_BIT;
      words[putters]! |= WAITING_BIT;
      let result: unknown;
      const woken = wakeUps(words.buffer, () => result = act());
      assert.equal(result, want);
      const names: Record<number, string> = { [getters]: "getters", [putters]: "putters" };
      return woken.map(([index, count]) => [names[index]!, count] as const);
    };
    const into = new Message();
    const batch = new Batch();
    assert.deepEqual(wakes(() => store.take(into), EMPTY), []);
    assert.deepEqual(wakes(() => store.takeMany(batch, 9), EMPTY), []);
    assert.deepEqual(wakes(() => store.offer(message(1)), DONE), [["getters", 1]]);
    assert.deepEqual(wakes(() => store.offerMany(batchOf([1, 2, 3, 4]), true), CRAMPED), []);
    assert.deepEqual(wakes(() => store.offerMany(batchOf([1, 2, 3, 4]), false), DONE), [["getters", 3]]);
    assert.deepEqual(wakes(() => store.offerMany(batchOf([1]), false), FULL), []);
    assert.deepEqual(wakes(() => store.offer(message(1)), FULL), []);
    assert.deepEqual(wakes(() => store.take(into), DONE), [["putters", 1]]);
    assert.deepEqual(wakes(() => store.takeMany(batch, 2), DONE), [["putters", 2]]);
    assert.equal(batch.count, 2);
    assert.deepEqual(wakes(() => store.takeMany(batch, 2), DONE), [["putters", 1]]);
    assert.equal(batch.count, 1); // nothing is left of what it held
    assert.deepEqual(wakes(() => store.insist(false, 8), undefined), []);
    assert.deepEqual(wakes(() => store.relent(false), undefined), [["putters", Infinity]]);
    assert.deepEqual(wakes(() => store.close(), undefined), [["getters", Infinity], ["putters", Infinity]]);
  });

  test(`${kind}: who looks whether there is room, or something to get, never misses it`, () => {
    const prng = random();
    for (const maxSize of [0, 3]) {
      const { store } = scene(kind, { maxSize, maxBytes: 300 });
      const into = new Message();
      for (let i = 0; i < 500; i++) {
        const one = message(new Uint8Array(1 + prng.below(prng.chance(0.2) ? 300 : 40)));
        const had = store.hasRoom(one.length);
        const { size } = store.count();
        const done = store.offer(one) === DONE;
        if (kind === "Queue" || size === 0) assert.equal(had, done, `${one.length} bytes beside ${size}`);
        else assert(had || !done); // the room may be in pieces
        assert.equal(store.count().size, size + Number(done));
        assert.equal(store.count().full, !store.hasRoom(0));
        assert.equal(store.stirring, store.count().size > 0);
        if (prng.chance(0.5)) store.take(into);
        assert.equal(store.stirring, store.count().size > 0);
      }
      while (store.take(into) === DONE);
      assert.equal(store.stirring, false);
      store.close();
      assert.equal(store.stirring, true);
      assert.equal(store.hasRoom(1e9), true);
    }
  });

  test(`${kind}: closed comes before everything else that may keep a put out`, () => {
    const { store, words, handle, heir } = scene(kind, { maxSize: 1 });
    store.offer(message(1));
    const other = new Agent();
    words[heir] = asAgent(other, () => Roster.attach(handle.roster, handle.rosterOffset).me);
    const puts = [
      () => store.offer(message(1)),
      () => store.offerMany(batchOf([1, 2]), false),
      () => store.offerMany(batchOf([1]), false),
    ];
    for (const put of puts) assert.equal(put(), KEPT);
    store.close();
    for (const put of [...puts, () => store.offerMany(batchOf([1, 2]), true)]) assert.equal(put(), OVER);
  });

  test(`${kind}: all of a batch or none goes in, to the last place and byte`, () => {
    for (const maxSize of [0, 3]) {
      for (let maxBytes = 64; maxBytes < 160; maxBytes += 8) {
        const values = [0.5, 1.5, 2.5];
        const fits = values.filter((value, i) =>
          scene(kind, { maxSize, maxBytes }).store.offerMany(batchOf([...values.slice(0, i), value]), true) === DONE
        );
        const { store } = scene(kind, { maxSize, maxBytes });
        let count = 0;
        while (count < 3 && store.offer(message(0.5)) === DONE) count++;
        assert.equal(fits.length, count, `${maxBytes} bytes`);
      }
    }
    const { store } = scene(kind, { maxSize: 3 });
    assert.equal(store.offerMany(batchOf([1, 2, 3, 4]), true), CRAMPED);
    assert.equal(store.count().size, 0);
    assert.equal(store.offerMany(batchOf([1, 2, 3]), true), DONE);
    assert.equal(store.count().full, true);
  });

  test(`${kind}: a batch for which there is too little room goes in as far as it goes, wherever the oldest stands`, () => {
    for (let lap = 1; lap < 12; lap++) {
      const { store } = scene(kind, { maxBytes: 200 });
      const into = new Message();
      let most = 0;
      while (store.offer(message(0.5)) === DONE) most++;
      for (let i = 0; i < most; i++) store.take(into);
      for (let i = 0; i < lap; i++) assert.deepEqual([store.offer(message(0.5)), store.take(into)], [DONE, DONE]);
      const batch = batchOf(Array.from({ length: 50 }, (_, i) => i + 0.5));
      assert.equal(store.offerMany(batch, false), DONE);
      assert.equal(store.count().size, most);
      assert.equal(batch.count, 50 - most);
      assert.equal(store.offerMany(batch, false), CRAMPED);
      assert.equal(batch.count, 50 - most);
    }
  });

  test(`${kind}: takeMany() takes long messages a few at a time`, () => {
    const { store } = scene(kind, {});
    const batch = new Batch();
    const text = "x".repeat(40_000);
    for (let i = 0; i < 5; i++) store.offer(message(text));
    for (let left = 5; left > 0; left -= batch.count) {
      assert.equal(store.takeMany(batch, Infinity), DONE);
      assert(batch.count === 1 || batch.count === 2, `${batch.count} at a time`);
    }
    assert.equal(store.takeMany(batch, Infinity), EMPTY);
  });
}

test("Batch: each message keeps its priority, wherever the first that is not 0 stands, and in a batch that was cleared", () => {
  const batch = new Batch();
  for (const priorities of [[0, 0, 5, 0, -1], [0, 0], [7], [0, 3, 0]]) {
    batch.clear();
    for (const priority of priorities) batch.add(Object.assign(message(priority), { priority }));
    const out = new Message();
    for (const priority of priorities) {
      batch.peek(out);
      assert.deepEqual([out.priority, out.word], [priority, priority]);
      batch.drop(1, batch.bytesAt(batch.start));
    }
    assert.equal(batch.count, 0);
  }
});

test("Batch: what one unusual message took is let go", () => {
  const batch = batchOf([new Uint8Array(3 << 20)]);
  assert(batch.bytes.length > 3 << 20);
  batch.clear();
  assert.equal(batch.bytes.length, 0);
  batch.add(message("short"));
  assert.equal(batch.bytes.length, 1024);
});

test("Queue: the end is not seen before what was put just before it", () => {
  for (const many of [false, true]) {
    for (let when = 0, seen = true; seen; when++) {
      seen = false;
      const { store, handle } = scene("Queue", {});
      const other = new Agent();
      const theirs = asAgent(other, () => openQueue("Queue", handle).store);
      const realm = globalThis as { Atomics: typeof Atomics };
      const real = realm.Atomics;
      let reads = 0;
      const watched = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
      Object.defineProperty(watched, "load", {
        value(view: Int32Array, index: number) {
          if (reads++ === when) {
            realm.Atomics = real;
            seen = true;
            asAgent(other, () => {
              theirs.offer(message(1));
              theirs.close();
            });
            realm.Atomics = watched;
          }
          return real.load(view, index);
        },
      });
      realm.Atomics = watched;
      let outcome: number;
      try {
        outcome = many ? store.takeMany(new Batch(), 9) : store.take(new Message());
      } finally {
        realm.Atomics = real;
      }
      assert(outcome === DONE || outcome === EMPTY);
    }
  }
});
