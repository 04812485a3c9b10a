// Results that hold shared memory, for joiners in other threads than the starter.
//
// Shared memory travels by postMessage only, and a port joins each thread with its
// starter. So a joiner asks: the question goes along these ports to the starter of
// the thread that is joined, and the answer comes back the same way. Each hop sees
// from the roster whether the next one is a thread that it started, or its own starter.

import { agent } from "./_agent.ts";
import type { Roster } from "./_roster.ts";
import type { ThreadCore } from "./_thread_core.ts";
import type { RoutedMessage } from "./_thread_messages.ts";

/** Sends a message on towards the thread of that id. Returns false where there is no way to it. */
export function route(roster: Roster, message: RoutedMessage): boolean {
  const next = childTowards(roster, message.to);
  if (next !== undefined) {
    if (next.local.worker === undefined) return false;
    next.local.worker.post(message);
    return true;
  }
  if (!agent.started) return false;
  agent.host!.post(message);
  return true;
}

/** The thread that this agent has started and that is the one of that id, or stands above it. */
function childTowards(roster: Roster, id: number): ThreadCore | undefined {
  for (let at = id; at !== 0; at = roster.parent(at)) {
    if (roster.parent(at) !== roster.me) continue;
    return ([...agent.children] as ThreadCore[]).find((child) => child.id === at);
  }
  return undefined;
}
