// Random graphs of locks: who holds what, and who then wants what.

import { DeadlockError, type Latch, type Lock, type RLock } from "../../mod.ts";
import { Prng } from "../_prng.ts";

/** One graph: threads by number, locks by number. */
export interface Graph {
  /** For each lock the thread that holds it, -1 for nobody. */
  readonly holders: readonly number[];
  /** For each thread the lock that it wants, -1 for none. */
  readonly wants: readonly number[];
}

/** What a thread of a graph was told: how late, and the threads of the circle by number; or nothing. */
export interface Told {
  readonly ms: number;
  readonly circle: readonly number[];
}

/** The graph of that number; the same in every thread. */
export function graphOf(seed: number, round: number, threads: number, locks: number): Graph {
  const prng = new Prng(seed + Math.imul(round, 0x9e3779b9));
  const crowd = prng.below(4); // how many locks nobody holds
  const holders = Array.from({ length: locks }, () => prng.below(8) < crowd ? -1 : prng.below(threads));
  const wants = Array.from({ length: threads }, (_, me) => {
    const others = holders.flatMap((holder, lock) => holder === me ? [] : [lock]);
    return others.length === 0 || prng.below(10) === 0 ? -1 : prng.pick(others);
  });
  return { holders, wants };
}

/** The circles of a graph, as sorted lists of threads: the reference that the detector has to agree with. */
export function circlesOf({ holders, wants }: Graph): number[][] {
  const next = (thread: number): number => wants[thread]! < 0 ? -1 : holders[wants[thread]!]!;
  const circles: number[][] = [];
  for (let start = 0; start < wants.length; start++) {
    const path = [start];
    for (let at = next(start); at >= 0 && path.length <= wants.length; at = next(at)) {
      if (at === start) {
        if (start === Math.min(...path)) circles.push(path.sort((a, b) => a - b));
        break;
      }
      path.push(at);
    }
  }
  return circles;
}

/** Plays its part in all graphs; returns what it was told in each. */
export function play(
  me: number,
  seed: number,
  threads: number,
  locks: readonly (Lock | RLock)[],
  gates: readonly Latch[],
): (Told | undefined)[] {
  const told: (Told | undefined)[] = [];
  const meet = (gate: Latch): void => {
    gate.countDown();
    gate.wait();
  };
  for (let round = 0; 2 * round < gates.length; round++) {
    const { holders, wants } = graphOf(seed, round, threads, locks.length);
    meet(gates[2 * round]!); // everybody has let go of the last graph
    const held = holders.flatMap((holder, lock) => holder === me ? [locks[lock]!.acquire()] : []);
    meet(gates[2 * round + 1]!); // everybody holds what it is to hold
    const start = performance.now();
    try {
      if (wants[me]! >= 0) locks[wants[me]!]!.acquire().release();
      told.push(undefined);
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error;
      const circle = error.cycle.map(({ threadName }) => Number(threadName.split("-")[1])).sort((a, b) => a - b);
      told.push({ ms: performance.now() - start, circle });
    }
    for (const guard of held) guard.release();
  }
  return told;
}
