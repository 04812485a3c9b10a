// Pipe: a message that passes in parts comes whole, once, or not at all; see the header of primitives/_pipe_record.ts.
// Four messages before it leave so little room that 24 bytes pass as a FIRST, a part of 16 bytes and a last one of 8.

import { deadlineAfter, POLL } from "../../primitives/_deadline.ts";
import { model, twin } from "./_model.ts";
import { skipped } from "./_ops.ts";
import { base, EMPTY, type Ends, expectGot, got, isOn } from "./_pipe.ts";
import type { Self } from "./_thread.ts";

const LENGTH = 24;
/** So long that its sender cannot be done before a second part has been received. */
const LONGER = 56;

const numbered = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i + 1);

const sendLong = (ends: Ends): void => void ends[0].send(numbered(LENGTH), true, Infinity);

/** Receives bytes up to the long message, which must be whole; false if it has given up before. */
function receiveLong(ends: Ends, self: Self, timeout = Infinity): boolean {
  for (;;) {
    const bytes = ends[1].recvBytes(deadlineAfter(timeout));
    if (bytes?.length === 0) continue;
    if (bytes === undefined) return false;
    if (bytes.join() !== numbered(bytes.length).join()) throw new Error(`a torn message: ${bytes}`);
    got(self, bytes.length);
    return true;
  }
}

model<Ends>("Pipe: a message in parts comes whole while its sender waits for room", {
  ...{ threads: 2, preemptions: 2, longPreemptions: 3, bytes: true },
}, (ids) => ({
  ...base(0, EMPTY)(ids),
  threads: [sendLong, (ends, self) => receiveLong(ends, self)],
  after: (look) => {
    expectGot(look, LENGTH);
    if (look.word("P.SENDER of 1") !== 0 || look.word("P.RECEIVER of 1") !== 0) look.fail("somebody is still midway");
  },
}), [
  twin(
    "a sender that is not known before its first part",
    /nobody can move/,
    (op, thread) => thread === 0 && isOn(op, "store", "SENDER of 1") && op.a !== 0 ? skipped(op) : undefined,
  ),
]);

model<Ends>("Pipe: a receiver that gives up in the middle, and looks, takes the rest later", {
  ...{ threads: 2, timeouts: 1, timed: [1], preemptions: 1, longPreemptions: 3, bytes: true },
}, (ids) => ({
  ...base(0, EMPTY)(ids),
  threads: [sendLong, (ends, self) => {
    if (receiveLong(ends, self, 7)) return;
    ends[1].poll(POLL);
    receiveLong(ends, self);
  }],
  after: (look) => expectGot(look, LENGTH),
}));

model<Ends>("Pipe: a message in parts is cut short by its sender's death at any step, and the next one comes", {
  ...{ threads: 3, deaths: 1, mortal: [0], preemptions: 0, longPreemptions: 1, bytes: true },
}, (ids) => ({
  ...base(0, EMPTY, [1, 2, 1])(ids),
  threads: [sendLong, (ends, self) => {
    for (let left = 2; left > 0; left--) {
      try {
        receiveLong(ends, self);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        got(self, ends[1].recvValue() as number);
      }
    }
  }, (ends, self) => {
    self.until("the first sender is no more", (world) => world.dead(0) || world.done(0));
    ends[0].send(5, false, Infinity);
  }],
  after: (look) => expectGot(look, 5, LENGTH),
  rests: (look) => look.dead(0) && look.get("got 5") === 1 && look.get(`got ${LENGTH}`) === 0,
}));

// With a preemption its states take more than 5 GB.
model<Ends>("Pipe: a message in parts that one of two receivers leaves is taken over by the other, or goes on", {
  ...{ threads: 3, timeouts: 1, timed: [1], polls: 50, preemptions: 0, longPreemptions: 0, bytes: true },
}, (ids) => ({
  ...base(0, EMPTY, [1, 2, 2])(ids),
  threads: [
    (ends) => void ends[0].send(numbered(LONGER), true, Infinity),
    (ends, self) => {
      if (receiveLong(ends, self, 7)) return;
      self.until("it is here, or was got", (world) => world.done(0) || world.get(`got ${LONGER}`) === 1);
      receiveLong(ends, self, 0);
    },
    (ends, self) => receiveLong(ends, self),
  ],
  after: (look) => expectGot(look, LONGER),
  rests: (look) => look.get(`got ${LONGER}`) === 1,
}));
