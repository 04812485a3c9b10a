/**
 * Makes `npm/dist/site/`: an empty folder with the packed tarball installed, as a user has it, and the tests beside it,
 * compiled to JavaScript. Node, Bun, Deno and the pages of the browsers all test the package from there.
 *
 * A test is taken along when all that it imports is a module of the tests or of the package, and when it says `Deno.`
 * only where it asks for `fromSource`; relative paths into the library lead
 * to the installed package, and so do `@lockstep/lockstep` and its sub-paths.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { writeStub } from "./bundle.ts";
import type { Inside } from "./bundle.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "npm/dist");
const SITE = join(DIST, "site");
/** Not tests: stand-ins for packages, the browsers' driver, and what replays the sources. */
const LEFT_OUT = /^(?:standins|browser|model)\//;
/** Long: run once, from the sources. */
const ONCE = /^stress\//;
const SPECIFIER = /(\bfrom\s*|\bimport\s*\(?\s*)"([^"\n]+)"/g;
const WORKER_URL = /(new URL\(\s*"\.\.?\/[^"]+)\.ts("\s*,\s*import\.meta\.url\s*\))/g;

if (import.meta.url === new URL(process.argv[1] ?? "", "file:///").href) {
  rmSync(SITE, { recursive: true, force: true });
  mkdirSync(SITE, { recursive: true });
  install();
  addStubs();
  const { portable, leftOut } = await compile();
  writeFileSync(join(SITE, "portable.txt"), portable.map((file) => `tests/${file}\n`).join(""));
  copyFileSync(join(ROOT, "npm/smoke.mjs"), join(SITE, "smoke.mjs"));
  console.log(`Left out, as they need more: ${leftOut.join(" ")}`);
  console.log(`${portable.length} test files for npm/dist/site`);
}

/** Installs the tarball as a user would. */
function install(): void {
  const tarball = readdirSync(DIST).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("No tarball in npm/dist: run deno task npm");
  writeFileSync(join(SITE, "package.json"), `${JSON.stringify({ name: "site", private: true, type: "module" })}\n`);
  const args = ["install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", join(DIST, tarball)];
  const { status } = spawnSync("npm", args, { cwd: SITE, stdio: "inherit" });
  if (status !== 0) throw new Error("npm install of the tarball failed");
}

/** The inside of the library by its old paths; the package that users get has none of these files. */
function addStubs(): void {
  const inside: Inside = JSON.parse(readFileSync(join(DIST, "inside.json"), "utf8"));
  const folder = join(SITE, "node_modules/lockstep");
  for (const [file, held] of Object.entries(inside)) writeStub(folder, file, held);
}

/** Compiles every module under tests/; returns the tests that run anywhere. */
async function compile(): Promise<{ portable: string[]; leftOut: string[] }> {
  const esbuild = createRequire(join(ROOT, "tools/packages/"))("esbuild");
  const imports = new Map<string, string[]>();
  const files = readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" });
  for (const file of files.filter((file) => file.endsWith(".ts") && !LEFT_OUT.test(file))) {
    const source = readFileSync(join(ROOT, "tests", file), "utf8");
    const { code } = await esbuild.transform(source, { loader: "ts", target: "es2022" });
    const out = join(SITE, "tests", file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, rewrite(file, code));
    imports.set(file, saysDeno(code) ? ["Deno"] : staticImports(file, code));
  }
  esbuild.stop();
  const tests = [...imports.keys()].filter((file) => file.endsWith("_test.ts")).sort();
  const runs = (file: string) => !ONCE.test(file) && isPortable(file, imports);
  return {
    portable: tests.filter(runs).map((file) => file.replace(/\.ts$/, ".js")),
    leftOut: tests.filter((file) => !runs(file)),
  };
}

/** Whether a test is Deno's own. The harness itself names Deno only where it has found it. */
function saysDeno(code: string): boolean {
  return /\bDeno\./.test(code) && !/\bfromSource\b/.test(code);
}

/** Lets the imports of `tests/<file>` name compiled files, and the library's name the installed package. */
export function rewrite(file: string, code: string): string {
  return code.replace(WORKER_URL, "$1.js$2").replace(SPECIFIER, (_, lead: string, specifier: string) => {
    return `${lead}"${retarget(file, specifier)}"`;
  });
}

function retarget(file: string, specifier: string): string {
  if (/^@lockstep\/lockstep(?:\/|$)/.test(specifier)) return specifier.replace("@lockstep/lockstep", "lockstep");
  if (!specifier.startsWith(".")) return specifier;
  const place = posix.join("tests", posix.dirname(file));
  const target = posix.join(place, specifier.replace(/\.ts$/, ".js"));
  const installed = isLibrary(target) ? posix.join("node_modules/lockstep", target) : target;
  const path = posix.relative(place, installed);
  return path.startsWith(".") ? path : `./${path}`;
}

function isLibrary(path: string): boolean {
  return /^(?:mod\.|primitives\/|adapters\/)/.test(path);
}

/** Whether a path, relative to tests/, is a library file that something which is exported needs. */
function isShipped(path: string): boolean {
  const file = path.replace(/^\.\.\//, "").replace(/\.ts$/, ".js");
  return isLibrary(file) && existsSync(join(SITE, "node_modules/lockstep", file));
}

/** What a module imports before it runs, as paths below tests/ where they lie there. */
function staticImports(file: string, code: string): string[] {
  return [...code.matchAll(SPECIFIER)].filter((found) => !found[1]!.includes("(")).map((found) => {
    const specifier = found[2]!;
    if (!specifier.startsWith(".")) return specifier;
    const path = posix.join("tests", posix.dirname(file), specifier);
    return path.startsWith("tests/") ? path.slice("tests/".length) : `../${path}`;
  });
}

/** Whether all that a test imports, directly or not, is a test module or the library. */
function isPortable(file: string, imports: ReadonlyMap<string, string[]>, seen: Set<string> = new Set()): boolean {
  if (seen.has(file)) return true;
  seen.add(file);
  const found = imports.get(file);
  if (found === undefined) return isShipped(file) || /^@lockstep\/lockstep(?:\/|$)/.test(file);
  return found.every((target) => isPortable(target, imports, seen));
}
