// What one thread can show of PYTHON.md section 8 for SharedArray; tests/conformance/values.ts has the rest.

import type { FullHandle } from "../../primitives/_handle.ts";
import { type AnyTypeName, LayoutError, Lock, RLock, SharedArray, SharedValue } from "../../primitives/mod.ts";
import { assert, random, test } from "../_harness.ts";
import { posted } from "../_posted.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const types: [
  Equal<SharedArray<"d">["view"], Float64Array<SharedArrayBuffer>>,
  Equal<SharedArray<"i64">["view"], BigInt64Array<SharedArrayBuffer>>,
  Equal<SharedArray<"c">["value"], string>,
  Equal<SharedArray<"i">["value"], never>,
] = [true, true, true, true];

test("V12 SharedArray: a length makes zeroed memory, items are copied", () => {
  assert.equal(types.length, 4);
  for (const type of ["i8", "u16", "i64", "f32", "f64"] as const) {
    const array = new SharedArray<AnyTypeName>(type, 5);
    assert.equal(array.length, 5);
    assert.deepEqual([...array], new Array(5).fill(type === "i64" ? 0n : 0));
  }
  const buffer = new SharedArrayBuffer(256);
  new Uint8Array(buffer).fill(0xff);
  assert.deepEqual([...new SharedArray("i32", 3, { at: { buffer } })], [0, 0, 0]);
  const items = [1, 2, 3];
  const first = new SharedArray("i32", items);
  const second = new SharedArray("i32", first);
  items[0] = 9;
  first.set(1, 9);
  assert.deepEqual([[...first], [...second]], [[1, 9, 3], [1, 2, 3]]);
  assert.deepEqual([...new SharedArray("f32", new Float32Array([0.5, 1.5]))], [0.5, 1.5]);
  assert.deepEqual([...new SharedArray("bool", [true, false])], [true, false]);
  assert.deepEqual([...new SharedArray("u8", new Set([256, 7]))], [0, 7]);
  assert.deepEqual([...new SharedArray("i32", 0)], []);
});

test("V12 SharedArray: wrong lengths and items are refused", () => {
  for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 31]) assert.throws(() => new SharedArray("i8", wrong), RangeError);
  for (const wrong of [undefined, null, {}, 5n, "hello", { length: 3 }]) {
    assert.throws(() => new SharedArray("i32", wrong as never), TypeError);
  }
  assert.throws(() => new SharedArray("i32", [1, 2.5]), TypeError);
  assert.throws(() => new SharedArray("u" as never, 1), TypeError);
});

test("V13 SharedArray: view is the live memory", () => {
  const array = new SharedArray("d", [1, 2, 3]);
  array.view[1] = 20;
  assert.equal(array.at(1), 20);
  array.set(2, 30);
  assert.deepEqual([...array.view.slice(1)], [20, 30]);
  array.view.set([7, 8]);
  assert.deepEqual([...SharedArray.attach<"d">(array.handle)], [7, 8, 30]);
  const names = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "bool", "char"] as const;
  const views = names.map((type) => new SharedArray<AnyTypeName>(type, 1).view.constructor.name.replace("Array", ""));
  const expected = ["Int8", "Uint8", "Int16", "Uint16", "Int32", "Uint32", "BigInt64", "BigUint64"];
  assert.deepEqual(views, [...expected, "Float32", "Float64", "Uint8", "Uint8"]);
});

test("V14 SharedArray: an index outside is RangeError, -1 is the last item", () => {
  const array = new SharedArray("i32", [1, 2, 3]);
  assert.deepEqual([array.at(0), array.at(-1), array.at(-3)], [1, 3, 1]);
  array.set(-1, 30);
  assert.equal(array.at(2), 30);
  for (const wrong of [3, -4, 1.5, NaN, Infinity]) {
    assert.throws(() => array.at(wrong), RangeError);
    assert.throws(() => array.set(wrong, 1), RangeError);
  }
  for (const wrong of ["0", undefined, 0n]) assert.throws(() => array.at(wrong as never), TypeError);
  assert.throws(() => new SharedArray("i32", 0).at(0), /it has 0 items/);
  assert.throws(() => array.set(0, 1.5), TypeError);
  assert.deepEqual([...array], [1, 2, 30]);
});

test("V15 SharedArray: char text up to the first NUL; a shorter one leaves the tail, a longer one writes nothing", () => {
  const text = new SharedArray("c", 10);
  assert.equal(text.value, "");
  text.value = "hello";
  assert.deepEqual([text.value, text.raw.length], ["hello", 10]);
  text.value = "hi";
  assert.equal(text.value, "hi");
  assert.deepEqual([...text.raw], [...new TextEncoder().encode("hi\0lo\0\0\0\0\0")]);
  assert.throws(() => text.value = "elevenchars", RangeError);
  assert.equal(text.value, "hi");
  text.value = "exactlyten";
  assert.equal(text.value, "exactlyten");
  assert.throws(() => text.value = 3 as never, TypeError);
  text.raw = new Uint8Array([65, 0, 66]);
  assert.deepEqual([text.value, String.fromCharCode(...text.raw)], ["A", "A\0Bctlyten"]);
  assert.throws(() => text.raw = new Uint8Array(11), RangeError);
  assert.throws(() => text.raw = [1] as never, TypeError);
  text.raw[0] = 90; // a copy
  assert.equal(text.value, "A");
});

test("V15 D30 SharedArray: lengths count UTF-8 bytes, raw is exact", () => {
  const text = new SharedArray("c", "gr\u00fc\u00dfe");
  assert.equal(text.length, 7);
  assert.equal(text.value, "gr\u00fc\u00dfe");
  assert.throws(() => text.value = "gr\u00fc\u00dfe!", RangeError);
  text.value = "\ufeffab"; // a byte order mark is text too
  assert.equal(text.value, "\ufeffab");
  const trailing = new SharedArray("c", new Uint8Array([97, 0, 98, 0, 0]));
  assert.deepEqual([trailing.value, [...trailing.raw]], ["a", [97, 0, 98, 0, 0]]);
  trailing.set(1, "z");
  assert.deepEqual([trailing.at(1), trailing.value], ["z", "azb"]);
  for (const what of ["value", "raw"] as const) assert.throws(() => new SharedArray("u8", 3)[what], TypeError);
});

test("V11 SharedArray: lock omitted, given, false", () => {
  const own = new SharedArray("i32", 3);
  assert(own.lock instanceof RLock);
  own.lock.withLock(() => assert(SharedArray.attach(own.handle).lock.heldByCurrentThread));
  const lock = new Lock();
  const given = new SharedArray("i32", 3, { lock });
  assert.equal(given.lock, lock);
  lock.withLock(() => assert(SharedArray.attach(given.handle).lock.heldByCurrentThread));
  assert.throws(() => new SharedArray("i32", 3, { lock: false }).lock, TypeError);
  assert.throws(() => new SharedArray("i32", 3, { lock: 3 as never }), TypeError);
  assert.throws(() => new SharedArray("i32", 3, 3 as never), TypeError);
});

test("G15 SharedArray: printing shows class, name, length and type", () => {
  assert.equal(`${new SharedArray("i", 5, { name: "sums" })}`, 'SharedArray "sums" (5 i32)');
});

test("SharedArray.attach() gives the same array, and refuses anything else", () => {
  const array = new SharedArray("i16", [1, 2], { name: "pair" });
  const other = SharedArray.attach<"i16">(posted(array.handle));
  other.set(0, 7);
  assert.deepEqual([array.at(0), other.length, other.type, other.name], [7, 2, "i16", "pair"]);
  assert.throws(() => SharedArray.attach(new SharedValue("i32").handle), LayoutError);
});

test("SharedArray: a damaged record neither crashes nor hangs who attaches", () => {
  const dice = random();
  for (let round = 0; round < 500; round++) {
    const { buffer, byteLength, ...rest } = new SharedArray("i32", 5).handle as FullHandle;
    const words = new Int32Array(buffer);
    words[3 + dice.below(6)] = dice.chance(0.5) ? dice.next() : dice.below(20);
    try {
      const array = SharedArray.attach({ ...rest, buffer, byteLength: dice.chance(0.7) ? byteLength : 64 } as never);
      assert(array.length * array.view.BYTES_PER_ELEMENT <= byteLength);
      void [...array];
    } catch (error) {
      assert(error instanceof LayoutError, String(error));
    }
  }
});
