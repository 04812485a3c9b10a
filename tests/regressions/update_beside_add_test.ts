// update() wrote what it had computed whatever stood there by then, and undid the add() of a thread that came in between.

import { Latch, SharedValue, Thread } from "../../mod.ts";
import { Agent } from "../../primitives/_agent.ts";
import { asAgent } from "../_as_agent.ts";
import { assert, test } from "../_harness.ts";

const ROUNDS = 200_000;

/** Adds one by one, without the lock. */
export function add(total: SharedValue<"i32">, both: Latch): void {
  both.countDown();
  both.wait();
  for (let i = 0; i < ROUNDS; i++) total.add(3);
}

/** Takes away under the lock. */
export function update(total: SharedValue<"i32">, both: Latch): void {
  both.countDown();
  both.wait();
  for (let i = 0; i < ROUNDS; i++) total.update((seen) => seen - 2);
}

test("SharedValue.update() keeps what others add meanwhile", async () => {
  const total = new SharedValue("i32", 0);
  const args: [SharedValue<"i32">, Latch] = [total, new Latch(2)];
  const threads = [add, update].map((target) => new Thread({ target, module: import.meta.url, args }).start());
  for (const thread of threads) await thread.joinAsync();
  assert.equal(total.value, ROUNDS);
});

test("SharedValue.update() ends although its function changes the value through another object", () => {
  const value = new SharedValue("i32", 0);
  const same = SharedValue.attach<"i32">(value.handle);
  let calls = 0;
  value.update((seen) => {
    if (++calls > 3) throw new Error("called again and again");
    same.update((inside) => inside + 10);
    same.add(1);
    return seen + 1;
  });
  assert.deepEqual([calls, value.value], [1, 1]);
});

test("SharedValue.update() calls again when the value has changed without the lock", async () => {
  const cases = [["u8", 250, 251, 5], ["i64", -1n, 7n, 2n ** 62n], ["f64", Number.NaN, -0, 1.5], [
    "char",
    "a",
    "b",
    "c",
  ]];
  for (const [type, first, between, last] of cases as ["f64", number, number, number][]) {
    const value = new SharedValue(type, first);
    const other = new Agent();
    const seen: unknown[] = [];
    const compute = (now: number): number => {
      if (seen.push(now) === 1) asAgent(other, () => SharedValue.attach<"f64">(value.handle).value = between);
      return last;
    };
    assert.equal(value.update(compute), last);
    assert.deepEqual(seen, [first, between]);
    seen.length = 0;
    value.value = first;
    assert.equal(await value.updateAsync(compute), last);
    assert.deepEqual([seen, value.value], [[first, between], last]);
  }
});

test("SharedValue.update() ends although its function changes the value itself", () => {
  const value = new SharedValue("i32", 1);
  assert.equal(value.update((seen) => value.update((inner) => inner + 1) + seen), 3);
  assert.equal(value.update((seen) => seen + value.add(1)), 6);
  assert.equal(value.update((seen) => value.value = seen + 1), 7);
});
