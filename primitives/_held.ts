// What the threads of this agent hold: ranks, checked before anything can hang,
// and, only after trackHeld(true), a list of all holds for dumps.

import { agent } from "./_agent.ts";
import { title } from "./_wait.ts";
import { LockOrderError } from "./errors.ts";

/** Something held that has a rank or is tracked. */
export interface Holdable {
  readonly kind: string;
  readonly name: string;
  readonly rank: number | undefined;
  /** Whether that hold of this agent still stands. */
  holds(serial: number): boolean;
}

interface Hold {
  readonly what: Holdable;
  readonly serial: number;
  readonly task: boolean;
}

/** Whether holds are noted at all, for locks without a rank. */
export let tracking = false;

/** Turns the noting of all holds of this agent on or off. */
export function setTracking(on: boolean): void {
  tracking = on;
}

/**
 * Throws LockOrderError when this thread holds something of that rank or a higher one. What other
 * tasks hold asynchronously concerns a call that blocks the whole thread, but not another task.
 */
export function checkRank(what: Holdable, task: boolean): void {
  const { rank } = what;
  if (rank === undefined) return;
  for (const hold of agent.ranked as Hold[]) {
    const held = hold.what;
    if (held.rank === undefined || held.rank < rank || held === what) continue;
    if ((task && hold.task) || !held.holds(hold.serial)) continue;
    const wanted = title(what.kind, what.name);
    const other = title(held.kind, held.name);
    throw new LockOrderError(
      `Cannot acquire ${wanted} of rank ${rank} as this thread holds ${other} of rank ${held.rank}: ` +
        "take locks in order of rising rank",
      { held: other, wanted },
    );
  }
}

/** Notes a hold of this agent. */
export function noteHold(what: Holdable, serial: number, task: boolean): void {
  const holds = agent.ranked as Hold[];
  // Holds that somebody else has ended are swept here, so that the list stays short.
  for (let i = holds.length - 1; i >= 0; i--) {
    if (!holds[i]!.what.holds(holds[i]!.serial)) holds.splice(i, 1);
  }
  holds.push({ what, serial, task });
}

/** A hold of this agent has ended. */
export function forgetHold(what: Holdable): void {
  const holds = agent.ranked as Hold[];
  for (let i = holds.length - 1; i >= 0; i--) {
    if (holds[i]!.what === what || !holds[i]!.what.holds(holds[i]!.serial)) holds.splice(i, 1);
  }
}
