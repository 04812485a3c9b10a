// What a thread threw, for whoever joins it. It must arrive whatever it holds:
// an error lost because of one property that cannot be carried would be worse
// than one without that property.

import { encode } from "./_codec.ts";
import { isError, putTogether, setProperty, tagOf, takeApart } from "./_errors_wire.ts";

/**
 * The bytes of whatever was thrown, a view that is good until the next encode.
 * Never refuses: of an error, properties that cannot be carried are left out;
 * anything else that cannot be carried is described by an error.
 */
export function encodeError(thrown: unknown): Uint8Array {
  if (isCarried(thrown)) return encode(thrown, "carry", "error");
  try {
    return encode(salvage(thrown as Error, new Map()), "carry", "error");
  } catch {
    return encode(new Error(`what was thrown cannot be carried: ${describe(thrown)}`), "carry", "error");
  }
}

function isCarried(value: unknown): boolean {
  try {
    encode(value, "carry");
    return true;
  } catch {
    return false;
  }
}

/** A copy of an error without what cannot be carried; errors inside are salvaged too. */
function salvage(error: Error, saved: Map<unknown, Error>): Error {
  const known = saved.get(error);
  if (known !== undefined) return known;
  if (!isError(error, tagOf(error))) throw new TypeError("no error");
  const { kind, name, message, stack, hidden, properties } = takeApart(error);
  const copy = putTogether(kind, name, message, stack);
  saved.set(error, copy);
  const keep = (value: unknown): unknown =>
    isCarried(value)
      ? value
      : typeof value === "object" && value !== null && isError(value, tagOf(value))
      ? salvage(value as Error, saved)
      : undefined;
  for (let i = 0; i < properties.length; i += 2) {
    const value = properties[i + 1];
    const kept = Array.isArray(value) && !isCarried(value) ? value.map(keep) : keep(value);
    if (kept !== undefined || value === undefined) {
      setProperty(copy, String(properties[i]), kept, i >= 2 * hidden);
    }
  }
  return copy;
}

function describe(value: unknown): string {
  try {
    return typeof value === "object" && value !== null ? `an object of class ${tagOf(value)}` : `a ${typeof value}`;
  } catch {
    return "an object that throws when it is read";
  }
}
