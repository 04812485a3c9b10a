/**
 * The launcher behind `deno task test` and `deno task ok`.
 *
 * The tests depend on two small packages from JSR. Where JSR cannot be reached, the launcher says so and uses
 * `deno.offline.json`, which puts the stand-ins of `tests/standins/` in their place; with a network it never does.
 *
 * ```sh
 * deno task test                    # everything
 * deno task test tests/primitives   # some files, or any option of `deno test`
 * deno task model                   # the models of tests/model/ with more preemptions than in the gate
 * deno task stress                  # tests/stress/ at length, and ten minutes of heavy contention; LOCKSTEP_SEED repeats it
 * deno task ok                      # the contributor's gate
 * ```
 *
 * @module
 */

import { readConfig, ROOT } from "./config.ts";
import { reachesJsr } from "./jsr.ts";

/** One step of the gate: a name and the `deno` call that has to succeed. */
interface Step {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What runs at the same time, one after the other; their output is shown at the end. */
  readonly beside?: readonly Step[];
}

/** What needs nothing to be installed first; the benchmarks need their peers. */
const CHECKED = ["mod.ts", "primitives/", "adapters/", "tests/", "tools/", "npm/", "examples/"];

if (import.meta.main) {
  Deno.chdir(ROOT);
  const [command = "test", ...rest] = Deno.args;
  const config = await chooseConfig();
  for (const step of chosenSteps(command, rest, config)) {
    console.log(`\n> ${step.name}`);
    if (!await deno(step, config)) {
      console.error(`\nFailed: ${step.name}`);
      Deno.exit(1);
    }
  }
}

/** What a command does: "test", "model" (the models with more preemptions), "stress", "ok", or one step of "ok" by its name. */
function chosenSteps(command: string, rest: readonly string[], config: readonly string[]): Step[] {
  if (command === "test") return testSteps(config, rest);
  if (command === "model") {
    Deno.env.set("LOCKSTEP_MODEL", "long");
    return [{ name: "models", args: ["test", "-A", "--no-check", ...config, "tests/model/", ...rest] }];
  }
  if (command === "stress") return stressSteps(config, rest);
  const all = [...staticSteps(), ...testSteps(config, []), ...lateSteps(config)];
  const chosen = command === "ok" ? all : all.filter((step) => step.name === command);
  if (chosen.length > 0) return chosen;
  console.error(
    `Unknown command: ${command}; there are: test, model, stress, ok, ${all.map((step) => step.name).join(", ")}`,
  );
  Deno.exit(2);
}

/** Without an answer from JSR, the offline configuration is the one to use. */
async function chooseConfig(): Promise<string[]> {
  const given = Deno.env.get("LOCKSTEP_DENO_CONFIG");
  if (given !== undefined) return ["--config", given];
  if (await reachesJsr()) return [];
  console.log("JSR cannot be reached: using the stand-ins under tests/standins/ (deno.offline.json)");
  return ["--config", "deno.offline.json"];
}

/**
 * Checks types first and tests without, or every worker that a test starts would be checked as it starts. Two
 * processes at a time: starting threads is what takes the time, and more of them would only make all of them late.
 */
function testSteps(config: readonly string[], rest: readonly string[]): Step[] {
  const args = ["test", "-A", "--no-check", ...config];
  const types: Step = { name: "types", args: ["check", "--quiet", ...config, ...CHECKED] };
  if (rest.length > 0) return [types, { name: "tests", args: [...args, ...rest] }];
  const apart = ["tests/adapters/", "tests/model/", "tests/hostile/", "tests/docs/", "tests/examples/"];
  const [conformance, models, hostile, docs, examples] = apart.map((path) => ({ name: path, args: [...args, path] }));
  // The option replaces what deno.json excludes.
  const { exclude } = readConfig("deno.json") as { exclude: readonly string[] };
  const others = { name: "all other tests", args: [...args, `--ignore=${[...exclude, ...apart].join(",")}`] };
  // Threads that poll, on hostile memory, and tests that look at the clock would be in each other's way.
  return [types, { ...others, beside: [conformance!, models!] }, hostile!, { ...docs!, beside: [examples!] }];
}

/** The stress tests with ten times the work of the gate, and contention for ten minutes; LOCKSTEP_STRESS sets both. */
function stressSteps(config: readonly string[], rest: readonly string[]): Step[] {
  const LOCKSTEP_SEED = Deno.env.get("LOCKSTEP_SEED") ?? `${Math.floor(Math.random() * 2 ** 32)}`;
  const given = Deno.env.get("LOCKSTEP_STRESS");
  const files = ["deadlock_stress_test", "primitives_stress_test", "queue_stress", "pipe_stress", "memory_stress"]
    .map((file) => `tests/stress/${file}.ts`);
  const args = ["test", "-A", "--no-check", ...config];
  const env = (work: string) => ({ LOCKSTEP_SEED, LOCKSTEP_STRESS: given ?? work });
  console.log(`Rerun with LOCKSTEP_SEED=${LOCKSTEP_SEED}`);
  return [
    { name: "stress", args: [...args, ...files, ...rest], env: env("10") },
    { name: "ten minutes of contention", args: [...args, "--filter", "Heavy contention", files[0]!], env: env("120") },
  ];
}

function staticSteps(): Step[] {
  return [
    { name: "format", args: ["fmt", "--check", "--quiet"] },
    { name: "lint", args: ["lint", "--quiet"] },
  ];
}

/** What the published files are held to. README.md and docs/ are run by tests/docs/. */
function lateSteps(config: readonly string[]): Step[] {
  const entries = Object.values(readConfig("deno.json").exports as Record<string, string>);
  return [
    { name: "doc lint", args: ["doc", "--lint", "--quiet", ...entries] },
    { name: "doc tests", args: ["test", "-A", "--doc", ...config, "mod.ts", "primitives/", "adapters/"] },
    { name: "publish dry run", args: ["publish", "--dry-run", "--allow-dirty", "--quiet"] },
  ];
}

/** Runs this very Deno; its children learn which configuration was chosen, since they do not inherit it. */
async function deno({ args, env, beside = [] }: Step, config: readonly string[]): Promise<boolean> {
  const chosen = config.length > 0 ? { LOCKSTEP_DENO_CONFIG: new URL(config[1]!, ROOT).pathname } : undefined;
  const command = (args: readonly string[], output: "inherit" | "piped"): Deno.Command =>
    new Deno.Command(Deno.execPath(), {
      args: [...args],
      stdin: output === "piped" ? "null" : "inherit",
      stdout: output,
      stderr: output,
      env: { ...chosen, ...env },
    });
  const others = (async () => {
    const ends: { name: string; end: Deno.CommandOutput }[] = [];
    for (const { name, args } of beside) ends.push({ name, end: await command(args, "piped").output() });
    return ends;
  })();
  const { success } = await command(args, "inherit").spawn().status;
  const decoder = new TextDecoder();
  let alike = true;
  for (const { name, end } of await others) {
    console.log(`\n> ${name}\n${decoder.decode(end.stdout)}${decoder.decode(end.stderr)}`);
    alike &&= end.success;
  }
  return success && alike;
}
