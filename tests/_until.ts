/**
 * Waiting for a state instead of sleeping.
 *
 * @module
 */

/** Resolves once `ready()` is truthy; rejects after `limit` milliseconds, saying what it waited for. */
export async function until(ready: () => unknown, limit = 5_000): Promise<void> {
  const end = performance.now() + limit;
  while (!ready()) {
    if (performance.now() > end) throw new Error(`Not so within ${limit} ms: ${String(ready)}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
