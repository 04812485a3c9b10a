// The invariants of primitives/_slab.ts.

import { LARGE, take } from "../../primitives/_slab.ts";
import { assert, test } from "../_harness.ts";

const SLAB_BYTES = 65536;

test("what is taken of a slab is zeroed, is nobody else's, and any element type can stand on it", () => {
  const taken: Uint8Array[] = [];
  for (let i = 0; i < 500; i++) {
    const one = take(i * 7 % 300);
    assert.deepEqual([one.length, one.byteOffset % 8], [i * 7 % 300, 0]);
    assert(one.every((byte) => byte === 0));
    taken.push(one.fill(i));
  }
  for (const [i, one] of taken.entries()) assert(one.every((byte) => byte === i % 256));
});

test("a slab is used up to its last byte, and large arrays have memory of their own", () => {
  const first = take(LARGE - 1);
  let one = take(LARGE - 1); // takes as much as LARGE
  while (one.buffer === first.buffer) one = take(LARGE - 1);
  const rest = Array.from({ length: SLAB_BYTES / LARGE - 1 }, () => take(LARGE - 8));
  assert(rest.every(({ buffer }) => buffer === one.buffer));
  assert.deepEqual(rest.map(({ byteOffset }) => byteOffset), rest.map((_, i) => LARGE + i * (LARGE - 8)));
  const left = SLAB_BYTES - LARGE - rest.length * (LARGE - 8);
  assert.equal(take(left).buffer, one.buffer);
  assert.notEqual(take(1).buffer, one.buffer);
  assert.equal(take(LARGE).buffer.byteLength, LARGE);
});
