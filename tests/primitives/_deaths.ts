/**
 * Deaths at every step: runs an operation in an agent of its own which dies before its nth access to shared memory,
 * for each n. What it does after that has no effect, as the code of a dead thread has none.
 *
 * @module
 */

import { Agent, agent, setAgent } from "../../primitives/_agent.ts";
import type { FullHandle, Handle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";

const DEAD: unique symbol = Symbol("dead");

/**
 * Runs `act` as another thread, which dies before its access number `steps`; returns whether it was done before. What
 * `attach` gives is made by that thread, too, before the count begins.
 */
export function dies<T>(handle: Handle, steps: number, attach: () => T, act: (attached: T) => void): boolean {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  const own = agent;
  const { roster, rosterOffset } = handle as FullHandle;
  setAgent(new Agent());
  agent.mayBlock = true; // or it would be tried, and a death taken for an answer
  agent.spins = false; // how many steps a spin takes is a matter of time
  const mine = Roster.attach(roster, rosterOffset);
  const id = mine.me;
  let left = steps;
  const mortal: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(real)) {
    const operation = (real as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!;
    mortal[name] = (...args: unknown[]) => {
      if (left-- <= 0) throw DEAD;
      return operation.apply(real, args);
    };
  }
  let done = true;
  try {
    const attached = attach();
    realm.Atomics = mortal as unknown as typeof Atomics;
    act(attached);
  } catch (error) {
    if (error !== DEAD) throw error;
    done = false;
  } finally {
    realm.Atomics = real;
    setAgent(own);
    Roster.attach(roster, rosterOffset).markDead(id);
  }
  return done;
}
