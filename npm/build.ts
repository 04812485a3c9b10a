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
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join, posix, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { finish, workerUrls } from "./finish.ts";
import { packageJson } from "./package_json.ts";
import type { DenoJson } from "./package_json.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "npm/dist");
const PACKAGE = join(DIST, "package");

const TSC_OPTIONS = {
  target: "ES2022",
  module: "NodeNext",
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
compile([...Object.values(config.exports), ...workers()]);
const { packages, problems } = finish(PACKAGE);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
const manifest = packageJson(config, packages);
for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) copyFileSync(join(ROOT, name), join(PACKAGE, name));
writeFileSync(join(PACKAGE, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
run("npm", ["pack", "--silent", "--pack-destination", DIST], PACKAGE);
const tarball = readdirSync(DIST).find((name) => name.endsWith(".tgz"))!;
console.log(`Built ${relative(ROOT, join(DIST, tarball))}`);

/** The modules that are only reached as a worker's URL. */
function workers(): string[] {
  const folders = ["primitives", "adapters"];
  const files = folders.flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`));
  return files.filter((file) => file.endsWith(".ts")).flatMap((file) => {
    return workerUrls(readFileSync(join(ROOT, file), "utf8")).map((path) => posix.join(posix.dirname(file), path));
  });
}

/** Runs tsc over the entries and whatever they import. */
function compile(entries: readonly string[]): void {
  // A copy, since dependencies are looked for in a node_modules above the sources, and the repository has none.
  const copy = join(DIST, "source");
  for (const entry of ["mod.ts", "primitives", "adapters"]) {
    cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  }
  const packages = join(ROOT, "tools/packages/node_modules");
  symlinkSync(packages, join(copy, "node_modules"));
  writeFileSync(join(copy, "package.json"), `{ "type": "module" }\n`);
  const compilerOptions = { ...TSC_OPTIONS, rootDir: copy, outDir: PACKAGE };
  writeFileSync(join(copy, "tsconfig.json"), JSON.stringify({ compilerOptions, files: entries }));
  run(join(packages, ".bin/tsc"), ["--project", copy], ROOT);
  rmSync(copy, { recursive: true });
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status !== 0) {
    console.error(`${basename(command)} failed: ${error?.message ?? `exit code ${status}`}`);
    process.exit(1);
  }
}
