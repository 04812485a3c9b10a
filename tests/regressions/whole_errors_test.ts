// What a thread threw arrived without its message and stack when one property could not be read, or took too much room,
// and without a whole property when one thing in it could not be carried.

import { decode } from "../../primitives/_codec.ts";
import { encodeError } from "../../primitives/_codec_error.ts";
import { encodeBriefly, encodePlainly } from "../../primitives/_codec_plain.ts";
import { assert, test } from "../_harness.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const arrived = (error: unknown): Any => decode(encodeError(error).slice());

test("an error keeps what of its properties can be carried, at any depth", () => {
  const config: Any = {
    url: "http://x/",
    retries: 3,
    transform: [(x: unknown) => x, "next"],
    more: { weak: new WeakMap() },
  };
  config.self = config;
  const error = Object.assign(new RangeError("failed", { cause: { weak: new WeakMap(), why: "because" } }), {
    code: "E404",
    config,
    callback: () => {},
  });
  const { name, message, stack, code, cause, config: kept, ...rest } = arrived(error);
  assert.deepEqual([name, message, code, stack], ["RangeError", "failed", "E404", error.stack]);
  assert.deepEqual(cause, { why: "because" });
  assert.deepEqual([kept.url, kept.retries, kept.transform, kept.more], ["http://x/", 3, [undefined, "next"], {}]);
  assert(kept.self === kept);
  assert.deepEqual(Object.keys(rest), []);
});

test("an error with a property that throws when it is read keeps all others", () => {
  const error = Object.assign(new TypeError("said no"), { code: 7 });
  Object.defineProperty(error, "body", {
    enumerable: true,
    get() {
      throw new Error("was read before");
    },
  });
  const { name, message, code } = arrived(error);
  assert.deepEqual([name, message, code], ["TypeError", "said no", 7]);
});

test("an error that takes too much room comes without its properties, and says so", () => {
  for (const encode of [encodeError, encodePlainly]) {
    const error = Object.assign(new TypeError("x".repeat(5000)), { code: "E_UP", body: new Uint8Array(1 << 20) });
    const bytes = encodeBriefly(error, "too long", 8192, encode);
    assert(bytes.length <= 8192);
    const brief = decode(bytes.slice()) as Any;
    assert.equal(brief instanceof TypeError, true);
    assert.deepEqual([brief.message.slice(0, 3), brief.code, brief.body], ["xxx", "E_UP", undefined]);
    assert.deepEqual([brief.cause instanceof RangeError, brief.cause.message], [true, "too long"]);
    const string = decode(encodeBriefly("y".repeat(1 << 20), "too long", 8192, encode).slice()) as Any;
    assert.deepEqual([string instanceof RangeError, string.message], [true, "too long"]);
  }
});
