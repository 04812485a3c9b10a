/**
 * Builds the app of `npm/fixtures/vite/` with the packed package, opens it in Chromium and looks at what it computed: a
 * thread on a worker file of its own, through a bundler.
 *
 * ```sh
 * deno task npm && deno task npm:vite
 * ```
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { drivers } from "../tests/browser/drivers.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "npm/dist");
const EXPECTED = "5050 5050";
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const app = mkdtempSync(join(tmpdir(), "lockstep-vite-"));
let passed = false;
try {
  build();
  const result = await open(join(app, "dist"));
  passed = result === EXPECTED;
  console.log(`${passed ? "ok" : "FAILED"} a thread in a Vite app: ${result}`);
} finally {
  rmSync(app, { recursive: true, force: true });
}
process.exit(passed ? 0 : 1);

/** In a folder elsewhere, as its user has it. */
function build(): void {
  const tarball = readdirSync(DIST).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("No tarball in npm/dist: run deno task npm");
  const skipped = /node_modules|[/\\]dist$/;
  cpSync(join(ROOT, "npm/fixtures/vite"), app, { recursive: true, filter: (path) => !skipped.test(path) });
  run("npm", ["ci", "--no-audit", "--no-fund", "--silent"]);
  run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefer-offline", join(DIST, tarball)]);
  run("npm", ["run", "build"]);
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: app, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}

/** Serves a folder to Chromium; resolves to what its page reports. */
async function open(folder: string): Promise<string> {
  let report: (result: string) => void;
  const reported = new Promise<string>((resolve) => report = resolve);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://127.0.0.1");
    if (pathname === "/__report") {
      let body = "";
      request.on("data", (chunk) => body += chunk).on("end", () => {
        response.writeHead(204).end();
        report(JSON.parse(body).result);
      });
      return;
    }
    const path = join(folder, normalize(pathname === "/" ? "/index.html" : decodeURIComponent(pathname)));
    if (!path.startsWith(folder) || !existsSync(path)) return void response.writeHead(404, ISOLATION).end();
    const headers = { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...ISOLATION };
    response.writeHead(200, headers).end(readFileSync(path));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const log: string[] = [];
  const { port } = server.address() as AddressInfo;
  const browser = await drivers.chromium!(`http://127.0.0.1:${port}/`, (line) => log.push(line));
  const late = setTimeout(() => report(`nothing within 60 s\n${log.join("\n")}`), 60_000);
  try {
    return await reported;
  } finally {
    clearTimeout(late);
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}
