import { assert, AssertionError, fromSource, Prng, random, test, watch } from "./_harness.ts";
import { describe } from "./_watchdog_dump.ts";

test("assert.deepEqual() tells apart what structuredClone would", () => {
  assert.deepEqual({ a: [1, new Map([[1, new Set(["x"])]])] }, { a: [1, new Map([[1, new Set(["x"])]])] });
  assert.deepEqual(new Uint8Array([1, 2]), new Uint8Array([1, 2]));
  assert.notDeepEqual(new Uint8Array([1, 2]), [1, 2]);
  assert.notDeepEqual(new Float64Array([0]), new Float64Array([-0]));
  assert.notDeepEqual({ a: undefined }, {});
  assert.notDeepEqual(new RangeError("x"), new TypeError("x"));
  assert.notDeepEqual(new Date(1), new Date(2));
});

test("assert.throws() checks class, message and properties, and returns the error", () => {
  const boom = () => {
    throw Object.assign(new RangeError("too far"), { code: "far" });
  };
  assert.equal(assert.throws(boom, RangeError).message, "too far");
  assert.throws(boom, /far/);
  assert.throws(boom, { code: "far", message: /^too/ });
  assert.throws(boom, (error) => error instanceof RangeError);
  assert.throws(() => assert.throws(boom, TypeError), AssertionError);
  assert.throws(() => assert.throws(boom, { code: "near" }), AssertionError);
  assert.throws(() => assert.throws(() => 1), AssertionError);
});

test("assert.rejects() takes a promise or a function", async () => {
  await assert.rejects(Promise.reject(new TypeError("no")), TypeError);
  await assert.rejects(() => Promise.reject(new TypeError("no")), /no/);
  await assert.rejects(() => assert.rejects(Promise.resolve(1)), AssertionError);
});

test("random() is the same for the same test and seed", () => {
  assert.deepEqual([random().next(), random("other").below(10)], [random().next(), random("other").below(10)]);
  assert.deepEqual(new Prng(1).shuffle([1, 2, 3, 4]), new Prng(1).shuffle([1, 2, 3, 4]));
  assert.equal(new Prng(0x2f61).next(), 1608669362);
});

test("a dump names the test, the seed and the words", () => {
  const words = new Int32Array(new SharedArrayBuffer(16));
  words.set([0x10001, 3]);
  watch("Lock", words); // only has to be taken
  const record = {
    label: "Lock",
    names: ["TAG", "OWNER", "GATE"],
    buffer: words.buffer,
    byteOffset: 0,
    byteLength: 16,
  };
  assert.equal(
    describe("t", 10_000, 0x2f61, [record]),
    `watchdog: "t" still running after 10 s; rerun with LOCKSTEP_SEED=0x2f61\n` +
      "  Lock at byte 0   TAG: 0x00010001  OWNER: 3  GATE: 0",
  );
});

/** Runs the tests of a file that has a test which hangs, in a process of its own. */
async function hang(how: string): Promise<{ success: boolean; text: string }> {
  const { configArgs } = await import("../tools/config.ts");
  const file = new URL("./testdata/hangs.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...configArgs(), file],
    env: { LOCKSTEP_SEED: "0x2f61", LOCKSTEP_HANG: how, NO_COLOR: "1" },
  }).output();
  return { success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const onSources = { skip: fromSource ? undefined : "starts a Deno process on the sources", limit: 30_000 };

test("the watchdog fails a test that awaits for ever", async () => {
  const { success, text } = await hang("async");
  assert.equal(success, false);
  assert.match(text, /watchdog: "hangs" still running[^]*LOCKSTEP_SEED=0x2f61[^]*Gate at byte 0 +TAG: 1 {2}GATE: 17/);
}, onSources);

test("the watchdog kills a test that blocks for ever", async () => {
  const { success, text } = await hang("block");
  assert.equal(success, false);
  assert.match(text, /watchdog: "hangs" still running[^]*LOCKSTEP_SEED=0x2f61[^]*Gate at byte 0 +TAG: 1 {2}GATE: 17/);
}, onSources);
