/**
 * Runs the benchmarks side by side with their peers, on Deno and Node, and draws
 * the ratios. `deno task bench [short] [name …]`; the peers are installed from
 * `bench/peers/` first.
 *
 * @module
 */

import type { Finding, Row } from "./_report.ts";
import { ratio } from "./_report.ts";

const ROOT = new URL("../", import.meta.url);
const short = Deno.args.includes("short");
const names = Deno.args.filter((name) => name !== "short");
const pinnable = Deno.build.os === "linux";

const all = [...Deno.readDirSync(new URL("bench/", ROOT))]
  .map((entry) => entry.name).filter((name) => name.endsWith("_bench.ts")).sort();
const chosen = names.length === 0 ? all : all.filter((file) => names.some((name) => file.startsWith(name)));
if (chosen.length === 0) {
  console.error(`No benchmark is called ${names.join(" or ")}: there are ${all.join(" ")}`);
  Deno.exit(2);
}

await install();
const runtimes = {
  deno: {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", "--quiet", "--unstable-detect-cjs"], // some peers are CommonJS
    version: Deno.version.deno,
  },
  node: findNode(),
};
const cpu = Deno.build.os === "linux"
  ? /model name\s*: (.*)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown CPU"
  : Deno.build.os;
console.log(
  `${navigator.hardwareConcurrency} cores, ${cpu}; Deno ${runtimes.deno.version}, Node ${runtimes.node.version}`,
);
console.log(
  `commit ${text("git", ["rev-parse", "--short", "HEAD"])}${short ? "; short run: figures mean nothing" : ""}\n`,
);

/** Run once more with all threads on one core. */
const PINNED: ReadonlySet<string> = new Set(["turns_bench.ts", "pipe_bench.ts"]);

let missed = 0;
for (const file of chosen) {
  for (const [runtime, { command, args }] of Object.entries(runtimes)) {
    const place = `bench/${file}`;
    // V8's own mutex is behind a flag, with which Node's workers crash: only where no worker is started.
    const flags = runtime === "node" && file === "lock_bench.ts" ? ["--harmony-struct"] : [];
    await bench(runtime, command, [...flags, ...args, place], {});
    if (pinnable && PINNED.has(file)) {
      await bench(`${runtime}, one core`, "taskset", ["-c", "0", command, ...args, place], {
        LOCKSTEP_BENCH_PINNED: "1",
      });
    }
  }
}
if (!short) console.log(missed === 0 ? "\nEvery goal was reached." : `\n${missed} goals were missed.`);

/** Runs one benchmark and draws its rows. */
async function bench(label: string, command: string, args: string[], env: Record<string, string>): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: ROOT,
    env: { ...env, NODE_NO_WARNINGS: "1", ...(short ? { LOCKSTEP_BENCH: "short" } : {}) },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const rows = new TextDecoder().decode(stdout).split("\n").filter((line) => line.startsWith("{"));
  if (!success || rows.length === 0) {
    console.error(`${args.at(-1)} failed on ${label}:\n${new TextDecoder().decode(stderr)}`);
    Deno.exit(1);
  }
  for (const line of rows) {
    const row = JSON.parse(line) as Row | Finding;
    if ("right" in row) drawFinding(label, row);
    else draw(label, row);
  }
}

/** What is wrong here is wrong in a short run too. */
function drawFinding(label: string, { what, ours, right, others }: Finding): void {
  console.log(`${label.padEnd(15)} ${what}: ${ours}${right ? "" : "  WRONG"}`);
  for (const [peer, outcome] of others) console.log(`${"".padEnd(15)}   ${peer}: ${outcome}`);
  if (!right) Deno.exit(1);
}

function draw(label: string, row: Row): void {
  const { what, ours, peer, theirs, unit, as, goal } = row;
  const times = ratio(row);
  const sign = as === "times theirs" ? "≤" : "≥";
  const met = goal === undefined || (as === "times theirs" ? times <= goal : times >= goal);
  if (!met) missed++;
  const aim = goal === undefined ? "" : `  goal ${sign} ${goal}${met || short ? "" : "  MISSED"}`;
  console.log(`${label.padEnd(15)} ${what}: ${figure(ours)} ${unit}`);
  console.log(
    `${"".padEnd(15)}   ${figure(times)} × ${as === "times theirs" ? "" : "as fast as "}${peer} (${
      figure(theirs)
    } ${unit})${aim}`,
  );
}

function figure(value: number): string {
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
    ? value.toFixed(1)
    : value >= 0.1
    ? value.toFixed(2)
    : value.toFixed(4);
}

/** The peers, pinned, for the benchmarks only. */
async function install(): Promise<void> {
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["ci", "--no-progress"],
    cwd: new URL("bench/peers/", ROOT),
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  console.error(`Cannot install the peers of bench/peers:\n${new TextDecoder().decode(stderr)}`);
  Deno.exit(1);
}

/** A Node that runs TypeScript sources: the pinned one, or that on PATH from 22.18 on. */
function findNode(): { command: string; args: string[]; version: string } {
  for (const command of [new URL("tools/runtimes/node_modules/node24/bin/node", ROOT).pathname, "node"]) {
    try {
      const version = text(command, ["--version"]).slice(1);
      const [major = 0, minor = 0] = version.split(".").map(Number);
      if (major > 22 || (major === 22 && minor >= 18)) {
        return { command, args: ["--import", new URL("bench/_node_resolve.mjs", ROOT).href], version };
      }
    } catch {
      // not there: the next one
    }
  }
  console.error("The benchmarks need Node 22.18 or later: npm ci --prefix tools/runtimes installs one");
  Deno.exit(1);
}

function text(command: string, args: string[]): string {
  return new TextDecoder().decode(new Deno.Command(command, { args, cwd: ROOT }).outputSync().stdout).trim();
}
