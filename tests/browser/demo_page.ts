/**
 * Drives the demo page in browsers as a user would.
 *
 * ```sh
 * deno run -A --no-check tests/browser/demo_page.ts [chromium|firefox|webkit …]
 * ```
 *
 * The page is asked to act by `?drive=token`: it presses its own keys and buttons and reports what it shows, so that one
 * script serves drivers that share no commands.
 *
 * @module
 */

import process from "node:process";
import { drivers } from "./drivers.ts";
import { serveSite, stopCompiler } from "./server.ts";
import type { Report } from "./page.ts";

const LIMIT = 120_000;
const STEPS = ["painted", "zoomed", "moved", "deadlock"];

const named = process.argv.slice(2).filter((arg) => arg in drivers);
const listeners = new Map<string, (report: Report) => void>();
const site = await serveSite("source", (token, report) => listeners.get(token)?.(report));
let passed = 0;
let failed = 0;

for (const name of named.length > 0 ? named : Object.keys(drivers)) await drive(name);
site.close();
stopCompiler();
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function drive(name: string): Promise<void> {
  const seen: string[] = [];
  const log: string[] = [];
  const token = `demo-${name}`;
  const done = new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(`it was silent after: ${seen.join(", ")}`), LIMIT);
    listeners.set(token, (report) => {
      if (report.kind === "pass") seen.push(report.name);
      if (report.kind === "fail") resolve(`${report.name}: ${report.text}`);
      if (report.kind === "done") {
        clearTimeout(timer);
        resolve(undefined);
      }
    });
  });
  const url = `${site.origin}/examples/mandelbrot/index.html?drive=${token}`;
  const browser = await drivers[name]!(url, (line) => log.push(line));
  const problem = await done;
  await browser.close();
  const missing = STEPS.filter((step) => !seen.includes(step));
  if (problem === undefined && missing.length === 0) {
    passed++;
    console.log(`ok ${browser.version}: ${seen.join(", ")}`);
  } else {
    failed++;
    console.log(`FAILED ${browser.version}: ${problem ?? `not seen: ${missing.join(", ")}`}\n${log.join("\n")}`);
  }
}
