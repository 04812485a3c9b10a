/**
 * Runs tests in browser pages, and prints each result.
 *
 * ```sh
 * deno task test:browsers                                       # from npm/dist/site, in all three
 * deno task test:browsers --source firefox tests/adapters/browser_test.ts
 * deno task test:browsers --realm=worker                        # in a thread, which may block
 * deno task test:browsers --realm=plain                         # in a page that is not isolated
 * ```
 *
 * Needs `npm ci --prefix tools/packages` and Debian's chromium, firefox-esr, webkit2gtk-driver and xvfb.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { drivers } from "./drivers.ts";
import type { Browser } from "./drivers.ts";
import type { Report } from "./page.ts";
import { serveSite, stopCompiler } from "./server.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** How long a page may say nothing, in ms; for a test, longer than its limit by that. */
const SILENCE = 20_000;
const SOURCE_FILES = ["tests/adapters/capabilities_test.ts", "tests/harness_test.ts", "tests/adapters/browser_test.ts"];

/** The test files of a realm: unit tests block, so they run in a worker, and a page gets what was written for it. */
const FILES: Readonly<Record<string, RegExp>> = {
  page: /^tests\/(?:adapters\/(?:capabilities|browser)|harness)_test\.js$/,
  worker: /_test\.js$/,
  plain: /^tests\/adapters\/not_isolated_test\.js$/,
};

const args = process.argv.slice(2);
const root = args.includes("--source") ? "source" : "package";
const realm = args.find((arg) => arg.startsWith("--realm="))?.slice("--realm=".length) ?? "page";
const named = args.filter((arg) => arg in drivers);
const files = args.filter((arg) => !arg.startsWith("--") && !(arg in drivers));
const seed = Number(process.env.LOCKSTEP_SEED ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;

/** What came of loading a page. */
interface Attempt {
  passed: number;
  failed: number;
  /** What the page wrote to its console. */
  readonly log: string[];
  /** Why it did not come to its end. */
  problem: unknown;
}

/** A page that stopped reporting. */
class Silence extends Error {}

let passed = 0;
let failed = 0;
/** When the running test began. */
let started = 0;

const pages = new Map<string, (report: Report) => void>();
const site = await serveSite(root, (token, report) => pages.get(token)?.(report));
for (const name of named.length > 0 ? named : Object.keys(drivers)) await drive(name);
site.close();
stopCompiler();
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

/** Runs all files in one page of one browser, which is printed as it goes. */
async function drive(name: string): Promise<void> {
  let attempt = await load(name);
  // A worker of Firefox that starts a nested one hangs about once in a hundred starts, and nothing can be done about it.
  if (name === "firefox" && attempt.problem instanceof Silence) {
    console.log(`Again, as ${attempt.problem.message}`);
    attempt = await load(name);
  }
  passed += attempt.passed;
  failed += attempt.failed;
  if (attempt.problem === undefined) return;
  failed++;
  console.log(`FAILED ${name}: ${attempt.problem}`);
  for (const line of attempt.log.slice(-40)) console.log(`    ${line}`);
}

async function load(name: string): Promise<Attempt> {
  const query = new URLSearchParams({
    token: name,
    realm,
    seed: `0x${seed.toString(16)}`,
    patience: process.env.LOCKSTEP_PATIENCE ?? "1",
    lockstep: root === "source" ? "/mod.ts" : "/node_modules/lockstep/mod.js",
  });
  for (const file of files.length > 0 ? files : defaultFiles()) query.append("file", `/${file}`);
  const attempt: Attempt = { passed: 0, failed: 0, log: [], problem: undefined };
  const done = watch(name, attempt);
  done.catch(() => {}); // it may reject while the browser is still starting
  let browser: Browser | undefined;
  try {
    browser = await drivers[name]!(
      `${site.origin}/${realm === "plain" ? "plain" : "run"}?${query}`,
      (line) => attempt.log.push(line),
    );
    console.log(`\n${browser.version} (${realm})`);
    await done;
  } catch (error) {
    attempt.problem = error;
    if (error instanceof Silence && browser !== undefined) error.message += `; ${await browser.look()}`;
  } finally {
    await browser?.close();
  }
  return attempt;
}

function defaultFiles(): string[] {
  if (root === "source") return SOURCE_FILES;
  const portable = readFileSync(join(ROOT, "npm/dist/site/portable.txt"), "utf8").split("\n");
  const wanted = FILES[realm];
  if (wanted === undefined) throw new Error(`Unknown realm: ${realm}; there are ${Object.keys(FILES).join(", ")}`);
  return portable.filter((file) => wanted.test(file) && !/adapters\/(?:deno|node|bun)_test/.test(file));
}

/** Prints the reports of a page; settles when the page is done, or has said nothing for too long. */
function watch(name: string, attempt: Attempt): Promise<void> {
  return new Promise((resolve, reject) => {
    let last = "loading";
    const listen = (ms: number) =>
      setTimeout(() => reject(new Silence(`the page has said nothing for ${ms / 1000} s, last of: ${last}`)), ms);
    let timer = listen(2 * SILENCE);
    pages.set(name, (report) => {
      clearTimeout(timer);
      if (report.kind === "done") {
        if (report.count === 0) return reject(new Error("The page registered no tests"));
        return resolve();
      }
      timer = listen(SILENCE + (report.kind === "start" ? report.limit : 0));
      last = report.name;
      print(report, attempt);
    });
  });
}

function print(report: Exclude<Report, { kind: "done" }>, attempt: Attempt): void {
  if (report.kind === "start") {
    started = performance.now();
    return;
  }
  if (report.kind === "pass") attempt.passed++;
  if (report.kind === "fail") attempt.failed++;
  const label = { pass: "ok    ", skip: "skip  ", fail: "FAILED" }[report.kind];
  const note = report.kind === "skip" ? report.text : `${Math.round(performance.now() - started)} ms`;
  console.log(`${label} ${report.name} (${note})`);
  if (report.kind !== "fail") return;
  for (const line of [report.text, ...attempt.log.slice(-20)]) console.log(line.replace(/^/gm, "    "));
}
