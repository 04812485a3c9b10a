// Checks of what users pass in, and how a refused value is called in the message. Wrong types are a TypeError, values out of
// range a RangeError, and both say `Cannot … as … must be …: it is …`. Timeouts are read in _deadline.ts.

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

/** Checks that `name` is a string; `what` is to have it, with its article. */
export function checkName(what: string, name: unknown): void {
  if (typeof name === "string") return;
  throw new TypeError(`Cannot name ${what} as name must be a string: it is ${describe(name)}`);
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
