// What the threads of the barrier tests do.

import type { Event, Handle } from "../../mod.ts";
import { Barrier } from "../../mod.ts";

/** Passes with an action that runs until it is told to end. */
export function actUntil(handle: Handle, begun: Event, end: Event): number {
  const action = () => {
    begun.set();
    end.tryWait({ timeout: 10_000 });
  };
  return Barrier.attach(handle, { action }).wait();
}

/** A task of it waits with an action, which the thread is too busy to begin until it is told to end. */
export async function keepWaiting(handle: Handle, begun: Event, end: Event): Promise<number> {
  const place = Barrier.attach(handle, { action: () => {} }).waitAsync();
  begun.set();
  end.tryWait({ timeout: 10_000 });
  return await place;
}
