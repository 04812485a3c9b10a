// What one thread can show of PYTHON.md section 6; tests/conformance/event.ts has the rest.

import type { FullHandle } from "../../primitives/_handle.ts";
import { Event, LayoutError, Lock } from "../../primitives/mod.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, test } from "../_harness.ts";
import { posted } from "../_posted.ts";

/** The word with the flag, the waiters bit and the generation. */
function state(event: Event): number {
  const { buffer, byteOffset } = event.handle as FullHandle;
  return Atomics.load(new Int32Array(buffer, byteOffset), 3);
}

test("E1 Event: unset at first; set and clear are idempotent and return nothing", () => {
  const event = new Event();
  assert.equal(event.isSet, false);
  for (let i = 0; i < 2; i++) assert.deepEqual([event.clear(), event.isSet], [undefined, false]);
  for (let i = 0; i < 2; i++) assert.deepEqual([event.set(), event.isSet], [undefined, true]);
  assert.equal(state(event), 5); // one generation, set, nobody waits
  event.clear();
  assert.equal(event.isSet, false);
  for (const wrong of [3, null, "x"]) assert.throws(() => new Event(wrong as never), TypeError);
  assert.throws(() => new Event({ name: 3 as never }), TypeError);
});

test("E3 Event: unset, a timed wait is false after its time; set, all pass at once", async () => {
  const event = new Event();
  assert.equal(event.tryWait(), false);
  assert.equal(timeAsleep(() => assert.equal(event.tryWait({ timeout: 60 }), false)), 60);
  event.set();
  event.wait();
  await event.waitAsync();
  for (const timeout of [0, 60, Infinity, 1e100]) assert.equal(event.tryWait({ timeout }), true);
});

test("E2 E4 Event: set() frees every task, also with clear() at once, again and again", async () => {
  const event = new Event();
  for (let round = 0; round < 100; round++) {
    const waits = Array.from({ length: 5 }, () => event.waitAsync());
    event.set();
    event.clear();
    const late = event.waitAsync();
    await Promise.all(waits);
    event.set();
    await late;
    event.clear();
  }
});

test("E5 Event: clear() and stray wake-ups end no wait", async () => {
  const event = new Event();
  const { buffer, byteOffset } = event.handle as FullHandle;
  let passed = false;
  const waiting = event.waitAsync().then(() => passed = true);
  for (let i = 0; i < 20; i++) {
    event.clear();
    Atomics.notify(new Int32Array(buffer, byteOffset), 3);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(passed, false);
  event.set();
  await waiting;
});

test("G7 Event: an aborted waiter leaves the others alone, in line or not", async () => {
  const event = new Event();
  const controllers = Array.from({ length: 4 }, () => new AbortController());
  const results = controllers.map(({ signal }, i) =>
    event.waitAsync({ signal }).then(() => `${i}`, (reason) => reason)
  );
  await Promise.resolve();
  controllers[0]!.abort("first");
  controllers[2]!.abort("third");
  assert.deepEqual([await results[0], await results[2]], ["first", "third"]);
  event.set();
  assert.deepEqual([await results[1], await results[3]], ["1", "3"]);
});

test("G2 G8 Event: arguments are checked, also while it is set", async () => {
  const event = new Event();
  event.set();
  for (const timeout of [-1, NaN]) assert.throws(() => event.tryWait({ timeout }), RangeError);
  assert.throws(() => event.tryWait({ timeout: "1" as never }), TypeError);
  await assert.rejects(event.waitAsync({ signal: 1 as never }), TypeError);
  await assert.rejects(event.waitAsync({ signal: AbortSignal.abort("no") }), (reason) => reason === "no");
});

test("E5 Event: the generation may wrap around while somebody waits", async () => {
  const event = new Event();
  const { buffer, byteOffset } = event.handle as FullHandle;
  Atomics.store(new Int32Array(buffer, byteOffset), 3, 0x3fffffff << 2); // the last one
  const waiting = event.waitAsync();
  assert.equal(event.tryWait({ timeout: 5 }), false);
  event.set();
  event.clear();
  await waiting;
  assert.equal(state(event), 0);
});

test("G15 Event: printing shows class, name and state", () => {
  const event = new Event({ name: "go" });
  assert.equal(`${event}`, 'Event "go" (unset)');
  event.set();
  assert.equal(`${event}`, 'Event "go" (set)');
});

test("Event.attach() gives the same event, and refuses anything else", () => {
  const event = new Event({ name: "shared" });
  const other = Event.attach(posted(event.handle));
  event.set();
  assert.deepEqual([other.isSet, other.name], [true, "shared"]);
  assert.throws(() => Event.attach(new Lock().handle), LayoutError);
  assert.throws(() => Event.attach({ ...new Lock().handle, kind: "Event" } as never), LayoutError);
  assert.throws(() => Event.attach(undefined as never), TypeError);
});
