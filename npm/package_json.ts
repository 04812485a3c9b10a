/**
 * The manifest of the npm package, derived from `deno.json`.
 *
 * @module
 */

/** What is read of `deno.json`. */
export interface DenoJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly description: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** The manifest. */
export interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Modules that do something when they are imported: they install the runtime's adapter. */
const SIDE_EFFECTS = ["./mod.js", "./adapters/*.js"];

/** Derives the manifest of a package whose files import the given packages. */
export function packageJson(config: DenoJson, packages: readonly string[]): Manifest {
  return {
    name: "lockstep",
    version: config.version,
    description: config.description,
    keywords: [
      "concurrency",
      "threads",
      "lock",
      "mutex",
      "semaphore",
      "queue",
      "worker",
      "atomics",
      "sharedarraybuffer",
    ],
    license: config.license,
    repository: { type: "git", url: "git+https://github.com/lockstep-js/lockstep.git" },
    type: "module",
    engines: { node: ">=20.16" },
    sideEffects: SIDE_EFFECTS,
    exports: {
      ...Object.fromEntries(Object.entries(config.exports).map(([path, file]) => [path, entry(file)])),
      "./package.json": "./package.json",
    },
    dependencies: Object.fromEntries(packages.map((name) => [name, range(name, config.imports)])),
  };
}

function entry(file: string): { types: string; default: string } {
  const stem = file.replace(/\.ts$/, "");
  return { types: `${stem}.d.ts`, default: `${stem}.js` };
}

/** A library leaves its users room for fixes: the pin of `deno.json` becomes a caret range. */
function range(name: string, imports: Readonly<Record<string, string>>): string {
  const version = /^npm:.+@(\d.*)$/.exec(imports[name] ?? "")?.[1];
  if (version === undefined) {
    throw new Error(`deno.json pins no version from npm for ${name}, which the package imports`);
  }
  return `^${version}`;
}
