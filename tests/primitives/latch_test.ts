// What one thread can show of Latch; tests/conformance/latch.ts has the rest.

import { Latch, LayoutError, Lock } from "../../primitives/mod.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, test } from "../_harness.ts";
import { posted } from "../_posted.ts";

test("Latch: the count comes down to zero, and it stays open", async () => {
  const latch = new Latch(3);
  assert.deepEqual([latch.count, latch.tryWait()], [3, false]);
  latch.countDown(2);
  assert.deepEqual([latch.count, latch.tryWait({ timeout: 5 })], [1, false]);
  latch.countDown();
  latch.wait();
  latch.wait();
  await latch.waitAsync();
  assert.deepEqual([latch.count, latch.tryWait({ timeout: Infinity })], [0, true]);
  new Latch(0).wait();
});

test("Latch: wrong counts are refused, and counting too far changes nothing", () => {
  for (const wrong of [-1, 1.5, NaN, 2 ** 30]) assert.throws(() => new Latch(wrong), RangeError);
  for (const wrong of ["1", undefined, 1n]) assert.throws(() => new Latch(wrong as never), TypeError);
  assert.throws(() => new Latch(1, 3 as never), TypeError);
  const latch = new Latch(2, { name: "end" });
  for (const wrong of [0, -1, 0.5]) assert.throws(() => latch.countDown(wrong), RangeError);
  assert.throws(() => latch.countDown(3), /Cannot count Latch "end" down by 3 as less is left: 2/);
  assert.equal(latch.count, 2);
  latch.countDown(2);
  assert.throws(() => latch.countDown(), RangeError);
  assert.equal(new Latch(2 ** 30 - 1).count, 2 ** 30 - 1);
});

test("G7 G8 Latch: an aborted waiter leaves the others alone", async () => {
  const latch = new Latch(1);
  const controllers = Array.from({ length: 3 }, () => new AbortController());
  const results = controllers.map(({ signal }, i) => latch.waitAsync({ signal }).then(() => i, (reason) => reason));
  await Promise.resolve();
  controllers[0]!.abort("gone");
  assert.equal(await results[0], "gone");
  latch.countDown();
  assert.deepEqual(await Promise.all(results), ["gone", 1, 2]);
  await assert.rejects(latch.waitAsync({ signal: AbortSignal.abort("no") }), (reason) => reason === "no");
});

test("G2 Latch: timeouts are checked, also while it is open, and waited for", () => {
  for (const timeout of [-1, NaN]) assert.throws(() => new Latch(0).tryWait({ timeout }), RangeError);
  assert.throws(() => new Latch(0).tryWait({ timeout: "1" as never }), TypeError);
  assert.equal(timeAsleep(() => assert.equal(new Latch(1).tryWait({ timeout: 60 }), false)), 60);
});

test("G15 Latch: printing shows class, name and what is left", () => {
  const latch = new Latch(2, { name: "end" });
  assert.equal(`${latch}`, 'Latch "end" (2 left)');
  latch.countDown(2);
  assert.equal(`${latch}`, 'Latch "end" (open)');
});

test("Latch.attach() gives the same latch, and refuses anything else", () => {
  const latch = new Latch(2);
  Latch.attach(posted(latch.handle)).countDown();
  assert.equal(latch.count, 1);
  assert.throws(() => Latch.attach(new Lock().handle), LayoutError);
});
