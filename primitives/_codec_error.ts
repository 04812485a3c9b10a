// What a thread threw, for whoever joins it. It must arrive whatever it holds:
// an error lost because of one property that cannot be carried would be worse
// than one without that property.

import { encode } from "./_codec.ts";
import { notCarried, readIfPossible } from "./_codec_plain.ts";
import { isError, LOST, putTogether, setProperty, tagOf, takeApart } from "./_errors_wire.ts";

/** So many objects are looked through for what can be carried. */
const MOST_SAVED = 1000;

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
    return encode(new Error(notCarried(thrown)), "carry", "error");
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

/** A copy of an error without what cannot be carried, at whatever depth that stands. */
function salvage(error: Error, saved: Map<unknown, unknown>): Error {
  if (!isError(error, tagOf(error))) throw new TypeError("no error");
  const { kind, name, message, stack, hidden, properties } = takeApart(error, readIfPossible);
  const copy = putTogether(kind, name, message, stack);
  saved.set(error, copy);
  for (let i = 0; i < properties.length; i += 2) {
    const kept = keep(properties[i + 1], saved);
    if (kept !== LOST) setProperty(copy, String(properties[i]), kept, i >= 2 * hidden);
  }
  return copy;
}

/** A value, or what can be carried of it; LOST if that is nothing. */
function keep(value: unknown, saved: Map<unknown, unknown>): unknown {
  if (value === LOST || saved.size > MOST_SAVED) return LOST;
  if (isCarried(value)) return value;
  if (typeof value !== "object" || value === null) return LOST;
  const known = saved.get(value);
  if (known !== undefined) return known;
  try {
    if (isError(value, tagOf(value))) return salvage(value, saved);
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      saved.set(value, items);
      for (const item of value) {
        const kept = keep(item, saved);
        items.push(kept === LOST ? undefined : kept);
      }
      return items;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return LOST;
    const copy = {};
    saved.set(value, copy);
    for (const key of Object.keys(value)) {
      const kept = keep(readIfPossible(value, key), saved);
      if (kept !== LOST) setProperty(copy, key, kept, true);
    }
    return copy;
  } catch {
    return LOST; // a Proxy, or nested too deep
  }
}
