// The seam: the only file of the library that says `Atomics`.
//
// `Atomics` is read at each call, never kept: a model checker replaces
// globalThis.Atomics by a scheduler, and every step of every primitive then
// goes through it. All operations are sequentially consistent, save read() and
// write(), which are plain.

/** A run of 32-bit words in shared memory. */
export type Words = Int32Array<SharedArrayBuffer>;

/** What Atomics.wait answers. */
export type WaitResult = "ok" | "not-equal" | "timed-out";

/** Reads a word. */
export function load(words: Words, index: number): number {
  return Atomics.load(words, index);
}

/** Writes a word. */
export function store(words: Words, index: number, value: number): void {
  Atomics.store(words, index, value);
}

/** The engine's own, kept for a comparison only: where another one stands in its place, plain steps go through that. */
const native = Atomics;

/**
 * Reads a word without what a call of Atomics costs: for who is inside the monitor in which alone it changes, or wants
 * no more than a glimpse. A step like any other to the model checker.
 */
export function read(words: Words, index: number): number {
  return Atomics === native ? words[index]! : Atomics.load(words, index);
}

/**
 * Writes a word without the fence that makes store() as dear as cas(): a plain write, several times cheaper, where a
 * later store() or cas() of this agent publishes it, as who leaves a monitor does (_monitor.ts), and nobody else relies
 * on an order among such writes. A step like any other to the model checker.
 */
export function write(words: Words, index: number, value: number): void {
  if (Atomics === native) words[index] = value;
  else Atomics.store(words, index, value);
}

/** Adds to a word, wrapping, and returns what was there before. */
export function add(words: Words, index: number, value: number): number {
  return Atomics.add(words, index, value);
}

/** Sets bits of a word and returns what was there before. */
export function or(words: Words, index: number, bits: number): number {
  return Atomics.or(words, index, bits);
}

/** Clears the bits that are not in `bits` and returns what was there before. */
export function and(words: Words, index: number, bits: number): number {
  return Atomics.and(words, index, bits);
}

/** Writes a word and returns what was there before. */
export function exchange(words: Words, index: number, value: number): number {
  return Atomics.exchange(words, index, value);
}

/** Compare and swap: returns what was there, which is `expected` when it wrote. */
export function cas(words: Words, index: number, expected: number, replacement: number): number {
  return Atomics.compareExchange(words, index, expected, replacement);
}

/** A run of integers of one width in shared memory. */
export type Integers =
  | Int8Array<SharedArrayBuffer>
  | Uint8Array<SharedArrayBuffer>
  | Int16Array<SharedArrayBuffer>
  | Uint16Array<SharedArrayBuffer>
  | Int32Array<SharedArrayBuffer>
  | Uint32Array<SharedArrayBuffer>
  | BigInt64Array<SharedArrayBuffer>
  | BigUint64Array<SharedArrayBuffer>;

/** The operations that read one integer, combine it with another, write the result, and return what was before. */
export type IntegerOperation = "add" | "sub" | "and" | "or" | "xor" | "exchange";

// The lib types these for bigint and number arrays apart; a run is all one or all the other.
type AnyAtomics =
  & {
    readonly [operation in IntegerOperation]: <V extends number | bigint>(view: Integers, index: number, value: V) => V;
  }
  & {
    load(view: Integers, index: number): number | bigint;
    store(view: Integers, index: number, value: number | bigint): void;
    compareExchange<V extends number | bigint>(view: Integers, index: number, expected: V, replacement: V): V;
  };

/** Reads an integer of any width. */
export function loadInteger(view: Integers, index: number): number | bigint {
  return (Atomics as unknown as AnyAtomics).load(view, index);
}

/** Writes an integer of any width, wrapping. */
export function storeInteger(view: Integers, index: number, value: number | bigint): void {
  (Atomics as unknown as AnyAtomics).store(view, index, value);
}

/** One step on an integer of any width, wrapping; returns what was there before. */
export function changeInteger<V extends number | bigint>(
  operation: IntegerOperation,
  view: Integers,
  index: number,
  value: V,
): V {
  return (Atomics as unknown as AnyAtomics)[operation](view, index, value);
}

/** Compare and swap of an integer of any width: returns what was there before. */
export function casInteger<V extends number | bigint>(
  view: Integers,
  index: number,
  expected: V,
  replacement: V,
): V {
  return (Atomics as unknown as AnyAtomics).compareExchange(view, index, expected, replacement);
}

/** Sleeps while the word is `expected`, at most `ms`. Throws TypeError where the agent may not block. */
export function wait(words: Words, index: number, expected: number, ms: number): WaitResult {
  return Atomics.wait(words, index, expected, ms);
}

/** The same without blocking. The pending promise does not keep a process alive. */
export function waitAsync(
  words: Words,
  index: number,
  expected: number,
  ms: number,
): { async: false; value: "not-equal" | "timed-out" } | { async: true; value: Promise<"ok" | "timed-out"> } {
  return Atomics.waitAsync(words, index, expected, ms);
}

/** Wakes at most `count` sleepers of a word, oldest first, blocking and async alike. */
export function notify(words: Words, index: number, count: number): number {
  return Atomics.notify(words, index, count);
}

type Pausing = { pause?: (hint?: number) => void };

/** Whether the engine has a hint for spin loops. */
const canPause: boolean = typeof (Atomics as unknown as Pausing).pause === "function";

/** One turn of a spin loop. */
export function pause(): void {
  if (canPause) (Atomics as unknown as Required<Pausing>).pause();
}
