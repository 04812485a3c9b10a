// What classes are called: the browsers run this from a bundle whose minifier has shortened every name in the code.

import * as lockstep from "../../mod.ts";
import { Barrier, Lock, NotHeldError, Queue, Semaphore } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

export function namesCases(): void {
  test("classes go by the names that they are exported by", () => {
    for (const [name, value] of Object.entries(lockstep)) {
      const isClass = typeof value === "function" && /^[A-Z]/.test(name);
      if (isClass) assert.equal(value.name, name);
    }
    for (const it of [new Lock(), new Queue(), new Semaphore(), new Barrier(2)]) {
      assert.equal(Object.prototype.toString.call(it), `[object ${it.constructor.name}]`);
    }
  });

  test("errors say their class in print, those of a subclass its own", () => {
    const error = assert.throws(() => new Lock().release(), NotHeldError);
    assert.equal(error.name, "NotHeldError");
    assert.match(String(error), /^NotHeldError: Cannot release Lock/);
    const Own = { TooLateError: class extends NotHeldError {} }.TooLateError;
    assert.equal(new Own("late").name, Own.name);
  });
}
