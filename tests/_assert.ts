/**
 * Assertions that work on every runtime, pages included.
 *
 * @module
 */

/** A class of errors. */
// deno-lint-ignore no-explicit-any
type ErrorClass<E> = abstract new (...args: any[]) => E;

/** What an error has to be: of a class, with a message that matches, with these properties, or to somebody's taste. */
// deno-lint-ignore no-explicit-any
export type Expected<E> = ErrorClass<E> | RegExp | ((error: any) => boolean) | { readonly [property: string]: unknown };

/** Thrown by a failed assertion. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** The assertions. */
export interface Assert {
  /** Fails unless `condition` is truthy. */
  (condition: unknown, message?: string): asserts condition;
  /** Fails unless `condition` is truthy. */
  ok(condition: unknown, message?: string): asserts condition;
  /** Fails always. */
  fail(message?: string): never;
  /** Fails unless `Object.is(actual, expected)`. */
  equal(actual: unknown, expected: unknown, message?: string): void;
  /** Fails if `Object.is(actual, expected)`. */
  notEqual(actual: unknown, expected: unknown, message?: string): void;
  /** Fails unless both are structurally equal, prototypes included. */
  deepEqual(actual: unknown, expected: unknown, message?: string): void;
  /** Fails if both are structurally equal. */
  notDeepEqual(actual: unknown, expected: unknown, message?: string): void;
  /** Fails unless `low <= actual <= high`. */
  between(actual: number, low: number, high: number, message?: string): void;
  /** Fails unless `text` matches. */
  match(text: string, pattern: RegExp, message?: string): void;
  /** Fails unless `value` is an instance of `type`. */
  instance<E>(value: unknown, type: ErrorClass<E>, message?: string): asserts value is E;
  /** Fails unless `fn` throws as expected; returns what it threw. */
  throws<E = Error>(fn: () => unknown, expected?: Expected<E>, message?: string): E;
  /** Fails unless the promise rejects as expected; resolves to its reason. */
  rejects<E = Error>(
    promise: PromiseLike<unknown> | (() => unknown),
    expected?: Expected<E>,
    message?: string,
  ): Promise<E>;
}

/** Fails unless `condition` is truthy; see {@link Assert} for the rest. */
export const assert: Assert = Object.assign(
  (condition: unknown, message = "Expected a truthy value"): void => {
    if (!condition) fail(message);
  },
  {
    ok(condition: unknown, message = "Expected a truthy value"): void {
      if (!condition) fail(message);
    },
    fail,
    equal(actual: unknown, expected: unknown, message?: string): void {
      if (!Object.is(actual, expected)) fail(say(message, `Expected ${show(expected)}, got ${show(actual)}`));
    },
    notEqual(actual: unknown, expected: unknown, message?: string): void {
      if (Object.is(actual, expected)) fail(say(message, `Expected anything but ${show(expected)}`));
    },
    deepEqual(actual: unknown, expected: unknown, message?: string): void {
      const where = difference(actual, expected, "");
      if (where === undefined) return;
      fail(say(message, `Expected ${show(expected)}, got ${show(actual)}; they differ${where && ` at ${where}`}`));
    },
    notDeepEqual(actual: unknown, expected: unknown, message?: string): void {
      if (difference(actual, expected, "") === undefined) fail(say(message, `Expected anything but ${show(expected)}`));
    },
    between(actual: number, low: number, high: number, message?: string): void {
      if (!(actual >= low && actual <= high)) fail(say(message, `Expected ${low} to ${high}, got ${actual}`));
    },
    match(text: string, pattern: RegExp, message?: string): void {
      if (!pattern.test(text)) fail(say(message, `Expected ${show(text)} to match ${pattern}`));
    },
    instance(value: unknown, type: ErrorClass<unknown>, message?: string): void {
      if (!(value instanceof type)) fail(say(message, `Expected an instance of ${type.name}, got ${show(value)}`));
    },
    throws<E>(fn: () => unknown, expected?: Expected<E>, message?: string): E {
      let result: unknown;
      try {
        result = fn();
      } catch (error) {
        return checked(error, expected, message);
      }
      fail(say(message, `Expected the function to throw, it returned ${show(result)}`));
    },
    async rejects<E>(
      promise: PromiseLike<unknown> | (() => unknown),
      expected?: Expected<E>,
      message?: string,
    ): Promise<E> {
      let result: unknown;
      try {
        result = await (typeof promise === "function" ? promise() : promise);
      } catch (error) {
        return checked(error, expected, message);
      }
      fail(say(message, `Expected the promise to reject, it resolved to ${show(result)}`));
    },
  },
) as Assert;

function fail(message = "Failed"): never {
  throw new AssertionError(message);
}

function say(message: string | undefined, detail: string): string {
  return message === undefined ? detail : `${message}: ${detail}`;
}

function checked<E>(error: unknown, expected: Expected<E> | undefined, message: string | undefined): E {
  if (expected === undefined) return error as E;
  const wrong = (wanted: string): never => fail(say(message, `Expected ${wanted}, got ${show(error)}`));
  if (expected instanceof RegExp) {
    if (!expected.test(String((error as Error)?.message))) wrong(`a message like ${expected}`);
  } else if (typeof expected === "object") {
    for (const [key, value] of Object.entries(expected)) {
      // deno-lint-ignore no-explicit-any
      const actual = (error as any)?.[key];
      const fits = value instanceof RegExp ? value.test(String(actual)) : difference(actual, value, "") === undefined;
      if (!fits) wrong(`an error whose ${key} is ${show(value)}`);
    }
  } else if (isClass(expected)) {
    if (!(error instanceof expected)) wrong(`an instance of ${expected.name}`);
  } else if (!(expected as (error: unknown) => boolean)(error)) {
    wrong(`an error such that ${String(expected)}`);
  }
  return error as E;
}

/** Whether it is a class: predicates are arrow functions, which have no prototype. */
function isClass(value: unknown): value is ErrorClass<unknown> {
  return typeof value === "function" && value.prototype !== undefined;
}

/** The path to the first difference, or undefined when there is none. */
function difference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return path;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return path;
  if (a instanceof Date) return a.getTime() === (b as Date).getTime() ? undefined : path;
  if (a instanceof RegExp) return String(a) === String(b) ? undefined : path;
  if (a instanceof Error) {
    const other = b as Error;
    if (a.name !== other.name || a.message !== other.message) return path;
  }
  if (a instanceof Map) return difference([...a], [...(b as Map<unknown, unknown>)], `${path}<entries>`);
  if (a instanceof Set) return difference([...a], [...(b as Set<unknown>)], `${path}<values>`);
  if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
    return difference(new Uint8Array(a), new Uint8Array(b as ArrayBuffer), path);
  }
  const keys = Reflect.ownKeys(a).filter((key) => isEnumerable(a, key));
  const others = Reflect.ownKeys(b).filter((key) => isEnumerable(b, key));
  if (keys.length !== others.length) return path;
  for (const key of keys) {
    if (!isEnumerable(b, key)) return `${path}.${String(key)}`;
    // deno-lint-ignore no-explicit-any
    const found = difference((a as any)[key], (b as any)[key], `${path}.${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isEnumerable(object: object, key: string | symbol): boolean {
  return Object.prototype.propertyIsEnumerable.call(object, key);
}

/** A short text for a value, good enough to tell two apart. */
function show(value: unknown, depth = 2): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "function":
      return `[function ${value.name}]`;
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (depth === 0) return Array.isArray(value) ? "[…]" : "{…}";
  if (Array.isArray(value) || ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = [...value as unknown as Iterable<unknown>].slice(0, 20).map((item) => show(item, depth - 1));
    return `${Array.isArray(value) ? "" : value.constructor.name}[${items.join(", ")}]`;
  }
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name}${show([...value], depth)}`;
  const fields = Object.entries(value).slice(0, 20).map(([key, item]) => `${key}: ${show(item, depth - 1)}`);
  const name = value.constructor?.name;
  return `${name === undefined || name === "Object" ? "" : `${name} `}{ ${fields.join(", ")} }`;
}
