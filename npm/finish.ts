/**
 * What no compiler does, for the emitted files of any of them: worker URLs and declarations that name `.js`, and a look
 * for what must not be in a package.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** `new URL("./x.ts", import.meta.url)`, in exactly the shape that bundlers look for. */
const WORKER_URL = /(new URL\(\s*(["'])\.\.?\/[^"'`]+)\.ts(\2,\s*import\.meta\.url\s*\))/g;
const LEFT_OVER_URL = /new URL\([^)]*\.ts\b[^)]*\)/;
const RELATIVE_IMPORT = /((?:\bfrom\s*|\bimport\s*\(?\s*)(["'])\.\.?\/[^"']+)\.ts(\2)/g;

/** Rewrites emitted files in place; returns which packages they import, and what is wrong with them. */
export function finish(folder: string): { packages: string[]; problems: string[] } {
  const packages = new Set<string>();
  for (const file of emitted(folder)) {
    const path = join(folder, file);
    const text = rewrite(readFileSync(path, "utf8"));
    writeFileSync(path, text);
    for (const specifier of bareImports(text)) packages.add(packageOf(specifier));
  }
  return { packages: [...packages].sort(), problems: check(folder) };
}

/** Says what is wrong with the emitted files below a folder. */
export function check(folder: string): string[] {
  return emitted(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const missing = workerUrls(text).filter((url) => !existsSync(join(folder, dirname(file), url)));
    return [...inspect(file, text), ...missing.map((url) => `${file}: a URL names a file that is not there: ${url}`)];
  });
}

function emitted(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.(js|ts)$/.test(file));
}

/** The paths in `new URL("./x.ts", import.meta.url)`, of a source or an emitted file. */
export function workerUrls(text: string): string[] {
  const urls = withoutComments(text).matchAll(/new URL\(\s*["'](\.\.?\/[^"']+\.[jt]s)["'],\s*import\.meta\.url\s*\)/g);
  return [...urls].map((found) => found[1]!);
}

/** What tsc makes of an import by a URL that is known at run time only; it is never a relative one. */
const IMPORT_AT_RUN_TIME = /\bimport\(__rewriteRelativeImportExtension\(([^()]*)\)\)/g;

/** Stands for a comment that the bundler would drop, and takes as many columns. */
const IGNORE = ["__lockstep_webpack_ignore", "/* webpackIgnore: true */"] as const;

/** Puts the comment in its place. */
export function withComments(bundled: string): string {
  return bundled.replaceAll(...IGNORE);
}

/** Makes relative worker URLs and imports name the emitted file, and has bundlers leave imports at run time alone. */
export function rewrite(text: string): string {
  return text.replace(WORKER_URL, "$1.js$3").replace(RELATIVE_IMPORT, "$1.js$3")
    .replace(IMPORT_AT_RUN_TIME, `import(${IGNORE[0]}($1))`);
}

/** Says what is wrong with an emitted file. */
export function inspect(file: string, text: string): string[] {
  const problems: string[] = [];
  const code = withoutComments(text);
  const left = LEFT_OVER_URL.exec(code);
  if (left !== null) problems.push(`${file}: a URL still names a source file: ${left[0]}`);
  if (/(?:^|[;{}\s])(?:await\s+)?using\s+[\w$]+\s*=/.test(code)) problems.push(`${file}: a using statement`);
  const strange = bareImports(text).find((name) => name.includes(":"));
  if (strange !== undefined) problems.push(`${file}: imports what npm or browsers do not know: ${strange}`);
  if (!/^(?:mod\.|(?:core|codec|rest)\.js$|primitives\/|adapters\/)/.test(file) || /_test\./.test(file)) {
    problems.push(`${file}: does not belong in the package`);
  }
  return problems;
}

const STATEMENT = /^\s*(?:import|export)\b(?:[\w\s{},*$]*\bfrom)?\s*["']([^."'\n][^"'\n]*)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^."'\n][^"'\n]*)["']/g;

/** The specifiers of packages that an emitted file imports. */
export function bareImports(text: string): string[] {
  const code = withoutComments(text);
  return [...code.matchAll(STATEMENT), ...code.matchAll(DYNAMIC)].map((found) => found[1]!);
}

/** The package of a specifier: its name without the sub-path. */
function packageOf(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Drops whole-line and block comments: good enough for what tsc emits, in which docs stand on lines of their own. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[^]*?\*\/\s*$/gm, "").replace(/^\s*\/\/.*$/gm, "");
}
