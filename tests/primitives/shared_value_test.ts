// What one thread can show of PYTHON.md section 8 for SharedValue; tests/conformance/values.ts has the rest.

import type { FullHandle } from "../../primitives/_handle.ts";
import { type AnyTypeName, LayoutError, Lock, RLock, SharedArray, SharedValue } from "../../primitives/mod.ts";
import { assert, random, test } from "../_harness.ts";
import { posted } from "../_posted.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const types: [
  Equal<SharedValue<"i64">["value"], bigint>,
  Equal<SharedValue<"L">["value"], bigint>,
  Equal<SharedValue<"i">["value"], number>,
  Equal<SharedValue<"f64">["value"], number>,
  Equal<SharedValue<"bool">["value"], boolean>,
  Equal<SharedValue<"c">["value"], string>,
  Equal<SharedValue<"q">["type"], "i64">,
] = [true, true, true, true, true, true, true];

test("V1 SharedValue: initial values read back; without one the value is zero", () => {
  assert.equal(types.length, 7);
  assert.equal(new SharedValue("i", 7).value, 7);
  assert.equal(new SharedValue("d", 1.25).value, 1.25);
  assert.equal(new SharedValue("h", -32768).value, -32768);
  assert.equal(new SharedValue("q", 2n ** 33n).value, 2n ** 33n);
  assert.equal(new SharedValue("c", "x").value, "x");
  assert.equal(new SharedValue("bool", true).value, true);
  const zeros = (["i8", "u64", "f32", "bool", "char"] as const).map((type) => new SharedValue<AnyTypeName>(type).value);
  assert.deepEqual(zeros, [0, 0n, 0, false, "\0"]);
});

test("V3 V5 SharedValue: integers wrap as their C type does, f32 rounds", () => {
  const cases = [
    ["i8", 128, -128],
    ["u8", 256, 0],
    ["u8", -1, 255],
    ["i16", 40000, -25536],
    ["u16", -1, 65535],
    ["i32", 2 ** 31, -(2 ** 31)],
    ["u32", -1, 2 ** 32 - 1],
    ["u32", 2 ** 52 + 5, 5],
    ["i64", 2n ** 63n, -(2n ** 63n)],
    ["u64", -1, 2n ** 64n - 1n],
    ["u64", 2n ** 64n + 3n, 3n],
    ["f32", 0.1, 0.10000000149011612],
    ["f32", 1e300, Infinity],
    ["f64", -0, -0],
    ["f64", NaN, NaN],
  ] as const;
  for (const [type, written, read] of cases) {
    const value = new SharedValue<AnyTypeName>(type, written);
    assert.equal(value.value, read, type);
    value.value = 0;
    value.value = written;
    assert.equal(value.value, read, type);
    assert.equal(value.update(() => written), read, type);
  }
});

test("V4 V16 SharedValue: what the type does not take is refused, and changes nothing", () => {
  const cases: [AnyTypeName, unknown[]][] = [
    ["i32", [1.5, NaN, Infinity, "1", 1n, true, null, {}]],
    ["u8", [0.5, "x"]],
    ["i64", [1.5, 2 ** 53, NaN, "1", true]],
    ["f64", ["1", 1n, true, null]],
    ["f32", ["1", 1n]],
    ["bool", [1, 0, "true", null]],
    ["char", [1.5, null, true, 1n]],
  ];
  for (const [type, wrong] of cases) {
    const value = new SharedValue<AnyTypeName>(type);
    const before = value.value;
    for (const input of wrong) {
      assert.throws(() => value.value = input as never, TypeError, `${type} ${String(input)}`);
      assert.throws(() => value.update(() => input as never), TypeError);
      assert.throws(() => new SharedValue<AnyTypeName>(type, input as never), TypeError);
    }
    assert.equal(value.value, before);
  }
  for (const wrong of ["", "xy", "\u20ac", 256, -1]) assert.throws(() => new SharedValue("char", wrong), RangeError);
  assert.equal(new SharedValue("c", 255).value, "\u00ff");
});

test("V6 SharedValue: Python's codes, and nothing else", () => {
  const codes = { b: "i8", B: "u8", h: "i16", H: "u16", i: "i32", I: "u32", l: "i64", L: "u64", q: "i64", Q: "u64" };
  const all = { ...codes, f: "f32", d: "f64", c: "char" };
  for (const [code, name] of Object.entries(all)) assert.equal(new SharedValue(code as "i").type, name);
  for (const wrong of ["u", "x", "", "I32", "__proto__", 3, null, undefined]) {
    assert.throws(() => new SharedValue(wrong as never), TypeError);
  }
});

test("V9 SharedValue: one-step operations return the value before and wrap, as arithmetic says", () => {
  const dice = random();
  const operations = {
    add: (a: bigint, b: bigint) => a + b,
    sub: (a: bigint, b: bigint) => a - b,
    and: (a: bigint, b: bigint) => a & b,
    or: (a: bigint, b: bigint) => a | b,
    xor: (a: bigint, b: bigint) => a ^ b,
    exchange: (_: bigint, b: bigint) => b,
  };
  const widths = { i8: 8, u8: 8, i16: 16, u16: 16, i32: 32, u32: 32, i64: 64, u64: 64 } as const;
  for (const [type, bits] of Object.entries(widths) as [keyof typeof widths, number][]) {
    const wrap = (n: bigint) => type.startsWith("i") ? BigInt.asIntN(bits, n) : BigInt.asUintN(bits, n);
    const cast = (n: bigint) => bits === 64 ? n : Number(n);
    const value = new SharedValue<AnyTypeName>(type);
    let model = 0n;
    for (let i = 0; i < 60; i++) {
      const [name, apply] = dice.pick(Object.entries(operations)) as ["add", (a: bigint, b: bigint) => bigint];
      const operand = BigInt.asIntN(bits, BigInt(dice.next()) * BigInt(dice.next()));
      assert.equal(value[name](cast(operand)), cast(model), `${type} ${name}`);
      model = wrap(apply(model, operand));
      assert.equal(value.value, cast(model));
    }
    assert.equal(value.compareExchange(cast(model + 1n), 1), cast(model));
    assert.equal(value.compareExchange(cast(model), 1), cast(model));
    assert.equal(value.value, cast(1n));
  }
  for (const type of ["f32", "f64", "bool", "char"] as const) {
    const value = new SharedValue<AnyTypeName>(type);
    for (const name of Object.keys(operations) as (keyof typeof operations)[]) {
      assert.throws(() => value[name](1), TypeError);
    }
    assert.throws(() => value.compareExchange(0, 1), TypeError);
  }
});

test("V10 V11 SharedValue: lock omitted, true, given, false, wrong", async () => {
  for (const lock of [undefined, true] as const) {
    const value = new SharedValue("i32", 1, { ...(lock === undefined ? {} : { lock }) });
    assert(value.lock instanceof RLock);
    assert.equal(value.lock, value.lock);
    value.lock.withLock(() => assert.equal(value.update((seen) => seen + 1), 2));
    const other = SharedValue.attach<"i32">(value.handle);
    value.lock.withLock(() => assert(other.lock.heldByCurrentThread));
  }
  const lock = new Lock();
  const value = new SharedValue("i32", 1, { lock });
  assert.equal(value.lock, lock);
  lock.acquire();
  value.value += 1;
  value.add(1);
  assert.equal(value.value, 3);
  assert(SharedValue.attach(value.handle).lock.heldByCurrentThread);
  lock.release();
  assert.equal(await value.updateAsync((seen) => seen * 2), 6);
  const bare = new SharedValue("i32", 1, { lock: false });
  assert.throws(() => bare.lock, TypeError);
  assert.throws(() => bare.update((seen) => seen), TypeError);
  await assert.rejects(bare.updateAsync((seen) => seen), TypeError);
  for (const wrong of [3, null, "x", {}]) {
    assert.throws(() => new SharedValue("i32", 1, { lock: wrong as never }), TypeError);
  }
});

test("V3 SharedValue: update() may change the value itself, once; what it returns wraps as if set", () => {
  const value = new SharedValue("u8", 7);
  let calls = 0;
  const by = (act: () => void) => () => {
    assert.equal(++calls, 1);
    act();
    return 300;
  };
  for (
    const act of [
      () => void value.add(1),
      () => void value.compareExchange(value.value, 9),
      () => void (value.value = 9),
      () => void value.update(() => 9),
    ]
  ) {
    calls = 0;
    assert.equal(value.update(by(act)), 44);
    assert.equal(value.value, 44);
  }
});

test("SharedValue: an update by what is no function is refused before it waits for the lock", async () => {
  const value = new SharedValue("i32", 0, { lock: new Lock() });
  const guard = value.lock.acquire();
  assert.throws(() => value.update(3 as never), TypeError);
  await assert.rejects(value.updateAsync(3 as never), TypeError);
  guard.release();
});

test("SharedValue: an update that throws changes nothing and lets go", () => {
  const value = new SharedValue("i32", 4);
  const boom = new Error("fn");
  assert.throws(() =>
    value.update(() => {
      throw boom;
    }), (error) => error === boom); // deno-fmt-ignore
  assert.deepEqual([value.value, value.lock.locked], [4, false]);
});

test("G15 SharedValue: printing shows class, name, type and value", () => {
  assert.equal(`${new SharedValue("i", 5, { name: "hits" })}`, 'SharedValue "hits" (i32 5)');
  assert.equal(`${new SharedValue("c", "x")}`, 'SharedValue (char "x")');
});

test("SharedValue.attach() gives the same value, and refuses anything else", () => {
  const value = new SharedValue("u64", 1, { name: "n" });
  const other = SharedValue.attach<"u64">(posted(value.handle));
  other.add(5);
  assert.deepEqual([value.value, other.type, other.name], [6n, "u64", "n"]);
  assert.throws(() => SharedValue.attach(new SharedArray("i32", 1).handle), LayoutError);
  const handle = value.handle as FullHandle;
  assert.throws(() => SharedValue.attach({ ...handle, byteLength: 64 } as never), LayoutError); // its lock is cut off
  for (const word of [3, 4]) {
    const damaged = new SharedValue("i32").handle as FullHandle;
    new Int32Array(damaged.buffer)[word] = 77;
    assert.throws(() => SharedValue.attach(damaged), LayoutError);
  }
});

test("SharedValue: a place of one's own", () => {
  const buffer = new SharedArrayBuffer(256);
  new Uint8Array(buffer).fill(0xff);
  const value = new SharedValue("i32", undefined, { at: { buffer, byteOffset: 64 } });
  assert.equal(value.value, 0);
  value.lock.withLock(() => value.value = 3);
  assert.deepEqual([...new Uint8Array(buffer, 192, 64)], new Array(64).fill(255)); // 128 bytes, no more
});
