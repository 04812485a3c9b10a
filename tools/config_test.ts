import { assertEquals } from "@std/assert";
import { offlineConfig, readConfig, ROOT } from "./config.ts";

Deno.test("deno.offline.json agrees with deno.json (else: deno task offline)", () => {
  assertEquals(
    readConfig("deno.offline.json"),
    offlineConfig(readConfig("deno.json")),
  );
});

Deno.test("stand-ins answer to the names and versions that deno.json declares", () => {
  const imports = readConfig("deno.json").imports as Record<string, string>;
  const declared = Object.values(imports).filter((target) => target.startsWith("jsr:"));
  assertEquals(declared, ["jsr:@std/assert@^1.0.0", "jsr:@std/async@^1.0.0"]);
  for (const name of ["assert", "async"]) {
    const standin = JSON.parse(
      Deno.readTextFileSync(new URL(`tests/standins/${name}/deno.json`, ROOT)),
    );
    assertEquals(standin, {
      name: `@std/${name}`,
      version: "1.0.99",
      exports: "./mod.ts",
    });
  }
});
