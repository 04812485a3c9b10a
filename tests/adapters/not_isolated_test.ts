// A page without the two headers has no shared memory: it can import Lockstep, and is told what is missing once it
// constructs something. The driver opens such a page with `--realm=plain`; everywhere else there is nothing to test.

import * as lockstep from "@lockstep/lockstep";
import { assert, mainOfPage, test } from "../_harness.ts";

/** One of each, as somebody would make them first. */
const CONSTRUCTIONS: Readonly<Record<string, () => unknown>> = {
  Lock: () => new lockstep.Lock(),
  RLock: () => new lockstep.RLock(),
  Condition: () => new lockstep.Condition(),
  Semaphore: () => new lockstep.Semaphore(1),
  BoundedSemaphore: () => new lockstep.BoundedSemaphore(1),
  Event: () => new lockstep.Event(),
  Barrier: () => new lockstep.Barrier(2),
  Latch: () => new lockstep.Latch(1),
  SharedValue: () => new lockstep.SharedValue("i32"),
  SharedArray: () => new lockstep.SharedArray("f64", 4),
};

if (mainOfPage && !globalThis.crossOriginIsolated) {
  for (const [name, construct] of Object.entries(CONSTRUCTIONS)) {
    test(`${name} in a page that is not isolated: UnsupportedError names both headers`, () => {
      const error = assert.throws(construct, lockstep.UnsupportedError) as Error;
      assert.match(error.message, /Cross-Origin-Opener-Policy/);
      assert.match(error.message, /Cross-Origin-Embedder-Policy/);
    });
  }
}
