/**
 * Compares what is declared with what is packed: `deno.json` and the tarball export the same sub-paths, and each of them
 * the same names; classes and functions are called as in the sources. Run after `npm/site.ts`.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";

const ROOT = new URL("../", import.meta.url);
const INSTALLED = new URL("npm/dist/site/node_modules/lockstep/", ROOT);

interface Entry {
  readonly types: string;
  readonly default: string;
}

const declared: Record<string, string> = read(new URL("deno.json", ROOT)).exports;
const packed: Record<string, Entry | string> = read(new URL("package.json", INSTALLED)).exports;
const problems: string[] = [];

const extra = Object.keys(packed).filter((path) => !(path in declared) && path !== "./package.json");
for (const path of extra) problems.push(`${path}: packed, but not declared in deno.json`);

for (const [path, source] of Object.entries(declared)) {
  const entry = packed[path];
  if (typeof entry !== "object") {
    problems.push(`${path}: declared in deno.json, but not packed`);
    continue;
  }
  readFileSync(new URL(entry.types, INSTALLED));
  const wanted = names(await import(new URL(source, ROOT).href));
  const found = names(await import(new URL(entry.default, INSTALLED).href));
  if (wanted !== found) problems.push(`${path}: the source exports ${wanted}; the package ${found}`);
}

for (const problem of problems) console.error(problem);
console.log(`${Object.keys(declared).length} exports compared`);
process.exit(problems.length === 0 ? 0 : 1);

// deno-lint-ignore no-explicit-any
function read(url: URL): any {
  return JSON.parse(readFileSync(url, "utf8"));
}

/** The exports; what a class or function calls itself, where that is another name. */
function names(module: object): string {
  return Object.entries(module).map(([name, value]) => {
    const own = typeof value === "function" ? value.name : name;
    return own === name ? name : `${name}=${own}`;
  }).sort().join(" ");
}
