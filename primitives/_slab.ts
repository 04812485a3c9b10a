// Small private byte arrays at the price of a subarray: a new typed array costs
// more than the message it holds in some engines (Deno 0.5 to 1.1 µs for 64 bytes).
//
// Invariants:
//   1. A slab is private (never shared memory) and every byte of it is handed out once.
//   2. So what take() returned is its taker's alone, and is never written again by this file.
//   3. Views start at multiples of 8, so any element type can stand on them.
//
// The price: a small array keeps its whole slab of 64 KiB alive, as Node's pooled
// buffers do with 8 KiB. From LARGE bytes on an array has memory of its own.

const SLAB_BYTES = 65536;

/** Arrays of this many bytes and more get memory of their own. */
export const LARGE = 4096;

let slab = new Uint8Array(0);
let used = 0;

/** A zeroed array of `byteLength` bytes that nobody else has or will have. */
export function take(byteLength: number): Uint8Array<ArrayBuffer> {
  if (byteLength >= LARGE) return new Uint8Array(byteLength);
  if (used + byteLength > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const taken = slab.subarray(used, used + byteLength);
  used = (used + byteLength + 7) & ~7;
  return taken;
}
