// A test that hangs, for harness_test.ts; its name keeps it from being found.

import { test, watch } from "../_harness.ts";

test("hangs", () => {
  const words = new Int32Array(new SharedArrayBuffer(64));
  words.set([1, 17]);
  watch("Gate", words, ["TAG", "GATE"]);
  if (Deno.env.get("LOCKSTEP_HANG") === "block") Atomics.wait(words, 0, 1);
  return new Promise(() => {});
}, { limit: 300 });
