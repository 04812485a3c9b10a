// On Bun the event loop of a raw worker that had started a thread turned no more: the two who want to be the last that is
// called at its exit, for the worker itself and for its threads, took turns for ever.

import { Lock } from "../../mod.ts";
import { assert, runtime, test } from "../_harness.ts";
import { ownWorker } from "../testdata/own_worker.ts";

test("a raw worker that starts a thread joins it, and goes on", async () => {
  const worker = ownWorker(new URL("../testdata/raw_worker.ts", import.meta.url));
  const answer = new Promise((resolve) => worker.listen(resolve));
  worker.postMessage({ what: "join", handle: new Lock().handle }, []);
  assert.equal(await answer, "a timer ran");
  worker.terminate();
}, { skip: runtime === "browser" ? "a browser has no exit listeners" : undefined });
