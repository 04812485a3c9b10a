// Workers that Lockstep did not start: their slots in the roster are freed when they
// die. The agent that made one is told by process.on("worker"); where there are Web
// Locks, the main thread watches those of workers that have no number.

import { hold, onDeath, tellsLives } from "./_life.ts";
import { process } from "./_node_api.ts";
import type { Membership } from "../primitives/host.ts";

interface AnyWorker {
  readonly threadId?: number;
  on?(event: string, listener: () => void): void;
  addEventListener?(event: string, listener: () => void): void;
}

const memberships: Membership[] = [];

/** The number of this agent's sign of life; negative, as those of the runtime are not. */
const life = -1 - Math.floor(Math.random() * 0x7ffffffe);
let held: Promise<boolean> | undefined;
let isHeld = false;

const nameOf = (number: number): string => `lockstep-life${number}`;

/**
 * Holds a sign of life for the case that this agent becomes a member of a roster. To be called as early as can be:
 * Chromium grants a lock only as the worker's event loop turns, and the worker may block as soon as it is a member.
 */
export function holdLife(): void {
  if (!tellsLives || held !== undefined) return;
  held = hold(nameOf(life));
  void held.then((given) => isHeld = given);
}

/** Watches the workers that this agent makes; once, as early as can be. */
export function watchWorkers(): void {
  process?.on("worker", (worker: AnyWorker) => {
    const number = worker.threadId; // gone after its end
    const ended = (): void => {
      for (const membership of memberships) {
        for (const raw of membership.raws()) {
          if (raw.number > 0 && raw.number === number) membership.markDead(raw.id);
        }
      }
    };
    if (worker.on !== undefined) worker.on("exit", ended);
    else worker.addEventListener?.("close", ended);
  });
}

/** This agent has become a member of a roster. */
export function watchMembers(membership: Membership): void {
  memberships.push(membership);
  if (membership.isMain) waitForAll(membership);
  if (!tellsLives) return;
  if (!membership.isMain) {
    if (membership.number === 0) announce(membership);
    return;
  }
  const watched = new Set<number>();
  membership.onRaw(() => {
    for (const { id, number } of membership.raws()) {
      if (number >= 0 || watched.has(id)) continue;
      watched.add(id);
      onDeath(nameOf(number), () => {
        watched.delete(id);
        membership.markDead(id);
      });
    }
  });
}

/** How often the end of the last thread is looked for, in ms. */
const LAST_LOOK = 20;

/** Has the program wait also for threads that daemons have started: their workers are known to those alone. */
function waitForAll(membership: Membership): void {
  process?.on("beforeExit", () => { // called again once the timer has run
    if (membership.awaits()) setTimeout(() => {}, LAST_LOOK);
  });
}

function announce(membership: Membership): void {
  if (isHeld) return membership.announce(life);
  holdLife();
  void held!.then((given) => given && membership.announce(life));
}
