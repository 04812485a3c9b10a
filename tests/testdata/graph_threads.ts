// Random graphs of locks: who holds what, and who then wants what.

import { DeadlockError, type Latch, type Lock, type RLock, RWLock } from "../../mod.ts";
import { Prng } from "../_prng.ts";
import { clock } from "./death_threads.ts";

/** Of the locks of a graph each third one is an RWLock. */
export function isRWLock(lock: number): boolean {
  return lock % 3 === 2;
}

/** One graph: threads by number, locks by number. */
export interface Graph {
  /** For each lock the threads that hold it: at most one, or several readers of an RWLock. */
  readonly holders: readonly (readonly number[])[];
  /** For each lock whether it is held, and wanted, for reading. */
  readonly reads: readonly boolean[];
  /** For each thread the lock that it wants, -1 for none. */
  readonly wants: readonly number[];
}

/** How a thread fared in a graph. */
export interface Fate {
  /** When it began to wait, and when that was over: the time of day in ms, the same for all threads. */
  readonly began: number;
  readonly ended: number;
  /** The threads of the circle in their order, if it was told of one. */
  readonly circle: readonly number[] | undefined;
}

/** The graph of that number; the same in every thread. */
export function graphOf(seed: number, round: number, threads: number, locks: number): Graph {
  const prng = new Prng(seed + Math.imul(round, 0x9e3779b9));
  const crowd = prng.below(4); // how many locks nobody holds
  const everybody = Array.from({ length: threads }, (_, i) => i);
  const reads = Array.from({ length: locks }, (_, lock) => isRWLock(lock) && prng.below(2) === 0);
  const holders = reads.map((shared) => {
    if (prng.below(8) < crowd) return [];
    return prng.shuffle(everybody).slice(0, shared ? 1 + prng.below(3) : 1);
  });
  const wants = everybody.map((me) => {
    const others = holders.flatMap((those, lock) => those.includes(me) ? [] : [lock]);
    return others.length === 0 || prng.below(10) === 0 ? -1 : prng.pick(others);
  });
  return { holders, reads, wants };
}

/** Those for whom a thread waits. */
export function nextOf({ holders, wants }: Graph, thread: number): readonly number[] {
  return wants[thread]! < 0 ? [] : holders[wants[thread]!]!;
}

/** Every circle of a graph, starting with its smallest thread: the reference that the detector has to agree with. */
export function circlesOf(graph: Graph): number[][] {
  const circles: number[][] = [];
  const walk = (path: readonly number[]): void => {
    for (const next of nextOf(graph, path.at(-1)!)) {
      if (next === path[0]) circles.push([...path]);
      else if (next > path[0]! && !path.includes(next)) walk([...path, next]);
    }
  };
  graph.wants.forEach((_, thread) => walk([thread]));
  return circles;
}

/** Plays its part in all graphs; returns how it fared in each. */
export function play(
  me: number,
  seed: number,
  threads: number,
  locks: readonly (Lock | RLock | RWLock)[],
  gates: readonly Latch[],
): Fate[] {
  const fates: Fate[] = [];
  const meet = (gate: Latch): void => {
    gate.countDown();
    gate.wait();
  };
  const take = (lock: Lock | RLock | RWLock, reads: boolean): { release(): void } =>
    !(lock instanceof RWLock) ? lock.acquire() : reads ? lock.read() : lock.write();
  for (let round = 0; 2 * round < gates.length; round++) {
    const { holders, reads, wants } = graphOf(seed, round, threads, locks.length);
    meet(gates[2 * round]!); // everybody has let go of the last graph
    const held = holders.flatMap((those, lock) => those.includes(me) ? [take(locks[lock]!, reads[lock]!)] : []);
    meet(gates[2 * round + 1]!); // everybody holds what it is to hold
    const began = clock();
    const wanted = wants[me]!;
    let circle: number[] | undefined;
    try {
      // What readers hold is wanted for writing: another reader might get in, or might not.
      if (wanted >= 0) take(locks[wanted]!, !reads[wanted]).release();
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error;
      circle = error.cycle.map(({ threadName }) => Number(threadName.split("-")[1]));
    }
    fates.push({ began, ended: clock(), circle });
    for (const guard of held) guard.release();
  }
  return fates;
}
