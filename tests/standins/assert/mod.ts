/**
 * A stand-in for `@std/assert`, used only where JSR cannot be reached (see `tools/run.ts`): the functions that our
 * tests import, with the same names and meanings.
 *
 * @module
 */

import nodeAssert from "node:assert/strict";

export { AssertionError } from "node:assert/strict";

// deno-lint-ignore no-explicit-any
type Class<E> = abstract new (...args: any[]) => E;

/** Fails unless `condition` is truthy. */
export function assert(
  condition: unknown,
  message?: string,
): asserts condition {
  nodeAssert.ok(condition, message);
}

/** Fails unless both are structurally equal. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.deepEqual(actual, expected, message);
}

/** Fails if both are structurally equal. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.notDeepEqual(actual, expected, message);
}

/** Fails unless `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  nodeAssert.equal(actual, expected, message);
}

/** Fails unless `actual` matches. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  message?: string,
): void {
  nodeAssert.match(actual, expected, message);
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  nodeAssert.ok(
    actual.includes(expected),
    message ?? `Expected ${JSON.stringify(actual)} to contain "${expected}"`,
  );
}

/** Fails unless `actual` is an instance of `type`. */
export function assertInstanceOf<E>(
  actual: unknown,
  type: Class<E>,
  message?: string,
): asserts actual is E {
  nodeAssert.ok(
    actual instanceof type,
    message ?? `Expected an instance of ${type.name}: ${String(actual)}`,
  );
}

/** Fails unless `actual` is neither null nor undefined. */
export function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T> {
  nodeAssert.ok(actual !== undefined && actual !== null, message);
}

/** Fails always. */
export function fail(message?: string): never {
  nodeAssert.fail(message);
}

/** Fails unless `fn` throws an error of the class and with the text; returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  type?: Class<E>,
  text?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checked(error, type, text);
  }
  nodeAssert.fail("Expected function to throw");
}

/** Fails unless the promise rejects with an error of the class and with the text; returns it. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  type?: Class<E>,
  text?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checked(error, type, text);
  }
  nodeAssert.fail("Expected promise to reject");
}

function checked<E extends Error>(
  error: unknown,
  type: Class<E> | undefined,
  text: string | undefined,
): E {
  if (type !== undefined) assertInstanceOf(error, type);
  if (text !== undefined) assertStringIncludes((error as Error).message, text);
  return error as E;
}
