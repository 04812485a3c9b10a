// Short texts in shared words. Browsers' text decoders refuse shared memory, so
// bytes pass through a private array, and names are short enough for a loop.

import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Names are written at each wait, and a new array costs more than the rest of it in some engines. */
const scratch = new Uint8Array(256);

/** Writes text as UTF-8 into words from `at` on, cut at a character to `most` bytes; returns the bytes. */
export function writeText(words: Words, at: number, most: number, text: string): number {
  if (text === "") return 0;
  const bytes = most < scratch.length ? scratch : new Uint8Array(most + 4);
  const { written } = encoder.encodeInto(text, bytes.subarray(0, most));
  bytes.fill(0, written, written + 3);
  for (let i = 0; i < written; i += 4) {
    store(words, at + (i >> 2), bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  return written;
}

/** Reads what writeText wrote; any length is a fair question. */
export function readText(words: Words, at: number, byteLength: number, most: number): string {
  const length = Math.max(0, Math.min(byteLength, most));
  if (length === 0) return "";
  const bytes = new Uint8Array((length + 3) & ~3);
  for (let i = 0; i < length; i += 4) {
    const word = load(words, at + (i >> 2));
    bytes[i] = word;
    bytes[i + 1] = word >> 8;
    bytes[i + 2] = word >> 16;
    bytes[i + 3] = word >> 24;
  }
  return decoder.decode(bytes.subarray(0, length));
}
