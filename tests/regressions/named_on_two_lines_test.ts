// A thread's name with a line break in it broke the table of a dump and the message of a DeadlockError, which have a line for
// each thing.

import { Lock, threadDump } from "../../mod.ts";
import { store } from "../../primitives/_atomics.ts";
import { OWNER } from "../../primitives/_lock_word.ts";
import { lockCore } from "../../primitives/lock.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

test("threadDump() tells who holds a lock on one line, whatever the name", async () => {
  const lock = new Lock({ name: "table" });
  const { words, roster } = lockCore(lock);
  const holder = roster.take("two\nlines", roster.me, 0);
  roster.markRunning(holder);
  store(words, OWNER, holder);
  const waiting = lock.acquireAsync();
  const lines = (): string[] => `${threadDump()}`.split("\n").filter((line) => line.includes("held by"));
  await until(() => lines().length > 0);
  assert.match(lines()[0]!, /held by "two\\nlines"$/);
  lock.release();
  (await waiting).release();
  roster.markDead(holder);
});
