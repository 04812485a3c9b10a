// Printing a prototype threw the engine's error about a private member: console.log(Lock.prototype) in Deno, a debugger's
// look at an object in Node.

import { Barrier, Condition, Connection, Event, Lock, Queue, SharedArray, Thread } from "../../mod.ts";
import { assert, inspect, runtime, test } from "../_harness.ts";

const skip = runtime === "browser" ? "a browser draws objects itself" : undefined;

test("Printing what has not been constructed shows its class", () => {
  for (const { prototype } of [Lock, Condition, Event, Barrier, SharedArray, Queue, Connection, Thread]) {
    const { name } = prototype.constructor;
    assert(inspect(prototype)?.includes(name));
    assert(inspect(Object.create(prototype))?.includes(name));
  }
  assert.equal(inspect(new Lock()), "Lock (unlocked)");
}, { skip });
