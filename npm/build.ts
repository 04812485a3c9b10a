/**
 * Builds the npm package: `npm/dist/package/` and, packed from it, `npm/dist/lockstep-<version>.tgz`.
 *
 * ES modules with declarations and source maps. dnt compiles where JSR can be reached, plain tsc where not; what follows
 * is the same: the modules of `npm/dist/modules/` are bundled into few files (`bundle.ts`). `deno.json` is where name,
 * version, exports and dependencies come from. Needs `npm ci --prefix tools/packages`.
 *
 * ```sh
 * deno task npm
 * ```
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { reachesJsr } from "../tools/jsr.ts";
import { bundle } from "./bundle.ts";
import { compileWithDnt } from "./compile_dnt.ts";
import { compileWithTsc } from "./compile_tsc.ts";
import { check, finish, workerUrls } from "./finish.ts";
import { packageJson } from "./package_json.ts";
import type { DenoJson } from "./package_json.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "npm/dist");
const MODULES = join(DIST, "modules");
const PACKAGE = join(DIST, "package");

const config: DenoJson = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
const entries = [...Object.values(config.exports), ...workers()];
const packages = await compile();
mkdirSync(PACKAGE);
const inside = await bundle(join(ROOT, "tools/packages/"), MODULES, PACKAGE, entries);
writeFileSync(join(DIST, "inside.json"), JSON.stringify(inside)); // for the stubs of npm/site.ts
refuse(check(PACKAGE));
const manifest = packageJson(config, packages);
for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) copyFileSync(join(ROOT, name), join(PACKAGE, name));
writeFileSync(join(PACKAGE, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
const { status } = spawnSync("npm", ["pack", "--silent", "--pack-destination", DIST], {
  cwd: PACKAGE,
  stdio: "inherit",
});
if (status !== 0) process.exit(1);
const tarball = readdirSync(DIST).find((name) => name.endsWith(".tgz"))!;
console.log(`Built ${relative(ROOT, join(DIST, tarball))}`);

/** Fills the modules' folder with the builder that works here; returns the packages that they import. */
async function compile(): Promise<string[]> {
  if (await reachesJsr()) {
    try {
      empty();
      await compileWithDnt(ROOT, DIST, MODULES, entries);
      return finished();
    } catch (error) {
      console.error("dnt gave no package, so tsc makes it:", error);
    }
  } else {
    console.log("JSR cannot be reached: compiling with tsc instead of dnt");
  }
  empty();
  compileWithTsc(ROOT, DIST, MODULES, entries);
  return finished();
}

function empty(): void {
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(MODULES, { recursive: true });
}

function finished(): string[] {
  const { packages, problems } = finish(MODULES);
  refuse(problems);
  return packages;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** The modules that are only reached as a worker's URL. */
function workers(): string[] {
  const folders = ["primitives", "adapters"];
  const files = folders.flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`));
  return files.filter((file) => file.endsWith(".ts")).flatMap((file) => {
    return workerUrls(readFileSync(join(ROOT, file), "utf8")).map((path) => posix.join(posix.dirname(file), path));
  });
}
