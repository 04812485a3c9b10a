// Every primitive under load: threads x work x ways of waiting, with aborts, time limits and deaths at random, counted
// exactly, and its record as it was in the end. This short form runs in the gate.
//
// LOCKSTEP_STRESS multiplies the work, 1 by default; from 10 on all numbers of threads are tried.

import {
  Barrier,
  Condition,
  Event,
  Latch,
  Lock,
  RLock,
  RWLock,
  Semaphore,
  setExceptHook,
  SharedArray,
  Thread,
  ThreadError,
} from "../../mod.ts";
import { assert, random, runtime, test, watch } from "../_harness.ts";
import { until } from "../_until.ts";
import * as threads from "../testdata/stress_threads.ts";
import type { Course, Mortal, Way, Work } from "../testdata/stress_threads.ts";
import { COUNT, COUNTS } from "../testdata/stress_threads.ts";

// deno-lint-ignore no-explicit-any
const env = (globalThis as any).process?.env;
const WORK = Number(env?.LOCKSTEP_STRESS ?? 1);
const LONG = WORK >= 10;
const MODULE = new URL("../testdata/stress_threads.ts", import.meta.url);
const WAYS = ["blocked", "timed", "async", "mixed"] as const satisfies Way[];
const WORKS = ["none", "short", "long"] as const satisfies Work[];

type Handled = { readonly handle: object };

function wordsOf({ handle }: Handled): Int32Array {
  const { buffer, byteOffset, byteLength } = handle as Record<"byteOffset" | "byteLength", number> & {
    buffer: SharedArrayBuffer;
  };
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

/**
 * The words that have to be as they were, by class: from, to, and which of each cell of that size count. The others
 * count something (GATE, ROUND, …) or say whose an idle cell is.
 */
const LASTING: Readonly<Record<string, (words: Int32Array) => number[]>> = {
  Lock: (words) => [...words.subarray(3, 4), words[5]!, words[6]!],
  RLock: (words) => [...words.subarray(3, 4), words[5]!, words[6]!],
  Semaphore: (words) => [
    ...words.subarray(3, 9),
    ...words.subarray(10, 14),
    ...cells(words.subarray(16, 16 + 3 * words[6]!), 3),
  ],
  RWLock: (words) => [...words.subarray(3, 10), ...words.subarray(13, 18), ...cells(words.subarray(20), 4)],
  Condition: (words) => [...words.subarray(8, 10), ...cells(words.subarray(32, 32 + 8 * words[3]!), 8)],
  Barrier: (words) => [
    ...words.subarray(4, 7),
    words[3]! - words[8]!,
    ...words.subarray(14, 16),
    words[28]!,
    ...cells(words.subarray(29), 4),
  ],
  Event: (words) => [words[3]! & 1],
};

function cells(words: Int32Array, size: number): number[] {
  return [...words].filter((_, i) => i % size !== 0);
}

/** What has to be the same in the end, with names for whoever has to find out what is not. */
function lasting(all: Record<string, Handled>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(all).map(([name, one]) => {
      const kind = (one.handle as { kind: string }).kind;
      return [name, LASTING[kind]!(wordsOf(one)).join(" ")];
    }),
  );
}

const FORTY = { threads: 40 };

function course(size: number, way: Way, work: Work, turns: number): Course {
  const permits = Math.max(1, size >> 1);
  const lock = new RLock();
  return {
    way,
    work,
    turns,
    permits,
    counts: new SharedArray("i32", COUNTS, { lock: false }),
    lock: new Lock({ name: "lock" }),
    rlock: new RLock({ name: "rlock" }),
    semaphore: new Semaphore(permits, { name: "semaphore", ...FORTY }),
    rwlock: new RWLock({ name: "rwlock", ...FORTY }),
    filled: new Condition(lock, { name: "filled", ...FORTY }),
    emptied: new Condition(lock, { name: "emptied", ...FORTY }),
    phases: [new Event({ name: "even" }), new Event({ name: "odd" })],
    barrier: new Barrier(size, { name: "barrier", ...FORTY }),
  };
}

function recordsOf(course: Course): Record<string, Handled> {
  const { lock, rlock, semaphore, rwlock, filled, emptied, barrier } = course;
  return { lock, rlock, semaphore, rwlock, filled, emptied, shared: filled.lock, barrier };
}

/** Uses everything twice more, from this thread: that has to heal what gave up, and to leave nothing behind. */
async function useTwice({ lock, rlock, semaphore, rwlock, filled, emptied, barrier }: Course): Promise<void> {
  for (let i = 0; i < 2; i++) {
    for (const guard of [lock.acquire(), rlock.acquire(), semaphore.acquire(), rwlock.write()]) guard.release();
    rwlock.read().release();
    for (const condition of [filled, emptied]) {
      const guard = condition.acquire();
      condition.notifyAll();
      condition.tryWait();
      guard.release();
    }
    const round = Array.from({ length: barrier.parties }, () => barrier.waitAsync());
    assert.equal(new Set(await Promise.all(round)).size, barrier.parties);
  }
}

for (const size of LONG ? [2, 4, 8, 16, 32] : [2, 6]) {
  const crowd = `${size} threads`;
  test(
    `Every primitive, ${crowd} x work x ways of waiting: all turns are had, and nothing is left behind`,
    async () => {
      const seed = random().next();
      console.log(`${crowd}: seed ${seed}`);
      for (let again = 0; again < Math.max(1, WORK / 10); again++) await crowded(size, seed + again);
    },
    { limit: 60_000 + 30_000 * WORK },
  );
}

async function crowded(size: number, seed: number): Promise<void> {
  const courses = WAYS.flatMap((way) =>
    WORKS.map((work) => course(size, way, work, Math.ceil((work === "long" ? 8 : 40) * (LONG ? 4 : 1) * 4 / size) * 2))
  );
  const before = courses.map((each) => lasting(recordsOf(each)));
  for (const each of courses) for (const [name, record] of Object.entries(recordsOf(each))) watch(name, record);
  const gates = courses.map(() => new Latch(size));
  const players = Array.from({ length: size }, (_, me) => {
    const args: Parameters<typeof threads.playAll> = [me, size, courses, gates, seed];
    return new Thread({ target: threads.playAll, module: MODULE, args, name: `player-${me}` }).start();
  });
  const sums = await Promise.all(players.map((player) => player.joinAsync()));
  for (const [i, each] of courses.entries()) {
    const { turns, way, work, counts } = each;
    const where = `${size} threads, ${way}, ${work}, seed ${seed}`;
    const writes = Array.from({ length: size }, (_, me) => Array.from({ length: turns }, (_, n) => (n + me) % 3 === 0));
    const all = size * turns;
    assert.equal(counts.at(COUNT.lock), all, where);
    assert.equal(counts.at(COUNT.rlock), all, where);
    assert.equal(counts.at(COUNT.permits), all, where);
    assert.equal(counts.at(COUNT.left), writes.flat().filter(Boolean).length, where);
    assert.equal(counts.at(COUNT.got), all / 2, where);
    assert.equal(counts.at(COUNT.buffer), 0, where);
    const rounds = Math.ceil(turns / 4) * 2;
    assert.equal(sums.reduce((sum, mine) => sum + mine[i]!, 0), rounds * size * (size + 1) / 2, where);
    await useTwice(each);
    assert.deepEqual(lasting(recordsOf(each)), before[i], where);
  }
}

const ENDS = ["terminate", "exit", "error"] as const;

test("Every primitive, with threads that die at random: the others go on, and nothing stays held", async () => {
  const seed = random().next();
  const waves = LONG ? 4 * WORK : 2;
  console.log(`deaths: ${waves} waves, seed ${seed}`);
  const shared: Mortal = {
    lock: new Lock({ name: "lock" }),
    rlock: new RLock({ name: "rlock" }),
    semaphore: new Semaphore(2, { name: "semaphore", ...FORTY }),
    rwlock: new RWLock({ name: "rwlock", ...FORTY }),
    condition: new Condition(undefined, { name: "condition", ...FORTY }),
    event: new Event({ name: "event" }),
  };
  for (const [name, record] of Object.entries(shared)) watch(name, record);
  setExceptHook(() => {}); // who dies before it is joined
  const prng = random();
  for (let wave = 0; wave < waves; wave++) {
    const start = (way: Way, count: number, end: string, i: number) => {
      const args: Parameters<typeof threads.operate> = [shared, way, count, "short", seed + 100 * wave + i, end];
      return new Thread({ target: threads.operate, module: MODULE, args, name: `${end || "steady"}-${i}` }).start();
    };
    const steady = (LONG ? WAYS : ["blocked", "mixed"] as const).map((way, i) => start(way, LONG ? 2000 : 300, "", i));
    const victims = [0, 1, 2, 3].map((i) => start(WAYS[(wave + i) % 4]!, 0, ENDS[(wave + i) % 3]!, 10 + i));
    const gone = victims.map(async (victim) => {
      if (victim.name.startsWith("terminate")) {
        await new Promise((resolve) => setTimeout(resolve, 200 + prng.below(300)));
        await victim.terminate({ grace: runtime === "deno" ? 100 : prng.below(3) });
      }
      return await victim.joinAsync().then(() => "returned", (error) => error);
    });
    const ended = Promise.allSettled(gone);
    const counts = await Promise.all(steady.map((thread) => thread.joinAsync()));
    assert(counts.every((count) => count === (LONG ? 2000 : 300)));
    for (const end of await ended) {
      const error = end.status === "fulfilled" ? end.value : end.reason;
      assert(error instanceof ThreadError && error.reason !== "unstoppable", String(error));
    }
  }
  setExceptHook(undefined);
  for (const lock of [shared.lock, shared.rlock, shared.rwlock, shared.condition.lock]) lock.recover()?.release();
  await until(() => shared.semaphore.value === 2);
  for (let i = 0; i < 2; i++) {
    shared.lock.acquire().release();
    shared.rlock.acquire().release();
    shared.semaphore.acquire().release();
    shared.rwlock.write().release();
    const guard = shared.condition.acquire();
    assert.equal(shared.condition.notifyAll(), 0);
    guard.release();
  }
  const { lock, rlock, semaphore, rwlock, condition } = shared;
  for (const each of [lock, rlock]) assert.equal(wordsOf(each)[3], 0);
  const fresh = {
    semaphore: new Semaphore(2, FORTY),
    rwlock: new RWLock(FORTY),
    condition: new Condition(undefined, FORTY),
  };
  assert.deepEqual(lasting({ semaphore, rwlock, condition }), lasting(fresh));
}, { limit: 60_000 + 20_000 * WORK });
