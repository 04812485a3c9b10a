// Pipes under load: sequences verified message by message, 100 MiB both ways at once, and threads killed at any instruction.
//
//   deno test -A --no-check --config deno.offline.json tests/stress/pipe_stress.ts
//   node --test tests/stress/pipe_stress.ts              (a Node that runs TypeScript, with msgpackr at hand)
//
// LOCKSTEP_STRESS multiplies the work, 1 by default.

import { ClosedError, Connection, pipe, Thread } from "../../mod.ts";
import { assert, Prng, random, runtime, test } from "../_harness.ts";
import { until } from "../_until.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
const WORK = Number(realm.process?.env?.LOCKSTEP_STRESS ?? 1);
const MIB = 1 << 20;

type Any = Connection<any, any>;

/** Bytes of a message: sender, serial, then what these two decide. */
function messageOf(sender: number, serial: number, most: number): Uint8Array {
  const prng = new Prng(sender * 7919 + serial);
  const length = 8 + prng.below(prng.chance(0.2) ? most : 64);
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setInt32(0, sender);
  new DataView(bytes.buffer).setInt32(4, serial);
  for (let i = 8; i < length; i++) bytes[i] = i * 13 + serial + sender;
  return bytes;
}

/** Sender and serial of a message, checked. */
function read(bytes: Uint8Array, most: number): [sender: number, serial: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [sender, serial] = [view.getInt32(0), view.getInt32(4)];
  const expected = messageOf(sender, serial, most);
  if (bytes.length !== expected.length) throw new Error(`torn: ${sender}.${serial} has ${bytes.length} bytes`);
  for (let i = 8; i < bytes.length; i++) {
    if (bytes[i] !== expected[i]) throw new Error(`torn: ${sender}.${serial} differs at ${i}`);
  }
  return [sender, serial];
}

/** How a thread sends or receives. */
type Way = "sync" | "async" | "timed" | "mixed";
const WAYS = ["sync", "async", "timed"] as const;

/** Sends so many messages, values and in other threads' eyes all alike. */
export async function produce(end: Any, sender: number, count: number, most: number, way: Way): Promise<void> {
  for (let serial = 0; serial < count; serial++) {
    const kind = way === "mixed" ? WAYS[serial % 3]! : way;
    const message = messageOf(sender, serial, most);
    if (kind === "sync") end.send(message);
    else if (kind === "async") await end.sendAsync(message);
    else for (let timeout = 0; !end.trySend(message, { timeout }); timeout = 2 * timeout + 1); // one in parts takes time
  }
}

/** Receives until the end of file; all it saw, by sender. */
export async function consume(end: Any, senders: number, most: number, way: Way): Promise<number[][]> {
  const seen: number[][] = Array.from({ length: senders }, () => []);
  try {
    for (let turn = 0;; turn++) {
      const kind = way === "mixed" ? WAYS[turn % 3]! : way;
      const box = kind === "timed"
        ? end.tryRecv({ timeout: turn % 2 })
        : { value: kind === "sync" ? end.recv() : await end.recvAsync() };
      if (box === undefined) continue;
      const [sender, serial] = read(box.value, most);
      seen[sender]!.push(serial);
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
  return seen;
}

interface Shape {
  readonly senders: number;
  readonly receivers: number;
  readonly count: number;
  readonly maxBytes: number;
  readonly most: number;
  readonly way: Way;
}

async function run({ senders, receivers, count, maxBytes, most, way }: Shape): Promise<void> {
  const [reader, writer] = pipe<any>({ duplex: false, maxBytes });
  const module = import.meta.url;
  const start = <A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A) =>
    new Thread<R, A>({ target, module, args } as never).start();
  const consumers = Array.from({ length: receivers }, () => start(consume, reader as Any, senders, most, way));
  const producers = Array.from({ length: senders }, (_, i) => start(produce, writer as Any, i, count, most, way));
  reader.close();
  writer.close();
  await Promise.all(producers.map((thread) => thread.joinAsync()));
  const seen = await Promise.all(consumers.map((thread) => thread.joinAsync()));
  for (let sender = 0; sender < senders; sender++) {
    const all: number[] = [];
    for (const one of seen) {
      const serials = one[sender]!;
      for (let i = 1; i < serials.length; i++) assert(serials[i]! > serials[i - 1]!, "out of order");
      for (const serial of serials) all.push(serial); // too many for one call, at length
    }
    all.sort((a, b) => a - b);
    assert.equal(all.length, count, `sender ${sender}: lost or doubled`);
    for (let i = 0; i < count; i++) assert.equal(all[i], i);
  }
}

const SHAPES: readonly [string, Shape][] = [
  ["1x1, the smallest ring", { senders: 1, receivers: 1, count: 5_000, maxBytes: 1, most: 300, way: "sync" }],
  ["1x1, an odd one", { senders: 1, receivers: 1, count: 5_000, maxBytes: 1001, most: 5000, way: "mixed" }],
  ["3x3", { senders: 3, receivers: 3, count: 1_500, maxBytes: 3000, most: 9000, way: "mixed" }],
  ["6x1", { senders: 6, receivers: 1, count: 1_000, maxBytes: 500, most: 1000, way: "mixed" }],
  ["1x6", { senders: 1, receivers: 6, count: 4_000, maxBytes: 2000, most: 3000, way: "sync" }],
  ["2x2, async", { senders: 2, receivers: 2, count: 1_000, maxBytes: 1000, most: 4000, way: "async" }],
  ["1x1, 1 MiB", { senders: 1, receivers: 1, count: 2_000, maxBytes: MIB, most: 300_000, way: "sync" }],
];

for (const [title, shape] of SHAPES) {
  const count = Math.ceil(shape.count * WORK);
  test(`P3 ${title}: nothing lost, doubled, torn or out of order`, () => run({ ...shape, count }), {
    limit: 60_000 * WORK + 30_000,
  });
}

/** Sends a lot, then receives as much. */
export function exchange(end: Any, mebibytes: number): number {
  const bytes = new Uint8Array(mebibytes * MIB);
  for (let i = 0; i < bytes.length; i += 997) bytes[i] = i;
  end.send(bytes);
  const got: Uint8Array = end.recv();
  let wrong = got.length === bytes.length ? 0 : 1;
  for (let i = 0; i < got.length; i++) if (got[i] !== bytes[i]) wrong++;
  return wrong;
}

test("two ends send each other 100 MiB at once, both blocking, and get through", async () => {
  const [a, b] = pipe<any>();
  const threads = [a, b].map((end) =>
    new Thread({ target: exchange, module: import.meta.url, args: [end as Any, 100] }).start()
  );
  const start = performance.now();
  assert.deepEqual(await Promise.all(threads.map((thread) => thread.joinAsync())), [0, 0]);
  console.log(`    100 MiB both ways: ${Math.round(performance.now() - start)} ms, start of the threads included`);
}, { limit: 60_000 });

/** Both ends send and receive at random, so that each is blocked by the other now and then. */
export function talk(end: Any, sender: number, count: number, most: number, seed: number): number[] {
  const prng = new Prng(seed);
  const got: number[] = [];
  const receive = (box: { value: Uint8Array } | undefined): void => {
    if (box !== undefined) got.push(read(box.value, most)[1]);
  };
  for (let serial = 0; serial < count;) {
    const message = messageOf(sender, serial, most);
    if (prng.chance(0.6)) {
      end.send(message);
      serial++;
    } else if (prng.chance(0.5)) {
      if (end.trySend(message, { timeout: prng.below(3) })) serial++;
    } else receive(end.tryRecv({ timeout: prng.below(2) }));
  }
  while (got.length < count) receive({ value: end.recv() });
  return got;
}

test("two threads send to each other at random, blocking: nothing is lost, and nobody waits for ever", async () => {
  const prng = random();
  for (const [maxBytes, most] of [[1, 200], [1000, 5000], [30_000, 100_000]] as const) {
    const ends = pipe<any>({ maxBytes });
    const count = Math.ceil(1_000 * WORK);
    const threads = ends.map((end, i) =>
      new Thread({ target: talk, module: import.meta.url, args: [end as Any, i, count, most, prng.next()] }).start()
    );
    for (const got of await Promise.all(threads.map((thread) => thread.joinAsync()))) {
      assert.equal(got.length, count);
      for (let i = 0; i < count; i++) assert.equal(got[i], i);
    }
  }
}, { limit: 60_000 * WORK });

// Deaths at any instruction: raw workers, stopped from outside.

const threads = realm.process?.getBuiltinModule?.("node:worker_threads");
const SERIALS = 1 << 15;
const MOST = 6000;

interface Mortal {
  readonly stress: "produce" | "consume" | "talk";
  // deno-lint-ignore no-explicit-any
  readonly handle: any;
  readonly sender: number;
  readonly seed: number;
  /** What it sets, and where, once it runs. */
  readonly up: Int32Array;
  readonly place: number;
  /** By sender: how many sends have returned; then a count of sightings for each message. */
  readonly done: Int32Array;
  readonly seen: Uint8Array;
}

function live({ stress, handle, sender, seed, up, place, done, seen }: Mortal): void {
  const end = Connection.attach<any, any>(handle);
  Atomics.store(up, place, 1);
  const prng = new Prng(seed);
  const last: number[] = [];
  const receive = (timeout: number): void => {
    const box = end.tryRecv({ timeout });
    if (box === undefined) return;
    const [from, serial] = read(box.value, MOST);
    if (!(serial > (last[from] ?? -1))) throw new Error(`${from}.${serial} came after ${last[from]}`);
    last[from] = serial;
    Atomics.add(seen, from * SERIALS + serial, 1);
  };
  for (let serial = 0; serial < SERIALS;) {
    if (stress === "consume" || (stress === "talk" && prng.chance(0.5))) {
      receive(prng.pick([0, 1, stress === "consume" ? Infinity : 2]));
      continue;
    }
    if (prng.chance(0.8)) end.send(messageOf(sender, serial, MOST));
    else if (!end.trySend(messageOf(sender, serial, MOST), { timeout: prng.below(2) })) continue;
    Atomics.store(done, sender, ++serial);
  }
}

async function kill(duplex: boolean, ms: number): Promise<void> {
  const prng = random();
  const most = 500; // senders, one after another
  const ends = (duplex ? pipe<any>({ maxBytes: 2000 }) : pipe<any>({ duplex: false, maxBytes: 2000 })) as [Any, Any];
  const done = new Int32Array(new SharedArrayBuffer(4 * most));
  const seen = new Uint8Array(new SharedArrayBuffer(most * SERIALS));
  let senders = 0;
  let deaths = 0;
  const failures: unknown[] = [];
  const up = new Int32Array(new SharedArrayBuffer(16));
  const start = (end: 0 | 1, place: number) => {
    Atomics.store(up, place, 0);
    const stress = duplex ? "talk" : end === 0 ? "consume" : "produce";
    const sender = stress === "consume" ? -1 : senders++;
    const data: Mortal = { stress, handle: ends[end].handle, sender, seed: prng.next(), up, place, done, seen };
    const worker = new threads.Worker(new URL(import.meta.url), { workerData: data });
    worker.on("error", (error: unknown) => failures.push(error));
    return worker;
  };
  const staff = ([0, 0, 1, 1] as const).map((end, place) => ({ end, place, worker: start(end, place) }));
  const finish = performance.now() + ms;
  let kills = 0;
  let stalls = 0;
  let before = 0;
  while (performance.now() < finish && senders < most && failures.length === 0) {
    const one = prng.pick(staff);
    await until(() => Atomics.load(up, one.place) === 1 || failures.length > 0, 20_000);
    await new Promise((resolve) => setTimeout(resolve, prng.below(30)));
    await one.worker.terminate();
    if (duplex || one.end === 0) deaths++;
    one.worker = start(one.end, one.place);
    kills++;
    const sum = done.reduce((a, b) => a + b, 0);
    stalls = sum === before ? stalls + 1 : 0;
    before = sum;
    assert(stalls < 100, "nothing moves any more");
  }
  await until(() => up.every((it) => it === 1) || failures.length > 0, 20_000);
  for (const { end, worker } of staff) if (duplex || end === 1) await worker.terminate();
  if (duplex) { for (let box; (box = ends[0].tryRecv({ timeout: 500 })) !== undefined;) note(box.value); }
  if (duplex) { for (let box; (box = ends[1].tryRecv({ timeout: 500 })) !== undefined;) note(box.value); }
  const limit = performance.now() + 5_000;
  while (!duplex && ends[0].poll() && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(ends[0].poll(), false, "nobody takes the rest");
  await new Promise((resolve) => setTimeout(resolve, 30));
  for (const { worker } of staff) await worker.terminate();
  deaths += 4;
  if (failures.length > 0) throw failures[0];
  let missing = 0;
  let total = 0;
  for (let sender = 0; sender < senders; sender++) {
    for (let serial = 0; serial < SERIALS; serial++) {
      const count = seen[sender * SERIALS + serial]!;
      assert(count <= 1, `message ${sender}.${serial} came ${count} times`);
      if (serial < done[sender]!) {
        total++;
        if (count === 0) missing++;
      } else if (serial > done[sender]!) assert.equal(count, 0, "a message that was never sent");
    }
  }
  // A receiver that dies takes one message that it had and one that had begun to come; a talker its inbox, too.
  if (!duplex) assert(missing <= 2 * deaths, `${missing} messages lost, ${deaths} receivers died`);
  assert(total > 0, "no messages");
  // The pipe works on, and its end of file comes when all are gone.
  const writer = ends[1];
  writer.send(messageOf(0, 0, MOST));
  assert.equal(read(ends[0].recv(), MOST)[1], 0);
  writer.close();
  assert.throws(() => ends[0].recv(), ClosedError);
  console.log(`    ${kills} kills, ${total} messages sent, ${missing} went with ${deaths} receivers`);

  function note(value: Uint8Array): void {
    const [sender, serial] = read(value, MOST);
    Atomics.add(seen, sender * SERIALS + serial, 1);
  }
}

const skip = runtime === "node" || runtime === "bun" ? undefined : "only Node and Bun stop running workers";
const me = threads?.workerData as Mortal | undefined;
if (me?.stress !== undefined) live(me);
for (const duplex of [false, true]) {
  const what = duplex ? "two who talk at each end" : "senders and receivers";
  test(`P9 D3 D4 ${what}, killed at any instruction`, () => kill(duplex, 2_000 * WORK), {
    skip,
    limit: 60_000 + 2_000 * WORK,
  });
}
