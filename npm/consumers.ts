/**
 * Tries the package as a new user would: in fresh folders, with the first program of the README. A TypeScript project
 * with strict settings, a plain JavaScript one on several runtimes, and a Deno project that imports the module.
 *
 * ```sh
 * deno task npm && deno task npm:consumers
 * ```
 *
 * Needs `npm ci --prefix tools/packages` and `npm ci --prefix tools/runtimes`.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "npm/dist");
const TSC = join(ROOT, "tools/packages/node_modules/.bin/tsc");
const RUNTIMES = join(ROOT, "tools/runtimes/node_modules");
const BUN = join(RUNTIMES, "@oven/bun-linux-x64/bin/bun");

const tarball = readdirSync(DIST).find((name) => name.endsWith(".tgz"));
if (tarball === undefined) throw new Error("No tarball in npm/dist: run deno task npm");

/** The README's first program, as it stands there. */
const program = /^```ts\n\/\/ file: main\.ts\n(.*?)^```$/ms.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1];
if (program === undefined) throw new Error("README.md does not begin with a program called main.ts");

/** The same without types, and without `using`, which Node 20 and 22 do not parse. */
const PLAIN = `import { isMainThread, Lock, SharedValue, Thread } from "lockstep";

export function earn(lock, money) {
  for (let i = 0; i < 1000; i++) {
    const guard = lock.acquire();
    try {
      money.value = money.value + 1;
    } finally {
      guard.release();
    }
  }
  return "done";
}

if (isMainThread) {
  const lock = new Lock({ name: "money" });
  const money = new SharedValue("i32", 0);
  const threads = [1, 2].map(() => new Thread({ target: earn, module: import.meta.url, args: [lock, money] }).start());
  console.log(threads.map((thread) => thread.join()), money.value);
}
`;

/** As strict as TypeScript gets, and with a look into the package's declarations. */
const STRICT = {
  compilerOptions: {
    target: "ES2022",
    module: "NodeNext",
    lib: ["ES2022", "DOM"],
    types: [],
    outDir: "out",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    noPropertyAccessFromIndexSignature: true,
    isolatedModules: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
  },
  files: ["main.ts"],
};

const home = mkdtempSync(join(tmpdir(), "lockstep-consumers-"));
let passed = 0;
let failed = 0;
try {
  typescript(project("typescript", true));
  javascript(project("javascript", true));
  deno(project("deno", false));
} finally {
  rmSync(home, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function typescript(folder: string): void {
  writeFileSync(join(folder, "main.ts"), program!.replace(`"@lockstep/lockstep"`, `"lockstep"`));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(STRICT));
  attempt("a strict TypeScript project: tsc --noEmit", folder, TSC, ["--noEmit"]);
  attempt("a strict TypeScript project: tsc", folder, TSC, []);
  for (const name of ["node20", "node24"]) {
    runs(`a compiled TypeScript project on ${name}`, folder, node(name), "out/main.js");
  }
  runs("a TypeScript project on node24", folder, node("node24"), "main.ts");
  runs("a TypeScript project on bun", folder, BUN, "main.ts");
}

function javascript(folder: string): void {
  writeFileSync(join(folder, "main.js"), PLAIN);
  for (const name of ["node20", "node22", "node24", "node26"]) {
    runs(`a JavaScript project on ${name}`, folder, node(name), "main.js");
  }
  runs("a JavaScript project on bun", folder, BUN, "main.js");
}

/** With the module in place of the package from JSR, which is not published yet when this runs. */
function deno(folder: string): void {
  const { imports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const own = { "@lockstep/lockstep": join(ROOT, "mod.ts"), msgpackr: imports.msgpackr };
  writeFileSync(join(folder, "deno.json"), JSON.stringify({ imports: own }));
  copyFileSync(join(ROOT, "deno.offline.lock"), join(folder, "deno.lock")); // the versions that were tested
  writeFileSync(join(folder, "main.ts"), program!);
  attempt("a Deno project: deno check", folder, "deno", ["check", "--quiet", "main.ts"]);
  runs("a Deno project", folder, "deno", "run", "-A", "main.ts");
}

function node(name: string): string {
  return join(RUNTIMES, name, "bin/node");
}

/** An empty folder, with the package installed if it is npm's. */
function project(name: string, npm: boolean): string {
  const folder = join(home, name);
  mkdirSync(folder);
  if (!npm) return folder;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const args = ["install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", join(DIST, tarball!)];
  attempt(`a ${name} project: npm install`, folder, "npm", args);
  return folder;
}

function runs(what: string, folder: string, command: string, ...args: string[]): void {
  attempt(what, folder, command, args, /done.*done.*\b2000\s*$/s);
}

function attempt(what: string, folder: string, command: string, args: readonly string[], prints = /(?:)/): void {
  const options = { cwd: folder, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" }, timeout: 60_000 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  const good = status === 0 && prints.test(stdout);
  if (good) passed++;
  else failed++;
  console.log(`${good ? "ok    " : "FAILED"} ${what}`);
  if (!good) console.log(`exit ${status} ${error ?? ""}\n${stdout}\n${stderr}`);
}
