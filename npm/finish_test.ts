import { assertEquals } from "@std/assert";
import { withClassNames } from "./bundle.ts";
import { bareImports, inspect, rewrite, withComments, workerUrls } from "./finish.ts";
import { packageJson } from "./package_json.ts";

Deno.test("rewrite() makes worker URLs and imports name the emitted file", () => {
  assertEquals(rewrite(`new URL("./a_worker.ts", import.meta.url)`), `new URL("./a_worker.js", import.meta.url)`);
  assertEquals(rewrite(`new URL('../b.ts',import.meta.url)`), `new URL('../b.js',import.meta.url)`);
  assertEquals(rewrite(`export * from "./lock.ts";`), `export * from "./lock.js";`);
  assertEquals(rewrite(`type A = import("./lock.ts").Lock`), `type A = import("./lock.js").Lock`);
  assertEquals(rewrite(`from "./lock.d.ts.js"; "./x.ts"`), `from "./lock.d.ts.js"; "./x.ts"`);
});

Deno.test("rewrite() leaves imports at run time to the runtime, in bundles of webpack too", () => {
  const emitted = `await import(__rewriteRelativeImportExtension(/* @vite-ignore */ module))`;
  assertEquals(withComments(rewrite(emitted)), `await import(/* webpackIgnore: true */(/* @vite-ignore */ module))`);
});

Deno.test("inspect() finds what must not be in a package", () => {
  assertEquals(inspect("mod.js", "// using a = b;\n/**\n * using a = b;\n */\nexport {};"), []);
  assertEquals(inspect("mod.js", "function f() { using a = b; }").length, 1);
  assertEquals(inspect("mod.js", "await using a = b;").length, 1);
  assertEquals(inspect("mod.js", "new URL(`./w.ts`, import.meta.url)").length, 1);
  assertEquals(inspect("mod.js", `import fs from "node:fs";`).length, 1);
  assertEquals(inspect("tests/x.js", "").length, 1);
  assertEquals(inspect("primitives/lock_test.js", "").length, 1);
});

Deno.test("withClassNames() undoes the underscore of a bundled class, and keeps every column", () => {
  assertEquals(
    withClassNames(`var Lock=class _Lock{static of(){return new _Lock(this._Lock,#_Lock)}},a=class _b{},My_Lock=1;`),
    `var Lock=class  Lock{static of(){return new  Lock(this._Lock,#_Lock)}},a=class _b{},My_Lock=1;`,
  );
});

Deno.test("workerUrls() finds the modules that no import reaches", () => {
  const text =
    `// new URL("./no.ts", import.meta.url)\nspawn(new URL("./yes.ts", import.meta.url));\nnew URL("./x.png", import.meta.url);`;
  assertEquals(workerUrls(text), ["./yes.ts"]);
});

Deno.test("bareImports() finds packages, not files and not prose", () => {
  const text = `import { pack } from "msgpackr";
export * from "./lock.js";
import "side/effect";
export {
  a as b,
} from "c";
// import "x"
const a = import('y/z');
say("a message from " + who + ", to", "whom");`;
  assertEquals(bareImports(text), ["msgpackr", "side/effect", "c", "y/z"]);
});

Deno.test("packageJson() derives exports and dependencies from deno.json", () => {
  const manifest = packageJson({
    name: "@lockstep/lockstep",
    version: "1.2.3",
    license: "MIT",
    description: "d",
    exports: { ".": "./mod.ts", "./deno": "./adapters/deno.ts" },
    imports: {
      "@std/assert": "jsr:@std/assert@^1.0.0",
      "fast-check": "npm:fast-check@4.0.0",
      msgpackr: "npm:msgpackr@2.1.3",
    },
  }, ["msgpackr"]);
  assertEquals(manifest.version, "1.2.3");
  assertEquals(manifest.exports, {
    ".": { types: "./mod.d.ts", default: "./mod.js" },
    "./deno": { types: "./adapters/deno.d.ts", default: "./adapters/deno.js" },
    "./package.json": "./package.json",
  });
  assertEquals(manifest.dependencies, { msgpackr: "^2.1.3" });
});
