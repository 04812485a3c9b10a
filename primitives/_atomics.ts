// The seam: the only file of the library that says `Atomics`.
//
// `Atomics` is read at each call, never kept: a model checker replaces
// globalThis.Atomics by a scheduler, and every step of every primitive then
// goes through it. All operations are sequentially consistent.

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
export const canPause: boolean = typeof (Atomics as unknown as Pausing).pause === "function";

/** One turn of a spin loop. */
export function pause(): void {
  if (canPause) (Atomics as unknown as Required<Pausing>).pause();
}
