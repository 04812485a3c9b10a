/**
 * Three browsers, each reduced to "open this page" and "close".
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A browser that shows a page. */
export interface Browser {
  readonly version: string;
  /** What a page that says nothing is doing: whether its event loop turns, and where its script is if it does not. */
  readonly look: () => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Starts a browser on a page. */
export type Driver = (url: string, log: (line: string) => void) => Promise<Browser>;

const load = createRequire(new URL("../../tools/packages/", import.meta.url));

const CHROMIUM_ARGS = [
  ...[
    "--js-flags=--expose-gc",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
  ],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
const MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";

/** What a page is asked; how long it has for the answer, in ms. */
const QUESTION = "performance.now()";
const PATIENCE = 5000;

/** The drivers by the names of their browsers. */
export const drivers: Readonly<Record<string, Driver>> = {
  async chromium(url, log) {
    const { chromium } = load("playwright-core");
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM_ARGS });
    const page = await browser.newPage();
    listen(page, log);
    const session = await page.context().newCDPSession(page);
    await page.goto(url);
    return {
      version: `Chromium ${browser.version()}`,
      look: async () => await answered(page.evaluate(QUESTION)) ? TURNS : await pausedAt(session),
      close: () => browser.close(),
    };
  },

  async firefox(url, log) {
    const puppeteer = load("puppeteer-core");
    const browser = await puppeteer.launch({
      browser: "firefox",
      protocol: "webDriverBiDi",
      executablePath: "/usr/bin/firefox-esr",
      headless: true,
    });
    const page = await browser.newPage();
    listen(page, log);
    await page.goto(url);
    return {
      version: (await browser.version()).replace("firefox/", "Firefox "),
      look: async () => await answered(page.evaluate(QUESTION)) ? TURNS : STANDS,
      close: () => browser.close(),
    };
  },

  /** WebKitGTK has a WebDriver of its own, which needs a display and is spoken to with plain requests. */
  async webkit(url) {
    const port = await freePort();
    const home = mkdtempSync(join(tmpdir(), "lockstep-webkit-"));
    const plain = new URL(url).pathname === "/plain";
    const child = spawn("xvfb-run", ["-a", "WebKitWebDriver", "-p", String(port)], {
      // A process group, so that the display and the browser end with the driver.
      detached: true,
      stdio: "ignore",
      env: {
        ...process.env,
        HOME: home,
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
        // Without it an isolated page has no shared memory; with it every page has, isolated or not.
        ...(plain ? {} : { JSC_useSharedArrayBuffer: "1" }),
      },
    });
    const base = `http://127.0.0.1:${port}`;
    const capabilities = {
      alwaysMatch: {
        browserName: "MiniBrowser",
        "webkitgtk:browserOptions": { binary: MINI_BROWSER, args: ["--automation"] },
      },
    };
    await answering(`${base}/status`);
    const { sessionId, capabilities: granted } = await call(`${base}/session`, { capabilities });
    await call(`${base}/session/${sessionId}/url`, { url });
    return {
      version: `WebKitGTK ${granted.browserVersion}`,
      async look() {
        const asked = call(`${base}/session/${sessionId}/execute/sync`, { script: `return ${QUESTION}`, args: [] });
        return await answered(asked) ? TURNS : STANDS;
      },
      async close() {
        await fetch(`${base}/session/${sessionId}`, { method: "DELETE" }).catch(() => {});
        try {
          process.kill(-child.pid!, "SIGKILL");
        } catch {
          // Already gone.
        }
        rmSync(home, { recursive: true, force: true });
      },
    };
  },
};

const TURNS = "its event loop turns";
const STANDS = "its event loop stands still";

async function answered(question: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), PATIENCE));
  const answer = question.then(() => true, () => false);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Stops the script of a page of Chromium, and tells where that was. */
// deno-lint-ignore no-explicit-any
async function pausedAt(session: any): Promise<string> {
  const paused = new Promise<string>((resolve) => {
    // deno-lint-ignore no-explicit-any
    session.once("Debugger.paused", ({ callFrames }: any) => {
      // deno-lint-ignore no-explicit-any
      resolve(
        callFrames.map(({ functionName, url, location }: any) => {
          return `    ${functionName || "(anonymous)"} (${url}:${location.lineNumber + 1}:${
            location.columnNumber + 1
          })`;
        }).join("\n"),
      );
    });
  });
  const asked = Promise.all([session.send("Debugger.enable"), session.send("Debugger.pause")]).then(() => paused);
  return await answered(asked) ? `${STANDS} in\n${await paused}` : `${STANDS}, in no script`;
}

// deno-lint-ignore no-explicit-any
function listen(page: any, log: (line: string) => void): void {
  // deno-lint-ignore no-explicit-any
  page.on("console", (message: any) => log(`console: ${message.text()}`));
  page.on("pageerror", (error: Error) => log(`page error: ${error.message}`));
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function answering(url: string): Promise<void> {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      await (await fetch(url)).body?.cancel();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

// deno-lint-ignore no-explicit-any
async function call(url: string, body: unknown): Promise<any> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebKitWebDriver: ${JSON.stringify(value)}`);
  return value;
}
