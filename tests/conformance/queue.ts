// PYTHON.md section 9 and rows D3 to D7, D12, D24, D25 of section 15, with threads.

import { ClosedError, Event, LifoQueue, PriorityQueue, Queue, SharedValue, Thread, threadDump } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { blockedOn, joined, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);
const KINDS = [Queue, LifoQueue, PriorityQueue] as const;
const BYTES = 1 << 20;
const PRODUCERS = 4;

/** How a thread waits. */
const WAYS = ["blocked", "async", "polling", "timed", "many"] as const;
type Way = typeof WAYS[number];

/** Puts its share: `producer * 1000000 + serial`. */
export async function produce(queue: Queue<number>, producer: number, count: number, way: Way): Promise<void> {
  for (let serial = 0; serial < count; serial++) {
    const item = producer * 1_000_000 + serial;
    if (way === "blocked") queue.put(item);
    else if (way === "async") await queue.putAsync(item);
    else if (way === "polling") { while (!queue.tryPut(item)); }
    else if (way === "timed") { while (!queue.tryPut(item, { timeout: 0.01 })); }
    else queue.putMany([item]);
  }
}

/** Gets until the queue is closed and drained. */
export async function consume(queue: Queue<number>, way: Way): Promise<number[]> {
  const seen: number[] = [];
  try {
    for (;;) {
      if (way === "blocked") seen.push(queue.get());
      else if (way === "async") seen.push(await queue.getAsync());
      else if (way === "many") seen.push(...queue.getMany(5));
      else {
        const box = queue.tryGet(way === "timed" ? { timeout: 0.01 } : undefined);
        if (box !== undefined) seen.push(box.value);
      }
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
  return seen;
}

/** One get and one report, `times` times. */
export function work(queue: Queue<unknown>, times: number): void {
  for (let i = 0; i < times; i++) {
    queue.get();
    queue.taskDone();
  }
}

/** One blocked get. */
export function take(queue: Queue<unknown>): unknown {
  return queue.get();
}

/** A get with a time limit. */
export function takeInTime(queue: Queue<unknown>): unknown {
  return queue.tryGet({ timeout: 20_000 })?.value;
}

/** One put; returns the value that did not go in, if the queue closes. */
export function give(queue: Queue<unknown>, value: unknown): unknown {
  try {
    queue.put(value);
  } catch (error) {
    return (error as ClosedError).value;
  }
  return "put";
}

/** Says how a get ends. */
export function takeOrClosed(queue: Queue<unknown>): unknown {
  try {
    return queue.get();
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** Puts a large array and ends at once. */
export function giveLarge(queue: Queue<unknown>): void {
  queue.put(new Uint8Array(BYTES - 8).fill(5));
}

/** Waits until the queue is done. */
export function join(queue: Queue<unknown>): void {
  queue.join();
}

/** Makes a queue, and gives it to a thread of its own. */
export async function nested(): Promise<unknown> {
  const queue = new Queue<number>({ maxBytes: 1000 });
  const thread = new Thread({ target: give, module: import.meta.url, args: [queue, 42] }).start();
  const value = await queue.getAsync();
  await thread.joinAsync();
  return value;
}

/** Turns in a loop until the queue shows something inside. */
export function watch(queue: Queue<unknown>, watching: Event): void {
  watching.set();
  while (queue.isEmpty);
}

/** Gets and dies of an error before it reports. */
export function takeAndDie(queue: Queue<unknown>): void {
  queue.get();
  throw new Error("dies");
}

/** Puts large arrays for ever. */
export function giveForEver(queue: Queue<unknown>, puts: SharedValue<"i32">): void {
  for (;;) {
    queue.put(new Uint8Array(100_000).fill(puts.value & 0xff));
    puts.add(1);
  }
}

/** Puts one item after the other until the queue is closed. */
export function pour(queue: Queue<number>): void {
  try {
    for (let i = 0;; i++) queue.put(i);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
}

/** Registers the cases. */
export function queueCases(has: Capabilities): void {
  const unkillable = has.killsRunningCode ? undefined : "this runtime does not stop running code";
  const unblockable = has.blocksMain ? undefined : "the main thread may not block";

  for (const Kind of KINDS) {
    const { name } = Kind;

    const alone: readonly (readonly Way[])[] = WAYS.map((way) => [way]);
    for (const ways of Kind === Queue ? alone : [alone[0]!, WAYS.slice(1)]) {
      const how = ways.join(" and ");
      test(`Q2 Q8 Q23 ${name}: many ${how} producers and consumers, nothing lost, nothing twice`, async () => {
        const wayOf = (i: number): Way => ways[i % ways.length]!;
        const count = (ways.includes("polling") ? 500 : 2_500) / (name === "Queue" ? 1 : 5);
        const queue = new Kind<number>({ maxSize: 20, maxBytes: 4096 });
        const getters = Array.from({ length: 4 }, (_, i) => ask(consume, queue, wayOf(i)));
        const putters = Array.from({ length: PRODUCERS }, (_, i) => ask(produce, queue, i, count, wayOf(i)));
        await joined(putters);
        queue.close();
        const all = await joined(getters);
        if (name === "Queue") {
          for (const seen of all) {
            for (let producer = 0; producer < PRODUCERS; producer++) {
              const own = seen.filter((item) => Math.floor(item / 1_000_000) === producer);
              assert.deepEqual(own, [...own].sort((a, b) => a - b), "each producer's own order");
            }
          }
        }
        const items = all.flat().sort((a, b) => a - b);
        const want = Array.from({ length: PRODUCERS }, (_, p) => Array.from({ length: count }, (_, i) => p * 1e6 + i));
        assert.deepEqual(items, want.flat());
      }, { limit: 40_000 });
    }

    test(`Q7 ${name}: a blocked get wakes on a put, a blocked put on a get, twice`, async () => {
      const queue = new Kind<string>({ maxSize: 1, maxBytes: 1000, name: `Q7 ${name}` });
      for (const item of ["a", "b"]) {
        const getter = ask(take, queue);
        await until(() => blockedOn(name, queue.name) === 1);
        await queue.putAsync(item);
        assert.equal(await getter.joinAsync(), item);
        await queue.putAsync("full");
        const putter = ask(give, queue, item);
        await until(() => blockedOn(name, queue.name) === 1);
        assert.equal(await queue.getAsync(), "full");
        assert.equal(await putter.joinAsync(), "put");
        assert.equal(await queue.getAsync(), item);
      }
    });

    test(`Q8 ${name}: getMany() takes what is inside, and does not go on with what others put meanwhile`, async () => {
      const queue = new Kind<number>({ maxSize: 16, maxBytes: 1000 });
      const putters = [ask(pour, queue), ask(pour, queue)];
      for (let i = 0; i < 500; i++) assert.between((await queue.getManyAsync(Infinity)).length, 1, 16);
      queue.close();
      await joined(putters);
    });

    test(`Q7 ${name}: who gets as well is not kept from putting by a large message that waits`, async () => {
      const { queue, large } = await crowded(Kind);
      for (let i = 0; i < 5; i++) {
        const item = await queue.getAsync();
        await later(15); // the large one has been passed for long
        assert.equal(Kind.attach<string>(queue.handle).tryPut(item), true); // through whatever object
      }
      while (large.alive) if (queue.tryGet() === undefined) await later(1);
    });

    test(`Q7 ${name}: who does not get is let in at last when nobody gets`, async () => {
      const { queue, large } = await crowded(Kind);
      for (let i = 0; i < 2; i++) {
        await queue.getAsync();
        await later(15);
      }
      assert.equal(await ask(give, queue, "small").joinAsync(), "put");
      while (large.alive) if (queue.tryGet() === undefined) await later(1);
    });

    test(`Q9 D5 ${name}: a large put, the thread ended and joined, only then the get`, async () => {
      const queue = new Kind<Uint8Array>({ maxBytes: BYTES });
      await go(giveLarge, queue).joinAsync();
      const got = await queue.getAsync();
      assert.equal(got.length, BYTES - 8);
      assert(got.every((byte) => byte === 5));
    });

    test(`Q13 ${name}: threads and a task join; all return when everything is done`, async () => {
      const queue = new Kind<number>({ maxBytes: 1000, name: `Q13 ${name}` });
      queue.putMany([1, 2, 3, 4]);
      const joiners = [ask(join, queue), ask(join, queue)];
      let done = false;
      const task = queue.joinAsync().then(() => done = true);
      await until(() => blockedOn(name, queue.name) === 2);
      await ask(work, queue, 3).joinAsync();
      assert.equal(done, false);
      await ask(work, queue, 1).joinAsync();
      await task;
      await joined(joiners);
    });

    test(`Q19 Q20 D25 ${name}: two items, close(), three getters: two get one, one learns of the end`, async () => {
      const queue = new Kind<number>({ maxBytes: 1000, name: `Q19 ${name}` });
      const early = ask(takeOrClosed, queue);
      await until(() => blockedOn(name, queue.name) === 1);
      queue.putMany([1, 2]);
      queue.close();
      const late = [ask(takeOrClosed, queue), ask(takeOrClosed, queue)];
      assert.deepEqual((await joined([early, ...late])).map(String).sort(), ["1", "2", "closed"]);
    });

    test(`Q18 Q20 D25 ${name}: close() wakes everybody who is blocked`, async () => {
      const full = new Kind<number>({ maxSize: 1, maxBytes: 1000, name: `D25 ${name}` });
      const empty = new Kind<number>({ maxBytes: 1000, name: `D25 ${name}` });
      await full.putAsync(0);
      const putters = [ask(give, full, 1), ask(give, full, 2)];
      const getters = [ask(takeOrClosed, empty), ask(takeOrClosed, empty)];
      await until(() => blockedOn(name, full.name) === 4);
      full.close();
      empty.close();
      assert.deepEqual(await joined(putters), [1, 2]);
      assert.deepEqual(await joined(getters), ["closed", "closed"]);
    });

    test(`D3 ${name}: a consumer blocked in get() is stopped; another gets the next item`, async () => {
      const queue = new Kind<string>({ maxBytes: 1000, name: `D3 ${name}` });
      for (let round = 0; round < 3; round++) {
        const victim = go(take, queue);
        await until(() => blockedOn(name, queue.name) === 1);
        const other = ask(takeInTime, queue);
        await until(() => blockedOn(name, queue.name) === 2);
        const ended = assert.rejects(victim.joinAsync());
        await victim.terminate();
        await ended;
        queue.put("next");
        assert.equal(await other.joinAsync(), "next");
        assert.equal(queue.size, 0);
      }
    });

    test(`D4 ${name}: a producer stopped while it puts large arrays: no torn message, later ones arrive`, async () => {
      const queue = new Kind<Uint8Array>({ maxBytes: BYTES });
      for (let round = 0; round < 3; round++) {
        const puts = new SharedValue("i32", round);
        const victim = go(giveForEver, queue, puts);
        const reading = (async () => {
          for (let i = 0; i < 30; i++) await checked(queue);
        })();
        await reading;
        const ended = assert.rejects(victim.joinAsync());
        await victim.terminate();
        await ended;
        while (queue.size > 0) await checked(queue);
        await queue.putAsync(new Uint8Array(BYTES).fill(1));
        await checked(queue);
      }
    }, { skip: unkillable, limit: 20_000 });

    test(`D12 ${name}: a consumer dies before taskDone(): tryJoin() ends in time, the dump shows who joins`, async () => {
      const queue = new Kind<number>({ maxBytes: 1000, name: `D12 ${name}` });
      queue.put(1);
      await assert.rejects(go(takeAndDie, queue).joinAsync(), /dies/);
      const joiner = ask(join, queue);
      await until(() => blockedOn(name, queue.name) === 1);
      assert.match(String(JSON.stringify(threadDump())), new RegExp(`D12 ${name}`));
      if (has.blocksMain) {
        const start = performance.now();
        assert.equal(queue.tryJoin({ timeout: 50 }), false);
        assert.between(performance.now() - start, 50, 1_000);
      }
      queue.taskDone();
      await joiner.joinAsync();
    });

    test(`G12 D24 ${name}: a tight loop on isEmpty sees another thread's put`, async () => {
      const queue = new Kind<number>({ maxBytes: 1000 });
      const watching = new Event();
      const thread = ask(watch, queue, watching);
      await watching.waitAsync();
      queue.put(1);
      await thread.joinAsync();
    });

    test(`Q7 ${name}: the main thread blocks in get() and join()`, () => {
      const queue = new Kind<number>({ maxSize: 2, maxBytes: 1000 });
      const thread = go(produce, queue, 0, 50, "blocked");
      for (let i = 0; i < 50; i++) {
        assert(queue.get() < 50);
        queue.taskDone();
      }
      queue.join();
      thread.join();
    }, { skip: unblockable });
  }

  test("Q25 a thread makes a queue and gives it to a thread of its own", async () => {
    assert.equal(await ask(nested).joinAsync(), 42);
  });

  test("Queue: a page's main thread may poll, and is told to wait without blocking", async () => {
    const queue = new Queue<number>({ maxSize: 1, maxBytes: 1000, name: "page" });
    assert.equal(queue.tryGet(), undefined);
    assert.equal(queue.tryPut(1), true);
    assert.equal(queue.tryPut(2), false);
    if (has.blocksMain) return;
    const error = await assert.rejects<Error & { hint: string }>(() => queue.put(2), { code: "blocking-unavailable" });
    assert.equal(error.hint, "putAsync");
    assert.equal(queue.get(), 1);
    await assert.rejects(() => queue.get(), { code: "blocking-unavailable", hint: "getAsync" });
    await assert.rejects(() => queue.join(), { code: "blocking-unavailable", hint: "joinAsync" });
  });
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A queue with small messages inside, and a large one that waits and has been passed by one of them. */
async function crowded(Kind: typeof KINDS[number]) {
  const queue = new Kind<string>({ maxBytes: 1000, name: "crowded" });
  for (let i = 0; i < 5; i++) queue.put("small".repeat(16));
  const large = ask(give, queue, "x".repeat(800));
  await until(() => blockedOn(Kind.name, queue.name) === 1);
  await later(15);
  queue.put(await queue.getAsync());
  return { queue, large };
}

/** One array, all of whose bytes are the same. */
async function checked(queue: Queue<Uint8Array>): Promise<void> {
  const array = await queue.getAsync();
  assert(array.length === 100_000 || array.length === BYTES, `length ${array.length}`);
  assert(array.every((byte) => byte === array[0]), "torn");
}
