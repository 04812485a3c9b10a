// A thread that threw what cannot be turned into text lost it to the error of its printing.

import { picture } from "../../primitives/_thread_hook.ts";
import { assert, test } from "../_harness.ts";

const bare: object = Object.create(null);
const throws = {
  get: () => {
    throw new Error("was read");
  },
};

test("what is printed of an error survives whatever the error has", () => {
  const odd = (properties: PropertyDescriptorMap) =>
    picture(Object.defineProperties(new RangeError("odd"), properties));
  assert.match(odd({}), /^RangeError: odd/);
  assert.match(odd({ cause: { value: bare } }), /^RangeError: odd\n[^]*Caused by: Uncaught value: /);
  assert.match(odd({ cause: throws }), /^RangeError: odd/);
  assert.match(odd({ name: { value: Symbol("odd name") } }), /^Symbol\(odd name\): odd/);
  assert.match(odd({ name: throws }), /odd/);
  assert.match(odd({ name: { value: bare } }), /odd/);
  assert.match(odd({ message: throws }), /^RangeError: /);
  assert.match(odd({ stack: throws }), /^RangeError: odd/);
  assert.match(odd({ stack: { value: 7 } }), /^RangeError: odd/);
});

test("what is printed of any other value does too", () => {
  const refuse = () => {
    throw new Error("no");
  };
  for (
    const value of [bare, Symbol("x"), new Proxy({}, { getPrototypeOf: refuse, get: refuse }), { toString: refuse }]
  ) {
    assert.match(picture(value), /^Uncaught value: ./);
  }
});
