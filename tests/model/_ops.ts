/**
 * What virtual threads do: the operations of the seam and the model's own steps, and the codes of their results.
 *
 * @module
 */

import type { Word } from "./_words.ts";

/** The kinds of operation. `step` and `until` are the model's own; `skip` stands for what a twin leaves out. */
export type OpKind =
  | "load"
  | "store"
  | "add"
  | "sub"
  | "and"
  | "or"
  | "xor"
  | "exchange"
  | "cas"
  | "wait"
  | "waitAsync"
  | "notify"
  | "pause"
  | "step"
  | "until"
  | "skip";

/** One operation that a thread is about to do. */
export interface Op {
  readonly kind: OpKind;
  readonly word: Word | undefined;
  /** The operand: value, expected value, count, or the result of a `skip`. */
  readonly a: number;
  /** The replacement of a cas. */
  readonly b: number;
  /** How long a wait lasts. */
  readonly ms: number;
  /** What a step is called in traces. */
  readonly label: string;
  readonly run: ((world: World) => number | void) | undefined;
  readonly when: ((world: World) => boolean) | undefined;
  /** Where the library does it, for twins: the stack, with the names of functions. */
  readonly stack?: string;
}

/** What a step of the model sees of the state, as one atomic look. */
export interface World {
  /** The model's own variables, zero at first. */
  get(name: string): number;
  set(name: string, value: number): void;
  /** A shared word by the name it has in traces. */
  word(name: string): number;
  /** Writes it, for twins. */
  poke(name: string, value: number): void;
  /** Whether the thread of that index (from 0) has died. */
  dead(thread: number): boolean;
  /** Whether it has come to its end. */
  done(thread: number): boolean;
  /** Whether it sleeps, blocked or as a task that waits and has no event to take up. */
  asleep(thread: number): boolean;
  /** Reports a violation. */
  fail(message: string): void;
}

/** Results of wait, and of a settled waitAsync. */
export const OK = 0;
export const NOT_EQUAL = 1;
export const TIMED_OUT = 2;
/** Result of waitAsync that sleeps. */
export const PENDING = 3;

/** An event for an async thread: its wait of that number has ended. */
export function settled(wait: number, result: number): number {
  return 2 ** 40 + wait * 4 + result;
}

/** An event for an async thread: its signal was aborted. */
export const ABORT: number = 2 ** 41;

/** Whether a logged number is an event rather than the result of an operation. */
export function isEvent(result: number): boolean {
  return result >= 2 ** 40;
}

/** What a left out operation answers: as if it had been done. */
export function skipped(op: Op): Op {
  const a = op.kind === "cas" || op.kind === "store" ? op.a : op.kind === "wait" ? OK : 0;
  return { ...op, kind: "skip", a, label: `(left out: ${op.kind})` };
}

/** A compare and swap that does not compare. */
export function forced(op: Op): Op {
  const run = (world: World): number => {
    world.poke(op.word!.name, op.b);
    return op.a;
  };
  return { ...op, kind: "step", word: undefined, label: `(without comparing: ${op.word!.name})`, run };
}

/** Whether an operation changes nothing that anybody could see. */
export function isPure(op: Op): boolean {
  return op.kind === "load" || op.kind === "pause" || op.kind === "skip";
}
