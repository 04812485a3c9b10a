// A dead writer of whom no name is known any more was called `thread ""`; it has a number.

import { RWLock } from "../../mod.ts";
import { store } from "../../primitives/_atomics.ts";
import { WRITER } from "../../primitives/_rwlock_state.ts";
import { rwlockCore } from "../../primitives/rwlock.ts";
import { assert, test } from "../_harness.ts";

/** Of no thread that there ever was. */
const UNKNOWN = 0x3ff00fff;

test("OwnerDiedError of an RWLock gives the id of a writer whose name is not known", () => {
  const lock = new RWLock({ name: "table" });
  store(rwlockCore(lock).words, WRITER, UNKNOWN);
  assert.throws(() => lock.tryRead(), {
    name: "OwnerDiedError",
    message: new RegExp(`^Cannot read RWLock "table" as thread ${UNKNOWN} died writing it: `),
  });
  lock.recover()!.release();
});
