// The programs of docs/deadlocks.md print what stands at their ends, under "Prints:".

import { assert, test } from "../_harness.ts";

const FOLDER = new URL("../../examples/", import.meta.url);
const NAMES = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name)
  .filter((name) => /^(deadlock.*|dining_philosophers)\.ts$/.test(name));

/** The lines of the last comment of a program. */
function printsOf(source: string): string {
  const [, tail = ""] = source.split("\n// Prints:\n");
  return tail.split("\n").map((line) => line.replace(/^\/\/ {3}/, "")).join("\n").trim();
}

assert(NAMES.length >= 6);
for (const name of NAMES) {
  test(`example ${name} prints what it says it prints`, async () => {
    const expected = printsOf(Deno.readTextFileSync(new URL(name, FOLDER)));
    assert(expected.length > 0);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", new URL(name, FOLDER).pathname],
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(new TextDecoder().decode(stdout).trim(), expected);
    assert.equal(code, 0);
  }, { limit: 60_000 });
}
