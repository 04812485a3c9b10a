import { nodeMajor, runtime } from "../_harness.ts";
import { conformance } from "./conformance.ts";

if (runtime === "node") {
  conformance({
    blocksMain: true,
    killsRunningCode: true,
    receivesWhileBlocked: true,
    limitsResources: true,
    parsesUsing: nodeMajor >= 24,
  });
}
