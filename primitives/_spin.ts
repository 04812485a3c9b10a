// Spinning before sleeping: worth 10 to 50 times when the other thread runs on
// another core, and costs as much when both share one. So an agent spins while
// that pays off, and hardly ever when it does not: now and then it tries again,
// as threads move between cores.

import { agent } from "./_agent.ts";
import { pause } from "./_atomics.ts";
import { now } from "./_deadline.ts";

/** How long to spin, in ms. Sleeping and waking costs about as much. */
const SPIN_MS = 0.02;
/** The same after a spin in vain: the other thread may have been asleep on a core that was asleep, too. */
const LONGER_MS = 0.05;
/** So many spins in vain, one after the other, and the next waits do not spin. */
const CREDIT = 4;
/**
 * Then one wait in so many spins all the same, to see whether it pays again; after PATIENCE times in vain each more makes
 * the next one rarer by half, down to the last number: on one core all of them are in vain. Patience, because a scheduler
 * that has put two threads on one core, with another one free, parts them only while one spins and the other could run.
 */
const RETRY_SOON = 2;
const PATIENCE = 256;
const RETRY_SELDOM = 512;
/** For how many turns to give way: half a microsecond, which is what taking a word from another core's cache takes, thrice. */
const WAY = 16;
/** Turns between two looks at the clock, which costs as much as several turns. */
const BATCH = 24;

/**
 * Turns until `ready` says true, as long as spinning pays. Returns whether it did.
 * `ready` must be cheap and must not throw.
 *
 * Two threads that both sleep wake each other slowly, so that a short spin never pays, while a longer one on either side
 * soon makes it pay on both. The limit is time and not turns, as a turn is fifty times slower before the engine has
 * compiled it.
 */
export function spinUntil(ready: () => boolean): boolean {
  if (agent.spins === undefined) {
    agent.spins = agent.host?.hardwareConcurrency !== 1;
    agent.spinCredit = CREDIT;
    agent.spinRetry = RETRY_SOON;
  }
  if (!agent.spins) return false;
  let limit = SPIN_MS;
  if (agent.spinCredit < CREDIT) {
    if (agent.spinCredit === 0 && ++agent.spinSkipped < agent.spinRetry) return false;
    limit = LONGER_MS;
  }
  let start = 0;
  for (let turn = 1;; turn++) {
    if (ready()) {
      if (turn > 1) { // else it was not the spinning that paid
        agent.spinCredit = CREDIT;
        agent.spinRetry = RETRY_SOON;
        agent.spinsInVain = 0;
      }
      return true;
    }
    if (turn % BATCH === 0) {
      const time = now();
      if (start === 0) start = time;
      else if (time - start >= limit) break;
    }
    pause();
  }
  if (agent.spinCredit > 0) agent.spinCredit--;
  else if (++agent.spinsInVain > PATIENCE) agent.spinRetry = Math.min(2 * agent.spinRetry, RETRY_SELDOM);
  agent.spinSkipped = 0;
  return false;
}

/** Lets somebody through who spins for what was just let go of, if there is another core: until `taken` says true. */
export function giveWay(taken: () => boolean): void {
  if (agent.spins !== true) return;
  for (let turn = 0; turn < WAY && !taken(); turn++) pause();
}
