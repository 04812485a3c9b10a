/**
 * Puts the compiled modules together, so that a worker loads a handful of files and not a hundred: a thread starts
 * three times as fast.
 *
 * - `core.js` holds what every thread needs at its start, `codec.js` what one needs to return more than a number,
 *   `rest.js` all else: most of the library is not parsed by a thread that does not use it. They export the inside too,
 *   each name behind its module's, for the stubs below; what users may import, `package.json` says.
 * - The entries of `deno.json` and the first modules of workers keep their places. They are thin, and import these.
 * - What makes a browser's worker by its URL stays out of them, which that worker loads: bundlers cannot build a
 *   worker that contains its own URL.
 *
 * A stub is a module of the sources by its old path, which hands out what they hold. The tests of the package
 * are given stubs (`npm/site.ts`), so that tests of the inside run on the very files that are shipped.
 *
 * @module
 */

import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix, relative } from "node:path";
import { withComments } from "./finish.ts";

/** In none, though no entry: what names the URL of a browser's worker, and what runs as it is imported. */
const OUTSIDE = ["adapters/detect.js"];
const CORE = "core.js";
const CODEC = "codec.js";
const REST = "rest.js";
type Holder = typeof CORE | typeof CODEC | typeof REST;
const HOLDERS: readonly Holder[] = [CORE, CODEC, REST];
/** The first module of a thread: what it imports is the core. */
const FIRST = "adapters/bootstrap.js";
/** What it may load later: what that imports beside the core is the codec. */
const LATER = "primitives/_codec_here.js";
const WORKER_URL = /(new URL\(\s*["'])(\.\.?\/[^"'`]+\.js)(["'],\s*import\.meta\.url\s*\))/g;

/** A module that is no file in the package: which one holds it, and what it exports. */
interface Held {
  readonly holder: Holder;
  /** What its names begin with among all exports of the holder. */
  readonly prefix: string;
  readonly names: readonly string[];
}

/** The modules that are no files in the package. */
export type Inside = Readonly<Record<string, Held>>;

/** Bundles the modules below `from` into `to`; both must exist. Returns what is inside the core and the rest. */
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
  const inside = await insideOf(esbuild, common, from, outside);
  for (const holder of HOLDERS) {
    const others = Object.fromEntries(Object.entries(inside).filter(([, held]) => held.holder !== holder));
    await esbuild.build({
      ...common,
      stdin: { contents: sourceOf(holder, inside), resolveDir: from, sourcefile: holder },
      outfile: join(to, holder),
      plugins: [{
        name: "worker URLs, and the other ones",
        setup: (build: Build) => {
          leadInside(build, from, others);
          moveWorkerUrls(build, from);
        },
      }],
    });
  }
  const entrance = {
    ...common,
    outdir: to,
    outbase: from,
    lineLimit: 0, // a URL cut in two by a line break is none to bundlers
    plugins: [{ name: "what is inside", setup: (build: Build) => leadInside(build, from, inside) }],
  };
  await esbuild.build({
    ...entrance,
    entryPoints: outside.filter((file) => !OUTSIDE.includes(file) && file !== FIRST && file !== LATER),
    splitting: true,
    chunkNames: "adapters/_[hash]", // beside the modules that worker URLs start from
  });
  // Whole: each further file takes time.
  for (const file of [FIRST, LATER]) await esbuild.build({ ...entrance, entryPoints: [file] });
  for (const file of [...HOLDERS, FIRST]) {
    writeFileSync(join(to, file), withComments(withClassNames(readFileSync(join(to, file), "utf8"))));
  }
  checkImports(to, CORE, [CODEC, REST]);
  checkImports(to, CODEC, [REST]);
  // Stubs are for modules in folders, these lie above. Source maps count columns, so they keep their length.
  for (const file of ["mod.js", CODEC, REST]) {
    const code = readFileSync(join(to, file), "utf8");
    writeFileSync(join(to, file), code.replace(/"\.\.\/(core|codec|rest)\.js"/g, '"./$1.js" '));
  }
  esbuild.stop();
  copyDeclarations(from, to);
  nameSources(to);
  return inside;
}

function checkImports(folder: string, holder: string, not: readonly string[]): void {
  const code = readFileSync(join(folder, holder), "utf8");
  for (const other of not) if (code.includes(`"../${other}"`)) throw new Error(`${holder} imports ${other}`);
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

/** Writes the module that hands out what is inside of one module, at its old path below the package. */
export function writeStub(folder: string, file: string, held: Held): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), stub(held));
}

function stub({ holder, prefix, names }: Held): string {
  const items = names.map((name) => `${prefix}${name} as ${name}`);
  return `export { ${items.join(", ")} } from "../${holder}";\n`;
}

function sourceOf(which: Held["holder"], inside: Inside): string {
  return Object.entries(inside).map(([file, { holder, prefix, names }]) => {
    if (holder !== which || names.length === 0) return "";
    return `export { ${names.map((name) => `${name} as ${prefix}${name}`).join(", ")} } from "./${file}";\n`;
  }).join("");
}

// deno-lint-ignore no-explicit-any
type Esbuild = any;
// deno-lint-ignore no-explicit-any
type Build = any;

/** All modules but those outside, with their places and the names that each exports. */
async function insideOf(
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
  const inputs = async (entry: string): Promise<Set<string>> => {
    const options = { ...common, entryPoints: [entry], outdir: from, sourcemap: false, write: false, metafile: true };
    return new Set(Object.keys((await esbuild.build(options)).metafile.inputs));
  };
  const core = await inputs(FIRST);
  const codec = await inputs(LATER);
  const holderOf = (file: string): Held["holder"] => core.has(file) ? CORE : codec.has(file) ? CODEC : REST;
  return Object.fromEntries(
    files.map((file, i) => [file, { holder: holderOf(file), prefix: `_${i}$`, names: found[file]! }]),
  );
}

/** Core and rest lie elsewhere than the modules in them, so what these name by URL is named from there. */
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

/** Has modules that are inside imported from what holds them. */
function leadInside(build: Build, from: string, inside: Inside): void {
  build.onResolve(
    { filter: /^\.\.\/(?:core|codec|rest)\.js$/ },
    ({ path }: { path: string }) => ({ path, external: true }),
  );
  build.onLoad({ filter: /\.js$/ }, ({ path }: { path: string }) => {
    const file = relative(from, path).replaceAll("\\", "/");
    const held = inside[file];
    return held && { contents: stub(held), loader: "js" };
  });
}

function copyDeclarations(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !/\.js(?:\.map)?$/.test(path) });
  // A project need not say in its `lib` what only the declarations of a guard need.
  for (const file of readdirSync(to, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".d.ts"))) {
    const text = readFileSync(join(to, file), "utf8");
    if (!/\bDisposable\b|Symbol\.dispose/.test(text)) continue;
    writeFileSync(join(to, file), `/// <reference lib="esnext.disposable" />\n${text}`);
  }
}
