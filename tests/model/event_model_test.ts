// Event: set() wakes everybody who waits, whatever is cleared meanwhile.

import { Event } from "../../primitives/event.ts";
import { model, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { skipped } from "./_ops.ts";
import { record } from "./_words.ts";

const WAITERS_BIT = 2;
const GENERATION_MASK = ~3;

const base = () => {
  const { handle } = new Event();
  return { records: [record(handle, ["STATE"])], attach: () => Event.attach(handle) };
};

model<Event>("Event.set() wakes all who wait, though it is cleared at once (invariants 1 and 2)", {
  threads: 3,
  preemptions: 4,
}, () => ({
  ...base(),
  threads: [
    (event) => event.wait(),
    async (event) => await event.waitAsync(),
    (event, self) => {
      // Once they are asleep, set() followed by clear() must be enough.
      self.until("both wait", (world) => world.asleep(0) && world.asleep(1));
      event.set();
      event.clear();
    },
  ],
}), [
  twin("a set() that wakes one", /nobody can move/, (op) => op.kind === "notify" ? { ...op, a: 1 } : undefined),
  twin(
    "a set() that does not count",
    /nobody can move/,
    (op) => op.kind === "cas" && (op.b & 1) === 1 ? { ...op, b: (op.a & GENERATION_MASK) | 1 } : undefined,
  ),
]);

model<Event>("Event loses no wake-up among setters, clearers and waiters", { threads: 3, preemptions: 4 }, () => ({
  ...base(),
  threads: [
    (event) => {
      event.clear();
      event.set();
    },
    (event) => event.wait(),
    async (event) => await Promise.all([event.waitAsync(), event.waitAsync()]),
  ],
  after(look) {
    if ((look.word("Event.STATE") & 3) !== 1) look.fail("the event is not set, or somebody is still waited for");
  },
}), [
  twin("a waiter that sleeps without a mark", /nobody can move/, (op) => {
    if (op.kind === "wait") return { ...op, a: op.a & ~WAITERS_BIT };
    return op.kind === "cas" && op.b === (op.a | WAITERS_BIT) ? skipped(op) : undefined;
  }),
]);

model<Event>("Event bears time limits, aborts and waits that end for no reason", {
  ...{ threads: 3, timeouts: 1, timed: [0], aborts: 1, spurious: 1, preemptions: 3 },
}, () => ({
  ...base(),
  threads: [
    (event, self) => {
      const passed = event.tryWait({ timeout: 7 });
      if (passed) {
        self.step("passed", (world) => {
          if (world.get("set") === 0) world.fail("nobody has set it");
        });
      }
    },
    async (event, self) => {
      try {
        await event.waitAsync({ signal: self.signal });
      } catch (error) {
        if (!self.signal.aborted) throw error;
      }
    },
    (event, self) => {
      self.step("about to set", (world) => world.set("set", 1));
      event.set();
    },
  ],
  after(look) {
    if ((look.word("Event.STATE") & 3) !== 1) look.fail("the event is not set");
  },
}));

model<Event>("Event loses no wake-up to a waiter that died", { threads: 3, deaths: 1, mortal: [0, 1] }, () => ({
  ...base(),
  threads: [
    (event) => void event.tryWait({ timeout: 1e9 }),
    async (event) => await event.waitAsync(),
    (event) => event.set(),
  ],
  after: (look) => expectZero(look),
}));
