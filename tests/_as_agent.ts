/**
 * Other threads, as far as shared memory shows: agents of their own, which this thread plays, and one that has died.
 *
 * @module
 */

import type { Agent } from "../primitives/_agent.ts";
import { agent, setAgent } from "../primitives/_agent.ts";

/** The id of a thread that has ended: nobody has it, however many agents a test plays. */
export const ENDED: number = 1000 | (1 << 12);

/** Does something in the place of another agent, which does not wait for others. */
export function asAgent<T>(other: Agent, act: () => T): T {
  const own = agent;
  setAgent(other);
  try {
    return act();
  } finally {
    setAgent(own);
  }
}

/** Lets another agent begin to wait, without blocking. Nothing more happens there, and nothing here stays alive for it. */
export function leaveWaiting(other: Agent, begin: () => Promise<unknown>): void {
  asAgent(other, () => void begin().catch(() => {}));
  clearInterval(other.pendingTimer as ReturnType<typeof setInterval> | undefined);
}
