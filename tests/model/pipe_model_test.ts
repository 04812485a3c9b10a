// Pipe: the ends and their holders, and two blocked senders that take in each other's messages; see the headers of
// primitives/_pipe_record.ts and primitives/_lobby.ts. The messages are int32s; pipe_parts_model_test.ts has longer ones.

import { ClosedError } from "../../primitives/errors.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { skipped } from "./_ops.ts";
import { base, type Ends, expectGot, FULL, got, isOn } from "./_pipe.ts";
import type { Self } from "./_thread.ts";

/** Sends at an end, then receives there so many. */
const exchange = (end: 0 | 1, value: number, count: number) => (ends: Ends, self: Self): void => {
  ends[end].send(value, false, Infinity);
  for (let i = 0; i < count; i++) got(self, ends[end].recvValue() as number);
};

const exchangeAsync = (end: 0 | 1, value: number, count: number) => async (ends: Ends, self: Self): Promise<void> => {
  await ends[end].sendAsync(value, false, undefined);
  for (let i = 0; i < count; i++) got(self, await ends[end].recvAsync(undefined) as number);
};

const receive = (count: number) => (ends: Ends, self: Self): void => {
  for (let i = 0; i < count; i++) got(self, ends[1].recvValue() as number);
};

const untilClosed = (ends: Ends, self: Self): void => {
  try {
    for (;;) got(self, ends[1].recvValue() as number);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    self.step("sees the end of file", (world) => world.set("end", world.get("end") + 1));
  }
};

const untilClosedAsync = async (ends: Ends, self: Self): Promise<void> => {
  try {
    for (;;) got(self, await ends[1].recvAsync(undefined) as number);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    self.step("sees the end of file", (world) => world.set("end", world.get("end") + 1));
  }
};

const TWO: ModelOptions = { threads: 2, preemptions: 2, longPreemptions: 3 };

model<Ends>("Pipe: two that send to each other through full rings, both blocking, get through", TWO, (ids) => ({
  ...base(FULL, FULL)(ids),
  threads: [exchange(0, 1, 1), exchange(1, 2, 1)],
  after: (look) => expectGot(look, 10, 20),
}), [
  twin(
    "senders that are never woken",
    /nobody can move/,
    (op) =>
      isOn(op, "notify", "PUTTERS_BELL of 0") || isOn(op, "notify", "PUTTERS_BELL of 1") ? skipped(op) : undefined,
  ),
  twin(
    "a sender that does not announce itself",
    /nobody can move|loop without end/,
    (op) =>
      op.kind === "cas" && /P\.PUTTERS_BELL/.test(op.word?.name ?? "") && (op.b & 1) === 1 ? skipped(op) : undefined,
  ),
]);

model<Ends>("Pipe: a thread and a task that send to each other through full rings get through", TWO, (ids) => ({
  ...base(FULL, FULL)(ids),
  threads: [exchange(0, 1, 1), exchangeAsync(1, 2, 1)],
  after: (look) => expectGot(look, 10, 20),
}));

model<Ends>("Pipe: a full ring is emptied while a sender waits", TWO, (ids) => ({
  ...base(0, FULL)(ids),
  threads: [exchange(0, 1, 0), receive(FULL + 1)],
  after: (look) => expectGot(look, 20, 21, 22, 23, 24, 25, 26, 1),
}));

model<Ends>("Pipe: the last holder of an end closes it while a thread and a task receive", {
  ...{ threads: 3, preemptions: 1, longPreemptions: 3 },
}, (ids) => ({
  ...base(0, 0, [1, 2], false)(ids), // the third shares the words, and holds nothing by itself
  threads: [
    (ends: Ends) => {
      ends[0].send(5, false, Infinity);
      ends[0].close();
    },
    untilClosed,
    untilClosedAsync,
  ],
  after: (look) => {
    expectGot(look, 5);
    if (look.get("end") !== 2) look.fail(`${look.get("end")} saw the end of file`);
    if (look.word("P.CLOSED 0") !== 1) look.fail("end 0 is not closed");
  },
}), [
  twin(
    "a close that wakes nobody",
    /nobody can move/,
    (op, thread) => thread === 0 && op.kind === "notify" ? skipped(op) : undefined,
  ),
]);

model<Ends>("Pipe: the last holder of an end dies at any step, and the receiver sees the end of file", {
  ...{ threads: 2, deaths: 1, mortal: [0], preemptions: 1, longPreemptions: 2, timed: [1] },
}, (ids) => ({
  ...base(0, 0, [1, 2], false)(ids),
  threads: [(ends: Ends) => {
    ends[0].send(5, false, Infinity);
    ends[0].close();
  }, untilClosed],
  after: (look: Look) => {
    if (look.get("end") !== 1) look.fail("no end of file");
    if (look.get("got 5") > 1 || (look.get("got 5") === 0 && !look.dead(0))) look.fail("5 is lost, or came twice");
  },
}));
