/**
 * Serves modules to pages over 127.0.0.1, with the headers that isolate a page, and takes their reports.
 *
 * Two roots: the repository, whose TypeScript is compiled as it is asked for, or `npm/dist/site`, the packed package
 * with the compiled tests. Of the package pages get what a bundler makes of it: `package_bundle.ts`. Bare imports lead to
 * where the root keeps them, since workers have no import maps.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePackage } from "./package_bundle.ts";
import type { Report } from "./page.ts";

/** A running server. */
export interface Site {
  readonly origin: string;
  readonly close: () => void;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PACKAGES = join(ROOT, "tools/packages/");
const esbuild = createRequire(PACKAGES)("esbuild");

const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};
const MODULE = "text/javascript";
/** Every thread loads the same modules again; a run has a port of its own, so nothing is ever out of date. */
const CACHED = { "cache-control": "max-age=3600, immutable" };
const SPECIFIER = /(\bfrom\s*|\bimport\s*\(?\s*)(["'])([^."'/\s();,][^"'\s();,]*)\2/g;
const PAGE = `<!doctype html><meta charset="utf-8"><title>Lockstep</title><link rel="icon" href="data:,">` +
  `<script type="module" src="/__page.js"></script>`;

/** Serves a root; `onReport` gets every report with the token of the page that sent it. */
export async function serveSite(
  root: "source" | "package",
  onReport: (token: string, report: Report) => void,
): Promise<Site> {
  const folder = root === "source" ? ROOT : join(ROOT, "npm/dist/site");
  const resolve = root === "source" ? sourceResolver() : packageResolver(folder);
  const modules = new Map<string, string | undefined>(root === "package" ? await bundlePackage(esbuild, folder) : []);
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.writeHead(500, { "content-type": "text/plain" }).end(String(error));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => stop(server) };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, "http://127.0.0.1");
    if (pathname === "/__report") {
      onReport(searchParams.get("token")!, JSON.parse(await body(request)));
      response.writeHead(204).end();
    } else if (pathname === "/run" || pathname === "/plain") {
      const headers = pathname === "/run" ? ISOLATION : {};
      response.writeHead(200, { "content-type": "text/html", ...headers }).end(PAGE);
    } else {
      let code = modules.get(pathname);
      if (code === undefined) modules.set(pathname, code = await moduleAt(pathname));
      if (code === undefined) response.writeHead(404, ISOLATION).end();
      else response.writeHead(200, { "content-type": typeOf(pathname), ...CACHED, ...ISOLATION }).end(code);
    }
  }

  async function moduleAt(pathname: string): Promise<string | undefined> {
    if (pathname === "/__page.js") return await compiled(join(ROOT, "tests/browser/page.ts"));
    if (pathname.startsWith("/__package/")) return await bundled(pathname.slice("/__package/".length, -".js".length));
    const path = join(folder, normalize(decodeURIComponent(pathname)));
    if (!path.startsWith(folder) || !existsSync(path)) return undefined;
    const code = path.endsWith(".ts") ? await compiled(path) : readFileSync(path, "utf8");
    if (typeOf(pathname) !== MODULE) return code;
    return code.replace(SPECIFIER, (_, lead: string, quote: string, specifier: string) => {
      return `${lead}${quote}${resolve(specifier)}${quote}`;
    });
  }
}

function typeOf(pathname: string): string {
  return pathname.endsWith(".html") ? "text/html" : pathname.endsWith(".css") ? "text/css" : MODULE;
}

function stop(server: Server): void {
  server.close();
  server.closeAllConnections();
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return new TextDecoder().decode(concat(chunks));
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let end = 0;
  for (const chunk of chunks) {
    all.set(chunk, end);
    end += chunk.length;
  }
  return all;
}

async function compiled(path: string): Promise<string> {
  const options = { loader: "ts", target: "es2022", sourcefile: path };
  return (await esbuild.transform(readFileSync(path, "utf8"), options)).code;
}

/** A package from npm as one module: what its users' bundlers would make of it. */
async function bundled(name: string): Promise<string> {
  const options = { stdin: { contents: `export * from "${name}";`, resolveDir: PACKAGES } };
  const { outputFiles } = await esbuild.build({ ...options, bundle: true, format: "esm", write: false });
  return outputFiles[0].text;
}

function sourceResolver(): (specifier: string) => string {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  return (specifier) => {
    if (specifier !== name && !specifier.startsWith(`${name}/`)) return `/__package/${specifier}.js`;
    return exports[`.${specifier.slice(name.length)}`].slice(1);
  };
}

function packageResolver(folder: string): (specifier: string) => string {
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules/lockstep/package.json"), "utf8"));
  return (specifier) => {
    if (specifier !== "lockstep" && !specifier.startsWith("lockstep/")) return `/__package/${specifier}.js`;
    return `/node_modules/lockstep${exports[`.${specifier.slice("lockstep".length)}`].default.slice(1)}`;
  };
}

/** Ends the compiler's process. */
export function stopCompiler(): void {
  esbuild.stop();
}
