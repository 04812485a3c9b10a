// The ring by itself, and queues over hostile memory.

import type { Words } from "../../primitives/_atomics.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { memory } from "../../primitives/_memory.ts";
import { frameBytes, HEADER, Ring, RING_WORDS, ringBytes } from "../../primitives/_ring.ts";
import { LayoutError, LifoQueue, PriorityQueue, Queue } from "../../primitives/mod.ts";
import { assert, random, test } from "../_harness.ts";

function wordsOf(queue: Queue<unknown>): Words {
  const { buffer, byteOffset, byteLength } = queue.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

test("a Queue is laid out as its headers say", () => {
  const queue = new Queue<unknown>({ maxSize: 5, maxBytes: 64 });
  const words = wordsOf(queue);
  assert.equal(words.length, 128);
  assert.equal(words[0], 0x4c0d0001);
  assert.deepEqual([...words.slice(3)], [5, 64, ...new Array(123).fill(0)]);
  queue.put(-2); // 8 bytes
  queue.put("ab"); // 8 + 4 bytes, padded
  queue.put(0.5); // 16 bytes
  assert.deepEqual([...words.slice(32, 35)], [40 | 1, 2, 3]); // TAIL with SIDE, PUTS
  assert.deepEqual([words[96], words[97]], [2 << 30, -2]);
  assert.deepEqual([words[98]! >>> 30, words[99]], [0, 0]);
  assert.deepEqual([words[102]! >>> 0, words[103]], [0xc0000008, 4]);
  queue.get();
  assert.deepEqual([...words.slice(48, 52)], [8 | 1, 0, 1, 40]); // HEAD with SIDE, GOTS, SEEN_TAIL
  queue.taskDone();
  assert.equal(words[16], 1); // DONES
  queue.close();
  assert.equal(words[64], 1); // CLOSED
});

test("a PriorityQueue is laid out as its headers say", () => {
  const queue = new PriorityQueue<unknown>({ maxBytes: 64 });
  const words = wordsOf(queue);
  const units = 12;
  assert.equal(words[0], 0x4c0f0001);
  assert.deepEqual([words[3], words[4]], [0, 64]);
  assert.deepEqual([words[64], words[66], words[96]], [units, 1, units << 1]); // FREE, LISTS, SIZE
  queue.put(7, { priority: -1 });
  assert.deepEqual([...words.slice(96, 104)], [9, 0, 2 << 30, 7, -1072693249, -1, 0, 0]);
  assert.deepEqual([words[64], words[65], words[66]], [8, 0, 5]); // the rest: 8 units, in the second list
  assert.deepEqual([words[32], words[34], words[96 + 2 * units]], [1, 1, 0]); // PUTS, COUNT, order
});

for (const Kind of [Queue, LifoQueue, PriorityQueue]) {
  test(`${Kind.name}: every counter wraps`, () => {
    const queue = new Kind<number>({ maxSize: 3, maxBytes: 104 });
    const words = wordsOf(queue);
    const counters = Kind === Queue ? [16, 33, 34, 36, 49, 50] : [16, 32]; // DONES PUTS SEEN_GOTS GOTS, or DONES PUTS
    for (const index of counters) words[index] = -5;
    for (const bell of Kind === Queue ? [65, 66, 80, 81, 17, 18] : [48, 49, 51, 52, 17, 18]) words[bell] = -4; // BELL, GATE
    for (let i = 0; i < 40; i++) {
      queue.putMany([i, i, i]);
      assert.deepEqual([queue.size, queue.isFull, queue.tryPut(9)], [3, true, false]);
      for (let j = 0; j < 3; j++) {
        assert.equal(queue.tryJoin(), false);
        assert.equal(queue.get(), i);
        assert.equal(queue.size, 2 - j);
        queue.taskDone();
      }
      assert.throws(() => queue.taskDone(), RangeError);
      queue.join();
    }
    assert(words[counters[1]!]! > 0);
  });
}

function ring(longest: number): Ring {
  const size = ringBytes(longest);
  const words: Words = new Int32Array(new SharedArrayBuffer(4 * RING_WORDS + size));
  return new Ring(words, memory().roster, 0, RING_WORDS, size);
}

test("Ring: messages of any length go over its end, byte by byte", () => {
  const prng = random();
  for (const longest of [64, 72, 200, 1001]) {
    const one = ring(longest);
    const inside: Uint8Array[] = [];
    for (let i = 0; i < 5000; i++) {
      const length = prng.below(longest + 1);
      const at = one.room(frameBytes(length));
      if (at >= 0 && prng.chance(0.6)) {
        const sent = prng.fill(new Uint8Array(length + 20));
        const from = prng.below(20);
        one.head(at, i & 3, length, i);
        one.write(at + HEADER, sent, from, from + length);
        one.publish(at, frameBytes(length), 1);
        inside.push(sent.subarray(from, from + length));
      }
      const front = one.front();
      assert.equal(front >= 0, inside.length > 0);
      if (front >= 0 && prng.chance(0.5)) {
        const want = inside.shift()!;
        const got = new Uint8Array(one.length(front));
        assert.equal(got.length, want.length);
        if (prng.chance(0.5)) one.read(front + HEADER, got.length, got, 0);
        else {
          const room = new Uint8Array((got.length + 3) & ~3);
          one.readShort(front + HEADER, got.length, room, new Int32Array(room.buffer));
          got.set(room.subarray(0, got.length));
        }
        assert.deepEqual(got, want);
        one.consume(front, frameBytes(got.length), 1);
      }
      assert.equal(one.count().size, inside.length);
    }
  }
});

test("Ring: next() leads through all messages that front() saw", () => {
  const one = ring(100);
  for (let lap = 0; lap < 50; lap++) {
    for (let i = 0; i < 4; i++) {
      const at = one.room(frameBytes(i * 5));
      one.head(at, 1, i * 5, lap);
      one.publish(at, frameBytes(i * 5), 1);
    }
    const lengths: number[] = [];
    const first = one.front();
    let bytes = 0;
    for (let at = first; at >= 0; at = one.next(at)) {
      lengths.push(one.length(at));
      bytes += frameBytes(one.length(at));
    }
    assert.deepEqual(lengths, [0, 5, 10, 15]);
    one.consume(first, bytes, 4);
    assert.equal(one.filled, false);
  }
});

/** Does `look` while the other side goes on: `meanwhile` is called before each of its reads, as long as nobody holds both sides. */
function beside<T>(look: () => T, meanwhile: (read: number) => void): T {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  let read = 0;
  realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
  Object.defineProperty(realm.Atomics, "load", {
    value(view: Int32Array, index: number) {
      realm.Atomics = real;
      meanwhile(read++);
      realm.Atomics = changed;
      return real.load(view, index);
    },
  });
  const changed = realm.Atomics;
  try {
    return look();
  } finally {
    realm.Atomics = real;
  }
}

test("Ring: what one look says was so at a moment, however busy the others are", () => {
  const [PUT, GET] = [5, 20];
  const size = ringBytes(1000);
  const words: Words = new Int32Array(new SharedArrayBuffer(4 * RING_WORDS + size));
  const one = new Ring(words, memory().roster, 0, RING_WORDS, size);
  let [puts, gots] = [0, 0];
  const put = (): void => {
    const at = one.room(HEADER);
    one.head(at, 2, 0, 0);
    one.publish(at, HEADER, 1);
    puts++;
  };
  const get = (): void => {
    one.consume(one.front(), HEADER, 1);
    gots++;
  };
  /** Has written the count that is to be good next, and not yet TAIL or HEAD. */
  const begin = (position: number): void => {
    const side = words[position]! & 1;
    words[position + 1 + (side ^ 1)] = words[position + 1 + side]! + 1;
  };
  for (const [getting, putting] of [[true, false], [false, true], [true, true]]) {
    for (let from = 0; from < 12; from++) {
      for (const to of [from, from + 1, from + 2, Infinity]) { // once, for a while, without end
        const goOn = (read: number): void => {
          if (read < from || read > to) return;
          const inside = puts - gots;
          const both = getting && putting; // then not both at each read, or what it sees might make up for what it misses
          if (getting && words[GET] === 0 && inside > 2 && !(both && read % 2 === 0)) {
            for (let i = 0; i < 2; i++) get();
            begin(16);
          }
          if (putting && words[PUT] === 0 && inside < 100 && !(both && read % 3 === 0)) {
            for (let i = 0; i < 2; i++) put();
            begin(0);
          }
        };
        while (puts - gots < 50) put();
        while (puts - gots > 50) get();
        const [had, least] = [puts, gots];
        const taken = beside(() => one.countGots(), goOn);
        assert(taken >= least && taken <= gots, `${taken} were got, of ${least} to ${gots}`);
        const all = beside(() => one.countPuts(), goOn);
        assert(all >= had && all <= puts, `${all} were put, of ${had} to ${puts}`);
        const count = beside(() => one.count(), goOn);
        assert.equal(count.free, size - 8 - HEADER * count.size);
      }
    }
  }
});

test("Ring: a look is not fooled by positions that are the same once more", () => {
  for (let when = 0; when < 8; when++) {
    const one = ring(8); // 24 bytes: after 6 messages everything but the counts is as before
    const put = (): void => one.publish(one.room(HEADER), HEADER, 1);
    put();
    const count = beside(() => one.count(), (read) => {
      for (let i = 0; i < 6 && read === when; i++) {
        put();
        one.consume(one.front(), HEADER, 1);
      }
    });
    assert.deepEqual(count, { size: 1, free: 8 });
  }
});

test("Ring: who dies while it puts back has done so or not, and nobody is told of more room than there is", () => {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  for (let steps = 0, done = false; !done; steps++) {
    const one = ring(40); // 56 bytes, of which 48 can be put
    const put = (word: number): void => {
      const at = one.room(HEADER);
      one.head(at, 1, 0, word);
      one.publish(at, HEADER, 1);
    };
    for (let i = 0; i < 5; i++) put(i);
    for (let i = 0; i < 3; i++) one.consume(one.front(), HEADER, 1);
    assert.deepEqual([one.room(32) >= 0, one.slots(5)], [true, 3]); // it has seen where those who get are
    let left = steps;
    const mortal = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
    Object.defineProperty(mortal, "store", {
      value(view: Int32Array, index: number, value: number) {
        if (left-- <= 0) throw new Error("dead");
        return real.store(view, index, value);
      },
    });
    realm.Atomics = mortal;
    try {
      done = one.putBack(2 * HEADER, 2, (at) => {
        one.head(at, 1, 0, 1);
        one.head(at + HEADER, 1, 0, 2);
      });
    } catch (error) {
      assert.equal((error as Error).message, "dead");
    } finally {
      realm.Atomics = real;
    }
    const { size, free } = one.count();
    assert(size === 4 || size === 2 && !done, `${size} after ${steps} steps`);
    assert.equal(free, 48 - HEADER * size);
    assert.equal(one.room(free + 8), -1);
    assert(one.slots(6) <= 6 - size);
    for (let word = 5 - size; word < 5; word++) {
      assert.equal(one.word(one.front()), word);
      one.consume(one.front(), HEADER, 1);
    }
    assert.equal(one.front(), -1);
  }
});

test("Ring: rewinding changes its positions and nothing else, also when there is no room after it", () => {
  for (const count of [1, 2]) { // either side
    for (const fits of [true, false]) {
      const size = ringBytes(400_000);
      const words: Words = new Int32Array(new SharedArrayBuffer(4 * RING_WORDS + size));
      const one = new Ring(words, memory().roster, 0, RING_WORDS, size);
      for (let i = 0; i < count; i++) {
        const at = one.room(frameBytes(140_000));
        one.head(at, 1, 140_000, 0);
        one.publish(at, frameBytes(140_000), 3);
        assert.equal(one.front(), at);
        one.consume(at, frameBytes(140_000), 3);
      }
      const side = count & 1;
      assert.equal(one.room(fits ? 8192 : size), fits ? 0 : -1);
      assert.deepEqual([words[0], words[3], words[16], words[19]], [side, 0, side, 0]); // TAIL SEEN_HEAD HEAD SEEN_TAIL
      assert.deepEqual([one.filled, one.front(), one.puts, one.countGots()], [false, -1, 3 * count, 3 * count]);
    }
  }
  const one = ring(400_000); // small messages look only now and then
  const at = one.room(frameBytes(140_000));
  one.publish(at, frameBytes(140_000), 1);
  one.consume(at, frameBytes(140_000), 1);
  const places = Array.from({ length: 70 }, () => one.room(HEADER));
  assert.deepEqual(new Set(places), new Set([frameBytes(140_000), 0]));
});

test("Ring: what is put back takes its room and its place, to the last byte", () => {
  const one = ring(40); // 56 bytes, of which 48 can be put
  const put = (length: number): void => {
    const at = one.room(frameBytes(length));
    one.head(at, 1, length, 0);
    one.publish(at, frameBytes(length), 1);
  };
  const back = (length: number): boolean => one.putBack(frameBytes(length), 1, (at) => one.head(at, 1, length, 7));
  for (let lap = 0; lap < 40; lap++) { // from every place
    put(lap % 3 * 8);
    put(8);
    one.consume(one.front(), frameBytes(lap % 3 * 8), 1);
    assert.equal(one.room(32) >= 0, true);
    assert.deepEqual([one.room(40), one.slots(2)], [-1, 1]);
    assert.equal(back(25), false);
    assert.equal(back(24), true);
    assert.deepEqual([one.room(8), one.free, one.slots(2), one.slots(3)], [-1, 0, 0, 1]);
    assert.deepEqual(one.count(), { size: 2, free: 0 });
    for (const [length, word] of [[24, 7], [8, 0]] as const) {
      const at = one.front();
      assert.deepEqual([one.length(at), one.word(at)], [length, word]);
      one.consume(at, frameBytes(length), 1);
    }
    assert.equal(one.front(), -1);
  }
});

/** Does everything that one can do with a queue, bounded. */
function useAll(queue: Queue<unknown>): void {
  const failures: unknown[] = [];
  const attempt = (call: () => unknown): void => {
    try {
      call();
    } catch (error) {
      failures.push(error);
    }
  };
  for (let i = 0; i < 4; i++) {
    attempt(() => queue.tryPut(i));
    attempt(() => queue.tryPut({ text: "some text" }));
    attempt(() => queue.tryPutMany([1, "two", 3.5]));
    attempt(() => queue.tryGet());
    attempt(() => queue.tryGetMany(100));
    attempt(() => [queue.size, queue.isEmpty, queue.isFull, String(queue)]);
    attempt(() => queue.taskDone());
    attempt(() => queue.tryJoin());
  }
  for (const failure of failures) {
    if (!(failure instanceof Error && failure.message.startsWith("Cannot "))) throw failure;
  }
}

for (const Kind of [Queue, LifoQueue, PriorityQueue]) {
  test(`${Kind.name}: hostile bytes give errors, no crash and no endless loop`, () => {
    const prng = random();
    for (let round = 0; round < 600; round++) {
      const queue = new Kind<unknown>({ maxBytes: 1000, maxSize: prng.pick([0, 3]) });
      queue.putMany([1, { a: "text" }, new Uint8Array(40), "t".repeat(100)].slice(0, queue.maxSize || 4));
      if (prng.chance(0.5)) queue.get();
      const words = wordsOf(queue);
      const holders = new Set(Kind === Queue ? [37, 52] : [36]); // a lock that is never released takes 10 s to notice
      for (let i = prng.below(12); i >= 0; i--) {
        const index = prng.chance(0.5) ? 16 + prng.below(words.length - 16) : 32 + prng.below(100);
        if (index >= words.length || holders.has(index)) continue;
        words[index] = prng.pick([
          0,
          -1,
          1,
          8,
          2 ** 30,
          -(2 ** 31),
          words[index]! + 8,
          words[index]! ^ (1 << prng.below(32)),
          prng.next(),
        ]);
      }
      useAll(queue);
    }
  });

  test(`${Kind.name}: all bytes random, the locks free`, () => {
    const prng = random();
    for (let round = 0; round < 200; round++) {
      const queue = new Kind<unknown>({ maxBytes: 2000 });
      const words = wordsOf(queue);
      prng.fill(new Uint8Array(words.buffer, 4 * 16));
      for (const free of Kind === Queue ? [37, 38, 52, 53] : [36, 37]) words[free] = 0;
      useAll(queue);
    }
  });

  test(`${Kind.name}: a lock whose holder nobody knows counts as that of a dead thread`, () => {
    const prng = random();
    for (let round = 0; round < 200; round++) {
      const queue = new Kind<unknown>({ maxBytes: 2000 });
      queue.putMany([1, "two", { three: 3 }]);
      const words = wordsOf(queue);
      for (const holder of Kind === Queue ? [37, 52] : [36]) words[holder] = prng.next() | 0x3ff00fff;
      if (prng.chance(0.5)) {
        const from = Kind === Queue ? 52 : 37; // COMMIT and the journal too
        for (let i = 1; i < 10; i++) words[from + i] = prng.pick([1, 2, 3, 4, -1, prng.next()]);
      }
      useAll(queue);
    }
  });
}

test("attach() to a damaged head is LayoutError", () => {
  for (const bytes of [-1, 0, 63, 2 ** 30, 100_000]) {
    const queue = new Queue({ maxBytes: 1000 });
    wordsOf(queue)[4] = bytes;
    assert.throws(() => Queue.attach(queue.handle), LayoutError);
  }
});
