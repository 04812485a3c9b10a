// PYTHON.md section 8, with threads: nothing is lost in one step, nothing is seen half-written.

import { Lock, RLock, SharedArray, SharedValue } from "../../mod.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import { assert, random, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { asker } from "./_hands.ts";
import { joined } from "./_kit.ts";

const ask = asker(import.meta.url);
const TIMES = 10_000;

/** Adds one again and again, in one step or under the lock. */
export async function addOne(value: SharedValue<"i32">, form: "add" | "update" | "updateAsync"): Promise<void> {
  for (let i = 0; i < TIMES; i++) {
    if (form === "add") value.add(1);
    else if (form === "update") value.update((seen) => seen + 1);
    else await value.updateAsync((seen) => seen + 1);
  }
}

/** Writes two values in turn until told to stop. */
export function flip(value: SharedValue<"i64">, float: SharedValue<"f64">, stop: SharedValue<"bool">): void {
  for (let i = 0; !stop.value; i++) {
    value.value = i % 2 === 0 ? 0n : -1n;
    float.value = i % 2 === 0 ? 1 : -1 / 3;
  }
}

/** Doubles everything. */
export function double(
  values: readonly [SharedValue<"i">, SharedValue<"d">, SharedValue<"q">],
  array: SharedArray<"d">,
  text: SharedArray<"c">,
): void {
  const [int, float, long] = values;
  int.value *= 2;
  float.value *= 2;
  long.value *= 2n;
  for (let i = 0; i < array.length; i++) array.set(i, array.at(i) * 2);
  text.value += text.value;
}

/** A running sum, through the view. */
export function sumUp(array: SharedArray<"i32">): void {
  const { view } = array;
  for (let i = 1; i < view.length; i++) view[i]! += view[i - 1]!;
}

/** Reads and writes while another thread holds the lock. */
export function touch(value: SharedValue<"i32">): [number, boolean] {
  value.value += 1;
  return [value.value, value.lock.tryAcquire() === undefined];
}

/** Turns until the value changes. */
export function watch(value: SharedValue<"u8">): number {
  value.value = 1;
  let turns = 0;
  while (value.value === 1) turns++;
  return turns;
}

/** Registers the cases. */
export function valuesCases(_has: Capabilities): void {
  test("V8 D26 add, update and updateAsync lose nothing in eight threads", async () => {
    const [one, two] = [new SharedValue("i32"), new SharedValue("i32")];
    await joined(Array.from({ length: 4 }, () => ask(addOne, one, "add")));
    assert.equal(one.value, 4 * TIMES);
    await joined((["update", "updateAsync", "update", "update"] as const).map((form) => ask(addOne, two, form)));
    assert.equal(two.value, 4 * TIMES);
  }, { limit: 30_000 });

  test("V7 a 64-bit value is never seen half-written", async () => {
    const [value, float] = [new SharedValue("i64"), new SharedValue("f64", 1)];
    const stop = new SharedValue("bool");
    const thread = ask(flip, value, float, stop);
    await until(() => value.value === -1n);
    for (let i = 0; i < 200_000; i++) {
      const [seen, part] = [value.value, float.value];
      if ((seen !== 0n && seen !== -1n) || (part !== 1 && part !== -1 / 3)) assert.fail(`${seen} ${part}`);
    }
    stop.value = true;
    await thread.joinAsync();
  });

  test("V2 V17 what a thread doubled is doubled here, with and without locks", async () => {
    for (const lock of [true, false, new Lock(), new RLock()]) {
      const values = [
        new SharedValue("i", 7, { lock }),
        new SharedValue("d", 1 / 3, { lock }),
        new SharedValue("q", 2n ** 33n, { lock }),
      ] as const;
      const array = new SharedArray("d", [0, 1, 2, 3], { lock });
      const text = new SharedArray("c", 20, { lock });
      text.value = "hello";
      await ask(double, values, array, text).joinAsync();
      assert.deepEqual(values.map((value) => value.value), [14, 2 / 3, 2n ** 34n]);
      assert.deepEqual([...array], [0, 2, 4, 6]);
      assert.equal(text.value, "hellohello");
    }
  });

  test("V13 a running sum written by a thread through view equals the one computed here", async () => {
    const dice = random();
    const items = Array.from({ length: 200 }, () => dice.below(1000));
    const array = new SharedArray("i32", items);
    await ask(sumUp, array).joinAsync();
    let sum = 0;
    assert.deepEqual([...array], items.map((item) => sum += item));
  });

  test("V10 V11 D27 a value is read and written while its lock is held", async () => {
    for (const lock of [undefined, new Lock()]) {
      const value = new SharedValue("i32", 1, lock === undefined ? {} : { lock });
      const guard = value.lock.acquire();
      value.value = 5;
      assert.deepEqual(await ask(touch, value).joinAsync(), [6, true]); // the very same lock there
      guard.release();
    }
  });

  test("G12 a tight loop on value sees another thread's write", async () => {
    const value = new SharedValue("u8");
    const thread = ask(watch, value);
    await until(() => value.value === 1);
    value.value = 2;
    await thread.joinAsync();
  });

  test("D30 text with multi-byte characters crosses threads whole", async () => {
    const text = new SharedArray("c", 40);
    text.value = "gr\u00fc\u00dfe \u{1f600}";
    await ask(double, [new SharedValue("i"), new SharedValue("d"), new SharedValue("q")], new SharedArray("d", 0), text)
      .joinAsync();
    assert.equal(text.value, "gr\u00fc\u00dfe \u{1f600}gr\u00fc\u00dfe \u{1f600}");
  });
}
