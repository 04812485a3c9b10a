/**
 * Builds the npm package: `npm/dist/package/` and, packed from it, `npm/dist/lockstep-<version>.tgz`.
 *
 * Plain ES modules with declarations beside them, in the layout of the sources, so that a worker's URL means the same in
 * both. dnt compiles where JSR can be reached, plain tsc where not; what follows is the same. Needs `npm ci --prefix tools/packages`. `deno.json` is where name, version, exports and dependencies come from.
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
import { compileWithDnt } from "./compile_dnt.ts";
import { compileWithTsc } from "./compile_tsc.ts";
import { finish, workerUrls } from "./finish.ts";
import { packageJson } from "./package_json.ts";
import type { DenoJson } from "./package_json.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "npm/dist");
const PACKAGE = join(DIST, "package");

const config: DenoJson = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
const packages = await compile([...Object.values(config.exports), ...workers()]);
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

/** Fills the package's folder with the builder that works here; returns the packages that its files import. */
async function compile(entries: readonly string[]): Promise<string[]> {
  if (await reachesJsr()) {
    try {
      empty();
      await compileWithDnt(ROOT, DIST, PACKAGE, entries);
      return finished();
    } catch (error) {
      console.error("dnt gave no package, so tsc makes it:", error);
    }
  } else {
    console.log("JSR cannot be reached: compiling with tsc instead of dnt");
  }
  empty();
  compileWithTsc(ROOT, DIST, PACKAGE, entries);
  return finished();
}

function empty(): void {
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(PACKAGE, { recursive: true });
}

function finished(): string[] {
  const { packages, problems } = finish(PACKAGE);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return packages;
}

/** The modules that are only reached as a worker's URL. */
function workers(): string[] {
  const folders = ["primitives", "adapters"];
  const files = folders.flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`));
  return files.filter((file) => file.endsWith(".ts")).flatMap((file) => {
    return workerUrls(readFileSync(join(ROOT, file), "utf8")).map((path) => posix.join(posix.dirname(file), path));
  });
}
