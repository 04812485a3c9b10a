// What one thread can show of PYTHON.md section 7; tests/conformance/barrier.ts has the rest.

import { BrokenBarrierError, DeadlockError, Event, LayoutError, Lock, Thread } from "../../mod.ts";
import { Agent } from "../../primitives/_agent.ts";
import { store } from "../../primitives/_atomics.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Barrier } from "../../primitives/barrier.ts";
import { ENDED, leaveWaiting } from "../_as_agent.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, inspect, random, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { posted } from "../_posted.ts";
import { until } from "../_until.ts";
import { actUntil, keepWaiting } from "../testdata/barrier_threads.ts";

const module = new URL("../testdata/barrier_threads.ts", import.meta.url);

/** The outcome of a promise, as a value. */
function outcome(promise: Promise<number>): Promise<number | string> {
  return promise.then((place) => place, (error) => error instanceof Error ? error.name : String(error));
}

const BROKEN = "BrokenBarrierError";

test("B1 parties below 1 or fractional is RangeError", () => {
  for (const wrong of [0, -1, 1.5, NaN, Infinity]) assert.throws(() => new Barrier(wrong), RangeError);
  for (const wrong of ["2", undefined, null, 2n]) assert.throws(() => new Barrier(wrong as never), TypeError);
  assert.throws(() => new Barrier(1, { timeout: -1 }), RangeError);
  assert.throws(() => new Barrier(1, { timeout: "1" as never }), TypeError);
  assert.throws(() => new Barrier(1, { action: 1 as never }), TypeError);
  assert.throws(() => new Barrier(1, { threads: 0 }), /threads/);
  assert.equal(new Barrier(5000).parties, 5000);
});

test("B2 B4 nobody leaves before all have arrived; each place is given once, round after round", async () => {
  const barrier = new Barrier(40); // their places fill more than a word
  for (let round = 0; round < 3; round++) {
    const places: number[] = [];
    const waits = Array.from({ length: 39 }, () => barrier.waitAsync().then((place) => places.push(place)));
    await until(() => barrier.waiting === 39);
    assert.deepEqual(places, []);
    waits.push(barrier.waitAsync().then((place) => places.push(place)));
    await Promise.all(waits);
    assert.deepEqual(places.sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i));
    assert.equal(barrier.waiting, 0);
  }
});

test("B3 a party that comes back early counts for the next round: 10 rounds and 1000", async () => {
  for (const rounds of [10, 1000]) {
    const barrier = new Barrier(5);
    const counts = new Array(rounds).fill(0);
    const sums = new Array(rounds).fill(0);
    await Promise.all(Array.from({ length: 5 }, async () => {
      for (let round = 0; round < rounds; round++) {
        counts[round]++;
        const place = await barrier.waitAsync();
        sums[round] += place;
        assert.equal(counts[round], 5);
      }
    }));
    assert.deepEqual(new Set(sums), new Set([10]));
    assert.equal(barrier.waiting, 0);
  }
});

test("B5 the action runs exactly once a round, before any wait() returns", async () => {
  let runs = 0;
  const barrier = new Barrier(3, { action: () => void runs++ });
  for (let round = 1; round <= 5; round++) {
    await Promise.all(Array.from({ length: 3 }, () => barrier.waitAsync().then(() => assert.equal(runs, round))));
  }
});

test("B6 the action runs in a party whose object has one, the last to arrive if it can", async () => {
  const ran: string[] = [];
  const plain = new Barrier(3);
  const [a, b] = ["a", "b"].map((name) => Barrier.attach(plain.handle, { action: () => void ran.push(name) }));
  await Promise.all([plain.waitAsync(), a!.waitAsync(), b!.waitAsync()]);
  assert.deepEqual(ran, ["b"]);
  await Promise.all([a!.waitAsync(), plain.waitAsync(), plain.waitAsync()]);
  assert.deepEqual(ran, ["b", "a"]);
  await Promise.all([plain.waitAsync(), plain.waitAsync(), plain.waitAsync()]);
  assert.deepEqual(ran, ["b", "a"]);
});

/** The words of a barrier for up to 32 parties. */
function wordsOf(barrier: Barrier): Int32Array<SharedArrayBuffer> {
  const { buffer, byteOffset, byteLength } = barrier.handle as FullHandle;
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

const [STATE, ACTOR, OUTCOME, TURN, CELLS] = [4, 6, 7, 9, 29];
const [FILLING, CALLING, ACTING] = [0, 1, 2];
const [LATE, PASSED] = [8, 1];

/** Another thread, played by this one, brings a party with an action, and does no more. */
function comeFromElsewhere(barrier: Barrier): void {
  const { handle } = barrier;
  leaveWaiting(new Agent(), () => Barrier.attach(handle, { action: () => {} }).waitAsync());
}

test("B6 B12 a party's action goes with it, withdrawn or after its round", async () => {
  const ran: string[] = [];
  const plain = new Barrier(2);
  const acting = Barrier.attach(plain.handle, { action: () => void ran.push("acted") });
  const round = (first: Barrier) => Promise.all([outcome(first.waitAsync()), outcome(plain.waitAsync())]);
  const controller = new AbortController();
  const gone = outcome(acting.waitAsync({ signal: controller.signal }));
  controller.abort("gone");
  assert.equal(await gone, "gone");
  const cell = () => [...wordsOf(plain).slice(CELLS + 1, CELLS + 4)]; // WAITING ACTIONS RESULT
  assert.deepEqual(cell(), [0, 0, 0]);
  assert.deepEqual(await round(plain), [0, 1]);
  assert.deepEqual(ran, []);
  assert.deepEqual(await round(acting), [0, 1]);
  assert.deepEqual([ran, cell()], [["acted"], [0, 0, 0]]);
});

test("B6 B12 a round that calls another thread's action may lose a party: then it is as it was", async () => {
  const barrier = new Barrier(2);
  const words = wordsOf(barrier);
  comeFromElsewhere(barrier);
  let turn = words[TURN];
  const controller = new AbortController();
  const gone = outcome(barrier.waitAsync({ signal: controller.signal }));
  assert.equal(words[STATE], CALLING);
  assert.notEqual(words[TURN], turn); // or who is called, and about to sleep, would not see it
  assert.throws(() => barrier.wait({ timeout: 5 }), /its time was over before that round could begin/);
  assert.equal(words[OUTCOME], LATE);
  turn = words[TURN];
  controller.abort("gone");
  assert.equal(await gone, "gone");
  assert.deepEqual([words[STATE], words[OUTCOME], barrier.waiting], [FILLING, PASSED, 1]);
  assert.notEqual(words[TURN], turn); // those who came for the next round may come to this one
  barrier.abort();
});

test("B6 a thread that sleeps is called rather than one whose tasks may be busy elsewhere", async () => {
  const barrier = new Barrier(3);
  const words = wordsOf(barrier);
  comeFromElsewhere(barrier);
  comeFromElsewhere(barrier);
  store(words, CELLS + 2, 0x10000); // ACTIONS: as if the first one were blocked
  const waiting = outcome(barrier.waitAsync());
  assert.deepEqual([words[STATE], words[ACTOR]], [CALLING, words[CELLS]]);
  barrier.abort();
  assert.equal(await waiting, BROKEN);
});

test("D10 a thread that dies in the action breaks the round, though its own party was withdrawn", () => {
  for (const state of [CALLING, ACTING]) {
    const barrier = new Barrier(2);
    const words = wordsOf(barrier);
    store(words, STATE, state);
    store(words, ACTOR, ENDED);
    const woken = notified(words.buffer, () => assert(barrier.broken));
    assert.deepEqual(woken, [TURN]);
    assert.throws(() => barrier.wait(), /a thread with a party waiting there has ended/);
  }
});

test("B10 a time limit rests while the action is called, for a while, and while it runs", async () => {
  const barrier = new Barrier(2);
  comeFromElsewhere(barrier);
  const start = performance.now();
  await assert.rejects(barrier.waitAsync({ timeout: 5 }), /a party timed out/); // it was called in vain
  assert.between(performance.now() - start, 95, Infinity);
  barrier.reset();
  comeFromElsewhere(barrier);
  const waiting = barrier.waitAsync({ timeout: 5 }).catch((error) => error.message);
  store(wordsOf(barrier), STATE, ACTING); // it has begun
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(barrier.broken, false);
  barrier.reset();
  assert.match(await waiting, /reset\(\) was called/);
});

test("B7 the error of an action goes to the party that brought it, in a thread that is called for it", async () => {
  const oops = new TypeError("oops");
  const plain = new Barrier(3);
  const action = () => {
    throw oops;
  };
  const other = outcome(plain.waitAsync());
  const own = Barrier.attach(plain.handle, { action }).waitAsync().catch((error) => error);
  const { handle } = plain;
  leaveWaiting(new Agent(), () => Barrier.attach(handle).waitAsync());
  assert.equal(await own, oops);
  assert.equal(await other, BROKEN);
});

test("B7 an action that throws: its thread gets the error, the others BrokenBarrierError", async () => {
  const oops = new TypeError("oops");
  const barrier = new Barrier(2, {
    action() {
      throw oops;
    },
  });
  const first = outcome(barrier.waitAsync());
  assert.equal(await barrier.waitAsync().catch((error) => error), oops);
  assert.equal(await first, BROKEN);
  assert(barrier.broken);
  const alone = Barrier.attach(new Barrier(1).handle, {
    action() {
      throw oops;
    },
  });
  assert.equal(assert.throws(() => alone.wait()), oops);
  assert.throws(() => alone.wait(), /its action threw/);
});

test("B8 abort() breaks the round for every party, and for those who come later", async () => {
  const barrier = new Barrier(4, { name: "phase" });
  const other = Barrier.attach(barrier.handle);
  const waits = [1, 2, 3].map(() => outcome(barrier.waitAsync()));
  await until(() => other.waiting === 3);
  other.abort();
  assert.deepEqual(await Promise.all(waits), [BROKEN, BROKEN, BROKEN]);
  assert(barrier.broken && other.broken);
  assert.equal(barrier.waiting, 0);
  const error = assert.throws<BrokenBarrierError>(() => barrier.wait(), BrokenBarrierError);
  assert.equal(error.message, 'Cannot wait at Barrier "phase" as it is broken: abort() was called');
  assert.equal(error.parties, 4);
  await assert.rejects(barrier.waitAsync(), BrokenBarrierError);
  barrier.abort();
});

test("B9 reset() frees waiters with an error, and the barrier works again, twice", async () => {
  const barrier = new Barrier(3);
  for (let turn = 0; turn < 2; turn++) {
    const waits = [1, 2].map(() => outcome(barrier.waitAsync()));
    await until(() => barrier.waiting === 2);
    if (turn === 1) barrier.abort();
    barrier.reset();
    assert.deepEqual(await Promise.all(waits), [BROKEN, BROKEN]);
    assert.equal(barrier.broken, false);
    const places = await Promise.all([1, 2, 3].map(() => barrier.waitAsync()));
    assert.deepEqual(places.sort(), [0, 1, 2]);
  }
  barrier.reset();
  assert.equal(barrier.waiting, 0);
});

test("B9 a party learns how its own round ended, whatever came after", async () => {
  const barrier = new Barrier(2);
  const rounds = [outcome(barrier.waitAsync()), outcome(barrier.waitAsync())]; // passes
  const third = outcome(barrier.waitAsync()); // before anybody of the first round went on
  barrier.reset();
  const fourth = [outcome(barrier.waitAsync()), outcome(barrier.waitAsync())];
  barrier.abort();
  assert.deepEqual((await Promise.all(rounds)).sort(), [0, 1]);
  assert.equal(await third, BROKEN);
  assert.deepEqual((await Promise.all(fourth)).sort(), [0, 1]);
});

test("B10 a party whose time is over breaks the round for all", async () => {
  const barrier = new Barrier(3);
  const waits = [outcome(barrier.waitAsync()), outcome(barrier.waitAsync({ timeout: 30 }))];
  assert.deepEqual(await Promise.all(waits), [BROKEN, BROKEN]);
  assert.throws(() => barrier.wait(), /a party timed out/);
  const blocked = new Barrier(2);
  const waiting = outcome(
    Barrier.attach(new Barrier(3).handle).waitAsync({ timeout: 1e9, signal: AbortSignal.timeout(1) }),
  );
  assert.equal(timeAsleep(() => assert.throws(() => blocked.wait({ timeout: 50 }), BrokenBarrierError)), 50);
  assert.equal(await waiting, "TimeoutError");
});

type Target = (...args: Parameters<typeof actUntil>) => number | Promise<number>;

for (const target of [actUntil, keepWaiting] as Target[]) {
  const parties = target === actUntil ? 1 : 2;
  test(`G6 B10 who comes for the next round keeps his time limit, and breaks that one alone: ${target.name}`, async () => {
    const barrier = new Barrier(parties);
    const [begun, end] = [new Event(), new Event()];
    const thread = new Thread({ target, module, args: [barrier.handle, begun, end] as const }).start();
    await begun.waitAsync();
    const places = parties === 2 ? [outcome(barrier.waitAsync())] : []; // all are there now
    try {
      const start = performance.now();
      const late = barrier.waitAsync({ timeout: 150 }).catch((error) => error.message);
      const wait = () => barrier.wait({ timeout: 50 });
      assert.equal(timeAsleep(() => assert.throws(wait, /its time was over before that round could begin/)), 50);
      assert.match(await late, /its round is broken/);
      assert.between(performance.now() - start, 150, Infinity);
      assert.equal(barrier.broken, false);
    } finally {
      end.set();
    }
    assert.deepEqual((await Promise.all([...places, thread.joinAsync()])).sort(), [0, 1].slice(0, parties));
    assert(barrier.broken);
    assert.throws(() => barrier.wait(), /it is broken: a party timed out$/);
    barrier.reset();
    const waits = Array.from({ length: 2 * parties }, () => outcome(barrier.waitAsync()));
    assert.deepEqual((await Promise.all(waits)).sort(), parties === 2 ? [0, 0, 1, 1] : [0, 0]);
  });
}

test("B9 reset() while somebody has run out of time for the next round leaves a barrier as good as new", async () => {
  const barrier = new Barrier(1);
  const [begun, end] = [new Event(), new Event()];
  const thread = new Thread({ target: actUntil, module, args: [barrier.handle, begun, end] as const }).start();
  await begun.waitAsync();
  assert.throws(() => barrier.wait({ timeout: 5 }), BrokenBarrierError);
  barrier.reset();
  end.set();
  await assert.rejects(thread.joinAsync());
  for (let i = 0; i < 3; i++) assert.equal(barrier.wait(), 0);
});

test("B11 the constructor's timeout is used when wait() names none, in every object", async () => {
  const barrier = new Barrier(2, { timeout: 20 });
  assert.equal(await outcome(barrier.waitAsync()), BROKEN);
  barrier.reset();
  assert.throws(() => Barrier.attach(barrier.handle).wait(), BrokenBarrierError);
  barrier.reset();
  assert.equal(await outcome(barrier.waitAsync({ timeout: 0 })), BROKEN);
  barrier.reset();
  assert.throws(() => Barrier.attach(barrier.handle, { timeout: 1e9 }).wait({ timeout: 0 }), BrokenBarrierError);
  barrier.reset();
  const first = barrier.waitAsync({ timeout: 1e100 });
  assert.equal(barrier.wait({ timeout: 0 }), 1); // nobody is missing
  assert.equal(await first, 0);
});

test("B12 aborting one waitAsync withdraws that party, and its place is given again", async () => {
  const barrier = new Barrier(3);
  for (let victim = 0; victim < 2; victim++) {
    const controllers = [new AbortController(), new AbortController()];
    const waits = controllers.map(({ signal }) => outcome(barrier.waitAsync({ signal })));
    await until(() => barrier.waiting === 2);
    controllers[victim]!.abort("gone");
    assert.equal(barrier.waiting, 1);
    assert.equal(await waits[victim], "gone");
    const rest = await Promise.all([waits[1 - victim]!, barrier.waitAsync(), barrier.waitAsync()]);
    assert.deepEqual(rest.sort(), [0, 1, 2]);
  }
  await assert.rejects(barrier.waitAsync({ signal: AbortSignal.abort("no") }), (error) => error === "no");
  assert.equal(barrier.waiting, 0);
});

test("B13 one party never blocks, any number of times", async () => {
  const barrier = new Barrier(1);
  for (let i = 0; i < 1000; i++) assert.equal(barrier.wait(), 0);
  assert.equal(await barrier.waitAsync(), 0);
});

test("B14 waiting is 0 when broken and after the rounds", async () => {
  const barrier = new Barrier(2);
  const wait = outcome(barrier.waitAsync());
  assert.equal(barrier.waiting, 1);
  barrier.abort();
  assert.equal(barrier.waiting, 0);
  await wait;
});

test("Barrier's action may abort, reset and withdraw, and may not wait", async () => {
  let act = () => {};
  const barrier = new Barrier(2, { action: () => act() });
  const round = () => [outcome(barrier.waitAsync()), outcome(barrier.waitAsync())];
  act = () => barrier.abort();
  assert.deepEqual(await Promise.all(round()), [BROKEN, BROKEN]);
  act = () => barrier.reset();
  barrier.reset();
  assert.deepEqual(await Promise.all(round()), [BROKEN, BROKEN]);
  act = () => assert.throws(() => barrier.wait(), DeadlockError);
  assert.deepEqual(await Promise.all(round()), [0, 1]);
  const controller = new AbortController();
  act = () => controller.abort("gone");
  const mine = outcome(barrier.waitAsync());
  assert.equal(await outcome(barrier.waitAsync({ signal: controller.signal })), "gone");
  assert.equal(await mine, 0);
  act = () => {};
  assert.deepEqual(await Promise.all(round()), [0, 1]);
  let next: Promise<number | string> | undefined;
  act = () => next = outcome(barrier.waitAsync()); // counts for the next round
  assert.deepEqual(await Promise.all(round()), [0, 1]);
  act = () => {};
  assert.deepEqual([await outcome(barrier.waitAsync()), await next!].sort(), [0, 1]);
});

test("Barrier: rounds with random arrivals, withdrawals and resets keep every place apart", async () => {
  const prng = random();
  let passed = 0;
  for (let turn = 0; turn < 200; turn++) {
    const parties = 1 + prng.below(5);
    const barrier = new Barrier(parties, { threads: 1 });
    const waits: { controller: AbortController; result: Promise<number | string> }[] = [];
    for (let step = 0; step < 30; step++) {
      const controller = new AbortController();
      if (prng.chance(0.2)) waits[prng.below(waits.length || 1)]?.controller.abort("gone");
      else if (prng.chance(0.05)) barrier.reset();
      else waits.push({ controller, result: outcome(barrier.waitAsync({ signal: controller.signal })) });
      if (prng.chance(0.3)) await Promise.resolve();
    }
    const open = barrier.waiting;
    for (let i = open; i % parties !== 0; i++) {
      waits.push({ controller: new AbortController(), result: outcome(barrier.waitAsync()) });
    }
    const counts = new Array(parties).fill(0);
    for (const place of await Promise.all(waits.map(({ result }) => result))) {
      if (typeof place === "number") counts[place]++;
    }
    // Every round that passed gave each place once, also to a party that was aborted after it.
    assert.deepEqual(counts, new Array(parties).fill(counts[0]));
    assert.equal(barrier.waiting, 0);
    passed += counts[0];
  }
  assert(passed > 0);
});

test("G15 Barrier: printing it shows who waits", async () => {
  const barrier = new Barrier(3, { name: "phase" });
  const wait = outcome(barrier.waitAsync());
  assert.equal(String(barrier), 'Barrier "phase" (waiters=1/3)');
  barrier.abort();
  assert.equal(inspect(barrier) ?? String(barrier), 'Barrier "phase" (broken)');
  await wait;
});

test("Barrier: attaching to anything else is LayoutError", () => {
  const { handle } = new Barrier(2);
  assert.throws(() => Barrier.attach(new Lock().handle), LayoutError);
  assert.throws(() => Barrier.attach({ ...new Lock().handle, kind: "Barrier" }), LayoutError);
  assert.throws(() => Barrier.attach({ ...handle, byteLength: 128 } as never), LayoutError);
  assert.throws(() => Barrier.attach(7 as never), TypeError);
  assert.throws(() => Barrier.attach(handle, 7 as never), TypeError);
  assert.equal(Barrier.attach(posted(handle)).parties, 2);
});

test("Barrier: any bytes in the record neither crash nor hang who does not wait", () => {
  const prng = random();
  for (let turn = 0; turn < 300; turn++) {
    const { handle } = new Barrier(2, { threads: 2 });
    const words = new Int32Array((handle as unknown as { buffer: SharedArrayBuffer }).buffer);
    for (let i = 0; i < 4; i++) words[3 + prng.below(words.length - 3)] = prng.next() | 0;
    words[14] = 0; // a monitor that is held for ever by a living thread is reported after 10 s
    try {
      const barrier = Barrier.attach(handle);
      String(barrier);
      barrier.wait({ timeout: 0 });
    } catch (error) {
      assert(
        error instanceof BrokenBarrierError || error instanceof LayoutError || error instanceof RangeError,
        String(error),
      );
    }
  }
});
