/**
 * Other threads, as far as shared memory shows: agents of their own, which this thread plays, and one that has died.
 *
 * @module
 */

import type { Agent } from "../primitives/_agent.ts";
import { agent, setAgent } from "../primitives/_agent.ts";
import type { Roster } from "../primitives/_roster.ts";
import { atEnd } from "./_harness.ts";

/** The id of a thread that has ended: nobody has it, however many agents a test plays. */
export const ENDED: number = 1000 | (1 << 12);

const played = new WeakSet<Agent>();

/** Does something in the place of another agent, which does not wait for others, and is no more once the test has ended. */
export function asAgent<T>(other: Agent, act: () => T): T {
  if (!played.has(other)) {
    played.add(other);
    atEnd(() => bury(other));
  }
  const own = agent;
  setAgent(other);
  try {
    return act();
  } finally {
    setAgent(own);
  }
}

/** Or it would count as a living thread in the tests that run in this process later on. */
function bury(other: Agent): void {
  for (const roster of agent.rosters.values() as Iterable<Roster>) {
    const theirs = other.rosters.get(roster.key) as Roster | undefined;
    if (theirs !== undefined) roster.markDead(asAgent(other, () => theirs.me));
  }
}

/** Lets another agent begin to wait, without blocking. Nothing more happens there, and nothing here stays alive for it. */
export function leaveWaiting(other: Agent, begin: () => Promise<unknown>): void {
  asAgent(other, () => void begin().catch(() => {}));
  clearInterval(other.pendingTimer as ReturnType<typeof setInterval> | undefined);
}
