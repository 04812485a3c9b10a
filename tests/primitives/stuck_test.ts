// A program in which every thread sleeps for good is told of once: primitives/_stuck.ts, with threads played by this one and
// a clock that stands still. Real threads are in dump_test.ts.

import { Agent, agent } from "../../primitives/_agent.ts";
import { KINDS } from "../../primitives/_layout.ts";
import { Roster } from "../../primitives/_roster.ts";
import { beginWait, confirmWait, endWait, untimedWait } from "../../primitives/_roster_waits.ts";
import { checkStuck, isSuspicious } from "../../primitives/_stuck.ts";
import type { BlockedWait } from "../../primitives/_wait.ts";
import type { Host } from "../../primitives/host.ts";
import { asAgent } from "../_as_agent.ts";
import { withStoppedClock } from "../_clock.ts";
import { assert, test } from "../_harness.ts";

const STUCK_MS = 1000;
const ALONE_MS = 5000;

/** A program of that many threads, all asleep, of which the last one went to sleep last. */
function scene(threads: number) {
  const table = asAgent(new Agent(), () => Roster.create());
  const sleepers = Array.from({ length: threads }, () => {
    const other = new Agent();
    const act = <T>(body: (theirs: Roster) => T): T =>
      asAgent(other, () => body(Roster.attach(table.words.buffer, table.words.byteOffset)));
    return {
      id: act((theirs) => theirs.me),
      begin: (untimed = true) => act((theirs) => beginWait(theirs, KINDS.Event, 1, 2, "never", untimed, "wait", 0)),
      look: () => act((theirs) => confirmWait(theirs, [], 0)),
      end: () => act(endWait),
    };
  });
  for (const { begin } of sleepers) begin();
  const last = sleepers.at(-1)!;
  const wait = { ticket: untimedWait(table, last.id), suspicion: undefined } as unknown as BlockedWait;
  /** How many warnings that look of the last one prints. */
  const check = (of = wait): number => {
    const { host } = agent;
    let warnings = 0;
    agent.host = Object.create(host ?? null, { printError: { value: () => warnings++ } }) as Host;
    try {
      checkStuck(table, of);
    } finally {
      agent.host = host;
    }
    return warnings;
  };
  const look = (times = 1) => {
    for (let i = 0; i < times; i++) for (const sleeper of sleepers) sleeper.look();
  };
  return { table, sleepers, last, wait, check, look };
}

test("The last one to fall asleep warns once, after a second in which each has looked twice", () =>
  withStoppedClock((pass) => {
    for (const [threads, patience] of [[2, STUCK_MS], [3, STUCK_MS], [1, ALONE_MS]] as const) {
      const { check, look, wait } = scene(threads);
      assert.equal(isSuspicious(wait), false);
      assert.equal(check(), 0);
      assert.equal(isSuspicious(wait), true);
      look(2);
      pass(patience - 1);
      assert.equal(check(), 0);
      pass(1);
      assert.equal(check(), 1);
      assert.equal(isSuspicious(wait), false);
      look(2);
      pass(patience);
      assert.equal(check(), 0);
      const same = { ticket: wait.ticket, suspicion: undefined } as BlockedWait;
      check(same);
      look(2);
      pass(patience);
      assert.equal(check(same), 0); // it has been said
    }
  }));

test("Each has to look twice", () =>
  withStoppedClock((pass) => {
    const { check, look, sleepers } = scene(3);
    check();
    pass(STUCK_MS);
    assert.equal(check(), 0);
    look();
    assert.equal(check(), 0);
    for (const i of [0, 2]) sleepers[i]!.look();
    assert.equal(check(), 0);
    sleepers[1]!.look();
    assert.equal(check(), 1);
  }));

test("Nobody warns while one runs, has a time limit, or fell asleep later; and whatever changes is waited for anew", () =>
  withStoppedClock((pass) => {
    const changes: ((all: ReturnType<typeof scene>) => void)[] = [
      ({ sleepers }) => sleepers[0]!.end(),
      ({ sleepers }) => sleepers[0]!.begin(false),
      ({ sleepers }) => void sleepers[0]!.begin(),
      ({ table }) => void table.take("starts", 0, 0),
    ];
    for (const change of changes) {
      const all = scene(3);
      const { check, look, wait } = all;
      check();
      look(2);
      pass(STUCK_MS);
      change(all);
      assert.equal(check(), 0);
      assert.equal(isSuspicious(wait), false);
      look(2);
      pass(STUCK_MS);
      assert.equal(check(), 0);
    }
    const { table, sleepers, check, look, wait } = scene(3);
    check();
    look(2);
    pass(STUCK_MS);
    table.markDead(sleepers[0]!.id);
    assert.equal(check(), 0); // there is one less, who may have let the others go on
    assert.equal(isSuspicious(wait), false);
    check();
    look(2);
    pass(STUCK_MS);
    assert.equal(check(), 1);
  }));

test("Who fell asleep before and after the counter of waits wraps", () =>
  withStoppedClock((pass) => {
    for (const start of [-2, 0x7ffffffe]) {
      const { table, sleepers, last, check, look } = scene(2);
      for (const { end } of sleepers) end();
      table.words[6] = start; // WAITS
      for (const { begin } of sleepers) begin();
      const wait = { ticket: untimedWait(table, last.id), suspicion: undefined } as BlockedWait;
      const first = { ticket: untimedWait(table, sleepers[0]!.id), suspicion: undefined } as BlockedWait;
      const both = () => [check(first), check(wait)];
      both();
      look(2);
      pass(STUCK_MS);
      assert.deepEqual(both(), [0, 1], `from ${start}`);
    }
  }));
