// Messages that are one number, boolean, null or undefined: 1, 5 or 9 bytes,
// written and read in place, shared memory or not, without a scratch.

import { FALSE, FLOAT, INT, NULL, TRUE, UNDEFINED } from "./_codec_format.ts";

/** The longest message that encodeSmall() writes. */
export const SMALL = 9;

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Writes a small value to `target[at …]` and returns how many bytes that took; 0 for any other value. */
export function encodeSmall(value: unknown, target: Uint8Array, at: number): number {
  if (typeof value === "number") {
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      target[at] = INT;
      target[at + 1] = value;
      target[at + 2] = value >> 8;
      target[at + 3] = value >> 16;
      target[at + 4] = value >> 24;
      return 5;
    }
    target[at] = FLOAT;
    double[0] = value;
    for (let i = 0; i < 8; i++) target[at + 1 + i] = doubleBytes[i]!;
    return 9;
  }
  if (value === undefined) target[at] = UNDEFINED;
  else if (value === null) target[at] = NULL;
  else if (value === true) target[at] = TRUE;
  else if (value === false) target[at] = FALSE;
  else return 0;
  return 1;
}

/** Whether `length` bytes that begin with `first` are a small message. */
export function isSmall(first: number, length: number): boolean {
  if (first === INT) return length === 5;
  if (first === FLOAT) return length === 9;
  return first >= NULL && first <= TRUE && length === 1;
}

/** The value of the small message at `source[at …]`. */
export function decodeSmall(source: Uint8Array, at: number): unknown {
  switch (source[at]) {
    case INT:
      return source[at + 1]! | (source[at + 2]! << 8) | (source[at + 3]! << 16) | (source[at + 4]! << 24);
    case FLOAT:
      for (let i = 0; i < 8; i++) doubleBytes[i] = source[at + 1 + i]!;
      return double[0];
    case NULL:
      return null;
    case TRUE:
      return true;
    case FALSE:
      return false;
    default:
      return undefined;
  }
}
