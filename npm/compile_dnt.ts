/**
 * Compiles the library with dnt, the usual builder for npm packages from Deno sources, where JSR can be reached. Its
 * output is brought to the same layout as that of tsc, and passes the same checks.
 *
 * @module
 */

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Put together at run time: a specifier in plain sight would be fetched by every check of this folder.
const DNT = ["jsr:", "@deno/dnt", "@^0.42.0"].join("");

/** Replaces `import.meta` although ES modules have it; neither pages nor bundlers know what to make of that. */
const IMPORT_META_POLYFILL = /globalThis\[Symbol\.for\("import-meta-ponyfill-esmodule"\)\]\(import\.meta\)/g;
const POLYFILL_IMPORT = /^import ["'][^"']*_dnt\.polyfills\.js["'];\n/gm;

/** Compiles the entries, and whatever they import, from `root` to `out`, which lie below `dist`. */
export async function compileWithDnt(
  root: string,
  dist: string,
  out: string,
  entries: readonly string[],
): Promise<void> {
  const { build } = await import(DNT);
  const folder = join(dist, "dnt");
  await build({
    entryPoints: entries.map((entry, i) => ({ name: i === 0 ? "." : `./${i}`, path: join(root, entry) })),
    outDir: folder,
    shims: {},
    importMap: join(root, "deno.json"),
    package: { name: "lockstep", version: "0.0.0" },
    scriptModule: false,
    test: false,
    // The sources are checked by Deno and, with the libraries that users have, by tsc in the test of the package.
    typeCheck: false,
    declaration: "inline",
    skipSourceOutput: true,
    compilerOptions: { target: "ES2022", lib: ["ESNext", "DOM", "DOM.Iterable"], sourceMap: true, inlineSources: true },
  });
  cpSync(join(folder, "esm"), out, { recursive: true });
  rmSync(folder, { recursive: true });
  for (const name of readdirSync(out, { recursive: true, encoding: "utf8" })) {
    if (name === "package.json" || /_dnt\.polyfills\./.test(name)) rmSync(join(out, name));
    else if (name.endsWith(".js") || name.endsWith(".d.ts")) restore(join(out, name));
  }
}

function restore(path: string): void {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(IMPORT_META_POLYFILL, "import.meta").replace(POLYFILL_IMPORT, ""));
}
