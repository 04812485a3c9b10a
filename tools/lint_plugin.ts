/**
 * The architecture as lint rules: which file may import which, and which names live where.
 *
 * `LAYERS` is the policy for `primitives/`. A file imports from its own group or an earlier one; a new file is added to
 * the group it belongs to, and a file that stands in no group is an error.
 *
 * @module
 */

/// <reference lib="deno.unstable" />

/** The files of `primitives/`, from the ground up; a star stands for the rest of a name. */
export const LAYERS: readonly (readonly string[])[] = [
  ["errors", "_atomics", "_brand", "_dispose", "_inspect", "guard"],
  ["_arguments", "_deadline", "_layout", "_text", "host", "_agent"],
  ["_spin", "_keep_alive", "_line", "_park", "_roster*", "_memory", "_handle", "_local"],
  ["_wait", "_detect", "_stuck", "_dump", "_notes", "_held", "_monitor", "_cells", "_slab", "_heir"],
  [
    "_codec*",
    "_errors_wire",
    "_lock_word",
    "_lock_guard",
    "_type_names",
    "_grants",
    "_permits_local",
    "_permits_state",
    "_permits",
    "_barrier_round",
    "_barrier_core",
    "_rwlock_state",
    "_rwlock_core",
  ],
  ["lock", "rlock", "_lock_link", "_condition_core", "condition", "semaphore", "event", "barrier", "rwlock", "latch"],
  [
    "_type*",
    "_ring",
    "_lobby",
    "_queue*",
    "_pipe*",
    "shared_value",
    "shared_array",
    "queue",
    "lifo_queue",
    "priority_queue",
    "connection",
    "pipe",
    "message",
  ],
  ["_draw", "deadlock", "_acquirable", "acquire_all"],
  ["current", "_thread*", "thread", "timer"],
  ["mod"],
];

/** Packages that library source may import, and the one file that does. */
export const PACKAGES: Readonly<Record<string, string>> = {
  "msgpackr/pack": "primitives/_codec.ts",
};

/** The only files that say these names; everything else goes through what they export. */
const HOMES: Readonly<Record<string, string>> = {
  "Atomics": "primitives/_atomics.ts",
};

/** Names of one runtime or another: they belong to `adapters/`. */
const RUNTIME_NAMES: ReadonlySet<string> = new Set([
  ...["Deno", "Bun", "process", "Buffer", "global", "require"],
  ...[
    "window",
    "document",
    "Worker",
    "SharedWorker",
    "WorkerGlobalScope",
    "DedicatedWorkerGlobalScope",
  ],
]);

/** Members that some supported engine lacks, and the file that may name them because it guards them. */
const YOUNG_MEMBERS: Readonly<Record<string, string | undefined>> = {
  "Symbol.dispose": "primitives/_dispose.ts",
  "Symbol.asyncDispose": undefined,
  "Atomics.pause": "primitives/_atomics.ts",
  "Promise.withResolvers": undefined,
  "Promise.try": undefined,
  "Array.fromAsync": undefined,
};

const ROOT = new URL("../", import.meta.url).href;
const LIBRARY = /^(?:mod\.ts$|primitives\/|adapters\/)/;

/** The place of a file below the repository's root, or undefined when it lies outside. */
function placeOf(filename: string): string | undefined {
  const href = new URL(filename, "file:///").href;
  return href.startsWith(ROOT) ? href.slice(ROOT.length) : undefined;
}

/** The index in `LAYERS` of a file such as `primitives/lock.ts`, or -1; a full name counts before one with a star. */
function layerOf(place: string): number {
  const name = place.slice("primitives/".length, -".ts".length);
  const exact = LAYERS.findIndex((group) => group.includes(name));
  return exact >= 0 ? exact : LAYERS.findIndex((group) => group.some((entry) => matches(entry, name)));
}

function matches(entry: string, name: string): boolean {
  return entry.endsWith("*") && name.startsWith(entry.slice(0, -1));
}

/** Says what is wrong with `place` importing `specifier`, or nothing. */
export function checkImport(
  place: string,
  specifier: string,
): string | undefined {
  if (!LIBRARY.test(place)) return undefined;
  if (!/^\.{1,2}\//.test(specifier)) {
    if (PACKAGES[specifier] === place) return undefined;
    return `Library source imports no packages and no built-in modules: ${specifier}`;
  }
  const target = new URL(specifier, `file:///${place}`).pathname.slice(1);
  if (!LIBRARY.test(target)) {
    return `Library source imports only library source: ${target}`;
  }
  if (place === "mod.ts") return undefined;
  if (target === "mod.ts") return "Nothing imports mod.ts, which stands on top";
  if (place.startsWith("adapters/")) return undefined;
  if (target.startsWith("adapters/")) {
    return "Primitives know no adapter: go through host.ts";
  }
  const [from, to] = [layerOf(place), layerOf(target)];
  if (from >= 0 && to > from) {
    return `Imports point to the ground: ${place} (layer ${from}) may not import ${target} (layer ${to})`;
  }
  return undefined;
}

/** Makes the visitor of one rule that looks at every import, export-from and dynamic import. */
function onImports(
  check: (specifier: string, node: Deno.lint.Node) => void,
): Deno.lint.LintVisitor {
  return {
    ImportDeclaration: (node) => check(node.source.value, node),
    ExportAllDeclaration: (node) => check(node.source.value, node),
    ExportNamedDeclaration(node) {
      if (node.source !== null) check(node.source.value, node);
    },
    ImportExpression(node) {
      if (
        node.source.type === "Literal" && typeof node.source.value === "string"
      ) check(node.source.value, node);
    },
  };
}

/** Whether the identifier stands for a variable or type, not for a property, key, label or import specifier. */
function isReference(node: Deno.lint.Identifier): boolean {
  // deno-lint-ignore no-explicit-any
  const parent = node.parent as any;
  switch (parent?.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed;
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
      return parent.key !== node || parent.computed ||
        parent.shorthand === true;
    case "TSQualifiedName":
      return parent.left === node;
    case "ImportSpecifier":
    case "ExportSpecifier":
      return false;
    default:
      return true;
  }
}

/** The member that `globalThis.x`, `self.x` or `globalThis["x"]` names. */
function globalMember(node: Deno.lint.MemberExpression): string | undefined {
  if (
    node.object.type !== "Identifier" ||
    !["globalThis", "self"].includes(node.object.name)
  ) return undefined;
  if (!node.computed) {
    return node.property.type === "Identifier" ? node.property.name : undefined;
  }
  return node.property.type === "Literal" ? String(node.property.value) : undefined;
}

const plugin: Deno.lint.Plugin = {
  name: "lockstep",
  rules: {
    "layers": {
      create(context) {
        const place = placeOf(context.filename);
        if (place === undefined || !LIBRARY.test(place)) return {};
        return {
          Program(node) {
            if (!place.startsWith("primitives/") || layerOf(place) >= 0) return;
            context.report({
              node,
              message: `${place} stands in no layer: add it to LAYERS in tools/lint_plugin.ts`,
            });
          },
          ...onImports((specifier, node) => {
            const message = checkImport(place, specifier);
            if (message !== undefined) context.report({ node, message });
          }),
        };
      },
    },
    "homes": {
      create(context) {
        const place = placeOf(context.filename);
        if (place === undefined || !LIBRARY.test(place)) return {};
        const inPrimitives = place.startsWith("primitives/");
        const check = (name: string, node: Deno.lint.Node) => {
          if (Object.hasOwn(HOMES, name) && HOMES[name] !== place) {
            context.report({
              node,
              message: `${name} lives in ${HOMES[name]}: use what it exports`,
            });
          }
          if (inPrimitives && RUNTIME_NAMES.has(name)) {
            context.report({
              node,
              message: `${name} is a runtime's name, and primitives know no runtime: ask the Host`,
            });
          }
        };
        return {
          Identifier(node) {
            if (isReference(node)) check(node.name, node);
          },
          MemberExpression(node) {
            const name = globalMember(node);
            if (name !== undefined) check(name, node);
          },
        };
      },
    },
    "old-engines": {
      create(context) {
        const place = placeOf(context.filename);
        if (place === undefined || !LIBRARY.test(place)) return {};
        return {
          VariableDeclaration(node) {
            if (node.kind !== "using" && node.kind !== "await using") return;
            const message = "Older engines cannot parse `using`: call release() in a finally";
            context.report({ node, message });
          },
          MemberExpression(node) {
            if (
              node.object.type !== "Identifier" ||
              node.property.type !== "Identifier"
            ) return;
            const name = `${node.object.name}.${node.property.name}`;
            if (!(name in YOUNG_MEMBERS) || YOUNG_MEMBERS[name] === place) {
              return;
            }
            // A type may name the symbol: it says nothing at run time.
            if (
              node.parent.type === "TSMethodSignature" ||
              node.parent.type === "TSPropertySignature" ||
              (node.parent.type === "PropertyDefinition" && node.parent.declare)
            ) return;
            const home = YOUNG_MEMBERS[name];
            const advice = home === undefined ? "do without" : `use what ${home} exports`;
            context.report({
              node,
              message: `Some supported engine lacks ${name}: ${advice}`,
            });
          },
        };
      },
    },
  },
};

export default plugin;
