import { runtime } from "../_harness.ts";
import { conformance } from "./conformance.ts";

if (runtime === "browser") {
  conformance({
    blocksMain: typeof document === "undefined", // run in a worker, the suite may block
    killsRunningCode: true, // Chromium after 2 s
    receivesWhileBlocked: false,
    limitsResources: false,
    parsesUsing: "dispose" in Symbol, // WebKit has neither
  });
}
