// toMessage() and fromMessage(): values with primitives inside, as structured clone carries them.

import { fromMessage, Lock, LockstepError, Queue, toMessage } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";

/** What arrives; in one thread shared memory is not copied. */
function sent<T>(value: T): T {
  return fromMessage<T>(toMessage(value));
}

test("toMessage() carries primitives and errors at any depth, in circles, maps and sets", () => {
  const lock = new Lock({ name: "inside" });
  const error = new LockstepError("own-code", "m", { cause: { lock } });
  const list: unknown[] = [lock, error];
  list.push(list, new Map<unknown, unknown>([[lock, "key"], ["value", lock]]), new Set([lock]));
  const [got, failure, self, map, set] = sent(list) as [Lock, Error, unknown[], Map<unknown, unknown>, Set<unknown>];
  assert(got instanceof Lock && got.name === "inside");
  assert(failure instanceof LockstepError && failure.code === "own-code");
  assert.equal((failure.cause as { lock: Lock }).lock, got);
  assert.equal(self[2], self);
  assert.deepEqual([map.get(got), map.get("value") === got, set.has(got)], ["key", true, true]);
});

test("toMessage() takes an object with a key `lockstep` for what it is", () => {
  for (
    const value of [{ lockstep: "1.0", queue: new Queue() }, { lockstep: { queue: new Queue() }, queue: new Queue() }]
  ) {
    assert(sent(value).queue instanceof Queue);
  }
  assert((sent({ lockstep: { queue: new Queue() } })).lockstep.queue instanceof Queue);
  const { handle } = new Lock();
  assert.deepEqual(sent({ handle }).handle, handle, "a handle stays one");
});

test("toMessage() keeps holes, named properties and the order of keys", () => {
  // deno-lint-ignore no-sparse-arrays
  const array = Object.assign([1, , 3], { b: 1, a: new Lock(), c: null });
  const got = sent(array);
  assert.deepEqual([got.length, 1 in got, got[2]], [3, false, 3]);
  assert.deepEqual(Object.keys(got), Object.keys(array));
  const odd = sent(JSON.parse('{"b": 1, "__proto__": 2, "a": [3]}'));
  assert.deepEqual(Object.keys(odd), ["b", "__proto__", "a"]);
});

test("toMessage() says where in a value stands what cannot be carried", () => {
  assert.throws(() => toMessage({ a: [1, { b: () => 1 }] }), /value\.a\[1\]\.b/);
  assert.throws(() => toMessage([Symbol("x")]), /value\[0\]/);
});

// With time that grows as the square these would take minutes.
test("toMessage() takes hundreds of thousands of numbers", () => {
  const got = sent({ numbers: Array.from({ length: 200_000 }, (_, i) => i) });
  assert.equal(got.numbers.at(-1), 199_999);
});

test("toMessage() takes hundreds of thousands of objects", () => {
  const got = sent({ objects: Array.from({ length: 200_000 }, (_, id) => ({ id })) });
  assert.equal(got.objects.at(-1)!.id, 199_999);
});
