// The whole conformance suite once more, with its threads, raw workers and programs, on a
// memory that keeps only the promises of primitives/_park.ts: in a process of its own, as
// memory is chosen once.

import { conformance } from "../adapters/conformance.ts";
import { Lock } from "../../mod.ts";
import { assert, test } from "../_harness.ts";
import { HOSTILE_MODULE, useHostileMemory } from "./memory.ts";

const LIMIT = 600_000;

if (Deno.env.get("LOCKSTEP_MEMORY") === "hostile") {
  useHostileMemory();
  test("records and roster are in one buffer", () => {
    const { buffer, roster } = new Lock().handle as unknown as { buffer: object; roster: object };
    assert.equal(buffer, roster);
  });
  conformance({
    blocksMain: true,
    killsRunningCode: false,
    receivesWhileBlocked: true,
    limitsResources: true,
    parsesUsing: true,
    memory: { module: HOSTILE_MODULE, preload: new URL("./preload.ts", import.meta.url).href },
  });
} else {
  test("the conformance suite passes on hostile memory", async () => {
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
