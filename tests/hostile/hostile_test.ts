// The conformance cases of every primitive once more, with threads, on a memory that
// keeps only the promises of primitives/_park.ts: in a process of its own, as memory is
// chosen once. The cases about threads themselves start raw workers and programs of
// their own, which do not open this memory.

import { conformance, PRIMITIVES } from "../adapters/conformance.ts";
import { assert, test } from "../_harness.ts";
import { useHostileMemory } from "./memory.ts";

const LIMIT = 300_000;

if (Deno.env.get("LOCKSTEP_MEMORY") === "hostile") {
  useHostileMemory();
  conformance({
    blocksMain: true,
    killsRunningCode: false,
    receivesWhileBlocked: true,
    limitsResources: true,
    parsesUsing: true,
  }, PRIMITIVES);
} else {
  test("the primitives' conformance cases pass on hostile memory", async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", new URL(import.meta.url).pathname],
      env: { LOCKSTEP_MEMORY: "hostile", NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder().decode(stdout);
    const [, passed = "0"] = /ok \| (\d+) passed/.exec(text) ?? [];
    assert(success && Number(passed) > 1, `${text}\n${new TextDecoder().decode(stderr)}`);
  }, { limit: LIMIT });
}
