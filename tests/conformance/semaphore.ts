// PYTHON.md section 5, with threads: as many come in as there are permits, and no permit is lost, whoever gives up or dies.

import { BoundedSemaphore, Event, type Guard, Latch, Semaphore, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, Prng, random, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { assembled, blockedOn, CREWS, joined, play, type Role, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);
/** ms for a test: starting a thread takes seconds where many run at once. */
const AMPLE = { limit: 60_000 };
const soon = (ready: () => unknown): Promise<void> => until(ready, 30_000);
type Count = SharedValue<"i32">;

/** Checks that the record's counts of waiters, and the heir, are back at 0. */
function assertNobodyWaits(semaphore: Semaphore): void {
  const { buffer, byteOffset } = semaphore.handle as unknown as { buffer: SharedArrayBuffer; byteOffset: number };
  const [, , , , , , , sleepers, tasks, , heir, monitor] = new Int32Array(buffer, byteOffset, 12);
  assert.deepEqual([sleepers, tasks, heir, monitor], [0, 0, 0, 0]);
}

/** A thread of a crew: `taken` never exceeds `given`, and each keeps what it took until all may go. */
export async function take(
  role: Role,
  semaphore: Semaphore,
  arrived: Count,
  taken: Count,
  given: Count,
  end: Event,
): Promise<void> {
  const check = (guard: Guard): Guard => {
    assert(taken.add(1) < given.value);
    return guard;
  };
  const guards: Guard[] = [];
  await play(
    role,
    arrived,
    async () => guards.push(check(await semaphore.acquireAsync())),
    () => guards.push(check(semaphore.acquire())),
  );
  await end.waitAsync();
  for (const guard of guards) guard.release();
}

/** Tries twice, and keeps what it got until all have tried. */
export function tryTwice(semaphore: Semaphore, tried: Latch): number {
  const guards = [semaphore.tryAcquire(), semaphore.tryAcquire()];
  tried.countDown();
  tried.wait();
  for (const guard of guards) guard?.release();
  return guards.filter((guard) => guard !== undefined).length;
}

/** Goes in and out; never more than `most` are inside. */
export async function inAndOut(
  semaphore: Semaphore,
  inside: Count,
  rounds: number,
  most: number,
  task: boolean,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const guard = task ? await semaphore.acquireAsync() : semaphore.acquire();
    assert(inside.add(1) < most);
    inside.sub(1);
    guard.release();
  }
}

/** Takes with short limits and signals, and returns at last what it took; returns how often it got one. */
export async function takeOften(semaphore: Semaphore, seed: number, rounds: number): Promise<number> {
  const prng = new Prng(seed);
  const kept: Guard[] = [];
  let got = 0;
  for (let round = 0; round < rounds; round++) {
    let guard: Guard | undefined;
    if (prng.chance(0.5)) {
      guard = semaphore.tryAcquire({ timeout: prng.below(3) });
    } else {
      const controller = new AbortController();
      const wait = semaphore.acquireAsync({ signal: controller.signal }).catch(() => undefined);
      setTimeout(() => controller.abort(), prng.below(3));
      guard = await wait;
    }
    if (guard === undefined) continue;
    got++;
    if (prng.chance(0.5)) guard.release();
    else kept.push(guard);
  }
  for (const guard of kept) guard.release();
  return got;
}

/** Takes permits and dies. */
export function dieHolding(semaphore: Semaphore, n: number, held: Event, how: "throw" | "stop"): void {
  for (let i = 0; i < n; i++) semaphore.acquire();
  held.set();
  if (how === "throw") throw new Error("dies");
  new Event().wait();
}

/** Takes permits for good, as in Python: no guard, and no release. */
export function takeAndReturn(semaphore: Semaphore, n: number, taken: Count): void {
  for (let i = 0; i < n; i++) {
    semaphore.acquire();
    taken.add(1);
  }
}

/** Takes one, says so, and waits to be told to end. */
export function holdUntil(semaphore: Semaphore, held: Latch, end: Event): void {
  const guard = semaphore.acquire();
  held.countDown();
  end.wait();
  guard.release();
}

/** Goes in and out until told to end, hardly ever leaving the permit to others. */
export function hog(semaphore: Semaphore, end: Event, running: Event): number {
  let rounds = 0;
  while (!end.isSet) {
    const guard = semaphore.acquire();
    if (++rounds === 10) running.set();
    for (let turn = 0; turn < 20_000; turn++) if (end.isSet) break;
    guard.release();
  }
  return rounds;
}

/** Registers the cases. */
export function semaphoreCases(_has: Capabilities): void {
  for (const crew of CREWS) {
    test(`S2 S3 S4 release(n) admits exactly n of ${crew.name}, twice`, async () => {
      const semaphore = new Semaphore(0, { name: "gate" });
      const [arrived, taken, given] = [new SharedValue("i32"), new SharedValue("i32"), new SharedValue("i32")];
      const end = new Event();
      for (let turn = 0; turn < 2; turn++) {
        arrived.value = taken.value = given.value = 0;
        end.clear();
        const threads = crew.roles.map((role) => ask(take, role, semaphore, arrived, taken, given, end));
        await assembled(crew, arrived, "Semaphore", "gate");
        for (const n of [2, 1, crew.size - 3]) {
          given.add(n);
          semaphore.release(n);
          await soon(() => taken.value === given.value);
          assert.equal(semaphore.value, 0);
        }
        end.set();
        await joined(threads);
        assert.equal(semaphore.value, crew.size);
        for (let i = 0; i < crew.size; i++) semaphore.tryAcquire();
        assertNobodyWaits(semaphore);
      }
    }, AMPLE);
  }

  test("S6 five threads try twice each on value 3: exactly 3 guards", async () => {
    const semaphore = new BoundedSemaphore(3);
    const tried = new Latch(5);
    const got = await joined([1, 2, 3, 4, 5].map(() => ask(tryTwice, semaphore, tried)));
    assert.equal(got.reduce((sum, n) => sum + n, 0), 3);
    assert.equal(semaphore.value, 3);
  }, AMPLE);

  for (const value of [1, 3]) {
    test(`S14 BoundedSemaphore(${value}) holds eight threads down, blocked and async`, async () => {
      const semaphore = new BoundedSemaphore(value);
      const inside = new SharedValue("i32");
      const threads = Array.from({ length: 8 }, (_, i) => ask(inAndOut, semaphore, inside, 300, value, i % 2 === 1));
      await joined(threads);
      assert.equal(semaphore.value, value);
      assertNobodyWaits(semaphore);
    }, AMPLE);
  }

  test("S12 waiters that give up eat no permit", async () => {
    const prng = random();
    const semaphore = new Semaphore(2);
    const threads = [1, 2, 3, 4, 5].map(() => ask(takeOften, semaphore, prng.next(), 100));
    let given = 2;
    for (; given < 40; given++) {
      semaphore.release();
      await new Promise((resolve) => setTimeout(resolve, prng.below(3)));
    }
    const got = await joined(threads);
    assert(got.some((n) => n > 0)); // one that comes late may find the others keeping them all
    assert.equal(semaphore.value, 40);
    assertNobodyWaits(semaphore);
  }, AMPLE);

  for (const how of ["throw", "stop"] as const) {
    test(`D2 a thread that dies holding permits (${how}) gives them back to who waits`, async () => {
      for (const Kind of [Semaphore, BoundedSemaphore]) {
        const semaphore = new Kind(3, { name: "dead" });
        const [held, end, got] = [new Event(), new Event(), new Latch(2)];
        const dies = go(dieHolding, semaphore, 3, held, how);
        await held.waitAsync();
        const waits = ask(holdUntil, semaphore, got, end);
        const task = semaphore.acquireAsync().then((guard) => {
          got.countDown();
          return guard;
        });
        if (how === "stop") {
          await soon(() => blockedOn(Kind.name, "dead") === 1);
          await Promise.all([dies.terminate(), assert.rejects(dies.joinAsync())]);
        } else await assert.rejects(dies.joinAsync(), /dies/);
        await got.waitAsync();
        assert.equal(semaphore.value, 1);
        end.set();
        (await task).release();
        await waits.joinAsync();
        assert.equal(semaphore.value, 3);
      }
    }, AMPLE);
  }

  test("D2 what release() gave back for another thread does not come back a second time when that dies", async () => {
    for (const Kind of [Semaphore, BoundedSemaphore]) {
      const semaphore = new Kind(2);
      const held = new Event();
      const dies = go(dieHolding, semaphore, 2, held, "stop");
      await held.waitAsync();
      semaphore.release();
      assert.equal(semaphore.value, 1);
      await Promise.all([dies.terminate(), assert.rejects(dies.joinAsync())]);
      await soon(() => semaphore.value === 2);
      assert.equal(semaphore.value, 2);
    }
  }, AMPLE);

  for (const Kind of [Semaphore, BoundedSemaphore]) {
    test(
      `S3 ${Kind.name} of 7 and ten threads, which return with what they took: exactly one more for each permit`,
      async () => {
        const semaphore = new Kind(7, { name: "seven" });
        semaphore.acquire();
        const taken = new SharedValue("i32");
        const threads = Array.from({ length: 10 }, () => go(takeAndReturn, semaphore, 2, taken));
        let passed = 6;
        for (const n of [0, 7, 6]) {
          for (let i = 0; i < n; i++) semaphore.release();
          passed += n;
          await soon(() =>
            taken.value === passed && threads.filter(({ alive }) => alive).length === blockedOn(Kind.name, "seven")
          );
          assert.equal(semaphore.value, 0);
          assert.equal(taken.value, passed);
        }
        assert.equal(semaphore.tryAcquire(), undefined);
        semaphore.release();
        await joined(threads);
        assert.equal(semaphore.value, 0);
        semaphore.release(7); // given back by anybody
        assert.equal(semaphore.value, 7);
        if (Kind === BoundedSemaphore) assert.throws(() => semaphore.release(), RangeError);
        assertNobodyWaits(semaphore);
      },
      { limit: 20_000 },
    );
  }

  test("S12 a waiter that dies eats no permit", async () => {
    const semaphore = new Semaphore(0, { name: "mourned" });
    const [held, end] = [new Latch(1), new Event()];
    const dies = go(holdUntil, semaphore, held, end);
    await soon(() => blockedOn("Semaphore", "mourned") === 1);
    const lives = ask(holdUntil, semaphore, held, end);
    await soon(() => blockedOn("Semaphore", "mourned") === 2);
    await Promise.all([dies.terminate(), assert.rejects(dies.joinAsync())]);
    semaphore.release();
    await held.waitAsync();
    end.set();
    await lives.joinAsync();
    assert.equal(semaphore.value, 1);
    assertNobodyWaits(semaphore);
  }, AMPLE);

  test("a waiter that is passed again and again gets the next permit", async () => {
    const semaphore = new Semaphore(1);
    const [end, running] = [new Event(), new Event()];
    const hogs = [ask(hog, semaphore, end, running), ask(hog, semaphore, end, running)];
    await running.waitAsync();
    for (let turn = 0; turn < 5; turn++) (await semaphore.acquireAsync()).release();
    end.set();
    await joined(hogs);
    assert.equal(semaphore.value, 1);
    assertNobodyWaits(semaphore);
  }, AMPLE);

  test("one thread more than the option threads says gets a RangeError that names it", async () => {
    const semaphore = new Semaphore(5, { threads: 2 });
    const [held, end] = [new Latch(2), new Event()];
    const threads = [ask(holdUntil, semaphore, held, end), ask(holdUntil, semaphore, held, end)];
    await held.waitAsync();
    assert.throws(() => semaphore.tryAcquire(), /2 threads use it: raise its option threads/);
    end.set();
    await joined(threads);
    semaphore.tryAcquire()!.release();
    assert.equal(semaphore.value, 5);
  }, AMPLE);
}
