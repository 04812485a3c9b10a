// A thread that was interrupted between saying that it has ended and leaving the roster was
// no longer alive, and still listed.

import { enumerateThreads, Event, Thread } from "../../mod.ts";
import { store } from "../../primitives/_atomics.ts";
import { DONE } from "../../primitives/_thread_record.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import { waitFor } from "../testdata/thread_targets.ts";

const module = new URL("../testdata/thread_targets.ts", import.meta.url);
const RETURNED = 1;

for (const property of ["alive", "state"] as const) {
  test(`a thread whose ${property} says that it has ended is not listed`, async () => {
    const stop = new Event();
    const thread = new Thread({ target: waitFor, module, args: [stop] }).start();
    const listed = () => enumerateThreads().some(({ id }) => id === thread.id);
    await until(() => thread.state === "running");
    const { buffer, byteOffset } = thread.handle as unknown as { buffer: SharedArrayBuffer; byteOffset: number };
    store(new Int32Array(buffer, byteOffset, 16), DONE, RETURNED); // and not a step further
    assert.equal(listed(), true);
    assert.equal(thread[property], property === "alive" ? false : "dead");
    assert.equal(listed(), false);
    stop.set();
  });
}
