// RWLock with threads: readers together, writers alone, nobody starved, nothing kept by the dead, no circle unbroken.

import { DeadlockError, Event, Latch, OwnerDiedError, RWLock, SharedArray } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, Prng, random, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { blockedOn, joined, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);
/** ms for a test: starting a thread takes seconds where many run at once. */
const AMPLE = { limit: 60_000 };
const soon = (ready: () => unknown): Promise<void> => until(ready, 30_000);

/** Checks that everything in the record that counts holds and waiters is back at 0. */
function assertFree(lock: RWLock): void {
  const { buffer, byteOffset } = lock.handle as unknown as { buffer: SharedArrayBuffer; byteOffset: number };
  assert.deepEqual([...new Int32Array(buffer, byteOffset + 12, 7)], [0, 0, 0, 0, 0, 0, 0]); // WRITER … HEIR
  assert.equal(lock.toString().endsWith("(free)"), true);
}

/** How many writers wait: a blocked one is counted a moment after it shows in dumps. */
function writersWaiting(lock: RWLock): number {
  const { buffer, byteOffset } = lock.handle as unknown as { buffer: SharedArrayBuffer; byteOffset: number };
  return new Int32Array(buffer, byteOffset)[5]!;
}

/** Reads and writes a pair of numbers that are always equal; the whole state is checked under the lock. */
export async function readAndWrite(
  lock: RWLock,
  pair: SharedArray<"i32">,
  seed: number,
  rounds: number,
): Promise<number> {
  const prng = new Prng(seed);
  let writes = 0;
  for (let round = 0; round < rounds; round++) {
    const writer = prng.chance(0.3);
    const how = prng.below(4);
    let guard;
    if (how === 0) guard = writer ? await lock.writeAsync() : await lock.readAsync();
    else if (how === 1) {
      const controller = new AbortController();
      const { signal } = controller;
      const wait = writer ? lock.writeAsync({ signal }) : lock.readAsync({ signal });
      if (prng.chance(0.5)) controller.abort();
      guard = await wait.catch(() => undefined);
    } else if (how === 2) guard = writer ? lock.tryWrite({ timeout: prng.below(3) }) : lock.tryRead({ timeout: 1 });
    else guard = writer ? lock.write() : lock.read();
    if (guard === undefined) continue;
    const { view } = pair;
    assert.equal(view[0], view[1]);
    if (writer) {
      view[0]!++; // not atomic: only the lock keeps others away
      assert.equal(lock.readers, 0);
      view[1]!++;
      writes++;
    }
    guard.release();
  }
  return writes;
}

/** Holds one side after the other, with hardly a pause, until told to end. */
export function hog(lock: RWLock, side: "read" | "write", running: Latch, end: Event): number {
  let rounds = 0;
  while (!end.isSet) {
    const guard = lock[side]();
    if (++rounds === 20) running.countDown();
    for (let turn = 0; turn < 20_000; turn++) if (end.isSet) break;
    guard.release();
  }
  if (rounds < 20) running.countDown();
  return rounds;
}

/** Takes a side so many times, blocked or as a task. */
export async function takeOften(lock: RWLock, side: "read" | "write", task: boolean, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const guard = task ? await lock[`${side}Async`]() : lock[side]();
    guard.release();
  }
}

/** Takes a side and dies. */
export function dieHolding(lock: RWLock, side: "read" | "write", held: Event, how: "throw" | "stop"): void {
  lock[side]();
  held.set();
  if (how === "throw") throw new Error("dies");
  new Event().wait();
}

/** Waits for a side, blocked or as a task; says how that ended. */
export async function want(lock: RWLock, side: "read" | "write", task: boolean): Promise<string> {
  try {
    (task ? await lock[`${side}Async`]() : lock[side]()).release();
    return "got it";
  } catch (error) {
    return error instanceof OwnerDiedError || error instanceof DeadlockError ? error.code : String(error);
  }
}

/** Takes one side of one lock, meets the others, and then wants one side of another. */
export function takeThenWant(
  mine: RWLock,
  side: "read" | "write",
  other: RWLock,
  wanted: "read" | "write",
  met: Latch,
): string {
  const guard = mine[side]();
  met.countDown();
  met.wait();
  try {
    other[wanted]().release();
    return "got it";
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return `${error.code} of ${error.cycle.length}`;
  } finally {
    guard.release();
  }
}

/** Registers the cases. */
export function rwLockCases(_has: Capabilities): void {
  test("RWLock: random readers and writers in eight threads never see half of a change", async () => {
    const prng = random();
    const [lock, pair] = [new RWLock(), new SharedArray("i32", 2, { lock: false })];
    const threads = Array.from({ length: 8 }, () => ask(readAndWrite, lock, pair, prng.next(), 200));
    const writes = (await joined(threads)).reduce((sum, n) => sum + n, 0);
    assert.deepEqual([...pair.view], [writes, writes]);
    assertFree(lock);
  }, AMPLE);

  for (const side of ["read", "write"] as const) {
    const other = side === "read" ? "write" : "read";
    test(`RWLock: a stream of ${side}s in three threads does not starve who wants to ${other}`, async () => {
      const lock = new RWLock();
      const [running, end] = [new Latch(3), new Event()];
      const hogs = [1, 2, 3].map(() => ask(hog, lock, side, running, end));
      await running.waitAsync();
      await joined([ask(takeOften, lock, other, false, 10), ask(takeOften, lock, other, true, 10)]);
      end.set();
      await joined(hogs);
      assertFree(lock);
    }, AMPLE);
  }

  for (const how of ["throw", "stop"] as const) {
    test(`D1 RWLock: a thread dies writing (${how}): everything throws OwnerDiedError until recover()`, async () => {
      const lock = new RWLock({ name: "marked" });
      for (let turn = 0; turn < 2; turn++) {
        const held = new Event();
        const dies = go(dieHolding, lock, "write", held, how);
        await held.waitAsync();
        const waits = [ask(want, lock, "read", false), ask(want, lock, "write", false), ask(want, lock, "write", true)];
        if (how === "stop") {
          await soon(() => blockedOn("RWLock", "marked") === 2);
          await Promise.all([dies.terminate(), assert.rejects(dies.joinAsync())]);
        } else await assert.rejects(dies.joinAsync(), /dies/);
        assert.deepEqual(await joined(waits), ["owner-died", "owner-died", "owner-died"]);
        assert.throws(() => lock.tryRead(), OwnerDiedError);
        assert.throws(() => lock.tryWrite({ timeout: 5 }), OwnerDiedError);
        await assert.rejects(lock.readAsync(), /Cannot read RWLock "marked" as thread .* died writing it: recover\(\)/);
        const guard = lock.recover()!;
        assert.equal(lock.recover(), undefined);
        assert.equal(lock.tryRead(), undefined);
        guard.release();
        lock.tryRead()!.release();
        assertFree(lock);
      }
    }, AMPLE);

    test(`D1 RWLock: a thread that dies reading (${how}) vanishes`, async () => {
      const lock = new RWLock({ name: "left" });
      const held = new Event();
      const dies = go(dieHolding, lock, "read", held, how);
      await held.waitAsync();
      const waits = [ask(want, lock, "write", false), ask(want, lock, "write", true), ask(want, lock, "read", false)];
      if (how === "stop") await Promise.all([dies.terminate(), assert.rejects(dies.joinAsync())]);
      else await assert.rejects(dies.joinAsync(), /dies/);
      assert.deepEqual(await joined(waits), ["got it", "got it", "got it"]);
      assert.equal(lock.readers, 0);
      assertFree(lock);
    }, AMPLE);
  }

  test("RWLock: a waiting writer that dies is in nobody's way", async () => {
    const lock = new RWLock({ name: "way" });
    const reader = await lock.readAsync();
    const dies = go(want, lock, "write", false);
    await soon(() => writersWaiting(lock) === 1);
    const reads = ask(want, lock, "read", false);
    await soon(() => blockedOn("RWLock", "way") === 2);
    await dies.terminate();
    await dies.joinAsync().catch(() => {});
    assert.equal(await reads.joinAsync(), "got it");
    reader.release();
    assertFree(lock);
  }, AMPLE);

  for (const [side, wanted] of [["read", "write"], ["write", "read"], ["write", "write"]] as const) {
    test(`D13 RWLock: two threads ${side} A and B and want to ${wanted} the other: one DeadlockError`, async () => {
      const [a, b] = [new RWLock({ name: "A" }), new RWLock({ name: "B" })];
      const met = new Latch(2);
      const threads = [ask(takeThenWant, a, side, b, wanted, met), ask(takeThenWant, b, side, a, wanted, met)];
      assert.deepEqual((await joined(threads)).sort(), ["deadlock of 2", "got it"]);
      assertFree(a);
      assertFree(b);
    }, AMPLE);
  }

  test("D13 RWLock: a reader behind a waiting writer is part of the circle", async () => {
    const [a, b] = [new RWLock({ name: "A" }), new RWLock({ name: "B" })];
    const met = new Latch(3);
    const first = ask(takeThenWant, a, "read", b, "write", met); // will wait for the third
    const third = ask(takeThenWant, b, "read", a, "read", met); // will wait behind the second
    await soon(() => met.count === 1);
    const second = ask(want, a, "write", false); // waits for the first
    await soon(() => writersWaiting(a) === 1);
    met.countDown();
    const results = await joined<string>([first, second, third]);
    assert.equal(results.filter((result) => result.startsWith("deadlock")).length, 1, results.join(", "));
    assert.equal(results.filter((result) => result === "got it").length, 2, results.join(", "));
    assertFree(a);
    assertFree(b);
  }, AMPLE);
}
