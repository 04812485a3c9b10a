// Pipe: the ends and their holders, and two blocked senders that take in each other's messages; see the headers of
// primitives/_pipe_record.ts and primitives/_lobby.ts. The messages are int32s, which go through the seam; those in parts
// have bodies that do not: tests/primitives/pipe_deaths_test.ts and tests/stress/pipe_stress.ts have them.

import { openHandle } from "../../primitives/_handle.ts";
import { PipeEnd } from "../../primitives/_pipe_end.ts";
import { LEAST_BYTES } from "../../primitives/_pipe_record.ts";
import { ClosedError } from "../../primitives/errors.ts";
import { pipe } from "../../primitives/pipe.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

type Ends = readonly [PipeEnd, PipeEnd];

const CELLS = 16; // for 3 threads, 4 words each
const DIRECTION = 80;
const NAMES = Array.from({ length: 32 + 2 * DIRECTION + 32 - 3 }, () => "-");
const place = (at: number, names: readonly string[]): void => names.forEach((name, i) => NAMES[at - 3 + i] = name);
place(3, ["RINGS", "SIZE", "THREADS", "CLOSED 0", "CLOSED 1", "HOLDER", "COMMIT"]);
for (let i = 0; i < 3; i++) {
  place(
    CELLS + 4 * i,
    ["THREAD", "HOLDS 0", "HOLDS 1", "FLAGS"].map((name) => `${name} ${i}`),
  );
}
for (const d of [0, 1]) {
  const at = 32 + DIRECTION * d;
  const named = (names: readonly string[]) => names.map((name) => `${name} of ${d}`);
  place(at, named(["SENDER", "RECEIVER"]));
  place(at + 16, named(["TAIL", "PUTS 0", "PUTS 1", "SEEN_HEAD", "SEEN_GOTS", "PUT_HOLDER", "PUT_COMMIT"]));
  place(at + 32, named(["HEAD", "GOTS 0", "GOTS 1", "SEEN_TAIL", "GET_HOLDER", "GET_COMMIT"]));
  place(at + 48, named(["RING_CLOSED", "GETTERS_BELL", "GETTERS_GATE", "GETTERS_TASKS"]));
  place(at + 64, named(["PUTTERS_BELL", "PUTTERS_GATE", "PUTTERS_TASKS"]));
}

const FULL = 7; // numbers that a ring of the smallest size holds

/**
 * A pipe in which each direction holds so many numbers: 10, 11 … on their way to end 0, 20, 21 … to end 1. Thread i holds
 * the ends that `held[i]` names as bits, the maker none unless it is told to.
 */
const base = (to0: number, to1: number, held: readonly number[] = [1, 2], made = true) => (ids: readonly number[]) => {
  const ends = pipe<number>({ maxBytes: 1, threads: 3, name: "P" });
  for (let i = 0; i < to0; i++) ends[1].send(10 + i);
  for (let i = 0; i < to1; i++) ends[0].send(20 + i);
  const { handle } = ends[0];
  const { words } = openHandle("Connection", handle, LEAST_BYTES);
  held.forEach((bits, i) => {
    const cell = CELLS + 4 * (i + 1);
    words.set([ids[i]!, bits & 1, bits >> 1, bits], cell); // they have received before: no step for that
  });
  if (!made) words.set([0, 0, 0, 0], CELLS);
  return {
    records: [record(handle, NAMES, ["RINGS", "SIZE", "THREADS"])],
    attach: (): Ends => {
      const { words, roster, name } = openHandle("Connection", handle, LEAST_BYTES);
      return [new PipeEnd(words, roster, name, 0, true), new PipeEnd(words, roster, name, 1, true)];
    },
  };
};

const isOn = (op: Op, kind: Op["kind"], name: string): boolean => op.kind === kind && op.word?.name === `P.${name}`;

const got = (self: Self, value: number): void => {
  self.step(`has got ${value}`, (world) => world.set(`got ${value}`, world.get(`got ${value}`) + 1));
};

const expectGot = (look: Look, ...values: readonly number[]): void => {
  for (const value of values) {
    if (look.get(`got ${value}`) !== 1) look.fail(`${value} came ${look.get(`got ${value}`)} times`);
  }
};

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
