import { assert, test } from "../_harness.ts";
import { difference } from "../_same.ts";
import { decode } from "../../primitives/_codec.ts";
import { encodeError } from "../../primitives/_codec_error.ts";
import { PLAIN } from "../../primitives/_codec_format.ts";
import { decodePlainly, encodePlainly } from "../../primitives/_codec_plain.ts";

/** What arrives of something thrown, which is the same whether the codec is there by then or not. */
function arrives<T>(thrown: T): T {
  const bytes = encodePlainly(thrown);
  const [here, there] = [decodePlainly(bytes), decode(bytes)];
  assert.equal(difference(here, there), undefined);
  return here as T;
}

test("what is thrown arrives as with the codec", () => {
  const list: unknown[] = ["\ud800\ufeff\u2028", -0, NaN, -Infinity, 1e300, true, false, null, undefined, 10n ** 40n];
  const error = Object.assign(new TypeError("why", { cause: new RangeError("inner", { cause: "text" }) }), {
    code: "E_CODE",
    list,
    plain: { a: { b: [] }, ["__proto__ "]: 1 },
  });
  const ring: Record<string, unknown> = { list };
  ring["self"] = ring;
  const thrown = [
    error,
    Object.assign(new Error("again"), { list, same: list, ring, bare: Object.create(null) }),
    new AggregateError([new URIError("one"), 2], "many"),
    new DOMException("stopped", "AbortError"),
    Object.defineProperty(new Error(), "code", { value: 42 }),
    JSON.parse('{"__proto__":{"a":1},"b":[{}]}'),
    ...list,
    list,
    ring,
  ];
  for (const value of thrown) {
    const expected = decode(encodeError(value).slice());
    assert.equal(difference(arrives(value), expected), undefined);
  }
  assert.equal(arrives(error).stack, error.stack);
  assert.ok(arrives(error).cause instanceof RangeError);
});

test("what cannot be carried is left out of an error, and described where it was thrown itself", () => {
  const error = Object.assign(new Error("why", { cause: () => 1 }), {
    call: () => 1,
    map: new Map(),
    kept: [1, () => 2, 3],
  });
  Object.defineProperty(error, "odd", { enumerable: true, get: () => assert.fail("read") });
  const received = arrives<Error>(error) as Error & Record<string, unknown>;
  assert.deepEqual(Object.keys(received), ["kept"]);
  assert.deepEqual(received["kept"], [1, undefined, 3]);
  assert.ok(!Object.hasOwn(received, "cause"));
  for (
    const [thrown, what] of [
      [() => 1, "a function"],
      [Symbol("s"), "a symbol"],
      [new Map(), "an object of class Map"],
      [new Proxy({}, { getPrototypeOf: () => assert.fail("asked") }), "an object of class Object"],
    ] as const
  ) assert.equal((arrives(thrown) as unknown as Error).message, `what was thrown cannot be carried: ${what}`);
});

test("an error as deep or as wide as can be is carried up to a depth and a number", () => {
  let deep: Error = new Error("0");
  for (let i = 1; i < 10_000; i++) deep = new Error(String(i), { cause: deep });
  let depth = 0;
  for (let at: unknown = arrives(deep); at instanceof Error; at = at.cause) depth++;
  assert.ok(depth > 50 && depth < 1000, `${depth} causes`);
  const wide = Object.assign(new Error("wide"), { items: Array.from({ length: 300_000 }, (_, i) => ({ i })) });
  const { items, message } = arrives(wide);
  assert.equal(message, "wide");
  assert.deepEqual([items.length, items[0], items.at(-1)], [300_000, { i: 0 }, undefined]);
});

test("decode() of plain bytes that are none throws a TypeError", () => {
  for (
    const text of [
      "",
      "[",
      "1",
      "null",
      '[3,"x"]',
      "[6,1]",
      '[7,"a"]',
      "[".repeat(100_000),
      `${"[6,".repeat(50_000)}[4]${"]".repeat(50_000)}`,
    ]
  ) {
    const bytes = new Uint8Array([PLAIN, ...new TextEncoder().encode(text)]);
    assert.throws(() => decode(bytes), TypeError, text.slice(0, 20));
  }
});
