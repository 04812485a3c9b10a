// The clocks of two threads differ by a millisecond now and then. A wait that had begun a moment ago on the clock that is
// ahead was shown in a dump as one of 49 days.

import { agoOf, timeOfDay } from "../../primitives/_deadline.ts";
import { withStoppedClock } from "../_clock.ts";
import { assert, test } from "../_harness.ts";

test("What began just now by a clock that is ahead began 0 ms ago", () => {
  withStoppedClock(() => {
    for (const ahead of [0, 1, 5, 1000]) assert.equal(agoOf((timeOfDay() + ahead) | 0), 0);
    for (const ago of [7, 90_000, 40 * 86_400_000]) assert.equal(agoOf((timeOfDay() - ago) | 0), ago);
  });
});
