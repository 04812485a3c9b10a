// The only clock, and the only place that reads a `timeout` option.
//
// A deadline is a point of the monotonic clock in milliseconds; Infinity waits
// for ever, and 0 stands for a deadline that is already over, so that a poll
// never reads the clock. One call has one deadline, taken at its start.

import { describe, optionsObject } from "./_arguments.ts";

/** A deadline that is over already. */
export const POLL = 0;

/** The monotonic clock, in milliseconds. */
export function now(): number {
  return performance.now();
}

/** The time of day in whole ms since 1970, to tell other threads when something began; of a time that now() gave. */
export function timeOfDay(time: number = now()): number {
  return Math.floor(performance.timeOrigin + time); // one clock for all threads, unlike now()
}

/** When after that time of now() the time of day is next a multiple of `period` ms, and `phase` ms more: one moment for all threads. */
export function nextInStep(time: number, period: number, phase: number): number {
  return time + period - (performance.timeOrigin + time - phase) % period;
}

/** The clocks of two threads may differ by so many ms at the most; more is a time long ago. */
const SKEW = 0x10000;

/** How long ago that time of day was, of which another thread has kept 32 bits, in ms: 0 if its clock is ahead of this one. */
export function agoOf(time: number): number {
  const ms = (timeOfDay() - time) >>> 0;
  return ms > 0xffffffff - SKEW ? 0 : ms;
}

/** Reads `timeout` (ms, default 0): a finite number of at least 0, or Infinity. */
export function checkTimeout(timeout: unknown, fallback: number): number {
  if (timeout === undefined) return fallback;
  if (typeof timeout !== "number") {
    throw new TypeError(`Cannot wait as timeout must be a number of milliseconds: it is ${describe(timeout)}`);
  }
  if (!(timeout >= 0)) {
    throw new RangeError(`Cannot wait as timeout must be 0 or more milliseconds, or Infinity: it is ${timeout}`);
  }
  return timeout;
}

/** The timeout of a bounded call's options, as a duration in ms; checks the options object too. */
export function timeoutOf(options: unknown, fallback = 0): number {
  if (options === undefined) return fallback;
  return checkTimeout(optionsObject<{ timeout?: unknown }>(options).timeout, fallback);
}

/** The deadline of a wait that starts now. */
export function deadlineAfter(ms: number): number {
  return ms === 0 ? POLL : now() + ms; // Infinity stays Infinity; 1e300 is merely very far
}

/** The deadline of a bounded call that starts now, from its options; without a timeout it polls. */
export function deadlineOf(options: unknown): number {
  return deadlineAfter(timeoutOf(options));
}

/** Milliseconds left, never negative. */
export function remaining(deadline: number): number {
  if (deadline === POLL) return 0;
  if (deadline === Infinity) return Infinity;
  return Math.max(0, deadline - now());
}
