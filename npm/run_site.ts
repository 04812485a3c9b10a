/**
 * Runs the tests beside the installed package on one runtime.
 *
 * ```sh
 * deno task npm && deno task npm:site
 * deno task npm:test node20                       # or node22 node24 node26 bun deno
 * deno task npm:test bun tests/adapters/bun_test.js
 * deno task npm:test node20 --smoke
 * ```
 *
 * Needs `npm ci --prefix tools/runtimes`.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SITE = join(ROOT, "npm/dist/site");
// By full path: the .bin of these packages shadows the machine's own node.
const RUNTIMES = join(ROOT, "tools/runtimes/node_modules");
const NODE_TEST = ["--test", "--test-concurrency=1", "--test-reporter=tap"];

/** How to run a program, and how to run tests. */
interface Runtime {
  readonly command: string;
  readonly program: readonly string[];
  readonly tests: readonly string[];
}

const [name = "", ...rest] = process.argv.slice(2);
const runtime = runtimeOf(name);
const smoke = rest.includes("--smoke");
const files = rest.filter((arg) => !arg.startsWith("--"));
const args = smoke
  ? [...runtime.program, "smoke.mjs"]
  : [...runtime.tests, ...(files.length > 0 ? files : portable()).map((file) => `./${file}`)];
const { status, signal } = spawnSync(runtime.command, args, { cwd: SITE, stdio: "inherit" });
if (signal !== null) console.error(`Ended by ${signal}`);
process.exit(status ?? 1);

function runtimeOf(name: string): Runtime {
  if (/^node\d+$/.test(name)) {
    return { command: join(RUNTIMES, name, "bin/node"), program: [], tests: NODE_TEST };
  }
  switch (name) {
    case "bun":
      return { command: join(RUNTIMES, "@oven/bun-linux-x64/bin/bun"), program: [], tests: ["test"] };
    case "deno":
      // The site is a folder of npm's, so its node_modules are used as they are.
      return { command: "deno", program: ["run", "-A"], tests: ["test", "-A", "--no-check"] };
    default:
      throw new Error(`Unknown runtime: "${name}"; there are node20 node22 node24 node26 bun deno`);
  }
}

/** All portable tests, without the bindings of other runtimes, which would register nothing. */
function portable(): string[] {
  const kind = name.replace(/\d+$/, "");
  return readFileSync(join(SITE, "portable.txt"), "utf8").split("\n").filter((file) => {
    const binding = /adapters\/(deno|node|bun|browser)_test\.js$/.exec(file)?.[1];
    return file !== "" && (binding === undefined || binding === kind);
  });
}
