// A program in which every thread sleeps without a time limit will never go on. It gets one
// warning with a dump, as Go says "all goroutines are asleep"; nothing is thrown, since which of
// the threads should get an error is not known here.
//
// The thread whose wait began last does it. At the end of a slice it sees all threads blocked, in waits that began no
// later than its own: so all were, before it looked. It remembers their tickets and how often each has looked at its
// wait anew, and warns when, STUCK_MS later, they are in the same waits and each has looked twice more: between two
// looks each has read its words, or the one that it sleeps on, and found nothing to go on with while nobody was left to change
// them. A closed
// circle of locks never gets here, as one of its members throws first.
//
// A thread that is starting will run: it is not asleep. Nor is one that Lockstep does not know; so that a
// worker of the program's own, which joins the roster only with its first primitive, has time to do so, a thread
// that seems to be alone waits ALONE_MS.

import { agent } from "./_agent.ts";
import { now } from "./_deadline.ts";
import { takeDump } from "./_dump.ts";
import type { Roster } from "./_roster.ts";
import { claimWarning, untimedWait, waitOf } from "./_roster_waits.ts";
import type { BlockedWait } from "./_wait.ts";

/** ms for which all threads must have been asleep before anybody says so. */
const STUCK_MS = 1000;
/** The same for a thread that is alone in the roster. */
const ALONE_MS = 5000;

interface Suspicion {
  readonly since: number;
  readonly sleepers: readonly Sleeper[];
  warned: boolean;
}

interface Sleeper {
  readonly id: number;
  readonly ticket: number;
  readonly checked: number;
}

/** Warns, once, when every thread is asleep for good. */
export function checkStuck(roster: Roster, wait: BlockedWait): void {
  const before = wait.suspicion as Suspicion | undefined;
  if (before?.warned === true) return;
  const sleepers = everybodyAsleep(roster, wait.ticket);
  if (sleepers === undefined || (before !== undefined && !same(before.sleepers, sleepers))) {
    wait.suspicion = undefined;
    return;
  }
  if (before === undefined) {
    wait.suspicion = { since: now(), sleepers, warned: false } satisfies Suspicion;
    return;
  }
  const patience = sleepers.length === 1 ? ALONE_MS : STUCK_MS;
  const looked = sleepers.every(({ checked }, i) => ((checked - before.sleepers[i]!.checked) | 0) >= 2);
  if (!looked || now() - before.since < patience) return;
  before.warned = true;
  if (!claimWarning(roster, wait.ticket)) return;
  const all = sleepers.length === 1 ? "the only thread is" : `all ${sleepers.length} threads are`;
  agent.host?.printError(
    `Lockstep: ${all} asleep in waits without a time limit, and nobody is left to wake them\n${takeDump(roster)}\n`,
  );
}

/** Whether this wait has to look again soon whether everybody sleeps. */
export function isSuspicious(wait: BlockedWait): boolean {
  const { suspicion } = wait;
  return suspicion !== undefined && !(suspicion as Suspicion).warned;
}

/** All living threads, if each is in an untimed wait and that of this ticket is the latest; cheap when not. */
function everybodyAsleep(roster: Roster, ticket: number): Sleeper[] | undefined {
  const sleepers: Sleeper[] = [];
  for (const id of roster.living()) {
    const other = untimedWait(roster, id);
    if (other === 0 || ((other - ticket) | 0) > 0) return undefined;
    sleepers.push({ id, ticket: other, checked: waitOf(roster, id)?.checked ?? 0 });
  }
  return sleepers;
}

function same(before: readonly Sleeper[], after: readonly Sleeper[]): boolean {
  return before.length === after.length &&
    before.every(({ id, ticket }, i) => id === after[i]!.id && ticket === after[i]!.ticket);
}
