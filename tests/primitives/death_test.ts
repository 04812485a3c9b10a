// A thread dies holding a lock: all who wait are told in time, and somebody takes it over.

import {
  Event,
  findDeadlocks,
  Latch,
  Lock,
  OwnerDiedError,
  RLock,
  RWLock,
  setExceptHook,
  SharedValue,
  Thread,
} from "../../mod.ts";
import { assert, runtime, test } from "../_harness.ts";
import type { Owned, Way } from "../testdata/death_threads.ts";
import { dieHolding, take, wantDead } from "../testdata/death_threads.ts";

const module = new URL("../testdata/death_threads.ts", import.meta.url);
/** ms from the death to the error. */
// deno-lint-ignore no-explicit-any
const IN_TIME = 500 * Number((globalThis as any).process?.env?.LOCKSTEP_PATIENCE ?? 1);

const ways: readonly Way[] = runtime === "browser" ? ["throw", "close"] : ["throw", "exit"];

for (const Kind of [Lock, RLock, RWLock]) {
  for (const way of ways) {
    test(`D1 ${Kind.name}: its holder ends by ${way}; all who wait are told within 500 ms, until recover()`, async () => {
      setExceptHook(() => {});
      const owned: Owned = new Kind({ name: "data" });
      const [held, ready, go] = [new Latch(1), new Latch(4), new Event()];
      const diedAt = new SharedValue("f64");
      const dies = new Thread({ target: dieHolding, module, args: [owned, held, go, diedAt, way], name: "keeper" });
      dies.start();
      await held.waitAsync();
      const waiters = [false, false, true, true].map((asynchronous) =>
        new Thread({ target: wantDead, module, args: [owned, ready, asynchronous] }).start()
      );
      await ready.waitAsync();
      await new Promise((resolve) => setTimeout(resolve, 700)); // so that they sleep their longest slices
      go.set();
      for (const waiter of waiters) assert.between(await waiter.joinAsync() - diedAt.value, -1, IN_TIME);
      await assert.rejects(dies.joinAsync());
      for (let i = 0; i < 2; i++) {
        const error = assert.throws(() => take(owned), OwnerDiedError);
        assert.match(error.message, /"data" as thread "keeper" died/);
        assert.equal(error.threadName, "keeper");
      }
      const guard = owned.recover();
      assert(guard);
      assert.equal(owned.recover(), undefined);
      guard.release();
      take(owned).release();
      assert.deepEqual(findDeadlocks(), []);
      setExceptHook(undefined);
    });
  }
}
