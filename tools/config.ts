/**
 * The two configurations of Deno: `deno.json` tells the truth, `deno.offline.json` is derived from it for machines that
 * cannot reach JSR, where stand-ins under `tests/standins/` take the place of the test dependencies.
 *
 * @module
 */

type Json = Record<string, unknown>;

/** The keys that have to be the same in both, since modules, checks and tests depend on them. */
const SHARED_KEYS = [
  "name",
  "version",
  "exports",
  "imports",
  "nodeModulesDir",
  "allowScripts",
  "exclude",
  "compilerOptions",
];

/** What `deno.offline.json` has to say, given what `deno.json` says. */
export function offlineConfig(main: Json): Json {
  const keys = SHARED_KEYS.filter((key) => key in main);
  const shared = Object.fromEntries(keys.map((key) => [key, main[key]]));
  return {
    ...shared,
    lock: { path: "./deno.offline.lock" },
    links: ["./tests/standins/assert", "./tests/standins/async"],
  };
}

/** The folder of the repository. */
export const ROOT: URL = new URL("../", import.meta.url);

/** Reads one of the configurations. */
export function readConfig(name: "deno.json" | "deno.offline.json"): Json {
  return JSON.parse(Deno.readTextFileSync(new URL(name, ROOT)));
}

/** The option that makes a `deno` subcommand use the configuration which the launcher chose; tests pass it on. */
export function configArgs(): string[] {
  const chosen = Deno.env.get("LOCKSTEP_DENO_CONFIG");
  return chosen === undefined ? [] : ["--config", chosen];
}

if (import.meta.main) {
  const text = JSON.stringify(offlineConfig(readConfig("deno.json")), null, 2);
  Deno.writeTextFileSync(new URL("deno.offline.json", ROOT), `${text}\n`);
}
