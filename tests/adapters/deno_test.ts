import { runtime } from "../_harness.ts";
import { conformance } from "./conformance.ts";

if (runtime === "deno") {
  conformance({
    blocksMain: true,
    killsRunningCode: false, // a blocked or spinning worker outlives terminate()
    receivesWhileBlocked: true,
    limitsResources: true,
    parsesUsing: true,
  });
}
