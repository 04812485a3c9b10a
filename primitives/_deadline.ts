// The only clock, and the only place that reads a `timeout` option.
//
// A deadline is a point of the monotonic clock in milliseconds; Infinity waits
// for ever, and 0 stands for a deadline that is already over, so that a poll
// never reads the clock. One call has one deadline, taken at its start.

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

/** Checks that `options` is an object, if it is there at all. */
export function optionsObject<T extends object>(options: unknown): Partial<T> {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`Cannot read options as they must be an object: they are ${describe(options)}`);
  }
  return options as Partial<T>;
}

/** Checks that `signal` is an AbortSignal, if it is there at all. */
export function signalOf(options: unknown): AbortSignal | undefined {
  const signal = optionsObject<{ signal: AbortSignal }>(options).signal;
  if (signal === undefined) return undefined;
  if (typeof signal !== "object" || signal === null || !isSignal(signal)) {
    throw new TypeError(`Cannot wait as signal must be an AbortSignal: it is ${describe(signal)}`);
  }
  return signal;
}

/** Whether it does what a wait asks of it, in whatever realm it was made. */
function isSignal(signal: AbortSignal): boolean {
  return typeof signal.aborted === "boolean" && typeof signal.throwIfAborted === "function" &&
    typeof signal.addEventListener === "function" && typeof signal.removeEventListener === "function";
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

/** A short picture of any value for error messages. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return value.toString();
    case "function":
      return `function ${value.name || "(anonymous)"}`;
    case "object": {
      if (Array.isArray(value)) return `an array of ${value.length}`;
      const name = Object.getPrototypeOf(value)?.constructor?.name;
      if (typeof name !== "string" || name === "Object" || name === "") return "an object";
      return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
    }
    default:
      return String(value);
  }
}

/** Checks that `value` can be called. */
export function checkFunction(what: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(`Cannot use ${what} as it must be a function: it is ${describe(value)}`);
}

/** Checks that `value` is a whole number in a range, both ends included. */
export function checkInteger(what: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot use ${what} as it must be a whole number: it is ${describe(value)}`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`Cannot use ${what} as it must be a whole number from ${least} to ${most}: it is ${value}`);
  }
  return value;
}
