/**
 * What the scheduler can do in a state, and what comes of it.
 *
 *   1      thread 1 does its next step, or an async thread 1 takes its oldest event
 *   1t     a sleep of thread 1 comes to its end; time goes on to that moment
 *   1w     thread 1 is woken for no reason
 *   1x     thread 1 dies; a sleep of its own stays in line and may swallow a notify
 *   1a     the signal of thread 1 is aborted
 *   c      some time passes
 *
 * @module
 */

import { ABORT, isPure, NOT_EQUAL, OK, type Op, PENDING, settled, TIMED_OUT, type World } from "./_ops.ts";
import type { Sleeper, State } from "./_state.ts";
import { compute, type Node, type ThreadTree } from "./_thread.ts";
import type { WordTable } from "./_words.ts";

/** One thing that the scheduler does. */
export interface Move {
  readonly what: "" | "t" | "w" | "x" | "a" | "c";
  readonly thread: number;
}

/** What stays the same during an exploration. */
export interface System {
  readonly words: WordTable;
  readonly trees: readonly ThreadTree[];
  /** Threads with a time limit: their sleeps may end by themselves. */
  readonly timed: (thread: number) => boolean;
  /** Which threads may die. */
  readonly mortal: (thread: number, world: World) => boolean;
  /** Sleeps of at most that many ms end by themselves when nobody else can move. */
  readonly polls: number;
  /** How far time goes on with a tick, in ms. */
  readonly tick: number;
  /** Whether anybody may be rescued by the end of a slice, or only after a death. */
  readonly slices: boolean;
  readonly lookUps: number;
  /** Whether those who wait may wait for ever here. */
  readonly rests: (world: World) => boolean;
}

/** An async thread has to be replayed before the move can be made. */
export class Missing {
  readonly grown: Promise<Node>;
  constructor(grown: Promise<Node>) {
    this.grown = grown;
  }
}

/** Whether the thread could do a step now. */
export function runnable(system: System, state: State, thread: number): boolean {
  if (state.isDead(thread)) return false;
  const { kind, op } = state.nodes[thread]!;
  if (kind === "quiet") return state.arrived[thread]!.length > 0;
  if (kind !== "op" || state.sleeps(thread)) return false;
  return op!.kind !== "until" || op!.when!(worldOf(system, state));
}

/** Whether a thread that matters has not come to its end. */
export function unfinished(system: System, state: State): boolean {
  return state.nodes.some(({ kind }, i) => !system.trees[i]!.program.helper && kind !== "done" && !state.isDead(i));
}

/** All moves in a state; the current thread's step first. Sets `violation` where nobody is left to move. */
export function movesOf(system: System, state: State): Move[] {
  const { trees } = system;
  const { left, nodes, current } = state;
  const moves: Move[] = [];
  const ready: number[] = [];
  for (let i = 0; i < nodes.length; i++) if (runnable(system, state, i)) ready.push(i);
  // An event loop between two events is a natural place to switch.
  const going = current >= 0 && ready.includes(current) && nodes[current]!.kind === "op";
  if (going) moves.push({ what: "", thread: current });
  for (const thread of ready) {
    if (going && thread === current) continue;
    if (going && left.preemptions === 0 && !trees[thread]!.program.helper) continue;
    moves.push({ what: "", thread });
  }
  if (!unfinished(system, state)) return moves;
  if (ready.length === 0) moves.push(...rescues(system, state));
  for (let thread = 0; thread < nodes.length; thread++) {
    const { kind, op, abortable } = nodes[thread]!;
    if (state.isDead(thread) || kind === "done" || trees[thread]!.program.helper) continue;
    const sleeper = state.sleepers.find((sleeper) => sleeper.thread === thread);
    if (left.timeouts > 0 && ready.length > 0 && sleeper !== undefined && (system.timed(thread) || system.slices)) {
      moves.push({ what: "t", thread });
    }
    if (left.spurious > 0 && sleeper !== undefined) moves.push({ what: "w", thread });
    // To die before an operation that changes nothing is to die before the next one.
    if (left.deaths > 0 && (kind === "quiet" || !isPure(op!)) && system.mortal(thread, worldOf(system, state))) {
      moves.push({ what: "x", thread });
    }
    if (left.aborts > 0 && abortable && kind === "quiet") moves.push({ what: "a", thread });
  }
  if (left.ticks > 0) moves.push({ what: "c", thread: 0 });
  return moves;
}

/** No thread can go on by itself: whose sleep ends? None may have to, as wake-ups must never be lost. */
function rescues(system: System, state: State): Move[] {
  const asleep = state.sleepers.filter(({ thread, until }) =>
    until !== Infinity && !state.isDead(thread) && state.nodes[thread]!.kind !== "done"
  );
  const timed = asleep.filter(({ thread }) => system.timed(thread));
  const moves = (some: readonly Sleeper[]): Move[] =>
    [...new Set(some.map(({ thread }) => thread))].map((thread) => ({ what: "t", thread }));
  if (timed.length > 0) return moves(timed);
  const polls = asleep.filter(({ until }) => until - state.clock <= system.polls);
  const entitled = system.slices || state.dead !== 0 ? asleep : polls;
  if (system.rests(worldOf(system, state))) return [];
  if (entitled.length === 0 || state.lookUps >= system.lookUps) {
    state.violation = entitled.length === 0
      ? "nobody can move: a wake-up was lost, or threads wait for each other"
      : `nobody got on in ${state.lookUps} look-ups: something waits for ever`;
    return [];
  }
  const first = Math.min(...entitled.map(({ until }) => until));
  return moves(entitled.filter(({ until }) => until === first));
}

/** The state after a move; `log` is told what happened. Throws Missing. */
export function apply(system: System, state: State, move: Move, log?: (text: string) => void): State {
  const next = state.copy();
  const { what, thread } = move;
  switch (what) {
    case "": {
      const going = state.current >= 0 && state.current !== thread && runnable(system, state, state.current) &&
        state.nodes[state.current]!.kind === "op";
      if (!system.trees[thread]!.program.helper) {
        if (going) next.left = { ...next.left, preemptions: next.left.preemptions - 1 };
        next.current = thread;
      }
      next.lookUps = state.lookUps > 0 && !moves(state.nodes[thread]!) ? state.lookUps : 0;
      step(system, next, thread, log);
      return next;
    }
    case "t": {
      const sleeper = next.sleepers.find((sleeper) => sleeper.thread === thread && sleeper.until !== Infinity)!;
      const free = next.nodes.every((_, i) => !runnable(system, next, i));
      if (!free) next.left = { ...next.left, timeouts: next.left.timeouts - 1 };
      else if (!system.timed(thread)) next.lookUps++;
      next.clock = Math.max(next.clock, sleeper.until);
      log?.(`its sleep on ${system.words.all[sleeper.cell]!.name} ends at ${next.clock} ms`);
      wake(system, next, sleeper, TIMED_OUT);
      return next;
    }
    case "w": {
      const sleeper = next.sleepers.find((sleeper) => sleeper.thread === thread)!;
      next.left = { ...next.left, spurious: next.left.spurious - 1 };
      log?.(`is woken on ${system.words.all[sleeper.cell]!.name} for no reason`);
      wake(system, next, sleeper, OK);
      return next;
    }
    case "x":
      next.left = { ...next.left, deaths: next.left.deaths - 1 };
      next.dead |= 1 << thread;
      next.arrived = next.arrived.map((events, i) => i === thread ? [] : events);
      next.lookUps = 0;
      if (next.current === thread) next.current = -1;
      log?.("dies");
      return next;
    case "a":
      next.left = { ...next.left, aborts: next.left.aborts - 1 };
      log?.("its signal is aborted");
      advance(system, next, thread, ABORT);
      return next;
    case "c":
      next.left = { ...next.left, ticks: next.left.ticks - 1 };
      next.clock += system.tick;
      log?.(`it is ${next.clock} ms now`);
      return next;
  }
}

/** Whether a step can bring anybody forward: a look at a word does not. */
function moves({ kind, op }: Node): boolean {
  return kind === "quiet" ? false : op!.kind === "step" || op!.kind === "until" || op!.kind === "notify";
}

function step(system: System, state: State, thread: number, log?: (text: string) => void): void {
  const node = state.nodes[thread]!;
  if (node.kind === "quiet") {
    const [event, ...rest] = state.arrived[thread]!;
    state.arrived = state.arrived.map((events, i) => i === thread ? rest : events);
    log?.("takes up an event");
    advance(system, state, thread, event!);
    return;
  }
  const op = node.op!;
  const result = perform(system, state, thread, op);
  log?.(describe(system, op, result));
  if (result === undefined) return;
  advance(system, state, thread, result);
  const next = state.nodes[thread]!;
  if (system.trees[thread]!.program.swift && op.kind !== "cas" && next.kind === "op" && next.op!.kind !== "until") {
    step(system, state, thread, log);
  }
}

/** Does the operation; undefined when the thread is asleep now. */
function perform(system: System, state: State, thread: number, op: Op): number | undefined {
  const { memory } = grown(system, state);
  const cell = op.word?.cell ?? -1;
  switch (op.kind) {
    case "load":
      return memory[cell]!;
    case "skip":
      return op.a;
    case "pause":
    case "until":
      return 0;
    case "step": {
      const result = op.run!(worldOf(system, state)) ?? 0;
      if (typeof result !== "number") throw new Error(`Bug in the model: step ${op.label} gives no number`);
      return result;
    }
    case "wait":
      if (memory[cell] !== op.a) return NOT_EQUAL;
      if (!(op.ms > 0)) return TIMED_OUT;
      state.sleepers = [...state.sleepers, { cell, thread, wait: -1, until: state.clock + op.ms }];
      return undefined;
    case "waitAsync": {
      if (memory[cell] !== op.a) return NOT_EQUAL;
      if (!(op.ms > 0)) return TIMED_OUT;
      const wait = state.nodes[thread]!.waits;
      state.sleepers = [...state.sleepers, { cell, thread, wait, until: state.clock + op.ms }];
      return PENDING;
    }
    case "notify": {
      const woken = state.sleepers.filter((sleeper) => sleeper.cell === cell).slice(0, Math.min(op.a, 64));
      for (const sleeper of woken) wake(system, state, sleeper, OK);
      return woken.length;
    }
    default: {
      const seen = memory[cell]!;
      memory[cell] = compute(op.kind, seen, op.a, op.b)!;
      return op.kind === "store" ? op.a : seen;
    }
  }
}

function wake(system: System, state: State, sleeper: Sleeper, result: number): void {
  const { thread, wait } = sleeper;
  state.sleepers = state.sleepers.filter((other) => other !== sleeper);
  if (state.isDead(thread) || state.nodes[thread]!.kind === "done") return; // the notify is swallowed
  if (wait < 0) advance(system, state, thread, result);
  else {
    const event = settled(wait, result);
    state.arrived = state.arrived.map((events, i) => i === thread ? [...events, event] : events);
  }
}

/** Takes a thread to the node that follows. */
function advance(system: System, state: State, thread: number, result: number): void {
  const child = system.trees[thread]!.child(state.nodes[thread]!, result, state.clock);
  if (child instanceof Promise) throw new Missing(child);
  state.nodes[thread] = child;
  grown(system, state);
  if (child.kind === "error") {
    const { error } = child;
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    state.violation ??= `${system.trees[thread]!.program.name} throws ${text}`;
  }
}

/** Makes room for words that were met since. */
export function grown(system: System, state: State): State {
  const { all } = system.words;
  const known = state.memory.length;
  if (known < all.length) {
    const memory = new Int32Array(all.length);
    memory.set(state.memory);
    for (let i = known; i < all.length; i++) memory[i] = all[i]!.initial;
    state.memory = memory;
  }
  return state;
}

/** What a step of the model sees, and changes. */
export function worldOf(system: System, state: State): World {
  const { words } = system;
  const read = (cell: number, initial: number): number => state.memory[cell] ?? initial;
  return {
    get: (name) => read(words.ghost(name).cell, 0),
    set(name, value) {
      const { cell } = words.ghost(name);
      grown(system, state).memory[cell] = value;
    },
    word(name) {
      const { cell, initial } = words.named(name);
      return read(cell, initial);
    },
    poke(name, value) {
      grown(system, state).memory[words.named(name).cell] = value;
    },
    dead: (thread) => state.isDead(thread),
    done: (thread) => state.nodes[thread]!.kind === "done",
    asleep: (thread) =>
      state.sleeps(thread) || (state.nodes[thread]!.kind === "quiet" && state.arrived[thread]!.length === 0),
    fail: (message) => state.violation ??= message,
  };
}

function describe(system: System, op: Op, result: number | undefined): string {
  const show = (value: number): string => showValue(system, value);
  const name = op.word?.name ?? "";
  switch (op.kind) {
    case "step":
    case "until":
    case "skip":
      return `${op.label} ${name}${result ? ` = ${result}` : ""}`;
    case "cas":
      return `cas ${name} ${show(op.a)} -> ${show(op.b)}${result === op.a ? "" : ` fails, it is ${show(result!)}`}`;
    case "wait":
    case "waitAsync":
      return result === undefined || result === PENDING
        ? `${op.kind} ${name} while ${show(op.a)}, ${op.ms} ms: asleep`
        : `${op.kind} ${name} while ${show(op.a)}: ${result === NOT_EQUAL ? "it is not" : "no time left"}`;
    case "notify":
      return `notify ${name} at most ${op.a}: ${result}`;
    case "load":
      return `load ${name} = ${show(result!)}`;
    default:
      return `${op.kind} ${name} ${show(op.a)}${op.kind === "store" ? "" : `, it was ${show(result!)}`}`;
  }
}

/** A value for people: thread ids by name, the two top bits apart. */
export function showValue(system: System, value: number): string {
  const low = value & 0x3fffffff;
  const thread = low === 0 ? undefined : system.trees.find(({ program }) => program.id === low);
  const rest = `${value < 0 ? "+bit31" : ""}${(value & 0x40000000) !== 0 ? "+bit30" : ""}`;
  if (thread !== undefined) return `${thread.program.name}${rest}`;
  return value < 0 && value > -100000 ? String(value) : low === 0 && rest !== "" ? rest.slice(1) : `${low}${rest}`;
}
