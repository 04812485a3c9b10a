import { runtime } from "../_harness.ts";
import { conformance } from "./conformance.ts";

if (runtime === "bun") {
  conformance({
    blocksMain: true,
    killsRunningCode: true,
    receivesWhileBlocked: true,
    limitsResources: false, // accepted and ignored
    parsesUsing: true,
  });
}
