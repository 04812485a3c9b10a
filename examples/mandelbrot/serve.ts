// Serves the page on this machine only, isolated, compiling its TypeScript as it is
// asked for. `deno task demo:browser`

import { existsSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PACKAGES = fileURLToPath(new URL("../../tools/packages/", import.meta.url));

if (!existsSync(`${PACKAGES}/node_modules/esbuild`)) {
  console.log("Installing the compiler, once …");
  execFileSync("npm", ["ci", "--no-progress"], { cwd: PACKAGES, stdio: ["ignore", "ignore", "inherit"] });
}
const { serveSite } = await import("../../tests/browser/server.ts");
const { origin } = await serveSite("source", () => {});
console.log(`Open ${origin}/examples/mandelbrot/index.html in a browser; Ctrl-C ends.`);
