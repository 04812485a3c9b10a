// Takes random sets of locks in their order, as fast as it can, in every way there is.

import { acquireAll, findDeadlocks, type Lock, type RLock, threadDump } from "../../mod.ts";
import { Prng } from "../_prng.ts";

/** Goes on for that long; returns how often it had its turn. Any DeadlockError is an alarm that is false. */
export function contend(locks: readonly (Lock | RLock)[], ms: number, seed: number): number {
  const prng = new Prng(seed);
  const end = performance.now() + ms;
  let turns = 0;
  for (; performance.now() < end; turns++) {
    const mine = locks.filter(() => prng.below(2) === 0);
    if (prng.below(3) === 0) {
      acquireAll(mine).release();
      continue;
    }
    const held = [];
    for (const lock of mine) {
      const guard = prng.below(4) === 0 ? lock.tryAcquire({ timeout: prng.below(3) }) : lock.acquire();
      if (guard === undefined) break;
      held.push(guard);
    }
    // Now and then it is slow, so that others sleep through slices.
    if (prng.below(400) === 0) { for (const slow = performance.now() + 30; performance.now() < slow;); }
    for (const guard of prng.shuffle(held)) guard.release();
    if (prng.below(50) === 0 && findDeadlocks().length > 0) throw new Error(`A circle that is none:\n${threadDump()}`);
  }
  return turns;
}
