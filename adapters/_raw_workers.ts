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
  if (!tellsLives) return;
  const nameOf = (id: number): string => `lockstep-${membership.key}-${id}`;
  if (membership.isRaw && membership.number === 0) void hold(nameOf(membership.id)).then(() => membership.announce());
  if (!membership.isMain) return;
  const watched = new Set<number>();
  membership.onRaw(() => {
    for (const { id, number } of membership.raws()) {
      if (number !== -1 || watched.has(id)) continue;
      watched.add(id);
      onDeath(nameOf(id), () => {
        watched.delete(id);
        membership.markDead(id);
      });
    }
  });
}
