// A program that was stopped for more than ten seconds (Ctrl-Z, a machine put to sleep) while one of its threads was inside
// an internal lock went on with a LayoutError in every thread that waited there: it took all that time for waiting.

import { Monitor } from "../../primitives/_monitor.ts";
import type { Roster } from "../../primitives/_roster.ts";
import { assert, test } from "../_harness.ts";

const OTHER = 4098;

/** Enters a monitor that another thread is inside of; `glance` runs at each of its sleeps, and gives how long it was. */
function enter(glance: (words: Int32Array, times: number) => number): void {
  const words = new Int32Array(new SharedArrayBuffer(64));
  words[3] = OTHER;
  const real = performance.now;
  let [slept, times] = [0, 0];
  const park = (): void => void (slept += glance(words, ++times));
  const roster = { me: 4097, alive: () => true, parker: { park, unpark: () => {} } } as unknown as Roster;
  performance.now = () => real.call(performance) + slept;
  try {
    const monitor = new Monitor(words, roster, 3, 1);
    monitor.enter();
    monitor.leave();
  } finally {
    performance.now = real;
  }
}

test("Time for which the program was stopped is no time of waiting for an internal lock", () => {
  enter((words, times) => {
    if (times === 3) words[3] = 0;
    return times === 2 ? 60_000 : 5;
  });
});

test("A holder of an internal lock that lives and never leaves is found after ten seconds, not several that take turns", () => {
  let glances = 0;
  assert.throws(() => enter(() => 5 + 0 * glances++), { name: "LayoutError" });
  assert.between(glances, 1000, 2500);
  enter((words, times) => {
    words[3] = times < 5000 ? OTHER + (times >> 8) : 0;
    return 5;
  });
});
