/// <reference lib="deno.unstable" />

import { assertEquals } from "@std/assert";
import plugin, { checkImport, LAYERS, PACKAGES } from "./lint_plugin.ts";
import { ROOT } from "./config.ts";

/** The rules that fire for `source`, were it the file at `place`. */
function fired(place: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, new URL(place, ROOT).pathname, source).map(
    (found) => found.id,
  );
}

Deno.test("layers: imports point to the ground", () => {
  assertEquals(
    fired("primitives/lock.ts", `import { park } from "./_park.ts";`),
    [],
  );
  assertEquals(
    fired("primitives/_park.ts", `import { Lock } from "./lock.ts";`),
    ["lockstep/layers"],
  );
  assertEquals(fired("primitives/lock.ts", `export * from "./thread.ts";`), [
    "lockstep/layers",
  ]);
  assertEquals(
    fired(
      "primitives/lock.ts",
      `export const later = () => import("../adapters/deno.ts");`,
    ),
    ["lockstep/layers"],
  );
  assertEquals(
    fired(
      "adapters/deno.ts",
      `import type { Host } from "../primitives/host.ts";`,
    ),
    [],
  );
  assertEquals(fired("adapters/deno.ts", `import "../mod.ts";`), [
    "lockstep/layers",
  ]);
  assertEquals(fired("mod.ts", `import "./adapters/detect.ts";`), []);
});

Deno.test("layers: a file of primitives/ stands in the table, once", () => {
  assertEquals(fired("primitives/unheard_of.ts", ""), ["lockstep/layers"]);
  const names = LAYERS.flat();
  assertEquals(names.length, new Set(names).size);
});

Deno.test("layers: every entry of the table stands for a file", () => {
  const files = [...Deno.readDirSync(new URL("primitives/", ROOT))].map(({ name }) => name.replace(/\.ts$/, ""));
  const stale = LAYERS.flat().filter((entry) =>
    !files.some((name) => entry.endsWith("*") ? name.startsWith(entry.slice(0, -1)) : name === entry)
  );
  assertEquals(stale, []);
});

Deno.test("layers: library source imports neither packages nor tests", () => {
  assertEquals(fired("primitives/lock.ts", `import "node:assert";`), [
    "lockstep/layers",
  ]);
  assertEquals(fired("adapters/node.ts", `import "node:worker_threads";`), [
    "lockstep/layers",
  ]);
  assertEquals(fired("primitives/lock.ts", `import "../tests/_harness.ts";`), [
    "lockstep/layers",
  ]);
  for (const [name, home] of Object.entries(PACKAGES)) {
    assertEquals(checkImport(home, name), undefined);
    assertEquals(checkImport("primitives/queue.ts", name) === undefined, false);
  }
});

Deno.test("layers: tests and tools import what they like", () => {
  assertEquals(
    fired(
      "tests/primitives/lock_test.ts",
      `import "node:assert"; import "../../mod.ts";`,
    ),
    [],
  );
});

Deno.test("homes: only the seam says Atomics", () => {
  assertEquals(fired("primitives/_atomics.ts", "Atomics.load(words, 0);"), []);
  assertEquals(fired("primitives/lock.ts", "Atomics.load(words, 0);"), [
    "lockstep/homes",
  ]);
  assertEquals(fired("adapters/deno.ts", "globalThis.Atomics;"), [
    "lockstep/homes",
  ]);
});

Deno.test("homes: primitives name no runtime, in code or in types", () => {
  assertEquals(fired("primitives/host.ts", "Deno.exit();"), ["lockstep/homes"]);
  assertEquals(fired("primitives/host.ts", "typeof process;"), [
    "lockstep/homes",
  ]);
  assertEquals(fired("primitives/host.ts", `globalThis["Bun"];`), [
    "lockstep/homes",
  ]);
  assertEquals(fired("primitives/host.ts", "export type Started = Worker;"), [
    "lockstep/homes",
  ]);
  assertEquals(
    fired(
      "primitives/host.ts",
      "const options = { process: 1 }; options.process;",
    ),
    [],
  );
  assertEquals(fired("adapters/deno.ts", "Deno.exit();"), []);
});

Deno.test("old-engines: no using statement, no young members", () => {
  assertEquals(fired("primitives/lock.ts", "using guard = lock.acquire();"), [
    "lockstep/old-engines",
  ]);
  assertEquals(
    fired("adapters/deno.ts", "async () => { await using guard = x(); }"),
    ["lockstep/old-engines"],
  );
  assertEquals(
    fired("primitives/lock.ts", "class A { [Symbol.dispose]() {} }"),
    ["lockstep/old-engines"],
  );
  assertEquals(fired("primitives/_dispose.ts", "Symbol.dispose;"), []);
  assertEquals(
    fired("primitives/lock.ts", "interface A { [Symbol.dispose](): void }"),
    [],
  );
  assertEquals(fired("primitives/lock.ts", "Promise.withResolvers();"), [
    "lockstep/old-engines",
  ]);
  assertEquals(fired("tests/x_test.ts", "using guard = lock.acquire();"), []);
});
