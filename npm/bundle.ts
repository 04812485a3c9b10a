/**
 * Puts the compiled modules together, so that a worker loads a handful of files and not a hundred: a thread starts
 * three times as fast.
 *
 * - `core.js` holds the whole library. It exports the inside too, each name behind its module's, for the stubs below;
 *   what users may import, `package.json` says.
 * - The entries of `deno.json` and the first modules of workers keep their places. They are thin, and import the core.
 * - What makes a browser's worker by its URL stays out of the core, which that worker loads: bundlers cannot build a
 *   worker that contains its own URL.
 *
 * A stub is a module of the sources by its old path, which hands out what the core holds. The tests of the package
 * are given stubs (`npm/site.ts`), so that tests of the inside run on the very files that are shipped.
 *
 * @module
 */

import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix, relative } from "node:path";

/** Not in the core, though no entry: what names the URL of a browser's worker, and what runs as it is imported. */
const OUTSIDE = ["adapters/detect.js"];
const CORE = "core.js";
const FROM_FOLDERS = `../${CORE}`;
const WORKER_URL = /(new URL\(\s*["'])(\.\.?\/[^"'`]+\.js)(["'],\s*import\.meta\.url\s*\))/g;

/** The modules that are no files in the package, with what each exports. */
export type Inside = Readonly<Record<string, readonly string[]>>;

/** Bundles the modules below `from` into `to`; both must exist. Returns what is inside the core. */
export async function bundle(tools: string, from: string, to: string, entries: readonly string[]): Promise<Inside> {
  const esbuild = createRequire(tools)("esbuild");
  const outside = [...entries.map((entry) => posix.normalize(entry).replace(/\.ts$/, ".js")), ...OUTSIDE];
  const common = {
    absWorkingDir: from,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    packages: "external",
    minifyWhitespace: true, // comments are read by nobody, but by the parser in every worker
    minifySyntax: true,
    lineLimit: 160, // Node prints the line of an uncaught error: it must not be the whole library
    sourcemap: true,
    logLevel: "error",
  };
  const inside = await exportsOf(esbuild, common, from, outside);
  await esbuild.build({
    ...common,
    stdin: { contents: coreSource(inside), resolveDir: from, sourcefile: CORE },
    outfile: join(to, CORE),
    plugins: [{ name: "worker URLs", setup: (build: Build) => moveWorkerUrls(build, from) }],
  });
  await esbuild.build({
    ...common,
    entryPoints: outside.filter((file) => !OUTSIDE.includes(file)),
    outdir: to,
    lineLimit: 0, // a URL cut in two by a line break is none to bundlers
    splitting: true,
    chunkNames: "adapters/_[hash]", // beside the modules that worker URLs start from
    plugins: [{ name: "core", setup: (build: Build) => leadToCore(build, from, inside) }],
  });
  const core = join(to, CORE);
  writeFileSync(core, withClassNames(readFileSync(core, "utf8")));
  // All entries but this one lie in a folder. Source maps count columns, so it keeps its length.
  const root = join(to, "mod.js");
  writeFileSync(root, readFileSync(root, "utf8").replaceAll(`"${FROM_FOLDERS}"`, `"./${CORE}" `));
  esbuild.stop();
  copyDeclarations(from, to);
  nameSources(to);
  return inside;
}

/**
 * esbuild makes `var Lock = class _Lock`, and the class would go by that name. Inside of the class the outer name is as
 * good. Source maps count columns, so a blank takes the underscore's place.
 */
export function withClassNames(code: string): string {
  const renamed = [...code.matchAll(/\b([\w$]+)\s*=\s*class _([\w$]+)/g)].filter(([, outer, inner]) => outer === inner);
  return renamed.reduce(
    (text, [, name]) => text.replace(new RegExp(`(?<![\\w$.#])_${name}(?![\\w$])`, "g"), ` ${name}`),
    code,
  );
}

/** Has source maps name the sources by their paths in the repository; their text is in the maps. */
function nameSources(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.map$/.test(file))) {
    const map = JSON.parse(readFileSync(join(folder, file), "utf8"));
    map.sources = map.sources.map((source: string) =>
      /(?:^|\/)((?:primitives|adapters)\/[^/]+|[^/]+)$/.exec(source)![1]
    );
    writeFileSync(join(folder, file), JSON.stringify(map));
  }
}

/** Writes the module that hands out what the core holds of one module, at its old path below the package. */
export function writeStub(folder: string, file: string, names: readonly string[]): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), stub(file, names));
}

function stub(file: string, names: readonly string[]): string {
  const items = names.map((name) => `${inCore(file, name)} as ${name}`);
  return `export { ${items.join(", ")} } from "${FROM_FOLDERS}";\n`;
}

/** A module's export among all exports of the core. */
function inCore(file: string, name: string): string {
  return `${file.replace(/\.js$/, "").replace(/\W/g, "_")}$${name}`;
}

function coreSource(inside: Inside): string {
  return Object.entries(inside).map(([file, names]) => {
    if (names.length === 0) return "";
    return `export { ${names.map((name) => `${name} as ${inCore(file, name)}`).join(", ")} } from "./${file}";\n`;
  }).join("");
}

// deno-lint-ignore no-explicit-any
type Esbuild = any;
// deno-lint-ignore no-explicit-any
type Build = any;

/** All modules but those outside, with the names that each exports. */
async function exportsOf(
  esbuild: Esbuild,
  common: object,
  from: string,
  outside: readonly string[],
): Promise<Inside> {
  const files = readdirSync(from, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".js") && !outside.includes(file)).sort();
  const { metafile } = await esbuild.build({
    ...common,
    entryPoints: files,
    outdir: from,
    splitting: true,
    sourcemap: false,
    write: false,
    metafile: true,
  });
  const found: Record<string, string[]> = {};
  for (const { entryPoint, exports } of Object.values<{ entryPoint?: string; exports: string[] }>(metafile.outputs)) {
    if (entryPoint !== undefined) found[entryPoint] = exports.sort();
  }
  return Object.fromEntries(files.map((file) => [file, found[file]!]));
}

/** The core lies elsewhere than the modules in it, so what they name by URL is named from there. */
function moveWorkerUrls(build: Build, from: string): void {
  build.onLoad({ filter: /\.js$/ }, ({ path }: { path: string }) => {
    const folder = posix.dirname(relative(from, path).replaceAll("\\", "/"));
    const code = readFileSync(path, "utf8");
    const contents = code.replace(WORKER_URL, (_, lead: string, url: string, end: string) => {
      return `${lead}./${posix.join(folder, url)}${end}`;
    });
    return { contents, loader: "js" };
  });
}

/** Has modules outside of the core import from it. */
function leadToCore(build: Build, from: string, inside: Inside): void {
  build.onResolve({ filter: /^\.\.\/core\.js$/ }, () => ({ path: FROM_FOLDERS, external: true }));
  build.onLoad({ filter: /\.js$/ }, ({ path }: { path: string }) => {
    const file = relative(from, path).replaceAll("\\", "/");
    const names = inside[file];
    return names && { contents: stub(file, names), loader: "js" };
  });
}

function copyDeclarations(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !/\.js(?:\.map)?$/.test(path) });
}
