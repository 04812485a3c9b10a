// The codec as threads use it for their outcomes. To load it, and msgpackr with it, is a third of what Lockstep adds to
// the start of a thread, and a thread whose target returns a number, or nothing, can do without. So what every thread
// needs imports only this. The codec is there
//   - where the library was imported as a whole: in the main thread, and in a thread whose target's module imports it;
//   - else after needCodec(), which a thread calls as soon as its target goes on asynchronously, and at its end.
// An error that ends a thread before, at once and outside of its target, goes as _codec_plain.ts writes it.

import { decodePlainly, encodeBriefly, encodePlainly } from "./_codec_plain.ts";
import { PLAIN } from "./_codec_format.ts";
import { decodeSmall, encodeSmall, isSmall, SMALL } from "./_codec_small.ts";

/** What it is used for; see _codec.ts and _codec_error.ts. */
export interface Codec {
  encode(value: unknown, what: string, root: string): Uint8Array;
  encodeError(thrown: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

let codec: Codec | undefined;
let load = (): Promise<unknown> => Promise.reject(new Error("Bug: this thread has no way to load the codec"));

/** The codec has been loaded. */
export function codecIsHere(loaded: Codec): void {
  codec = loaded;
}

/** How to load it, in a thread that begins without. */
export function loadCodecBy(loader: () => Promise<unknown>): void {
  load = loader;
}

/** Resolves once the codec is there. */
export async function needCodec(): Promise<void> {
  if (codec === undefined) await load();
}

const small = new Uint8Array(SMALL);

/** Whether a value can be encoded without the codec. */
export function isSmallValue(value: unknown): boolean {
  return encodeSmall(value, small, 0) > 0;
}

/** The bytes of a result, a view that is good until the next encode; needs the codec, except for a small value. */
export function encodeResult(value: unknown, what: string): Uint8Array {
  const length = encodeSmall(value, small, 0);
  return length > 0 ? small.subarray(0, length) : codec!.encode(value, what, "result");
}

/** The bytes of whatever was thrown. Never refuses. */
export function encodeThrown(thrown: unknown): Uint8Array {
  return codec === undefined ? encodePlainly(thrown) : codec.encodeError(thrown);
}

/** As much of it as there is room for, in bytes of its own; `why` says that this is not all. */
export function encodeWithin(room: number, thrown: unknown, why: (length: number) => string): Uint8Array {
  let bytes = encodeThrown(thrown);
  if (bytes.length > room) bytes = encodeBriefly(thrown, why(bytes.length), room, encodeThrown);
  return bytes.slice(); // who is told of it may encode, too
}

/** The value of a result or of what was thrown. */
export function decodeOutcome(bytes: Uint8Array): unknown {
  if (codec !== undefined) return codec.decode(bytes);
  const first = bytes[0] ?? 0;
  if (isSmall(first, bytes.length)) return decodeSmall(bytes, 0);
  if (first === PLAIN) return decodePlainly(bytes);
  throw new Error(`Bug: no codec for a message that begins with ${first}`);
}
