/**
 * Compiles the library with plain tsc: the way that works everywhere.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { cpSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const OPTIONS = {
  target: "ES2022",
  module: "NodeNext",
  lib: ["ES2024", "ESNext.Disposable", "ESNext.SharedMemory", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  types: [],
  strict: true,
  declaration: true,
  sourceMap: true,
  inlineSources: true,
  isolatedDeclarations: true,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
  newLine: "lf",
};

/** Compiles the entries, and whatever they import, from `root` to `out`, which lie below `dist`. */
export function compileWithTsc(root: string, dist: string, out: string, entries: readonly string[]): void {
  // A copy, since dependencies are looked for in a node_modules above the sources, and the repository has none.
  const copy = join(dist, "source");
  for (const entry of ["mod.ts", "primitives", "adapters"]) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true });
  }
  const packages = join(root, "tools/packages/node_modules");
  symlinkSync(packages, join(copy, "node_modules"));
  writeFileSync(join(copy, "package.json"), `{ "type": "module" }\n`);
  const compilerOptions = { ...OPTIONS, rootDir: copy, outDir: out };
  writeFileSync(join(copy, "tsconfig.json"), JSON.stringify({ compilerOptions, files: entries }));
  const { status } = spawnSync(join(packages, ".bin/tsc"), ["--project", copy], { stdio: "inherit" });
  rmSync(copy, { recursive: true });
  if (status !== 0) throw new Error("tsc found errors; are the tools there (npm ci --prefix tools/packages)?");
}
