/**
 * Bundles the installed package as its users' bundlers do: minified, with its dependency inside, the first modules of workers
 * as entries of their own, and their URLs rewritten. What is served of the package is this; only the stubs that tests of
 * the inside import (`npm/bundle.ts`) are files of the site, and lead back here.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";

/** Where pages find the package. */
const BASE = "/node_modules/lockstep";
const WORKER_URL = /new URL\(\s*["'](\.\.?\/[^"'`]+\.js)["'],\s*import\.meta\.url\s*\)/g;
/** What the stubs import. */
const HELD = ["core.js", "codec.js", "rest.js"];

// deno-lint-ignore no-explicit-any
type Esbuild = any;

/** The files of the bundle by their paths, for the package installed in a site. */
export async function bundlePackage(esbuild: Esbuild, site: string): Promise<Map<string, string>> {
  const folder = join(site, "node_modules/lockstep");
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entries = Object.values<{ default?: string }>(exports).flatMap((entry) => entry.default ?? []);
  const workers = new Set<string>();
  const options = {
    absWorkingDir: folder,
    outdir: folder,
    outbase: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    chunkNames: "chunk_[hash]",
    write: false,
    logLevel: "error",
  };
  const build = async (entryPoints: string[]): Promise<{ path: string; text: string }[]> => {
    const rewrite = { name: "worker URLs", setup: (build: Esbuild) => nameWorkers(build, folder, workers) };
    return (await esbuild.build({ ...options, entryPoints, plugins: [rewrite] })).outputFiles;
  };
  await build([...entries, ...HELD]); // to find the workers
  const files = await build([...new Set([...entries.map((entry) => posix.normalize(entry)), ...HELD, ...workers])]);
  return new Map(files.map(({ path, text }) => [`${BASE}/${relative(folder, path)}`, text]));
}

/** Bundlers move modules, so URLs of workers are made those of the output; collects them. */
function nameWorkers(build: Esbuild, folder: string, workers: Set<string>): void {
  build.onLoad({ filter: /\.js$/ }, ({ path }: { path: string }) => {
    const place = posix.dirname(relative(folder, path));
    const contents = readFileSync(path, "utf8").replace(WORKER_URL, (_, url: string) => {
      const worker = posix.join(place, url);
      workers.add(worker);
      return `new URL("${BASE}/${worker}", import.meta.url)`;
    });
    return { contents, loader: "js" };
  });
}
