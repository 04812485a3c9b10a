// Queues under load: sequences verified message by message, and threads killed at any instruction.
//
//   deno test -A --no-check --config deno.offline.json tests/stress/queue_stress.ts
//   node --test tests/stress/queue_stress.ts             (a Node that runs TypeScript, with msgpackr at hand)
//
// LOCKSTEP_STRESS multiplies the work, 1 by default.

import { LifoQueue, PriorityQueue, Queue, type QueueOptions, Thread } from "../../mod.ts";
import { assert, Prng, random, runtime, test } from "../_harness.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
const WORK = Number(realm.process?.env?.LOCKSTEP_STRESS ?? 1);

/** What one message says; `sum` tells a torn one. */
interface Item {
  readonly producer: number;
  readonly serial: number;
  readonly text: string;
  readonly sum: number;
}

const CLASSES = { Queue, LifoQueue, PriorityQueue } as const;
type Name = keyof typeof CLASSES;

function textOf(producer: number, serial: number, most: number): string {
  const prng = new Prng(producer * 7919 + serial);
  return String.fromCharCode(97 + prng.below(26)).repeat(prng.below(most));
}

function itemOf(producer: number, serial: number, most: number): Item | number {
  if ((producer + serial) % 3 === 0) return producer * 0x1000000 + serial;
  const text = textOf(producer, serial, most);
  return { producer, serial, text, sum: producer + serial + text.length };
}

/** The producer and serial of a message, checked. */
function read(value: Item | number, most: number): [producer: number, serial: number] {
  if (typeof value === "number") return [Math.floor(value / 0x1000000), value % 0x1000000];
  const { producer, serial, text, sum } = value;
  if (text !== textOf(producer, serial, most) || sum !== producer + serial + text.length) {
    throw new Error(`torn: ${JSON.stringify(value)}`);
  }
  return [producer, serial];
}

/** How a thread puts or gets. */
type Way = "sync" | "async" | "many" | "poll" | "mixed";

/** A producer: so many messages of its own. */
export async function produce(
  queue: Queue<Item | number>,
  producer: number,
  count: number,
  most: number,
  way: Way,
): Promise<void> {
  for (let serial = 0; serial < count;) {
    const kind = way === "mixed" ? (["sync", "async", "many", "poll"] as const)[serial % 4]! : way;
    if (kind === "sync") queue.put(itemOf(producer, serial++, most));
    else if (kind === "async") await queue.putAsync(itemOf(producer, serial++, most));
    else if (kind === "poll") { while (!queue.tryPut(itemOf(producer, serial, most), { timeout: 0.01 })); }
    else {
      const items: (Item | number)[] = [];
      for (; items.length < 7 && serial < count; serial++) items.push(itemOf(producer, serial, most));
      queue.putMany(items);
    }
    if (kind === "poll") serial++;
  }
}

/** A consumer: until the queue is closed and drained. Returns all it saw, by producer. */
export async function consume(
  queue: Queue<Item | number>,
  producers: number,
  most: number,
  way: Way,
): Promise<number[][]> {
  const seen: number[][] = Array.from({ length: producers }, () => []);
  const note = (value: Item | number): void => {
    const [producer, serial] = read(value, most);
    seen[producer]!.push(serial);
  };
  try {
    for (let turn = 0;; turn++) {
      const kind = way === "mixed" ? (["sync", "async", "many", "poll"] as const)[turn % 4]! : way;
      if (kind === "sync") note(queue.get());
      else if (kind === "async") note(await queue.getAsync());
      else if (kind === "many") queue.getMany(9).forEach(note);
      else {
        const box = queue.tryGet({ timeout: 0.01 });
        if (box !== undefined) note(box.value);
      }
    }
  } catch (error) {
    if ((error as { code?: string }).code !== "closed") throw error;
  }
  return seen;
}

interface Shape {
  readonly producers: number;
  readonly consumers: number;
  readonly count: number;
  readonly options: QueueOptions;
  readonly most: number;
  readonly way: Way;
}

async function run(name: Name, shape: Shape): Promise<void> {
  const { producers, consumers, count, options, most, way } = shape;
  const queue = new CLASSES[name]<Item | number>(options);
  const module = import.meta.url;
  const getters = Array.from(
    { length: consumers },
    () => new Thread({ target: consume, module, args: [queue, producers, most, way] }).start(),
  );
  const putters = Array.from(
    { length: producers },
    (_, i) => new Thread({ target: produce, module, args: [queue, i, count, most, way] }).start(),
  );
  await Promise.all(putters.map((thread) => thread.joinAsync()));
  queue.close();
  const seen = await Promise.all(getters.map((thread) => thread.joinAsync()));
  for (let producer = 0; producer < producers; producer++) {
    const all: number[] = [];
    for (const one of seen) {
      const serials = one[producer]!;
      if (name === "Queue") {
        for (let i = 1; i < serials.length; i++) assert(serials[i]! > serials[i - 1]!, "out of order");
      }
      for (const serial of serials) all.push(serial); // too many for one call, at length
    }
    all.sort((a, b) => a - b);
    assert.equal(all.length, count, `producer ${producer}: lost or doubled`);
    for (let i = 0; i < count; i++) assert.equal(all[i], i);
  }
  assert.equal(queue.size, 0);
}

for (const name of Object.keys(CLASSES) as Name[]) {
  const factor = name === "Queue" ? 1 : 0.2;
  const shapes: [string, Shape][] = [
    ["1x1", { producers: 1, consumers: 1, count: 40_000, options: { maxBytes: 4096 }, most: 40, way: "sync" }],
    ["4x4", { producers: 4, consumers: 4, count: 10_000, options: { maxBytes: 10_000 }, most: 90, way: "mixed" }],
    ["16x1", { producers: 16, consumers: 1, count: 1_000, options: { maxSize: 7 }, most: 20, way: "mixed" }],
    ["1x16", { producers: 1, consumers: 16, count: 10_000, options: { maxSize: 100 }, most: 20, way: "sync" }],
    ["capacity 1, 2x2", { producers: 2, consumers: 2, count: 4_000, options: { maxSize: 1 }, most: 5, way: "mixed" }],
    ["the smallest ring, 3x3", {
      producers: 3,
      consumers: 3,
      count: 3_000,
      options: { maxBytes: 104 },
      most: 4,
      way: "mixed",
    }],
    ["async, 2x2", { producers: 2, consumers: 2, count: 3_000, options: { maxSize: 5 }, most: 9, way: "async" }],
  ];
  for (const [title, shape] of shapes) {
    const count = Math.ceil(shape.count * factor * WORK);
    test(`Q8 ${name} ${title}: nothing lost, doubled, torn or out of order`, () => run(name, { ...shape, count }), {
      limit: 60_000 * WORK,
    });
  }
}

/** Puts small messages until the queue closes. */
export async function flood(queue: Queue<unknown>, way: Way): Promise<number> {
  let count = 0;
  try {
    for (;; count++) {
      if (way === "async") await queue.putAsync(count);
      else if (way === "many") queue.putMany([1, 2, 3]);
      else if (way === "poll") { while (!queue.tryPut(count)); }
      else queue.put(count);
    }
  } catch (error) {
    if ((error as { code?: string }).code !== "closed") throw error;
  }
  return count;
}

/** Puts large messages; returns the longest time that one took. */
export async function insist(queue: Queue<unknown>, count: number, way: Way): Promise<number> {
  let longest = 0;
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    if (way === "async") await queue.putAsync(new Uint8Array(900));
    else if (way === "many") queue.putMany([new Uint8Array(900)]);
    else queue.put(new Uint8Array(900));
    longest = Math.max(longest, performance.now() - start);
  }
  return longest;
}

for (const name of Object.keys(CLASSES) as Name[]) {
  for (const way of ["sync", "async", "many"] as const) {
    test(`${name}: a large message is not passed by small ones for ever (${way})`, async () => {
      const queue = new CLASSES[name]<unknown>({ maxBytes: 1000 });
      const module = import.meta.url;
      const small = (["sync", "many", "async"] as const).map((way) =>
        new Thread({ target: flood, module, args: [queue, way] }).start()
      );
      const large = new Thread({ target: insist, module, args: [queue, 20, way] }).start();
      let ended = false;
      const reading = (async () => {
        for await (const _ of queue) {
          if (ended) queue.close();
          await new Promise((resolve) => setTimeout(resolve));
        }
      })();
      const longest = await large.joinAsync();
      ended = true;
      await reading;
      const counts = await Promise.all(small.map((thread) => thread.joinAsync()));
      console.log(`    the longest wait was ${longest.toFixed(0)} ms, beside ${counts} small ones`);
    }, { limit: 60_000 });
  }
}

// Deaths at any instruction: raw workers, stopped from outside.

const threads = realm.process?.getBuiltinModule?.("node:worker_threads");
const SERIALS = 1 << 18;

interface Mortal {
  readonly stress: "produce" | "consume";
  readonly name: Name;
  // deno-lint-ignore no-explicit-any
  readonly handle: any;
  readonly producer: number;
  /** By producer: how many puts have returned; then a count of sightings for each message. */
  readonly done: Int32Array;
  readonly seen: Uint8Array;
  /** How many have begun. */
  readonly begun: Int32Array;
}

function live({ stress, name, handle, producer, done, seen, begun }: Mortal): void {
  const queue = CLASSES[name].attach<Item | number>(handle);
  Atomics.add(begun, 0, 1);
  if (stress === "produce") {
    for (let serial = Atomics.load(done, producer); serial < SERIALS - 1;) {
      const many = serial % 5 === 0;
      if (many) queue.putMany([itemOf(producer, serial, 60), itemOf(producer, serial + 1, 60)]);
      else queue.put(itemOf(producer, serial, 60));
      Atomics.store(done, producer, serial += many ? 2 : 1);
    }
    Atomics.wait(begun, 0, Atomics.load(begun, 0), 60_000); // it has put all there are
    return;
  }
  for (let turn = 0;; turn++) {
    for (const value of turn % 5 === 0 ? queue.getMany(3) : [queue.get()]) {
      const [producer, serial] = read(value, 60);
      Atomics.add(seen, producer * SERIALS + serial, 1);
    }
  }
}

async function kill(name: Name, ms: number): Promise<void> {
  const prng = random();
  const queue = new CLASSES[name]<Item | number>({ maxBytes: 2000 });
  const most = 300; // producers, one after another
  const done = new Int32Array(new SharedArrayBuffer(4 * most));
  const seen = new Uint8Array(new SharedArrayBuffer(most * SERIALS));
  const begun = new Int32Array(new SharedArrayBuffer(4));
  let started = 0;
  let producers = 0;
  let deaths = 0;
  const failures: unknown[] = [];
  const start = (stress: Mortal["stress"]) => {
    const producer = stress === "produce" ? producers++ : -1;
    const data: Mortal = { stress, name, handle: queue.handle, producer, done, seen, begun };
    started++;
    const worker = new threads.Worker(new URL(import.meta.url), { workerData: data });
    worker.on("error", (error: unknown) => failures.push(error));
    return worker;
  };
  const staff = (["produce", "produce", "consume", "consume"] as const).map((stress) => ({
    stress,
    worker: start(stress),
  }));
  const end = performance.now() + ms;
  let progress = 0;
  while (performance.now() < end && producers < most && failures.length === 0) {
    while (Atomics.load(begun, 0) < started && failures.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, prng.below(12)));
    const one = prng.pick(staff);
    await one.worker.terminate();
    if (one.stress === "consume") deaths++;
    one.worker = start(one.stress);
    progress++;
  }
  for (const { stress, worker } of staff) if (stress === "produce") await worker.terminate();
  // The living go on: what was put comes out, and nothing hangs.
  const limit = performance.now() + 5_000;
  while (queue.size > 0 && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(queue.size, 0, "nobody takes the rest");
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const { worker } of staff) await worker.terminate();
  deaths += 2;
  if (failures.length > 0) throw failures[0];
  let missing = 0;
  let total = 0;
  for (let producer = 0; producer < producers; producer++) {
    for (let serial = 0; serial < SERIALS; serial++) {
      const count = seen[producer * SERIALS + serial]!;
      assert(count <= 1, `message ${producer}.${serial} came ${count} times`);
      if (serial < done[producer]!) {
        total++;
        if (count === 0) missing++;
      } else if (serial > done[producer]! + 1) assert.equal(count, 0, "a message that was never put");
    }
  }
  assert(missing <= 3 * deaths, `${missing} messages lost, ${deaths} consumers died`);
  // No room has leaked: it holds as much as a fresh one does.
  const fresh = new CLASSES[name]<number>({ maxBytes: 2000 });
  let most1 = 0;
  while (fresh.tryPut(0)) most1++;
  let most2 = 0;
  while (queue.tryPut(0)) most2++;
  assert.equal(most2, most1);
  console.log(`    ${name}: ${progress} kills, ${total} messages put, ${missing} went with ${deaths} consumers`);
}

const skip = runtime === "node" || runtime === "bun" ? undefined : "only Node and Bun stop running workers";
const me = threads?.workerData as Mortal | undefined;
if (me?.stress !== undefined) live(me);
for (const name of Object.keys(CLASSES) as Name[]) {
  test(`D3 D4 ${name}: producers and consumers killed at any instruction`, () => kill(name, 2_000 * WORK), {
    skip,
    limit: 60_000 + 2_000 * WORK,
  });
}
