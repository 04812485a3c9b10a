// PYTHON.md section 6, with threads: every kind of waiter comes through, and nobody else.

import { Event, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { assembled, blockedOn, CREWS, joined, play, type Role, starter } from "./_kit.ts";

const go = starter(import.meta.url);
const ask = asker(import.meta.url);
const ROUNDS = 200;

/** A thread of a crew. */
export function wait(role: Role, event: Event, arrived: SharedValue<"i32">): Promise<void> {
  return play(role, arrived, () => event.waitAsync(), () => event.wait());
}

/** Waits again and again, for two events in turn: one that is set for a moment could be passed twice. */
export async function waitOften(events: readonly Event[], arrived: SharedValue<"i32">, task: boolean): Promise<number> {
  let passed = 0;
  for (; passed < ROUNDS; passed++) {
    const event = events[passed % 2]!;
    if (task) {
      const waiting = event.waitAsync();
      arrived.add(1);
      await waiting;
    } else {
      arrived.add(1);
      event.wait();
    }
  }
  return passed;
}

/** Waits with a limit while others clear the event. */
export function waitInVain(event: Event): { passed: boolean; ms: number } {
  const start = performance.now();
  const passed = event.tryWait({ timeout: 150 });
  return { passed, ms: performance.now() - start };
}

/** Turns in a loop until the event shows set. */
export function watch(event: Event, watching: Event): number {
  watching.set();
  let turns = 0;
  while (!event.isSet) turns++;
  return turns;
}

/** One side of a game of turns. */
export function pass(mine: Event, other: Event, turns: number): void {
  for (let i = 0; i < turns; i++) {
    mine.wait();
    mine.clear();
    other.set();
  }
}

/** Leaves a pending wait behind and dies of an error. */
export async function dieWaiting(event: Event): Promise<void> {
  void event.waitAsync().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 5));
  throw new Error("dies");
}

/** Registers the cases. */
export function eventCases(_has: Capabilities): void {
  for (const crew of CREWS) {
    test(`E2 E4 Event.set() frees ${crew.name}, twice, the second time with clear() at once`, async () => {
      const [event, arrived] = [new Event({ name: "gate" }), new SharedValue("i32")];
      for (const brief of [false, true]) {
        arrived.value = 0;
        const threads = crew.roles.map((role) => ask(wait, role, event, arrived));
        await assembled(crew, arrived, "Event", "gate");
        event.set();
        if (brief) event.clear();
        await joined(threads);
        assert.equal(event.isSet, !brief);
        event.clear();
      }
    }, { limit: 20_000 });
  }

  test("E4 D11 set() and clear() with five waiters, again and again: every one comes through", async () => {
    const events = [new Event({ name: "flash" }), new Event({ name: "flash" })];
    const arrived = new SharedValue("i32");
    const threads = [false, false, false, true, true].map((task) => ask(waitOften, events, arrived, task));
    for (let round = 0; round < ROUNDS; round++) {
      await until(() => arrived.value === 5 * (round + 1) && blockedOn("Event", "flash") === 3);
      events[round % 2]!.set();
      events[round % 2]!.clear();
    }
    assert.deepEqual(await joined(threads), [ROUNDS, ROUNDS, ROUNDS, ROUNDS, ROUNDS]);
  }, { limit: 30_000 });

  test("E3 E5 clear() ends no wait: tryWait() is false after its time", async () => {
    const event = new Event({ name: "never" });
    const thread = ask(waitInVain, event);
    await until(() => blockedOn("Event", "never") === 1 || !thread.alive);
    for (let i = 0; i < 1000; i++) event.clear();
    const { passed, ms } = await thread.joinAsync();
    assert.equal(passed, false);
    assert.between(ms, 150, 3_000);
  });

  test("G12 a tight loop on isSet sees another thread's set()", async () => {
    const [event, watching] = [new Event(), new Event()];
    const thread = ask(watch, event, watching);
    await watching.waitAsync();
    event.set();
    await thread.joinAsync();
  });

  test("E2 two threads pass a turn to and fro", async () => {
    const [a, b] = [new Event(), new Event()];
    const threads = [ask(pass, a, b, 500), ask(pass, b, a, 500)];
    a.set();
    await joined(threads);
    assert.deepEqual([a.isSet, b.isSet], [true, false]);
  });

  test("D9 a waiter of an Event dies: set() returns at once and the living wake", async () => {
    const event = new Event({ name: "mourned" });
    const arrived = new SharedValue("i32");
    const living = [
      ask(wait, { tasks: 1, blocks: false }, event, arrived),
      ask(wait, { tasks: 0, blocks: true }, event, arrived),
    ];
    const error = await assert.rejects(go(dieWaiting, event).joinAsync());
    assert.match(error.message, /dies/);
    const killed = go(wait, { tasks: 0, blocks: true }, event, arrived);
    await until(() => arrived.value === 3 && blockedOn("Event", "mourned") === 2);
    const ended = assert.rejects(killed.joinAsync());
    await killed.terminate();
    await ended;
    event.set();
    event.clear();
    await joined(living);
  }, { limit: 20_000 });

  test("G7 an aborted waiter leaves the others alone", async () => {
    const event = new Event();
    const controller = new AbortController();
    const waits = [event.waitAsync(), event.waitAsync({ signal: controller.signal }), event.waitAsync()];
    controller.abort("enough");
    await assert.rejects(waits[1]!, (reason) => reason === "enough");
    event.set();
    await Promise.all([waits[0], waits[2]]);
  });
}
