// What had `aborted` but was no AbortSignal was found out only once the wait had begun: the error said no more than "is not
// a function", and the wait went on being counted, so that the program never ended.

import { Barrier, Event, Lock, RWLock, Semaphore } from "../../mod.ts";
import { agent } from "../../primitives/_agent.ts";
import { assert, test } from "../_harness.ts";

test("What is no AbortSignal is refused by name before anything waits", async () => {
  const [lock, rwlock] = [new Lock(), new RWLock()];
  const guards = [lock.acquire(), rwlock.write()];
  const waits: ((options: { signal: AbortSignal }) => Promise<unknown>)[] = [
    (options) => lock.acquireAsync(options),
    (options) => rwlock.readAsync(options),
    (options) => new Semaphore(0).acquireAsync(options),
    (options) => new Event().waitAsync(options),
    (options) => new Barrier(2).waitAsync(options),
  ];
  const before = agent.sleepers.size;
  const never = { aborted: false };
  for (const wait of waits) {
    for (const signal of [never, { ...never, throwIfAborted: () => {} }, { ...never, addEventListener: () => {} }]) {
      await assert.rejects(wait({ signal: signal as never }), {
        name: "TypeError",
        message: "Cannot wait as signal must be an AbortSignal: it is an object",
      });
    }
  }
  assert.equal(agent.sleepers.size, before);
  for (const guard of guards) guard.release();
});
