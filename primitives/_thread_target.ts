// Where a function is found in a module that a thread has imported. What CommonJS modules export comes in a namespace in
// one way or another, as the runtime and the compiler have it:
//
//   module.exports = f           default: f, on Node since 23 also "module.exports": f
//   module.exports = { f }       default: { f }, and f itself where the runtime sees it in the source
//   exports.default = f          default: f, or default: { default: f, __esModule: true }, as Node has it

/** What a thread calls. */
export type Target = (...args: unknown[]) => unknown;

/**
 * The function exported by that name, or else the only one that is called so, by whatever names it is exported. Getters
 * run only if they are asked for by name: what others would throw is none of the target's business.
 */
export function exported(module: object, name: string): Target | undefined {
  for (const place of places(module)) {
    const value = Object.hasOwn(place, name) ? (place as Record<string, unknown>)[name] : undefined;
    if (typeof value === "function") return value as Target;
  }
  const called = new Set<Target>();
  for (const place of places(module)) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(place))) {
      if (typeof value === "function" && Object.getOwnPropertyDescriptor(value, "name")?.value === name) {
        called.add(value);
      }
    }
  }
  const [only] = called;
  return called.size === 1 ? only : undefined;
}

/** The namespace, what its default export holds, and what the default of that does. */
function* places(module: object): Generator<object> {
  let place: unknown = module;
  for (let depth = 0; depth < 3 && typeof place === "object" && place !== null; depth++) {
    yield place;
    place = Object.hasOwn(place, "default") ? (place as { default: unknown }).default : undefined;
  }
}
