// Latch, with threads: everybody who waits comes through when the count is zero, and not before.

import { Latch, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { assembled, blockedOn, CREWS, joined, play, type Role } from "./_kit.ts";

const ask = asker(import.meta.url);
type Count = SharedValue<"i32">;

/** A thread of a crew. */
export function wait(role: Role, latch: Latch, arrived: Count, passed: Count): Promise<void> {
  const count = () => passed.add(1);
  return play(role, arrived, () => latch.waitAsync().then(count), () => {
    latch.wait();
    count();
  });
}

/** Counts down so often, in one step each. */
export function countDown(latch: Latch, times: number): void {
  for (let i = 0; i < times; i++) latch.countDown();
}

/** Waits with a limit. */
export function waitInVain(latch: Latch): { passed: boolean; ms: number } {
  const start = performance.now();
  const passed = latch.tryWait({ timeout: 100 });
  return { passed, ms: performance.now() - start };
}

/** Registers the cases. */
export function latchCases(_has: Capabilities): void {
  for (const crew of CREWS) {
    test(`Latch: ${crew.name} come through at zero, and not before`, async () => {
      const latch = new Latch(3, { name: "bolt" });
      const [arrived, passed] = [new SharedValue("i32"), new SharedValue("i32")];
      const threads = crew.roles.map((role) => ask(wait, role, latch, arrived, passed));
      await assembled(crew, arrived, "Latch", "bolt");
      latch.countDown(2);
      assert.equal(passed.value, 0);
      latch.countDown();
      await joined(threads);
      assert.equal(passed.value, crew.size);
      await latch.waitAsync(); // it stays open
      assert.equal(latch.tryWait(), true);
    }, { limit: 20_000 });
  }

  test("Latch: four threads count down 1000 each, and those who wait wake", async () => {
    const latch = new Latch(4000);
    const waiting = latch.waitAsync();
    const threads = [0, 1, 2, 3].map(() => ask(countDown, latch, 1000));
    await joined(threads);
    await waiting;
    assert.equal(latch.count, 0);
    assert.throws(() => latch.countDown(), RangeError);
  });

  test("Latch: a wait with a limit gives up after its time, not early", async () => {
    const latch = new Latch(1, { name: "shut" });
    const thread = ask(waitInVain, latch);
    await until(() => blockedOn("Latch", "shut") === 1 || !thread.alive);
    const { passed, ms } = await thread.joinAsync();
    assert.equal(passed, false);
    assert.between(ms, 100, 3_000);
  });
}
