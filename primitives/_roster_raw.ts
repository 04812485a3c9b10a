// Workers that Lockstep did not start, as the roster has them: raw workers. Each says by a number how the main thread
// can watch it; what hosts make of that is in host.ts. The words are in the header of _roster_record.ts.

import { agent } from "./_agent.ts";
import { add, load, store } from "./_atomics.ts";
import type { Membership } from "./host.ts";
import type { Roster } from "./_roster.ts";
import { DAEMON_BIT, NUMBER, RAW_BIT, RAWS, SLOT_MASK, slotAt } from "./_roster_record.ts";

/** How often the main thread looks for raw workers unasked, in ms. */
const LOOK = 1000;

/** This agent is one: it tells its end itself, where it can, and is watched by whoever can see it. */
export function joinRaw(roster: Roster, id: number): void {
  roster.rename(id, `Worker-${id & SLOT_MASK}`);
  store(roster.words, numberAt(id), agent.host?.workerNumber ?? 0);
  agent.host?.onEnd(() => roster.markDead(id));
}

/** What this agent's host is told once the agent has joined a roster as its main thread or as a raw worker. */
export function membershipOf(roster: Roster, isMain: boolean): Membership {
  const { words, parker } = roster;
  const owner = agent;
  return {
    number: agent.host!.workerNumber,
    isMain,
    raws: () =>
      roster.list().filter(({ flags }) => (flags & RAW_BIT) !== 0)
        .map(({ id }) => ({ id, number: load(words, numberAt(id)) })),
    onRaw(listener): void {
      if (owner !== agent) return;
      const seen = load(words, RAWS);
      listener();
      parker.parkAsync(words, RAWS, seen, LOOK).promise.then(() => this.onRaw(listener), () => {});
    },
    announce: (number) => {
      store(words, numberAt(roster.me), number);
      add(words, RAWS, 1);
      parker.unpark(words, RAWS, Infinity);
    },
    markDead: (id) => void roster.markDead(id),
    awaits: () => roster.list().some(({ id, flags }) => (flags & DAEMON_BIT) === 0 && underDaemon(roster, id)),
  };
}

/** Whether a daemon of this agent has started that thread, directly or not, and all between them are alive. */
function underDaemon(roster: Roster, id: number): boolean {
  let daemon = 0;
  let at = id;
  for (; at !== roster.me && roster.alive(at); at = roster.parent(at)) daemon |= roster.flags(at) & DAEMON_BIT;
  return at === roster.me && daemon !== 0;
}

function numberAt(id: number): number {
  return slotAt(id & SLOT_MASK) + NUMBER;
}
