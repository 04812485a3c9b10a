/**
 * Whether two values are the same graph: the shape of structured clone, with everything that `deepEqual` forgives held
 * against it. -0 is not 0, a hole is not undefined, and two places that share an object in one value share one in the other.
 * What an engine notes in every error by itself, each in its own properties, is left out, but for the stack.
 *
 * @module
 */

/** The path to the first difference, or undefined when there is none. */
export function difference(a: unknown, b: unknown): string | undefined {
  const partners = new Map<object, object>();
  const taken = new Set<object>();
  /** Pairs still to be compared: a list and not recursion, for values of any depth. */
  const pairs: [unknown, unknown, string][] = [[a, b, "value"]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [x, y, path] = pair;
    if (!isObject(x) || !isObject(y)) {
      if (!Object.is(x, y)) return `${path}: ${String(x)} and ${String(y)}`;
      continue;
    }
    const partner = partners.get(x);
    if (partner !== undefined || taken.has(y)) {
      if (partner !== y) return `${path}: not the same object as before`;
      continue;
    }
    partners.set(x, y);
    taken.add(y);
    const found = compareObjects(x, y, (m, n, step) => pairs.push([m, n, path.length > 200 ? path : path + step]));
    if (found !== undefined) return `${path}: ${found}`;
  }
  return undefined;
}

type Compare = (a: unknown, b: unknown, step: string) => void;

function compareObjects(a: object, b: object, compare: Compare): string | undefined {
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) {
    return "prototypes";
  }
  if (a instanceof ArrayBuffer) {
    return sameBytes(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  if (ArrayBuffer.isView(a)) {
    const other = b as ArrayBufferView;
    return sameBytes(
      new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
      new Uint8Array(other.buffer, other.byteOffset, other.byteLength),
    );
  }
  if (a instanceof Map || a instanceof Set) {
    const [left, right] = [flat(a), flat(b as typeof a)];
    if (left.length !== right.length) return "size";
    left.forEach((item, i) => compare(item, right[i], `<${i}>`));
    return undefined;
  }
  if (a instanceof RegExp) {
    const other = b as RegExp;
    return a.source === other.source && a.flags === other.flags && other.lastIndex === 0
      ? undefined
      : "regular expression";
  }
  if (a instanceof Date || a instanceof Number || a instanceof String || a instanceof Boolean || a instanceof BigInt) {
    return Object.is(a.valueOf(), b.valueOf()) ? undefined : "primitive inside";
  }
  return compareProperties(a, b, compare);
}

/** Where an error was made: own properties, inherited ones, or none, as engines like it. */
const ENGINES_OWN: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(new Error()), "stack"]);

/** The names to compare. */
function namesOf(value: object): string[] {
  const names = Object.getOwnPropertyNames(value);
  if (!(value instanceof Error)) return names;
  return names.filter((name) => !ENGINES_OWN.has(name) || Object.getOwnPropertyDescriptor(value, name)!.enumerable);
}

function compareProperties(a: object, b: object, compare: Compare): string | undefined {
  if (a instanceof Error) compare(a.stack, (b as Error).stack, ".stack");
  const [left, right] = [namesOf(a), namesOf(b)];
  const keys = new Set(right);
  const missing = left.find((key) => !keys.has(key)) ?? right.find((key) => !Object.hasOwn(a, key));
  if (missing !== undefined) return `key ${JSON.stringify(missing)}`;
  for (const key of left) {
    const [x, y] = [Object.getOwnPropertyDescriptor(a, key)!, Object.getOwnPropertyDescriptor(b, key)];
    if (y === undefined || x.enumerable !== y.enumerable) {
      return `enumerability of ${JSON.stringify(key)}`;
    }
    compare((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `[${JSON.stringify(key)}]`);
  }
  return undefined;
}

function flat(items: Map<unknown, unknown> | Set<unknown>): unknown[] {
  return items instanceof Map ? [...items].flatMap(([key, value]) => [key, value]) : [...items];
}

function sameBytes(a: Uint8Array, b: Uint8Array): string | undefined {
  if (a.length !== b.length) return `${a.length} and ${b.length} bytes`;
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? undefined : `byte ${at}`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
