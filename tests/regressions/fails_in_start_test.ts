// A thread that failed while start() had not returned, as happens on a busy machine, was
// reported as one that nobody joins, although the next statement joined it.

import { setExceptHook, Thread } from "../../mod.ts";
import { requireHost } from "../../primitives/_thread_start.ts";
import { assert, runtime, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { fail } from "../testdata/thread_targets.ts";

const module = new URL("../testdata/thread_targets.ts", import.meta.url);
const skip = runtime === "browser" ? "no thread comes up while start() runs" : undefined;

/** Starts a thread that fails before start() returns. */
function startSlowly(): Thread<never, []> {
  const host = requireHost();
  const { spawn } = host;
  const thread = new Thread({ target: fail, module });
  const slow = (...args: Parameters<typeof spawn>) => {
    const worker = spawn(...args);
    while (thread.state !== "dead");
    return worker;
  };
  Object.assign(host, { spawn: slow });
  try {
    return thread.start();
  } finally {
    Object.assign(host, { spawn });
  }
}

for (const joins of [true, false]) {
  test(
    `a thread that fails before start() returns is ${joins ? "joined" : "reported, if nobody joins it"}`,
    async () => {
      const told: unknown[] = [];
      setExceptHook((error) => told.push(error));
      try {
        const thread = startSlowly();
        if (joins) await assert.rejects(thread.joinAsync(), RangeError);
        else await until(() => told.length === 1);
        await new Promise((resolve) => setTimeout(resolve, 100));
        assert.equal(told.length, joins ? 0 : 1);
      } finally {
        setExceptHook(undefined);
      }
    },
    { skip },
  );
}
