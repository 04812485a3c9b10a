// A thread was notified and died on its way to the lock. The notify() that found it dead passed its grant on, and woke
// nobody, as it notified nobody itself: the waiter went on only at the end of its slice.

import { Condition, Thread } from "../../mod.ts";
import { add, load, store } from "../../primitives/_atomics.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { DEATHS } from "../../primitives/_roster_record.ts";
import { ENDED } from "../_as_agent.ts";
import { assert, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { until } from "../_until.ts";

function wordsOf({ handle }: Condition): Int32Array<SharedArrayBuffer> {
  const { buffer, byteOffset, byteLength } = handle as FullHandle;
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

const HIGH = 5;
const SECOND = 32 + 8;
const GRANTED = 2;
const ASLEEP = 6;

test("Condition.notify() wakes who gets the grant of a thread that died", async () => {
  const condition = new Condition();
  const words = wordsOf(condition);
  const waiting = condition.withLockAsync(() => condition.waitAsync());
  await until(() => load(words, 32 + ASLEEP) !== 0); // one that is awake needs nobody to wake it
  store(words, HIGH, 2);
  store(words, SECOND, ENDED);
  store(words, SECOND + GRANTED, 1);
  const { roster, rosterOffset } = condition.handle as FullHandle;
  add(Roster.attach(roster, rosterOffset).words, DEATHS, 1); // as the end of any thread does

  const woken = notified(words.buffer, () => {
    condition.withLock(() => assert.equal(condition.notify(), 0)); // nobody is left to be notified
  });
  assert(woken.includes(32 + GRANTED), `woken are ${woken}, the words ${words}`);
  await waiting;
});

/** A task of it waits. */
export async function waitAsTask(condition: Condition): Promise<void> {
  await condition.withLockAsync(() => condition.waitAsync());
}

test("Condition: what a task was granted whose thread is told to stop goes to another thread", async () => {
  for (let tries = 1;; tries++) {
    const condition = new Condition();
    const { roster, rosterOffset } = condition.handle as FullHandle;
    const waiting = (count: number) => until(() => String(condition).includes(`(${count} waiting)`));
    const thread = new Thread({ target: waitAsTask, module: import.meta.url, args: [condition] }).start();
    await waiting(1);
    const own = condition.withLockAsync(() => condition.waitAsync());
    await waiting(2);
    condition.withLock(() => {
      Roster.attach(roster, rosterOffset).tellToStop(thread.id!);
      assert.equal(condition.notify(), 1); // it was there first
    });
    const stopped = await thread.joinAsync().then(() => false, () => true);
    if (!stopped) condition.withLock(() => condition.notify()); // it was about to look, and had heard of nothing
    await own;
    if (stopped) return;
    assert(tries < 5);
  }
});

test("Condition.notify() on a record full of nonsense ends soon", () => {
  const condition = new Condition(undefined, { threads: 64 });
  const words = wordsOf(condition);
  const me = condition.withLock(() => condition.lock.owner!);
  store(words, HIGH, 64);
  for (let i = 0; i < 64; i++) {
    const cell = 32 + 8 * i;
    const counts = i % 2 === 0 ? [ENDED, 0, 0x7fffffff, 0, 0, 0x7fffffff] : [me, 0x7fffffff, 0, 0, 1, 0];
    counts.forEach((count, word) => store(words, cell + word, count));
  }
  const begin = performance.now();
  condition.withLock(() => condition.notify());
  assert.between(performance.now() - begin, 0, 2000);
});
