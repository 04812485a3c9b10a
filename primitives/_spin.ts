// Spinning before sleeping: worth 10 to 50 times when the other thread runs on
// another core, and costs as much when both share one. So each agent keeps a
// budget that is whole while spinning pays off and falls to nothing when it does
// not; now and then it tries again, as threads move between cores.

import { agent } from "./_agent.ts";
import { pause } from "./_atomics.ts";
import { now } from "./_deadline.ts";

/** The longest spin, in ms. Sleeping and waking costs about as much. */
const SPIN_MS = 0.02;
/** Turns between two looks at the clock, which costs as much as several turns. */
const BATCH = 24;
/** A budget below this is nothing. */
const LEAST = 0.002;
/** With no budget, one wait in so many spins all the same, to see whether it pays again … */
const RETRY_EVERY = 32;
/** … and after each time in vain in twice as many, up to so many: on one core all of them are in vain. */
const RETRY_SELDOM = 512;

/**
 * Turns until `ready` says true, within the agent's budget. Returns whether it did.
 * `ready` must be cheap and must not throw.
 *
 * One success restores the whole budget: two threads that both sleep wake each other slowly, so that a
 * short spin never pays while a long one on either side soon makes it pay on both. The budget is time and
 * not turns, as a turn is fifty times slower before the engine has compiled it.
 */
export function spinUntil(ready: () => boolean): boolean {
  if (agent.spinLimit < 0) {
    agent.spinLimit = agent.spinBudget = agent.host?.hardwareConcurrency === 1 ? 0 : SPIN_MS;
    agent.spinRetry = RETRY_EVERY;
  }
  let budget = agent.spinBudget;
  if (budget < LEAST) {
    if (agent.spinLimit === 0 || ++agent.spinSkipped < agent.spinRetry) return false;
    agent.spinSkipped = 0;
    agent.spinRetry = Math.min(2 * agent.spinRetry, RETRY_SELDOM);
    budget = agent.spinLimit;
  }
  let start = 0;
  for (let turn = 1;; turn++) {
    if (ready()) {
      if (turn > 1) { // else it was not the spinning that paid
        agent.spinBudget = agent.spinLimit;
        agent.spinRetry = RETRY_EVERY;
      }
      return true;
    }
    if (turn % BATCH === 0) {
      const time = now();
      if (start === 0) start = time;
      else if (time - start >= budget) break;
    }
    pause();
  }
  agent.spinBudget /= 2;
  return false;
}
