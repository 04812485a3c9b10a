/**
 * Whether JSR can be reached: not everywhere that the tests run.
 *
 * @module
 */

const PROBE_MS = 10_000;

/** Asks JSR for one small package; a name that does not resolve answers at once. */
export async function reachesJsr(): Promise<boolean> {
  const probe = new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", "--no-lock", "jsr:@std/assert@^1"],
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(PROBE_MS),
  });
  return (await probe.output()).success;
}
