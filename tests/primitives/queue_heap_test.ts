// What the headers of primitives/_queue_heap.ts and _queue_space.ts say of their words, after every call and every death.

import type { FullHandle } from "../../primitives/_handle.ts";
import { LayoutError, LifoQueue, PriorityQueue } from "../../primitives/mod.ts";
import { assert, random, test } from "../_harness.ts";
import { dies } from "./_deaths.ts";

type Heap = LifoQueue<unknown> | PriorityQueue<unknown>;

const [PUTS, EPOCH, COUNT, LISTS, START] = [32, 33, 34, 64, 96];
const [PREV, NEXT, BEFORE, KEY, SERIAL] = [1, 2, 3, 4, 6];
const LIST_COUNT = 26;
const LEAST_UNITS = 4;

/** The units of a message of so many bytes. */
function unitsFor(length: number): number {
  return LEAST_UNITS + Math.ceil(length / 8);
}

/** Holds the words against what the headers say; returns the free blocks' sizes in units. */
function audit(queue: Heap): number[] {
  const { buffer } = queue.handle as FullHandle;
  const words = new Int32Array(buffer);
  const units = unitsFor(queue.maxBytes);
  const at = (unit: number): number => START + 2 * unit;
  const [used, free]: [Set<number>, Map<number, number>] = [new Set(), new Map()];
  let before = 0;
  let wasFree = false;
  for (let unit = 0; unit < units; unit += before) {
    const head = words[at(unit)]!;
    assert.equal(words[at(unit) + PREV], before, `PREV of block ${unit}`);
    const isFree = (head & 1) === 0;
    assert(!(isFree && wasFree), `two free blocks side by side, before ${unit}`);
    before = head >>> 1;
    assert(before >= LEAST_UNITS && unit + before <= units, `the size of block ${unit}`);
    if (isFree) free.set(unit, before);
    else used.add(unit);
    wasFree = isFree;
  }
  const sizes = [...free.values()];
  assert.equal(words[LISTS], sizes.reduce((sum, size) => sum + size, 0), "FREE");
  for (let list = 0; list < LIST_COUNT; list++) {
    let last = 0;
    for (let next = words[LISTS + 1 + list]!; next !== 0; next = words[at(next - 1) + NEXT]!) {
      assert.equal(Math.floor(Math.log2(free.get(next - 1)! / 4)), list, `block ${next - 1} is in list ${list}`);
      assert.equal(words[at(next - 1) + BEFORE], last, `BEFORE of block ${next - 1}`);
      free.delete(next - 1);
      last = next;
    }
  }
  assert.equal(free.size, 0, "free blocks in no list");
  assert.equal(words[COUNT], used.size);
  const order = [...words.subarray(START + 2 * units, START + 2 * units + used.size)];
  assert.deepEqual([...order].sort((a, b) => a - b), [...used], "the order");
  const serial = (epoch: number, puts: number): number => (epoch >>> 0) * 2 ** 32 + (puts >>> 0);
  const keys = order.map((unit) => {
    const [high, low, epoch, puts] = words.subarray(at(unit) + KEY, at(unit) + SERIAL + 2) as unknown as number[];
    const own = serial(epoch!, puts!);
    assert(own < serial(words[EPOCH]!, words[PUTS]!), "a serial still to come");
    return queue instanceof PriorityQueue ? [high!, low! >>> 0, own] : [own];
  });
  for (let i = 1; i < keys.length; i++) {
    const [one, other] = [keys[queue instanceof PriorityQueue ? (i - 1) >> 1 : i - 1]!, keys[i]!];
    const differs = one.findIndex((key, place) => key !== other[place]);
    assert(one[differs]! < other[differs]!, `place ${i} of the order`);
  }
  assert.deepEqual([queue.size, queue.isFull], [used.size, words[LISTS]! < LEAST_UNITS]);
  return sizes;
}

for (const Kind of [LifoQueue, PriorityQueue]) {
  test(`${Kind.name}: its words are right after every call, and what can fit, fits`, () => {
    const prng = random();
    for (const maxBytes of [64, 600, 5000]) {
      const queue: Heap = new Kind<unknown>({ maxBytes });
      let sizes = audit(queue);
      for (let i = 0; i < 400; i++) {
        const item = prng.chance(0.3) ? i : new Uint8Array(1 + prng.below(prng.chance(0.2) ? maxBytes : 63));
        if (prng.chance(0.55)) {
          const need = unitsFor(typeof item === "number" ? 0 : item.length);
          const priority = prng.pick([0, -1.5, 1e300, 3, 3 + Number.EPSILON * 2 ** 32]);
          assert.equal((queue as PriorityQueue).tryPut(item, { priority }), sizes.some((size) => size >= need));
        } else queue.tryGetMany(1 + prng.below(3));
        sizes = audit(queue);
      }
      queue.tryGetMany(Infinity);
      assert.deepEqual(audit(queue), [unitsFor(maxBytes)]);
    }
  });

  test(`D3 ${Kind.name}: its words are right again after a death at any step of a put or a get`, () => {
    const acts: readonly ((queue: PriorityQueue<unknown>) => unknown)[] = [
      (queue) => queue.put(new Uint8Array(20), { priority: -3 }), // of the PriorityQueue: into a part of a gap
      (queue) => queue.put(new Uint8Array(200), { priority: 1 }),
      (queue) => queue.get(), // of the PriorityQueue: between two free blocks
      (queue) => (queue.get(), queue.put(7)),
    ];
    for (const [act, puts] of acts.flatMap((act) => [[act, -9], [act, -8], [act, -7]] as const)) { // PUTS wraps, or is about to
      for (let steps = 0, done = false; !done; steps++) {
        const queue = new Kind<unknown>({ maxBytes: 1000 }) as PriorityQueue<unknown>;
        const words = new Int32Array((queue.handle as FullHandle).buffer);
        words[PUTS] = puts;
        for (const [i, priority] of [9, 1, -1, 0, -1, 2, 8].entries()) queue.put(new Uint8Array(12 * i), { priority });
        queue.getMany(2);
        audit(queue);
        done = dies(queue.handle, steps, () => Kind.attach<unknown>(queue.handle), act as (queue: unknown) => unknown);
        assert.equal(queue.tryPut(new Uint8Array(1000)), false); // takes over
        assert(((words[PUTS]! - puts - 7) | 0) >= 0, "PUTS never goes back");
        audit(queue);
        queue.put(2, { priority: 1 });
        audit(queue);
      }
    }
  });
}

test("PriorityQueue: a block that fits is found behind many of its list that do not", () => {
  const queue = new PriorityQueue<unknown>({ maxBytes: 2000 });
  queue.put(new Uint8Array(24)); // 7 units; those of 4 and 5 are in the same list
  for (let i = 0; i < 20; i++) {
    queue.put(i, { priority: 1 });
    queue.put(0.5);
  }
  while (queue.tryPut(0, { priority: 1 }));
  queue.getMany(21); // all but the small integers between them
  assert.deepEqual(audit(queue).sort().slice(-2), [5, 7]);
  assert.equal(queue.tryPut(new Uint8Array(24)), true);
  assert.equal(queue.tryPut(new Uint8Array(24)), false);
  audit(queue);
});

test("PriorityQueue: a block that cannot be is LayoutError", () => {
  const order = START + 2 * unitsFor(104);
  const damages: readonly [number, number, (queue: PriorityQueue) => unknown, RegExp][] = [
    [order, 0, (queue) => queue.get(), /a message that is not there/],
    [order, unitsFor(104), (queue) => queue.get(), /a block outside/],
    [order, -1, (queue) => queue.get(), /a block outside/],
    [START, 0, (queue) => queue.put(2), /a block of no good size/], // of the free one
    [START, 2 * 18, (queue) => queue.put(2), /a block of no good size/],
    [START + 2 * 8 + PREV, 8, (queue) => queue.get(), /blocks that overlap/],
    [START + 2 * 8 + PREV, 9, (queue) => queue.get(), /a block outside/],
  ];
  for (const [word, value, act, message] of damages) {
    const queue = new PriorityQueue<unknown>({ maxBytes: 104 }); // 17 units
    for (const priority of [-1, 1, 0, 1]) queue.put(priority, { priority });
    queue.get(); // leaves a gap of 4 units, then three messages of 4, 4 and 5
    const words = new Int32Array((queue.handle as FullHandle).buffer);
    words[word] = value;
    assert.throws(() => act(queue), (error: unknown) => error instanceof LayoutError && message.test(error.message));
  }
});
