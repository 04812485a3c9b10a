// What one thread can show of PYTHON.md section 9, for all three queues; tests/conformance/queue.ts has the rest.

import { agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import {
  BlockingUnavailableError,
  ClosedError,
  LayoutError,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
} from "../../primitives/mod.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, random, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { posted } from "../_posted.ts";

const KINDS = [Queue, LifoQueue, PriorityQueue] as const;

/** The order in which a kind gives back what was put in the order 0, 1, 2, … */
function out<T>(Kind: (typeof KINDS)[number], items: readonly T[]): T[] {
  return Kind === LifoQueue ? [...items].reverse() : [...items];
}

test("Q1 Queue: first in, first out", () => {
  const queue = new Queue<unknown>({ name: "jobs" });
  const values = [1, "a", { x: [1] }, undefined, null, true, false, -0, 1.5, NaN, new Float64Array([1, 2])];
  for (const value of values) queue.put(value);
  for (const value of values) assert.deepEqual(queue.get(), value);
  assert.equal(queue.tryGet(), undefined);
});

for (const Kind of KINDS) {
  const { name } = Kind;

  test(`Q3 ${name}: maxSize 0 is unbounded, a negative one is RangeError`, () => {
    const queue = new Kind<number>({ maxSize: 0, maxBytes: 65_536 });
    for (let i = 0; i < 1000; i++) queue.put(i);
    assert.equal(queue.isFull, false);
    assert.equal(queue.maxSize, 0);
    for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 31]) {
      assert.throws(() => new Kind({ maxSize: wrong }), RangeError);
    }
    for (const wrong of [63, -1, 2 ** 30, NaN]) assert.throws(() => new Kind({ maxBytes: wrong }), /maxBytes/);
    for (const wrong of ["1", null, {}]) assert.throws(() => new Kind({ maxSize: wrong as never }), TypeError);
    assert.throws(() => new Kind({ name: 1 as never }), TypeError);
    assert.throws(() => new Kind(7 as never), TypeError);
  });

  test(`Q4 ${name}: size, isEmpty and isFull are exact: 0, 1, 2, 1, 0`, () => {
    const queue = new Kind<string>({ maxSize: 2 });
    const look = () => [queue.size, queue.isEmpty, queue.isFull];
    assert.deepEqual(look(), [0, true, false]);
    queue.put("a");
    assert.deepEqual(look(), [1, false, false]);
    queue.put("b");
    assert.deepEqual(look(), [2, false, true]);
    queue.get();
    assert.deepEqual(look(), [1, false, false]);
    queue.get();
    assert.deepEqual(look(), [0, true, false]);
  });

  test(`Q5 ${name}: tryPut() on a full queue is false, at once or after the timeout, and nothing went in`, () => {
    const queue = new Kind<number>({ maxSize: 1 });
    assert.equal(queue.tryPut(1), true);
    assert.equal(queue.tryPut(2), false);
    assert.equal(timeAsleep(() => assert.equal(queue.tryPut(2, { timeout: 60 }), false)), 60);
    assert.deepEqual([queue.size, queue.get(), queue.size], [1, 1, 0]);
  });

  test(`Q6 ${name}: tryGet() on an empty queue is undefined, at once or after the timeout; undefined comes boxed`, () => {
    const queue = new Kind<undefined>();
    assert.equal(queue.tryGet(), undefined);
    assert.equal(timeAsleep(() => assert.equal(queue.tryGet({ timeout: 60 }), undefined)), 60);
    queue.put(undefined);
    const box = queue.tryGet({ timeout: 1000 });
    assert(box !== undefined && "value" in box);
    assert.equal(box.value, undefined);
  });

  test(`G2 G4 ${name}: arguments are checked first, and nothing changes`, async () => {
    const queue = new Kind<number>();
    queue.put(1);
    for (const wrong of [-1, NaN, -Infinity]) {
      assert.throws(() => queue.tryPut(2, { timeout: wrong }), RangeError);
      assert.throws(() => queue.tryGet({ timeout: wrong }), RangeError);
      assert.throws(() => queue.tryJoin({ timeout: wrong }), RangeError);
      assert.throws(() => queue.tryPutMany([2], { timeout: wrong }), RangeError);
      assert.throws(() => queue.tryGetMany(1, { timeout: wrong }), RangeError);
    }
    for (const wrong of ["1", null, {}]) {
      assert.throws(() => queue.tryPut(2, { timeout: wrong as never }), TypeError);
      assert.throws(() => queue.tryGet({ timeout: wrong as never }), TypeError);
    }
    for (const wrong of [0, -1, 1.5, NaN]) assert.throws(() => queue.getMany(wrong), RangeError);
    assert.throws(() => queue.getMany("1" as never), TypeError);
    for (const wrong of [1, null, {}]) assert.throws(() => queue.putMany(wrong as never), TypeError);
    await assert.rejects(queue.getAsync({ signal: 1 as never }), TypeError);
    await assert.rejects(queue.putAsync(1, { signal: {} as never }), TypeError);
    assert.deepEqual([queue.size, queue.get()], [1, 1]);
  });

  test(`G8 ${name}: an aborted signal rejects with its reason and takes nothing, though it could be had`, async () => {
    const queue = new Kind<number>();
    queue.put(1);
    const signal = AbortSignal.abort("why");
    for (
      const call of [
        () => queue.getAsync({ signal }),
        () => queue.getManyAsync(1, { signal }),
        () => queue.putAsync(2, { signal }),
        () => queue.putManyAsync([2], { signal }),
        () => queue.joinAsync({ signal }),
      ]
    ) assert.equal(await assert.rejects(call()), "why");
    assert.deepEqual([queue.size, queue.get()], [1, 1]);
  });

  test(`Q7 ${name}: an async get waits for a put and an async put for a get, twice on one object`, async () => {
    const queue = new Kind<string>({ maxSize: 1 });
    for (const text of ["a", "b"]) {
      const got = queue.getAsync();
      await queue.putAsync(text);
      assert.equal(await got, text);
      await queue.putAsync("first");
      let put = false;
      const second = queue.putAsync("second").then(() => put = true);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(put, false);
      assert.equal(queue.get(), "first");
      await second;
      assert.equal(queue.get(), "second");
    }
  });

  test(`Q7 ${name}: async tasks of one thread take turns, and one that gives up leaves the others alone`, async () => {
    const queue = new Kind<number>();
    const controller = new AbortController();
    const first = queue.getAsync({ signal: controller.signal });
    const second = queue.getAsync({ signal: controller.signal });
    const third = queue.getAsync();
    const errors = Promise.all([assert.rejects(first), assert.rejects(second)]);
    await new Promise((resolve) => setTimeout(resolve, 2));
    controller.abort("enough");
    assert.deepEqual(await errors, ["enough", "enough"]);
    queue.put(3);
    assert.equal(await third, 3);
  });

  test(`Q7 ${name}: a put first puts in what tasks of its thread wait to put, in their order, and each once`, async () => {
    const queue = new Kind<number>({ maxSize: 2 });
    queue.putMany([0, 0]);
    const waiting: Promise<unknown>[] = [queue.putAsync(1), queue.putManyAsync([2, 3, 4])];
    queue.getMany(2);
    waiting.push(queue.putAsync(5)); // there is room, and it is not the first
    assert.equal(queue.tryPut(6), false); // 1 and 2 have come before it
    assert.deepEqual(queue.getMany(9), out(Kind, [1, 2]));
    assert.equal(queue.tryPutMany([6, 7]), 0);
    assert.deepEqual(queue.getMany(9), out(Kind, [3, 4]));
    assert.equal(queue.tryPutMany([6, 7]), 1);
    assert.deepEqual(queue.getMany(9), out(Kind, [5, 6]));
    assert.deepEqual(await Promise.all(waiting), [undefined, 3, undefined]);
    assert.equal(queue.size, 0);
    assert.equal(queue.tryPut(7), true);
    assert.deepEqual(queue.getMany(9), [7]);
  });

  test(`Q7 ${name}: a task that was aborted is passed over by the next put, one that was put is not undone`, async () => {
    const queue = new Kind<number>({ maxSize: 1 });
    queue.put(0);
    const late = new AbortController();
    const early = new AbortController();
    const put = [queue.putAsync(1, late), queue.putManyAsync([2], late)];
    const aborted = [queue.putAsync(3, early), queue.putManyAsync([4, 5], early)].map((call) => assert.rejects(call));
    early.abort("why");
    for (const value of [1, 2]) {
      queue.get();
      assert.equal(queue.tryPut(6), false);
      assert.equal(queue.size, 1);
      if (value === 2) late.abort("too late");
    }
    assert.equal(queue.get(), 2);
    assert.equal(queue.tryPut(6), true);
    assert.deepEqual(await Promise.all(put), [undefined, 1]);
    assert.deepEqual(await Promise.all(aborted), ["why", "why"]);
    assert.deepEqual(queue.getMany(9), [6]);
  });

  test(`Q10 D6 ${name}: what cannot be carried is refused at put, with its place, and changes nothing`, async () => {
    const queue = new Kind<unknown>({ maxSize: 1 });
    const wrong = { list: [1, () => {}] };
    for (
      const call of [() => queue.put(wrong), () => queue.tryPut(wrong), () => queue.putAsync(wrong)]
    ) {
      assert.match(
        (await assert.rejects<TypeError>(async () => await call(), TypeError)).message,
        /put value\.list\[1\]/,
      );
    }
    const error = assert.throws<TypeError>(() => queue.putMany([1, wrong]), TypeError);
    assert.match(error.message, /items\[1\]\.list\[1\]/);
    for (const value of [Symbol("s"), new Lock(), queue, queue.handle, new SharedArrayBuffer(8)]) {
      assert.throws(() => queue.put(value), TypeError);
    }
    assert.equal(queue.size, 0);
    queue.join();
    queue.put("good");
    assert.equal(queue.get(), "good");
  });

  test(`Q11 ${name}: user code that throws or uses the queue while a value is written`, () => {
    const queue = new Kind<unknown>();
    const error = new Error("mine");
    const throws = {
      get x(): never {
        throw error;
      },
    };
    assert.equal(assert.throws(() => queue.put(throws)), error);
    assert.equal(assert.throws(() => queue.putMany([1, throws])), error);
    assert.equal(queue.size, 0);
    const nested = {
      get x(): number {
        queue.put("inner");
        queue.putMany([1, "deeper"]);
        return 7;
      },
    };
    queue.put(nested);
    const seen = queue.getMany(10);
    assert.deepEqual(seen, out(Kind, ["inner", 1, "deeper", { x: 7 }]));
    queue.putMany([nested, "last"]);
    assert.deepEqual(queue.getMany(10), out(Kind, ["inner", 1, "deeper", { x: 7 }, "last"]));
  });

  test(`Q12 ${name}: the message is a copy taken at put, also of an async one that waits`, async () => {
    const queue = new Kind<{ list: number[] } | Uint8Array>({ maxSize: 1 });
    const value = { list: [1] };
    queue.put(value);
    value.list.push(2);
    const bytes = new Uint8Array([1, 2, 3]);
    const waiting = queue.putAsync(bytes);
    bytes.fill(9);
    assert.deepEqual(queue.get(), { list: [1] });
    await waiting;
    assert.deepEqual(queue.get(), new Uint8Array([1, 2, 3]));
  });

  test(`Q13 ${name}: join() waits for as many taskDone() as puts; several joiners, again`, async () => {
    const queue = new Kind<number>();
    queue.join();
    for (let round = 0; round < 2; round++) {
      queue.putMany([1, 2, 3]);
      let joined = 0;
      const joiners = [1, 2].map(() => queue.joinAsync().then(() => joined++));
      for (let i = 0; i < 3; i++) {
        assert.equal(queue.tryJoin(), false);
        assert.equal(joined, 0);
        queue.get();
        queue.taskDone();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await Promise.all(joiners);
      assert.equal(queue.tryJoin({ timeout: 1000 }), true);
    }
    queue.put(4);
    assert.equal(timeAsleep(() => assert.equal(queue.tryJoin({ timeout: 60 }), false)), 60);
  });

  test(`Q13 ${name}: the last taskDone() wakes who joins, and no other one does`, async () => {
    const queue = new Kind<number>();
    queue.putMany([1, 2, 3]);
    const joining = queue.joinAsync();
    await new Promise((resolve) => setTimeout(resolve));
    const { buffer } = queue.handle as FullHandle;
    const woken = [1, 2, 3].map(() => notified(buffer, () => queue.taskDone()).length > 0);
    assert.deepEqual(woken, [false, false, true]);
    await joining;
  });

  test(`Q14 ${name}: one taskDone() too many is RangeError`, () => {
    const queue = new Kind<number>();
    assert.throws(() => queue.taskDone(), RangeError);
    queue.put(1);
    queue.taskDone();
    assert.throws(() => queue.taskDone(), RangeError);
  });

  test(`${name}: tryPutMany() puts all that has room, to the last byte`, () => {
    for (const maxSize of [0, 5]) {
      const one = new Kind<number>({ maxBytes: 333, maxSize });
      const many = new Kind<number>({ maxBytes: 333, maxSize });
      let count = 0;
      while (one.tryPut(count)) count++;
      assert.equal(many.tryPutMany(Array.from({ length: count + 1 }, (_, i) => i)), count);
      assert.deepEqual(many.getMany(count), one.getMany(count));
    }
  });

  test(`Q15 ${name}: a put that failed, timed out or was aborted is not unfinished`, async () => {
    const queue = new Kind<unknown>({ maxSize: 1, maxBytes: 100 });
    queue.put(1);
    queue.taskDone();
    assert.equal(queue.tryPut(2), false);
    assert.equal(queue.tryPut(2, { timeout: 1 }), false);
    await assert.rejects(queue.putAsync(2, { signal: AbortSignal.timeout(2) }));
    assert.throws(() => queue.put(() => {}));
    assert.throws(() => queue.put("x".repeat(1000)), RangeError);
    queue.join();
    assert.equal(queue.size, 1);
  });

  test(`Q16 Q17 Q18 Q21 ${name}: close() lets the rest be got, then everything throws ClosedError`, async () => {
    const queue = new Kind<number>({ maxSize: 2 });
    queue.putMany([1, 2]);
    queue.close();
    queue.close();
    assert.deepEqual([queue.closed, queue.size, queue.isFull], [true, 2, true]);
    const { signal } = new AbortController();
    for (
      const call of [
        () => queue.put(3),
        () => queue.tryPut(3),
        () => queue.tryPut(3, { timeout: 1000 }),
        () => queue.putAsync(3),
        () => queue.putAsync(3, { signal }),
      ]
    ) assert.equal((await assert.rejects<ClosedError>(async () => await call(), ClosedError)).value, 3);
    for (
      const call of [() => queue.putMany([3, 4]), () => queue.tryPutMany([3, 4]), () => queue.putManyAsync([3, 4])]
    ) {
      assert.deepEqual((await assert.rejects<ClosedError>(async () => await call(), ClosedError)).value, [3, 4]);
    }
    assert.deepEqual(queue.getMany(10), out(Kind, [1, 2]));
    for (
      const call of [
        () => queue.get(),
        () => queue.tryGet(),
        () => queue.tryGet({ timeout: 1000 }),
        () => queue.getAsync(),
        () => queue.getMany(1),
        () => queue.tryGetMany(1),
        () => queue.getManyAsync(1),
      ]
    ) {
      const error = await assert.rejects<ClosedError>(async () => await call(), ClosedError);
      assert.equal(error.code, "closed");
    }
    assert.deepEqual([queue.size, queue.isEmpty, queue.isFull], [0, true, false]);
  });

  test(`Q18 Q20 D25 ${name}: async waiters wake with ClosedError at close()`, async () => {
    const full = new Kind<number>({ maxSize: 1 });
    full.put(1);
    const putters = [full.putAsync(2), full.putAsync(3), full.putManyAsync([4, 5])].map((call) => assert.rejects(call));
    const empty = new Kind<number>();
    const getters = [empty.getAsync(), empty.getManyAsync(2)].map((call) => assert.rejects(call, ClosedError));
    await new Promise((resolve) => setTimeout(resolve, 5));
    full.close();
    empty.close();
    assert.deepEqual((await Promise.all(putters)).map((error) => (error as ClosedError).value), [2, 3, [4, 5]]);
    await Promise.all(getters);
    assert.equal(full.get(), 1);
  });

  test(`Q18 ${name}: a putMany() cut short by close() carries exactly what was not put`, async () => {
    const queue = new Kind<number>({ maxSize: 2 });
    const waiting = assert.rejects<ClosedError>(queue.putManyAsync([1, 2, 3, 4]));
    await new Promise((resolve) => setTimeout(resolve, 2));
    queue.close();
    assert.deepEqual((await waiting).value, [3, 4]);
    assert.deepEqual(queue.getMany(9), out(Kind, [1, 2]));
  });

  test(`Q15 ${name}: an aborted putManyAsync() says how many were put, and rejects when none was`, async () => {
    const queue = new Kind<number>({ maxSize: 2 });
    assert.equal(await queue.putManyAsync([1, 2, 3, 4], { signal: AbortSignal.timeout(5) }), 2);
    const reason = { why: 1 };
    const controller = new AbortController();
    const waiting = assert.rejects(queue.putManyAsync([5], { signal: controller.signal }));
    controller.abort(reason);
    assert.equal(await waiting, reason);
    assert.deepEqual(queue.getMany(9), out(Kind, [1, 2]));
    assert.equal(await queue.putManyAsync([1, 2]), 2);
  });

  test(`${name}: where blocking is not allowed, putMany() puts all or none`, () => {
    const queue = new Kind<number | string>({ maxSize: 3, maxBytes: 1000 });
    const own = agent.mayBlock;
    agent.mayBlock = false;
    try {
      queue.putMany([1]);
      for (const items of [[2, 3, 4], ["x".repeat(600), "y".repeat(600)]]) {
        const error = assert.throws<BlockingUnavailableError>(() => queue.putMany(items), BlockingUnavailableError);
        assert.equal(error.hint, "putManyAsync");
        assert.throws(() => queue.tryPutMany(items, { timeout: 5 }), BlockingUnavailableError);
        assert.equal(queue.size, 1);
      }
      queue.putMany([]);
      queue.putMany([2, 3]);
      assert.equal(queue.tryPutMany([4]), 0);
      assert.deepEqual(queue.getMany(9), out(Kind, [1, 2, 3]));
      assert.equal(queue.tryPutMany([1, 2, 3, 4]), 3);
      queue.close();
      const unsent = assert.throws<ClosedError>(() => queue.putMany([5, 6]), ClosedError);
      assert.deepEqual(unsent.value, [5, 6]);
      assert.throws(() => queue.putMany([]), ClosedError);
    } finally {
      agent.mayBlock = own;
    }
  });

  test(`Q7 ${name}: where blocking is not allowed, putMany() still goes behind what tasks wait to put`, async () => {
    const queue = new Kind<number>({ maxSize: 3 });
    queue.putMany([0, 0, 0]);
    const waiting = queue.putAsync(1);
    const own = agent.mayBlock;
    agent.mayBlock = false;
    try {
      queue.getMany(3);
      queue.putMany([2, 3]);
    } finally {
      agent.mayBlock = own;
    }
    assert.deepEqual(queue.getMany(9), out(Kind, [1, 2, 3]));
    await waiting;
    assert.equal(queue.size, 0);
  });

  test(`Q22 ${name}: joiners of a closed queue return once the rest is got and done; a late put counts nothing`, async () => {
    const queue = new Kind<number>();
    queue.putMany([1, 2]);
    queue.close();
    assert.throws(() => queue.put(3), ClosedError);
    const joined = queue.joinAsync();
    for (const _ of queue) queue.taskDone();
    await joined;
    queue.join();
  });

  test(`Q17 ${name}: iteration ends once the queue is closed and drained`, async () => {
    const queue = new Kind<number>();
    queue.putMany([1, 2, 3]);
    queue.close();
    assert.deepEqual([...queue], out(Kind, [1, 2, 3]));
    assert.deepEqual([...queue], []);
    const live = new Kind<number>();
    const seen: number[] = [];
    const reader = (async () => {
      for await (const item of live) seen.push(item);
    })();
    for (let i = 0; i < 5; i++) {
      await live.putAsync(i);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    live.close();
    await reader;
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  });

  test(`Q17 ${name}: an iterator that is left takes no more than it gave`, async () => {
    const queue = new Kind<number>();
    queue.putMany([1, 2, 3]);
    for (const _ of queue) break;
    assert.equal(queue.size, 2);
    for await (const _ of queue) break;
    assert.equal(queue.size, 1);
  });

  test(`G15 ${name}: printing shows class, name, size and whether it is closed`, () => {
    assert.equal(String(new Kind()), `${name} (size=0)`);
    const queue = new Kind<number>({ name: "jobs", maxSize: 10 });
    queue.putMany([1, 2, 3]);
    assert.equal(String(queue), `${name} "jobs" (size=3/10)`);
    queue.close();
    assert.equal(String(queue), `${name} "jobs" (size=3/10, closed)`);
    assert.equal(Object.prototype.toString.call(queue), `[object ${name}]`);
  });

  test(`${name}: attach() gives the same queue; a wrong or damaged handle is LayoutError`, () => {
    const queue = new Kind<number>({ name: "q", maxSize: 3, maxBytes: 1000 });
    const other = Kind.attach<number>(posted(queue.handle));
    assert.deepEqual([other.name, other.maxSize, other.maxBytes], ["q", 3, 1000]);
    assert(other instanceof Kind && other instanceof Queue);
    other.put(5);
    assert.equal(queue.get(), 5);
    queue.close();
    assert.equal(other.closed, true);
    for (const Other of KINDS) if (Other !== Kind) assert.throws(() => Other.attach(queue.handle), LayoutError);
    const handle = queue.handle as FullHandle;
    assert.throws(() => Kind.attach({ ...handle, byteLength: 128 } as FullHandle), LayoutError);
    const short = new SharedArrayBuffer(512);
    new Uint8Array(short).set(new Uint8Array(handle.buffer, 0, 512));
    assert.throws(() => Kind.attach({ ...handle, buffer: short, byteLength: 512 } as FullHandle), LayoutError);
    assert.throws(() => Kind.attach(5 as never), TypeError);
  });

  test(`${name}: a record in memory of the caller's own, that held something else before`, () => {
    const buffer = new SharedArrayBuffer(8192);
    new Uint8Array(buffer).fill(255);
    const queue = new Kind<string>({ at: { buffer, byteOffset: 64 }, maxBytes: 1000 });
    assert.equal((queue.handle as FullHandle).buffer, buffer);
    queue.put("text");
    assert.equal(Kind.attach<string>(queue.handle).get(), "text");
    assert.throws(() => new Kind({ at: { buffer } }), RangeError); // 64 MiB do not fit
  });

  test(`Q18 ${name}: putManyAsync() takes the items as they are when it is called`, async () => {
    const queue = new Kind<number>({ maxSize: 1, maxBytes: 1000 });
    const items = [1, 2, 3];
    const put = queue.putManyAsync(items);
    items.length = 0;
    items.push(9);
    assert.deepEqual([await queue.getAsync(), await queue.getAsync(), await queue.getAsync(), await put], [1, 2, 3, 3]);
    const more = [4, 5, 6];
    const closed = assert.rejects<ClosedError>(queue.putManyAsync(more), ClosedError);
    more.push(7, 8, 9);
    queue.close();
    assert.deepEqual((await closed).value, [5, 6]);
    const full = new Kind<number>({ maxSize: 1, maxBytes: 1000 });
    full.put(0);
    const gone = new AbortController();
    const none = [1, 2, 3];
    const aborted = assert.rejects(full.putManyAsync(none, { signal: gone.signal }), /enough/);
    none.length = 0;
    gone.abort(new Error("enough"));
    await aborted;
    await assert.rejects(queue.putManyAsync([]), ClosedError);
  });

  test(`D7 ${name}: a message that cannot be decoded costs that one get`, () => {
    const queue = new Kind<unknown>({ maxBytes: 10_000 });
    const marker = "find me and break me";
    const damage = () => {
      const { buffer } = queue.handle as FullHandle;
      const bytes = new Uint8Array(buffer);
      const at = bytes.findIndex((_, i) => [...marker].every((letter, j) => bytes[i + j] === letter.charCodeAt(0)));
      assert(at > 0);
      bytes.fill(0xc1, at - 3, at + marker.length); // the whole body: no first byte of a message, and no msgpack
    };
    queue.putMany(out(Kind, ["before", [marker], "after"]));
    damage();
    assert.equal(queue.get(), "before");
    assert.throws(() => queue.get(), TypeError);
    assert.equal(queue.get(), "after");
    assert.equal(queue.size, 0);
    queue.putMany(out(Kind, ["before", [marker], "after", 4]));
    damage();
    const error = assert.throws<TypeError>(() => queue.getMany(10), TypeError) as TypeError & { items: unknown[] };
    assert.deepEqual(error.items, ["before", "after", 4]);
    assert.equal(queue.tryGet(), undefined);
  });

  test(`${name}: maxBytes is the same limit whatever is inside, and whichever way one puts`, async () => {
    const queue = new Kind<unknown>({ maxBytes: 65 });
    const [fits, long] = [new Uint8Array(65), new Uint8Array(66)];
    for (const filled of [false, true]) {
      if (filled) queue.put(1);
      assert.throws(() => queue.put(long), RangeError);
      assert.throws(() => queue.tryPut(long), RangeError);
      assert.throws(() => queue.tryPutMany([long]), RangeError);
      await assert.rejects(() => queue.putAsync(long), RangeError);
    }
    queue.get();
    assert.equal(queue.tryPut(fits), true);
    assert.deepEqual(queue.get(), fits);
    assert.equal(queue.size, 0);
  });

  test(`${name}: a message that can never fit is RangeError naming maxBytes; the longest one fits`, async () => {
    const queue = new Kind<Uint8Array>({ maxBytes: 1000, name: "small" });
    for (let round = 0; round < 20; round++) {
      queue.put(new Uint8Array(1000).fill(round));
      assert.deepEqual(queue.get(), new Uint8Array(1000).fill(round));
      queue.put(new Uint8Array(round * 40));
      queue.get();
    }
    const large = new Uint8Array(1001);
    for (
      const call of [
        () => queue.put(large),
        () => queue.tryPut(large),
        () => queue.tryPut(large, { timeout: 10 }),
        () => queue.putAsync(large),
        () => queue.putMany([large]),
        () => queue.putManyAsync([large]),
      ]
    ) {
      const error = await assert.rejects<RangeError>(async () => await call(), RangeError);
      assert.match(error.message, /"small" as the message takes 1001 bytes: maxBytes is 1000/);
    }
    assert.equal(queue.size, 0);
    queue.put(new Uint8Array(1000));
  });

  test(`${name}: a message waits for room in bytes as for a place`, async () => {
    const queue = new Kind<Uint8Array | number>({ maxBytes: 1000 });
    while (queue.tryPut(7));
    assert.equal(queue.isFull, true);
    const waiting = queue.putAsync(new Uint8Array(900).fill(1));
    assert.equal(queue.tryPut(new Uint8Array(900), { timeout: 5 }), false);
    const { size } = queue;
    for (let i = 0; i < size; i++) assert.equal(queue.get(), 7);
    await waiting;
    assert.deepEqual(queue.get(), new Uint8Array(900).fill(1));
    assert.equal(queue.isFull, false);
  });

  test(`${name}: what was received never changes, and what is received is one's own`, () => {
    const queue = new Kind<Uint8Array>({ maxBytes: 3000 });
    const prng = random();
    const kept: [Uint8Array, Uint8Array][] = [];
    for (let i = 0; i < 300; i++) {
      const sent = prng.fill(new Uint8Array(prng.below(900)));
      queue.putMany([sent, sent]);
      for (const got of i % 2 === 0 ? queue.getMany(2) : [queue.get(), queue.get()]) kept.push([got, sent.slice()]);
    }
    for (const [got, sent] of kept) assert.deepEqual(got, sent);
    for (let i = 0; i < kept.length; i++) kept[i]![0].fill(i); // writing to one does not show in another
    for (let i = 0; i < kept.length; i++) assert(kept[i]![0].every((byte) => byte === (i & 255)));
  });

  test(`${name}: arrays of every kind keep their kind`, () => {
    const queue = new Kind<unknown>();
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    const values: unknown[] = [new DataView(bytes.slice().buffer), bytes.slice().buffer, new Uint8Array(0)];
    for (
      const View of [Int8Array, Uint8ClampedArray, Int16Array, Uint32Array, Float32Array, Float64Array, BigInt64Array]
    ) {
      values.push(new View(bytes.slice().buffer), new View(new Uint8Array(8192).fill(1).buffer));
    }
    for (const value of values) {
      queue.put(value);
      assert.deepEqual(queue.get(), value);
    }
    queue.putMany(values);
    assert.deepEqual(queue.getMany(100), out(Kind, values));
  });

  test(`${name}: putMany() and getMany() pass any number, in order, through little room`, async () => {
    const queue = new Kind<unknown>({ maxBytes: 20_000 });
    const prng = random();
    const items = Array.from(
      { length: 300 },
      (_, i) => prng.pick([i, i + 0.5, "s".repeat(prng.below(50)), { i }, [i]]),
    );
    queue.putMany(items);
    assert.deepEqual(queue.getMany(1000), out(Kind, items));
    queue.putMany([]);
    assert.equal(queue.tryPutMany([]), 0);
    assert.equal(queue.tryGetMany(5), undefined);
    assert.equal(queue.tryGetMany(5, { timeout: 5 }), undefined);
    queue.putMany(new Set([1, 2]));
    assert.equal(queue.getMany(Infinity).length, 2);
    if (Kind !== Queue) return;
    const many = Array.from({ length: 5000 }, (_, i) => ({ i, text: "text" }));
    const putting = queue.putManyAsync(many);
    const got: unknown[] = [];
    while (got.length < many.length) got.push(...await queue.getManyAsync(700));
    assert.equal(await putting, many.length);
    assert.deepEqual(got, many);
  });

  test(`${name}: memory is steady over many messages`, () => {
    const queue = new Kind<unknown>({ maxBytes: 4096 });
    for (let i = 0; i < 20_000; i++) {
      queue.put(i % 3 === 0 ? "t".repeat(i % 500) : i);
      if (i % 4 === 3) queue.getMany(4);
    }
    assert.equal(queue.size, 0);
    assert.equal(queue.tryPut(new Uint8Array(4000)), true);
  });
}

test("D24 put, then at once isEmpty and tryGet, 1000 times: never empty", () => {
  for (const Kind of KINDS) {
    const queue = new Kind<number>();
    for (let i = 0; i < 1000; i++) {
      queue.put(i);
      assert.equal(queue.isEmpty, false);
      assert.deepEqual(queue.tryGet(), { value: i });
    }
  }
});

test("Queue: the ring goes back to its start when it runs empty, and touches no more than it needs", () => {
  const queue = new Queue<Uint8Array>();
  const { buffer } = queue.handle as FullHandle;
  for (let i = 0; i < 1000; i++) {
    queue.put(new Uint8Array(10_000).fill(255));
    queue.put(new Uint8Array(10_000).fill(255));
    queue.get();
    queue.get();
  }
  const bytes = new Uint8Array(buffer);
  assert(bytes.subarray(1 << 20).every((byte) => byte === 0));
});

test("Queue: what fits to the last byte goes in at once, wherever the ring begins", () => {
  const queue = new Queue<string>({ maxBytes: 64 });
  const long = "x".repeat(61); // 64 bytes
  for (let i = 0; i < 20; i++) {
    queue.put("x".repeat(i % 8));
    queue.get();
    assert.equal(queue.tryPut(long), true);
    assert.equal(queue.tryPut(long), false);
    assert.equal(queue.get(), long);
  }
});

test("Queue: a position that is outside of the ring, or between its words, is LayoutError", () => {
  const [TAIL, SEEN_HEAD, HEAD, SEEN_TAIL, SIZE] = [32, 35, 48, 51, 80];
  for (const bad of [SIZE, SIZE + 8, 4, 12, SIZE - 4, 0x7ffffff8, -8]) {
    for (const word of [TAIL, HEAD, SEEN_HEAD, SEEN_TAIL]) {
      const queue = new Queue<number>({ maxBytes: 64 });
      for (let i = 0; i < 6; i++) queue.put(i);
      for (let i = 0; i < 3; i++) queue.get();
      new Int32Array((queue.handle as FullHandle).buffer)[word] = bad;
      const use = (): void => {
        if (word === HEAD || word === SEEN_TAIL) queue.get();
        else for (let i = 0; i < 9; i++) queue.tryPut(1);
      };
      assert.throws(use, LayoutError, `word ${word} is ${bad}`);
    }
  }
});

test("Queue: a small queue takes the least memory", () => {
  assert.equal((new Queue({ maxBytes: 64 }).handle as FullHandle).byteLength, 512);
});
