// An object that only says it is a SharedArrayBuffer passed for one, until the engine complained of an index.

import { Lock, SharedArray } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

test("What only says that it is a SharedArrayBuffer is refused as a place and in a handle", () => {
  const pretended = { [Symbol.toStringTag]: "SharedArrayBuffer", byteLength: 1 << 16 } as unknown as SharedArrayBuffer;
  assert.throws(() => new Lock({ at: { buffer: pretended } }), {
    name: "TypeError",
    message: /^Cannot place Lock as buffer must be a SharedArrayBuffer: it is /,
  });
  for (const part of ["buffer", "roster"]) {
    const handle = { ...new Lock().handle, [part]: pretended };
    assert.throws(() => Lock.attach(handle), { name: "LayoutError" });
  }
});

test("A place that is none is named", () => {
  for (const at of [5, "x", null]) {
    assert.throws(() => new Lock({ at: at as never }), {
      name: "TypeError",
      message: /^Cannot place Lock as at must be \{ buffer, byteOffset \}: it is /,
    });
  }
});

test("Memory that there is not is told as an error of ours", () => {
  const { SharedArrayBuffer: real } = globalThis;
  const none = class {
    constructor() {
      throw new RangeError("out of memory");
    }
  };
  globalThis.SharedArrayBuffer = none as never;
  try {
    assert.throws(() => new SharedArray("u8", 1000), {
      name: "RangeError",
      message: /^Cannot share memory as there is not as much of it: \d+ bytes were asked for$/,
    });
  } finally {
    globalThis.SharedArrayBuffer = real;
  }
});
