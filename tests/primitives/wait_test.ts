// When a blocked thread looks around: primitives/_wait.ts, on a clock that goes only while it sleeps.

import { Agent } from "../../primitives/_agent.ts";
import { nextInStep } from "../../primitives/_deadline.ts";
import { Roster } from "../../primitives/_roster.ts";
import { SLOT_MASK } from "../../primitives/_roster_record.ts";
import { BlockedWait, SLICE } from "../../primitives/_wait.ts";
import { asAgent } from "../_as_agent.ts";
import { timeAsleep } from "../_clock.ts";
import { assert, test } from "../_harness.ts";

/** So many threads look around at the same time, the next ones so many ms later. */
const TOGETHER = 32;
const STEP = 12;

/** At which times of day another thread looks around that sleeps for so long. */
function looks(table: Roster, ms: number): { slot: number; times: number[] } {
  return asAgent(new Agent(), () => {
    const roster = Roster.attach(table.words.buffer, table.words.byteOffset);
    const words = new Int32Array(new SharedArrayBuffer(64));
    const times: number[] = [];
    const { me } = roster;
    timeAsleep(() => {
      const wanted = { kind: "Event", words, roster, name: "", verb: "wait", owners: () => [] } as const;
      const wait = BlockedWait.begin(wanted, performance.now() + ms);
      while (!wait.expired) wait.park(words, 5, 0);
      wait.end();
    }, () => times.push(performance.timeOrigin + performance.now()));
    return { slot: me & SLOT_MASK, times };
  });
}

test("A blocked thread looks around after 20 ms, then ever less often, and then in step with others", () => {
  const table = asAgent(new Agent(), () => Roster.create());
  const found = [looks(table, 4000), looks(table, 4100)];
  for (let i = 0; i < TOGETHER; i++) table.take("another", 0, 0);
  found.push(looks(table, 4000));
  assert.deepEqual(found.map(({ slot }) => Math.floor(slot / TOGETHER)), [0, 0, 1]);
  for (const { slot, times } of found) {
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    assert.deepEqual(gaps.slice(0, 5).map(Math.round), [20, 40, 80, 160, 320]);
    assert(gaps[5]! > 0 && gaps[5]! <= SLICE + 0.01, `the gaps are ${gaps}`);
    const rest = times.slice(6);
    assert(rest.length >= 8, `it looked at ${times}`);
    for (const time of rest) {
      const off = (time - STEP * Math.floor(slot / TOGETHER)) % SLICE;
      assert(Math.min(off, SLICE - off) < 0.01, `it looked ${off} ms late, at ${time}`);
    }
  }
});

test("The next moment in step lies ahead, no further than a period", () => {
  for (const phase of [0, 1, 379]) {
    for (let time = 0; time < 1000; time += 0.37) {
      const next = nextInStep(time, 380, phase);
      assert(next > time && next <= time + 380, `after ${time} comes ${next}`);
      const off = (performance.timeOrigin + next - phase) % 380;
      assert(Math.min(off, 380 - off) < 0.01, `${next} is ${off} off`);
    }
  }
});
