/**
 * Builds the npm package: `npm/dist/package/` and, packed from it, `npm/dist/lockstep-<version>.tgz`.
 *
 * Plain ES modules with declarations beside them, in the layout of the sources, so that a worker's URL means the same in
 * both. Needs `npm ci --prefix tools/packages`. `deno.json` is where name, version, exports and dependencies come from.
 *
 * ```sh
 * deno task npm
 * ```
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { finish } from "./finish.ts";
import { packageJson } from "./package_json.ts";
import type { DenoJson } from "./package_json.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "npm/dist");
const PACKAGE = join(DIST, "package");

const TSC_OPTIONS = {
  target: "ES2022",
  module: "ESNext",
  // Not NodeNext: it asks the nearest package.json for the kind of a module, and the sources have none.
  moduleResolution: "bundler",
  lib: ["ES2024", "ESNext.Disposable", "ESNext.SharedMemory", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  types: [],
  strict: true,
  declaration: true,
  isolatedDeclarations: true,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
  newLine: "lf",
};

const config: DenoJson = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));

rmSync(DIST, { recursive: true, force: true });
mkdirSync(PACKAGE, { recursive: true });
compile(Object.values(config.exports), Object.keys(config.imports));
const { packages, problems } = finish(PACKAGE);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
const manifest = packageJson(config, packages);
for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) copyFileSync(join(ROOT, name), join(PACKAGE, name));
writeFileSync(join(PACKAGE, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
run("npm", ["pack", "--silent", "--pack-destination", DIST], PACKAGE);
const tarball = readdirSync(DIST).find((name) => name.endsWith(".tgz"))!;
console.log(`Built ${relative(ROOT, join(DIST, tarball))}`);

/** Runs tsc over the entries and whatever they import. */
function compile(entries: readonly string[], packages: readonly string[]): void {
  const folder = join(ROOT, "tools/packages/node_modules");
  const project = join(DIST, "tsconfig.json");
  // The sources have no node_modules above them: dependencies are where the tools are.
  const paths = Object.fromEntries(packages.map((name) => [name, [join(folder, name)]]));
  const options = {
    ...TSC_OPTIONS,
    module: "ESNext",
    moduleResolution: "bundler",
    rootDir: ROOT,
    outDir: PACKAGE,
    paths,
  };
  const files = entries.map((entry) => join(ROOT, entry));
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files }));
  run(join(folder, ".bin/tsc"), ["--project", project], ROOT);
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status !== 0) {
    console.error(`${basename(command)} failed: ${error?.message ?? `exit code ${status}`}`);
    process.exit(1);
  }
}
