// PYTHON.md section 7, with threads: all go on together or nobody does, whoever is late, gives up or dies.

import { Barrier, BrokenBarrierError, Event, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { assembled, CREWS, joined, play, type Role, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);
/** ms for a test: starting a thread takes seconds where many run at once. */
const AMPLE = { limit: 60_000 };
const soon = (ready: () => unknown): Promise<void> => until(ready, 30_000);
type Count = SharedValue<"i32">;

const BLOCKED: Role = { tasks: 0, blocks: true };
const ASYNC: Role = { tasks: 1, blocks: false };

/** The places that a thread's parties got; -1 where the barrier broke. */
export async function meet(role: Role, barrier: Barrier, arrived: Count, timeout: number): Promise<number[]> {
  const places: number[] = [];
  const broke = (error: unknown): number => {
    if (error instanceof BrokenBarrierError) return -1;
    throw error;
  };
  const task = async () => places.push(await barrier.waitAsync({ timeout }).catch(broke));
  const block = () => {
    try {
      places.push(barrier.wait({ timeout }));
    } catch (error) {
      places.push(broke(error));
    }
  };
  await play(role, arrived, task, block);
  return places;
}

/** Meets the others round after round; returns the places. */
export async function meetOften(barrier: Barrier, rounds: number, count: Count, task: boolean): Promise<number[]> {
  const places: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    count.add(1);
    places.push(task ? await barrier.waitAsync() : barrier.wait());
    assert(count.value >= round * barrier.parties);
  }
  return places;
}

/** The same with an action that counts its runs, in a party that blocks, or is a task. */
export async function act(
  barrier: Barrier,
  rounds: number,
  runs: Count,
  how: "blocks" | "task" | "none",
): Promise<void> {
  const own = how === "none" ? barrier : Barrier.attach(barrier.handle, { action: () => void runs.add(1) });
  for (let round = 1; round <= rounds; round++) {
    if (how === "task") await own.waitAsync();
    else own.wait();
    assert(runs.value >= round);
  }
}

/** Two parties of one thread, the one that brought the action a task, the other one blocked. */
export async function actBlocked(barrier: Barrier, runs: Count): Promise<number> {
  const task = Barrier.attach(barrier.handle, { action: () => void runs.add(1) }).waitAsync();
  const place = barrier.wait();
  return place + await task;
}

/** Brings an action that throws. */
export function actBadly(barrier: Barrier, how: "blocks" | "task"): unknown {
  const own = Barrier.attach(barrier.handle, {
    action() {
      throw new RangeError("bad action");
    },
  });
  return how === "task" ? own.waitAsync() : own.wait();
}

/** Arrives as a task, and dies of an error. */
export async function dieWaiting(barrier: Barrier, end: Event): Promise<void> {
  void barrier.waitAsync().catch(() => {});
  await end.waitAsync();
  throw new Error("dies");
}

/** Registers the cases. */
export function barrierCases(_has: Capabilities): void {
  for (const crew of CREWS) {
    test(`B2 B4 ${crew.name} and one more meet; each place is given once, twice over`, async () => {
      const [barrier, arrived] = [new Barrier(crew.size + 1, { name: "meeting" }), new SharedValue("i32")];
      for (let turn = 0; turn < 2; turn++) {
        arrived.value = 0;
        const threads = crew.roles.map((role) => ask(meet, role, barrier, arrived, Infinity));
        await assembled(crew, arrived, "Barrier", "meeting");
        await soon(() => barrier.waiting === crew.size);
        const mine = await barrier.waitAsync();
        const places = [mine, ...(await joined(threads)).flat()].sort((a, b) => a - b);
        assert.deepEqual(places, Array.from({ length: crew.size + 1 }, (_, place) => place));
        assert.equal(barrier.waiting, 0);
      }
    }, AMPLE);

    test(`B8 B9 B10 ${crew.name}: abort(), reset() and a time limit break the round for all`, async () => {
      const [barrier, arrived] = [new Barrier(crew.size + 2, { name: "broken" }), new SharedValue("i32")];
      for (const how of ["abort", "reset", "timeout", "reset"]) {
        const threads = crew.roles.map((role) => ask(meet, role, barrier, arrived, Infinity));
        await soon(() => barrier.waiting === crew.size);
        if (how === "abort") barrier.abort();
        else if (how === "reset") barrier.reset();
        else await assert.rejects(barrier.waitAsync({ timeout: 20 }), /a party timed out/);
        const places = (await joined(threads)).flat();
        assert.deepEqual(places, Array.from({ length: crew.size }, () => -1));
        assert.equal(barrier.broken, how !== "reset");
        barrier.reset();
        assert.deepEqual([barrier.waiting, barrier.broken], [0, false]);
      }
    }, AMPLE);
  }

  for (const timed of [BLOCKED, ASYNC]) {
    test(
      `B10 B11 the time of a ${timed.blocks ? "blocked" : "waiting task's"} party is over: all get the error`,
      async () => {
        const barrier = new Barrier(4, { timeout: 60 });
        const arrived = new SharedValue("i32");
        const threads = [BLOCKED, ASYNC].map((role) => ask(meet, role, barrier, arrived, 1e9));
        await soon(() => barrier.waiting === 2);
        threads.push(ask(meet, timed, barrier, arrived, 60));
        assert.deepEqual((await joined(threads)).flat(), [-1, -1, -1]);
        assert.throws(() => barrier.wait(), /a party timed out/);
      },
      AMPLE,
    );
  }

  test("B3 1000 rounds by five threads, blocked and async", async () => {
    const [barrier, count] = [new Barrier(5), new SharedValue("i32")];
    const threads = [false, true, false, true, false].map((task) => ask(meetOften, barrier, 1000, count, task));
    const rounds = await joined(threads);
    for (let round = 0; round < 1000; round++) {
      assert.deepEqual(rounds.map((places) => places[round]!).sort(), [0, 1, 2, 3, 4]);
    }
    assert.equal(count.value, 5000);
  }, AMPLE);

  for (const hows of [["blocks", "none", "none"], ["none", "task", "none"], ["task", "blocks", "task"]] as const) {
    test(`B5 B6 the action runs once a round, in one of: ${hows.join(", ")}`, async () => {
      const [barrier, runs] = [new Barrier(3), new SharedValue("i32")];
      await joined(hows.map((how) => ask(act, barrier, 50, runs, how)));
      assert.equal(runs.value, 50);
    }, AMPLE);
  }

  test("B6 a blocked party runs the action that a task of its thread brought", async () => {
    const [barrier, runs] = [new Barrier(3), new SharedValue("i32")];
    const thread = ask(actBlocked, barrier, runs);
    await soon(() => barrier.waiting === 2);
    assert.equal(await barrier.waitAsync() + await thread.joinAsync(), 3);
    assert.equal(runs.value, 1);
  }, AMPLE);

  for (const how of ["blocks", "task"] as const) {
    test(`B7 an action that throws (${how}): its thread gets the error, the others BrokenBarrierError`, async () => {
      const [barrier, arrived] = [new Barrier(3), new SharedValue("i32")];
      const bad = go(actBadly, barrier, how);
      await soon(() => barrier.waiting === 1);
      const other = ask(meet, BLOCKED, barrier, arrived, Infinity);
      await soon(() => barrier.waiting === 2);
      await assert.rejects(barrier.waitAsync(), BrokenBarrierError);
      await assert.rejects(bad.joinAsync(), /bad action/);
      assert.deepEqual(await other.joinAsync(), [-1]);
      assert(barrier.broken);
    }, AMPLE);
  }

  for (const how of ["throws", "is told to stop"]) {
    test(`D10 a thread with a party waiting ${how}: BrokenBarrierError for the others, and reset() works`, async () => {
      const [barrier, arrived, end] = [new Barrier(4), new SharedValue("i32"), new Event()];
      for (let turn = 0; turn < 2; turn++) {
        const stops = how !== "throws";
        const dies = stops ? go(meet, BLOCKED, barrier, arrived, Infinity) : go(dieWaiting, barrier, end);
        const others = [BLOCKED, ASYNC].map((role) => ask(meet, role, barrier, arrived, 1e9));
        await soon(() => barrier.waiting === 3);
        const start = performance.now();
        end.set();
        const ended = assert.rejects((dies as { joinAsync(): Promise<unknown> }).joinAsync());
        if (stops) await dies.terminate();
        await ended;
        assert.deepEqual((await joined(others)).flat(), [-1, -1]);
        assert.between(performance.now() - start, 0, 5_000);
        assert(barrier.broken);
        barrier.reset();
        assert.equal(barrier.waiting, 0);
        end.clear();
        const again = [BLOCKED, ASYNC, BLOCKED].map((role) => ask(meet, role, barrier, arrived, Infinity));
        const mine = await barrier.waitAsync();
        assert.deepEqual([mine, ...(await joined(again)).flat()].sort(), [0, 1, 2, 3]);
      }
    }, AMPLE);
  }

  test("B12 a party withdrawn by its signal leaves the others waiting", async () => {
    const [barrier, arrived] = [new Barrier(3), new SharedValue("i32")];
    const threads = [ask(meet, BLOCKED, barrier, arrived, Infinity), ask(meet, ASYNC, barrier, arrived, Infinity)];
    await soon(() => barrier.waiting === 2);
    assert.equal(barrier.broken, false);
    const [first, second] = [new AbortController(), new AbortController()];
    first.abort("gone");
    await assert.rejects(barrier.waitAsync({ signal: first.signal }), (reason) => reason === "gone");
    const mine = await barrier.waitAsync({ signal: second.signal });
    assert.deepEqual([mine, ...(await joined(threads)).flat()].sort(), [0, 1, 2]);
  }, AMPLE);
}
