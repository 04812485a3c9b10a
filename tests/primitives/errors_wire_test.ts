import { assert, test } from "../_harness.ts";
import { difference } from "../_same.ts";
import * as errors from "../../primitives/errors.ts";
import { decode, encode } from "../../primitives/_codec.ts";
import { encodeError } from "../../primitives/_codec_error.ts";
import { fromMessage, toMessage } from "../../primitives/message.ts";

/** Through the codec, as in a queue, and by message, as postMessage would carry it. */
function bothWays<T extends Error>(error: T): T[] {
  return [decode(encode(error, "put")) as T, fromMessage<T>(structuredClone(toMessage(error)))];
}

test("errors keep class, name, message, stack, cause, code and own properties", () => {
  const cause = new TypeError("inner");
  for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    const error = Object.assign(new type("outer", { cause }), {
      code: "E_CODE",
      detail: [1, { a: -0 }],
    });
    for (const received of bothWays(error)) {
      assert.equal(difference(error, received), undefined);
      assert.equal(received.stack, error.stack);
      assert.equal(Object.prototype.toString.call(received), "[object Error]");
      assert.ok(received.cause instanceof TypeError);
    }
  }
});

test("errors keep a code that is inherited or not enumerable", () => {
  class NotFound extends Error {
    get code(): string {
      return "E_NOT_FOUND";
    }
  }
  const hidden = Object.defineProperty(new RangeError("m"), "code", { value: 42 });
  for (const [error, code] of [[new NotFound("m"), "E_NOT_FOUND"], [hidden, 42]] as const) {
    for (const received of bothWays<Error & { code?: unknown }>(error)) {
      assert.equal(received.code, code);
      assert.deepEqual(Object.keys(received), []);
    }
  }
  const layout = new errors.LayoutError("m", { expected: "e", actual: "a" });
  for (const received of bothWays(layout)) assert.equal(difference(layout, received), undefined);
});

test("errors keep what is absent absent, and false causes", () => {
  for (
    const error of [
      new Error(),
      new Error(""),
      new Error("a", { cause: undefined }),
      new Error("b", { cause: 0 }),
    ]
  ) {
    for (const received of bothWays(error)) {
      assert.equal(difference(error, received), undefined);
    }
  }
});

test("AggregateError keeps its errors", () => {
  const error = new AggregateError([new RangeError("a"), "b", [new Error("c")]], "many");
  for (const received of bothWays(error)) {
    assert.equal(difference(error, received), undefined);
  }
});

test("Lockstep's errors keep their class and fields", () => {
  const all = [
    new errors.LockstepError("own-code", "m"),
    new errors.NotHeldError("m", { owner: 3 }),
    new errors.DeadlockError("m", {
      cycle: [{ thread: 1, threadName: "a", waitsFor: "b", holds: "c" }],
    }),
    new errors.LockOrderError("m", { held: "a", wanted: "b" }),
    new errors.OwnerDiedError("m", { threadName: "t" }),
    new errors.BlockingUnavailableError("m", { hint: "h" }),
    new errors.ClosedError("m", { value: new Map([[1, -0]]) }),
    new errors.BrokenBarrierError("m", { parties: 4 }),
    new errors.ThreadError("m", {
      reason: "exit",
      threadName: "t",
      exitCode: 3,
      cause: new Error("why"),
    }),
    new errors.ThreadStoppedError("m"),
    new errors.UnsupportedError("m", { hint: "h" }),
    new errors.LayoutError("m", { expected: "a", actual: "b" }),
  ];
  for (const error of all) {
    for (const received of bothWays(error)) {
      assert.equal(difference(error, received), undefined, error.name);
      assert.equal(received.name, error.name);
    }
  }
});

test("every error class that Lockstep exports is known to the wire", () => {
  for (const type of Object.values(errors)) {
    if (type === errors.LockstepError) continue;
    const error = new (type as new (message: string) => Error)("m");
    for (const received of bothWays(error)) {
      assert.equal(received.constructor, type as unknown);
    }
  }
});

test("an error of an unknown class arrives as the nearest known one, with its name", () => {
  class AppError extends RangeError {
    override name = "AppError";
    status = 404;
  }
  for (const received of bothWays(new AppError("gone"))) {
    assert.equal(Object.getPrototypeOf(received), RangeError.prototype);
    assert.equal(received.name, "AppError");
    assert.equal(received.status, 404);
  }
  class Quiet extends Error {}
  Quiet.prototype.name = "Quiet";
  for (const received of bothWays(new Quiet("m"))) {
    assert.equal(Object.getPrototypeOf(received), Error.prototype);
    assert.equal(received.name, "Quiet");
    assert.equal(Object.keys(received).length, 0);
  }
});

test("DOMException keeps its name and code", () => {
  const reason = AbortSignal.abort().reason as DOMException;
  for (const received of bothWays(reason)) {
    assert.ok(received instanceof DOMException);
    assert.equal(received.name, "AbortError");
    assert.equal(received.code, 20);
    assert.equal(received.message, reason.message);
  }
});

test("errors in circles arrive in circles", () => {
  const a: Error & { self?: unknown } = new Error("a");
  const b = new AggregateError([a], "b", { cause: a });
  a.cause = b;
  a.self = a;
  for (const received of bothWays(a)) {
    assert.equal(difference(a, received), undefined);
    assert.ok(received.self === received);
    assert.ok((received.cause as AggregateError).errors[0] === received);
  }
});

test("encodeError() leaves out what cannot be carried and keeps the rest", () => {
  const inner = Object.assign(new TypeError("inner"), {
    callback() {},
    code: "E_IN",
  });
  const error = Object.assign(new RangeError("outer", { cause: inner }), {
    code: "E_OUT",
    port: () => 1,
    self: 0 as unknown,
  });
  error.self = error;
  const received = decode(encodeError(error)) as typeof error;
  assert.ok(received instanceof RangeError);
  assert.equal(received.stack, error.stack);
  assert.equal(received.code, "E_OUT");
  assert.ok(received.self === received);
  assert.deepEqual(Object.keys(received), ["code", "self"]);
  assert.equal((received.cause as typeof inner).code, "E_IN");
  assert.deepEqual(Object.keys(received.cause as object), ["code"]);
});

test("encodeError() carries or describes what is no error", () => {
  for (const thrown of [undefined, null, 5, "text", { a: 1 }]) {
    assert.deepEqual(decode(encodeError(thrown)), thrown);
  }
  const messages = [() => 1, Symbol("s"), { f() {} }].map((thrown) => (decode(encodeError(thrown)) as Error).message);
  assert.deepEqual(messages, [
    "what was thrown cannot be carried: a function",
    "what was thrown cannot be carried: a symbol",
    "what was thrown cannot be carried: an object of class Object",
  ]);
  const hostile = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        throw new Error("no");
      },
    },
  );
  assert.ok(decode(encodeError(hostile)) instanceof Error);
});

test("an error without a class takes none of Lockstep's for its name, and a code that throws is none", () => {
  const bare = Object.setPrototypeOf(Object.assign(new Error("bare"), { name: "closed" }), null);
  const arrived = decode(encode(bare, "put")) as Error;
  assert.equal(arrived instanceof Error && !(arrived instanceof errors.LockstepError), true);
  assert.equal(arrived.name, "closed");
  class Strange extends Error {
    get code(): string {
      throw new Error("no code");
    }
  }
  const strange = decode(encode(new Strange("strange"), "put")) as Error;
  assert.deepEqual([strange.message, "code" in strange], ["strange", false]);
});

test("toMessage() keeps lists of an error's own that hold themselves", () => {
  const list: unknown[] = [];
  const error = Object.assign(new Error("in a circle"), { list });
  list.push(error, list);
  const arrived = fromMessage<typeof error>(structuredClone(toMessage(error)));
  assert.equal(arrived.list[0], arrived);
  assert.equal(arrived.list[1], arrived.list);
});
