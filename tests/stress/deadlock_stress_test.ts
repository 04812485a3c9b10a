// Many circles, and none: random graphs of locks against a reference, dining philosophers, and contention without an
// alarm. This short form runs in the gate.
//
// LOCKSTEP_STRESS multiplies the work, 1 by default; 120 makes ten minutes of contention.

import { Latch, Lock, RLock, RWLock, SharedArray, Thread } from "../../mod.ts";
import { assert, random, test } from "../_harness.ts";
import type { Fate, Graph } from "../testdata/graph_threads.ts";
import { circlesOf, graphOf, isRWLock, play } from "../testdata/graph_threads.ts";
import type { Course, Diary, Variant } from "../testdata/philosophers.ts";
import { dine } from "../testdata/philosophers.ts";
import { contend } from "../testdata/contend_threads.ts";

// deno-lint-ignore no-explicit-any
const env = (globalThis as any).process?.env;
const WORK = Number(env?.LOCKSTEP_STRESS ?? 1);
/** ms from the closing of a circle to the error. */
const IN_TIME = 500 * Number(env?.LOCKSTEP_PATIENCE ?? 1);
/** By how many ms the clocks of two threads may differ. */
const SKEW = 10;

let slowest = 0;

/** Several groups of threads at once, each with graphs of its own; returns how many graphs had circles. */
async function randomGraphs(groups: number, size: number, rounds: number, seed: number): Promise<number> {
  const module = new URL("../testdata/graph_threads.ts", import.meta.url);
  const parties = Array.from({ length: groups }, (_, group) => {
    const locks = Array.from({ length: 2 + ((group * 3) % 7) }, (_, i) => {
      return isRWLock(i) ? new RWLock() : i % 3 === 1 ? new RLock() : new Lock();
    });
    const gates = Array.from({ length: 2 * rounds }, () => new Latch(size));
    const threads = Array.from({ length: size }, (_, me) => {
      const args: Parameters<typeof play> = [me, seed + group, size, locks, gates];
      return new Thread({ target: play, module, args, name: `g${group}-${me}` }).start();
    });
    return { group, locks, threads };
  });
  let closed = 0;
  for (const { group, locks, threads } of parties) {
    const fates = await Promise.all(threads.map((thread) => thread.joinAsync()));
    for (let round = 0; round < rounds; round++) {
      const graph = graphOf(seed + group, round, size, locks.length);
      const where = `seed ${seed}, group ${group}, round ${round}, ${JSON.stringify(graph)}`;
      if (agrees(graph, fates.map((each) => each[round]!), where)) closed++;
    }
    assert(locks.every((lock) => lock instanceof RWLock ? lock.readers === 0 && !lock.writer : !lock.locked));
  }
  return closed;
}

/** Compares how the threads fared with the reference; returns whether there was a circle. */
function agrees(graph: Graph, fates: readonly Fate[], where: string): boolean {
  const circles = circlesOf(graph).map((circle) => circle.join());
  const told = fates.flatMap(({ ended, circle }) => circle === undefined ? [] : [{ ended, circle }]);
  const found = told.map(({ circle }) => {
    const first = circle.indexOf(Math.min(...circle));
    return [...circle.slice(first), ...circle.slice(0, first)].join();
  });
  for (const circle of found) assert(circles.includes(circle), `a false alarm: ${circle}; ${where}`);
  assert.equal(new Set(found).size, found.length, `told twice; ${where}`);
  // Circles that share a thread may both be gone when one is broken; those of single holders share none.
  if (graph.wants.every((lock) => lock < 0 || graph.holders[lock]!.length <= 1)) {
    assert.equal(found.length, circles.length, where);
  } else if (circles.length > 0) assert(found.length > 0, `missed; ${where}`);
  for (const { ended, circle } of told) {
    const ms = ended - Math.max(...circle.map((thread) => fates[thread]!.began));
    assert.between(ms, -SKEW, IN_TIME, where);
    slowest = Math.max(slowest, ms);
  }
  return circles.length > 0;
}

test(
  "Random graphs of locks: the circles that real threads are told of are those of the reference, each once",
  async () => {
    const seed = random().next() % 1e9;
    let closed = 0;
    for (let i = 0; i < WORK; i++) closed += await randomGraphs(6, 4, 170, seed + i);
    const graphs = 6 * 170 * WORK;
    console.log(`${graphs} graphs, ${closed} with circles, told within ${Math.ceil(slowest)} ms, seed ${seed}`);
    assert(closed > graphs / 10);
  },
  { limit: 90_000 * WORK },
);

const VARIANTS = ["naive", "ranked", "all", "back-off"] as const satisfies Variant[];
const MODULE = new URL("../testdata/philosophers.ts", import.meta.url);

/** Seats that many philosophers for all variants; each naive meal begins with all left forks taken. */
async function dinner(seats: number, naive: number, others: number): Promise<Record<Variant, Diary[]>> {
  const courses = VARIANTS.map((variant) => ({
    variant,
    forks: Array.from({ length: seats }, (_, i) => new Lock(variant === "ranked" ? { rank: i } : {})),
    met: Array.from({ length: variant === "naive" ? 2 * naive : 0 }, () => new Latch(seats)),
    began: new SharedArray("f64", seats, { lock: false }),
  }));
  const seed = random(`${seats}`).next();
  const rise = new Latch(seats);
  const threads = Array.from({ length: seats }, (_, i) => {
    const mine = courses.map(({ variant, forks, met, began }): Course => {
      const [one, other] = [forks[i]!, forks[(i + 1) % seats]!];
      const [left, right] = variant === "ranked" && i === seats - 1 ? [other, one] : [one, other];
      return { left, right, variant, met, began, meals: variant === "naive" ? naive : others };
    });
    return new Thread({ target: dine, module: MODULE, args: [mine, i, seed + i, rise], name: `philosopher-${i}` })
      .start();
  });
  const diaries = await Promise.all(threads.map((thread) => thread.joinAsync()));
  assert(courses.every(({ forks }) => forks.every(({ locked }) => !locked)));
  return Object.fromEntries(VARIANTS.map((variant, i) => [variant, diaries.map((diary) => diary[i]!)])) as never;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

for (const seats of WORK > 1 ? [2, 3, 5, 8, 16, 32, 64] : [2, 5, 16, 64]) {
  test(
    `${seats} dining philosophers: naive is detected each time; ranked, acquireAll and back-off close no circle`,
    async () => {
      const { naive, ...others } = await dinner(seats, 5, seats > 16 ? 20 : 100);
      assert(sum(naive.map(({ deadlocks }) => deadlocks)) >= 5, "a circle was missed");
      assert.between(Math.max(...naive.map(({ slowest }) => slowest)), 0, IN_TIME);
      for (const [variant, diaries] of Object.entries(others)) {
        assert.equal(sum(diaries.map(({ deadlocks }) => deadlocks)), 0);
        assert.between(Math.max(...diaries.map(({ hunger }) => hunger)), 0, 5000, `${variant}: somebody starves`);
      }
    },
    { limit: 90_000 },
  );
}

test("Heavy contention over many locks, taken in order, raises no alarm", async () => {
  const module = new URL("../testdata/contend_threads.ts", import.meta.url);
  const locks = Array.from({ length: 6 }, (_, i) => new (i % 2 === 0 ? Lock : RLock)({ rank: i }));
  const seconds = 5 * WORK;
  const seed = random().next();
  const threads = Array.from({ length: 8 }, (_, i) => {
    const args: Parameters<typeof contend> = [locks, seconds * 1000, seed + i];
    return new Thread({ target: contend, module, args }).start();
  });
  const turns = await Promise.all(threads.map((thread) => thread.joinAsync()));
  console.log(`${sum(turns)} turns, the slowest thread ${Math.min(...turns)}, the fastest ${Math.max(...turns)}`);
  assert(turns.every((count) => count > 0));
  assert(locks.every(({ locked }) => !locked));
}, { limit: 60_000 + 10_000 * WORK });
