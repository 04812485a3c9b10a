// Spinning before sleeping: worth 10 to 50 times when the other thread runs on
// another core, and costs as much when both share one. So each agent keeps a
// budget that grows when spinning paid off and falls to nothing when it did not;
// now and then it tries again, as threads move between cores.

import { agent } from "./_agent.ts";
import { canPause, pause } from "./_atomics.ts";
import { now } from "./_deadline.ts";

/** The longest spin, in ms. Sleeping and waking costs about as much. */
const SPIN_MS = 0.02;
/** Turns by which the longest spin is measured, once for each agent. */
const SAMPLE = 256;
/** A budget below this is nothing. */
const LEAST = 8;
/** With no budget, one wait in so many spins a little to see whether it pays again. */
const RETRY_EVERY = 32;

function calibrate(): void {
  if (agent.host?.hardwareConcurrency === 1) {
    agent.spinLimit = 0;
    return;
  }
  const start = now();
  for (let i = 0; i < SAMPLE; i++) pause();
  const each = Math.max((now() - start) / SAMPLE, canPause ? 0.00001 : 0.000005); // a coarse clock may say 0
  agent.spinLimit = Math.min(4000, Math.round(SPIN_MS / each));
  agent.spinBudget = agent.spinLimit;
}

/**
 * Turns until `ready` says true, within the agent's budget. Returns whether it did.
 * `ready` must be cheap and must not throw.
 */
export function spinUntil(ready: () => boolean): boolean {
  if (agent.spinLimit < 0) calibrate();
  let budget = agent.spinBudget;
  if (budget < LEAST) {
    if (++agent.spinSkipped % RETRY_EVERY !== 0) return false;
    budget = agent.spinLimit >> 2;
  }
  for (let turn = 0; turn < budget; turn++) {
    if (ready()) {
      agent.spinBudget = Math.min(agent.spinLimit, (agent.spinBudget >> 1) + turn * 2 + LEAST * 4);
      return true;
    }
    pause();
  }
  agent.spinBudget >>= 1;
  return false;
}
