/**
 * The explorer: runs the real code of the primitives under all interleavings of a few virtual threads.
 *
 * **How.** Every access of the library to shared memory goes through `primitives/_atomics.ts`, which reads
 * `globalThis.Atomics` at each call; so does the clock. The explorer puts stand-ins in their place (`_seam.ts`), makes
 * each thread a tree of what it does next for each result it may get (`_thread.ts`, by replay), and walks all states
 * of memory, threads and sleepers depth first (`_moves.ts`, `_state.ts`). A state that was met before with at least
 * as many preemptions left is not walked again: what can follow depends on nothing else, so nothing is missed.
 *
 * **Bounds.** Switching away from a thread that could go on is a preemption: 2 in the gate, 4 in the long run.
 * Switches at sleeps, ends and turns of an event loop are free. The other moves have budgets of their own
 * (`Budget`): time-outs, passing time, wake-ups for no reason, deaths at any step, aborts. Steps in one schedule are
 * bounded too, so that a loop that never ends is a violation.
 *
 * **What is a violation.** A check of the model that fails, in a step, at each state or at the end; a thread that
 * throws; and a state in which nobody can move while a thread is not at its end. Sleeps end by themselves only in
 * threads with a time limit (`timed`), and, since waits look up every slice, after a death. So a wake-up that is lost and
 * only made good by a slice is found, as long as nobody has died.
 *
 * **Sleepers** of one word form one line, oldest first, blocking and async alike, as in all engines. A sleep of a dead
 * thread stays in line and swallows a notify, as in Deno and Chromium; so does an async sleep that nobody awaits.
 *
 * **Words.** What the threads never write is constant, and what only one thread uses is its own: accesses to those are
 * no steps (`_words.ts`, `_roster_words.ts`). Both are checked: an access that would break the assumption is an error.
 *
 * **Twins.** Each model has twins: the same code with one operation left out or altered at the seam, chosen by its kind,
 * its word, its values, or the library's functions on the stack. The explorer has to catch each of them.
 *
 * **Traces.** A violation is printed step by step with the names of words, found again with as few preemptions as it
 * takes, and as a string of moves (`_trace.ts`) that `LOCKSTEP_TRACE` replays with `--filter`. The same model gives the
 * same schedules on Deno, Node and Bun: replays depend on nothing but the results they are fed, and what is random
 * (record ids) is seeded. The gate runs them on Deno. (Bun's test runner reports the promises that a stopped task leaves
 * behind, and its engine drops frames from stacks, which some twins look at.)
 *
 * **Not covered.** Only sequentially consistent interleavings: Atomics are, and plain accesses are ordered by them.
 * Plain doubles in shared memory are steps too; other plain elements (the bytes of long messages) do not go through
 * the seam and are not followed: a write to one is noticed at the end of an exploration. Spinning is off. What needs
 * more threads, preemptions, deaths or rounds than the bounds allow is not found. Two states may have the same hash
 * of 64 bits, though with ten million states that is one chance in 10^5.
 *
 * @module
 */

import { apply, Missing, type Move, movesOf, type System, unfinished } from "./_moves.ts";
import { type Budget, State, Visited } from "./_state.ts";
import type { Node } from "./_thread.ts";
import { encode, tell } from "./_trace.ts";

/** Limits of one exploration, and checks. */
export interface Bounds {
  readonly budget: Budget;
  /** Steps in one schedule. */
  readonly maxSteps: number;
  /** States in all. */
  readonly maxStates: number;
  /** Called at each new state; returns what is wrong. */
  always(state: State): string | undefined;
  /** Called where every thread has come to its end or died; returns what is wrong. */
  after(state: State): string | undefined;
}

/** What an exploration found. */
export interface Report {
  readonly states: number;
  readonly steps: number;
  /** Ways through, up to the end or to a state met before. */
  readonly schedules: number;
  /** How often code of the library was run. */
  readonly replays: number;
  readonly violation: Violation | undefined;
}

/** A schedule that goes wrong. */
export interface Violation {
  readonly message: string;
  /** For LOCKSTEP_TRACE. */
  readonly trace: string;
  /** Step by step, for people. */
  readonly story: string;
  /** On which schedule it was found. */
  readonly schedule: number;
}

interface Frame {
  readonly state: State;
  readonly moves: readonly Move[];
  next: number;
}

/** The state that all schedules start from. */
export async function start(system: System, budget: Budget): Promise<State> {
  const nodes: Node[] = [];
  for (const tree of system.trees) nodes.push(await tree.root());
  const memory = Int32Array.from(system.words.all, ({ initial }) => initial);
  return new State(memory, nodes, budget);
}

/** Makes a move, replaying async threads where that is needed. */
export async function make(system: System, state: State, move: Move, log?: (text: string) => void): Promise<State> {
  for (;;) {
    try {
      return apply(system, state, move, log);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      await error.grown;
    }
  }
}

/** Walks all schedules within the bounds, up to the first violation. */
export async function explore(system: System, bounds: Bounds): Promise<Report> {
  const visited = new Visited();
  let steps = 0;
  let schedules = 0;
  const report = (violation?: Violation): Report => {
    const replays = system.trees.reduce((sum, tree) => sum + tree.size, 0);
    return { states: visited.size, steps, schedules, replays, violation };
  };
  const root = await start(system, bounds.budget);
  const frames: Frame[] = [{ state: root, moves: movesOf(system, root), next: 0 }];
  while (frames.length > 0) {
    const frame = frames[frames.length - 1]!;
    if (frame.next === frame.moves.length) {
      frames.pop();
      continue;
    }
    const move = frame.moves[frame.next++]!;
    let state: State;
    try {
      state = apply(system, frame.state, move);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      await error.grown;
      frame.next--;
      continue;
    }
    steps++;
    let moves: Move[] = [];
    if (state.violation === undefined) {
      if (!visited.add(state, system.words)) {
        schedules++;
        continue;
      }
      state.violation = bounds.always(state);
      moves = movesOf(system, state);
      if (moves.length === 0 && !unfinished(system, state)) state.violation ??= bounds.after(state);
      if (frames.length > bounds.maxSteps) state.violation ??= `more than ${bounds.maxSteps} steps: a loop without end`;
    }
    if (state.violation !== undefined) {
      const path = frames.map(({ moves, next }) => moves[next - 1]!);
      const story = await tell(system, root, path);
      return report({ message: state.violation, trace: encode(path), story, schedule: schedules + 1 });
    }
    if (visited.size > bounds.maxStates) {
      throw new Error(`The model is too large: more than ${bounds.maxStates} states`);
    }
    if (moves.length === 0) schedules++;
    frames.push({ state, moves, next: 0 });
  }
  return report();
}
