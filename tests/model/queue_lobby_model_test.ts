// Queue: its lobbies, and what threads do to each other in them, see the headers of primitives/_ring.ts and primitives/_lobby.ts. The messages are
// int32s, whose two words go through the seam as all of the ring's own words do.

import { Queue } from "../../primitives/queue.ts";
import { ClosedError } from "../../primitives/errors.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

type Ints = Queue<number>;

const PLACES: Readonly<Record<number, readonly string[]>> = {
  3: ["MAX_SIZE", "MAX_BYTES"],
  16: ["DONES", "JOIN_BELL", "JOIN_GATE", "JOIN_TASKS"],
  32: ["TAIL", "PUTS 0", "PUTS 1", "SEEN_HEAD", "SEEN_GOTS", "PUT_HOLDER", "PUT_COMMIT"],
  48: ["HEAD", "GOTS 0", "GOTS 1", "SEEN_TAIL", "GET_HOLDER", "GET_COMMIT"],
  64: ["CLOSED", "GETTERS_BELL", "GETTERS_GATE", "GETTERS_TASKS", "HEIR", "NEED"],
  80: ["PUTTERS_BELL", "PUTTERS_GATE", "PUTTERS_TASKS"],
};
const NAMES = Array.from({ length: 125 }, () => "-");
for (const [at, names] of Object.entries(PLACES)) names.forEach((name, i) => NAMES[Number(at) - 3 + i] = name);
for (let i = 0; i < 22; i++) NAMES[96 - 3 + i] = `RING ${i}`;

const AGES = 1e9;

const base = (maxSize: number, before: readonly number[] = []) => () => {
  const queue = new Queue<number>({ maxSize, maxBytes: 64, name: "Q" });
  queue.putMany(before);
  const { handle } = queue;
  return {
    records: [record(handle, NAMES, ["MAX_SIZE", "MAX_BYTES"])],
    attach: () => Queue.attach<number>(handle),
    always: (look: Look) => {
      const size = look.word(`Q.PUTS ${look.word("Q.TAIL") & 1}`) - look.word(`Q.GOTS ${look.word("Q.HEAD") & 1}`);
      if (size < 0 || size > (maxSize || 8)) look.fail(`the size is ${size}`);
    },
  };
};

/** At the end: every message whose put returned was got once, or is still inside, or went with a dead getter. */
const settled = (values: readonly number[], before: readonly number[] = []) => (look: Look, queue: Ints): void => {
  const inside: number[] = [];
  try {
    for (let box; (box = queue.tryGet()) !== undefined;) inside.push(box.value);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
  let missing = 0;
  for (const value of [...before, ...values]) {
    const count = look.get(`got ${value}`) + inside.filter((one) => one === value).length;
    if (count > 1) look.fail(`message ${value} came ${count} times`);
    if (count === 0 && (look.get(`put ${value}`) === 1 || before.includes(value))) missing++;
  }
  const dead = [0, 1, 2].filter((i) => look.dead(i) && look.get(`gets ${i}`) === 1).length;
  if (missing > dead) look.fail(`${missing} messages are lost`);
  if (inside.some((value) => !values.includes(value) && !before.includes(value))) look.fail(`inside are ${inside}`);
  if (queue.size !== 0) look.fail("the size is not 0 at the end");
  if (!queue.closed && (!queue.tryPut(77) || queue.get() !== 77)) look.fail("it is of no use any more");
  expectZero(look, "Q.GET_HOLDER");
  if (![0, 1, 2].some((i) => look.dead(i))) expectZero(look, "Q.PUT_HOLDER", "Q.GETTERS_TASKS", "Q.PUTTERS_TASKS");
};

const put = (value: number) => (queue: Ints, self: Self): void => {
  queue.put(value);
  self.step(`has put ${value}`, (world) => world.set(`put ${value}`, 1));
};

const note = (self: Self, value: number): void => {
  self.step(`has got ${value}`, (world) => world.set(`got ${value}`, world.get(`got ${value}`) + 1));
};

const get = (count: number) => (queue: Ints, self: Self): void => {
  for (let i = 0; i < count; i++) note(self, queue.get());
};

const getAsync = async (queue: Ints, self: Self): Promise<void> => note(self, await queue.getAsync());

const putAsync = (value: number) => async (queue: Ints, self: Self): Promise<void> => {
  await queue.putAsync(value);
  self.step(`has put ${value}`, (world) => world.set(`put ${value}`, 1));
};

const isOn = (op: Op, kind: Op["kind"], name: string): boolean => op.kind === kind && op.word?.name === `Q.${name}`;

const MIXED: ModelOptions = { threads: 3, preemptions: 2, longPreemptions: 3 };

model<Ints>("Queue passes two messages through one slot, two putters and a getter", MIXED, () => ({
  ...base(1)(),
  threads: [put(1), put(2), get(2)],
  after: settled([1, 2]),
}), [
  twin(
    "a put that wakes nobody",
    /nobody can move/,
    (op) => isOn(op, "notify", "GETTERS_BELL") ? skipped(op) : undefined,
  ),
  twin(
    "a get that wakes nobody",
    /nobody can move/,
    (op) => isOn(op, "notify", "PUTTERS_BELL") ? skipped(op) : undefined,
  ),
  twin(
    "a waiter that does not announce itself",
    /nobody can move|loop without end/,
    (op) => isOn(op, "cas", "GETTERS_BELL") && (op.b & 1) === 1 ? skipped(op) : undefined,
  ),
  twin(
    "a put that does not show",
    /nobody can move|lost|size/,
    (op) => isOn(op, "store", "TAIL") ? skipped(op) : undefined,
  ),
  twin(
    "a get that does not show",
    /times|nobody can move|size/,
    (op) => isOn(op, "store", "HEAD") ? skipped(op) : undefined,
  ),
  twin(
    "two putters at once",
    /lost|size|times|nobody can move|damaged|corrupt/,
    (op) =>
      isOn(op, "cas", "PUT_HOLDER") && op.b > 0
        ? { ...op, kind: "step", word: undefined, label: "(enters)", run: () => op.a }
        : undefined,
  ),
]);

model<Ints>("Queue wakes a thread and a task for two messages", MIXED, () => ({
  ...base(0)(),
  threads: [(queue, self) => [1, 2].forEach((value) => put(value)(queue, self)), get(1), getAsync],
  after: settled([1, 2]),
}), [
  twin(
    "a put that forgets the tasks",
    /nobody can move/,
    (op) => isOn(op, "notify", "GETTERS_GATE") ? skipped(op) : undefined,
  ),
]);

model<Ints>("Queue wakes two threads for two messages put at once, and one after the other", MIXED, () => ({
  ...base(0)(),
  threads: [(queue, self) => [1, 2].forEach((value) => put(value)(queue, self)), get(1), get(1)],
  after: settled([1, 2]),
}), [
  twin(
    "a getter that does not wake those behind it (invariants 3 and 4 of the lobby)",
    /nobody can move/,
    (op, thread) => thread !== 0 && isOn(op, "notify", "GETTERS_BELL") ? skipped(op) : undefined,
  ),
]);

model<Ints>("Queue makes room for a thread and a task", { ...MIXED, preemptions: 1, longPreemptions: 2 }, () => ({
  ...base(1, [9])(),
  threads: [put(1), putAsync(2), get(3)],
  after: settled([1, 2], [9]),
}));

const closing = (body: (queue: Ints, self: Self) => void | Promise<void>) => async (queue: Ints, self: Self) => {
  try {
    await body(queue, self);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
};

const closingBlocked = (body: (queue: Ints, self: Self) => void) => (queue: Ints, self: Self): void => {
  try {
    body(queue, self);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
};

model<Ints>("Queue closed while others wait: everybody wakes", MIXED, () => ({
  ...base(1)(),
  threads: [closingBlocked(get(2)), closing(getAsync), (queue, self) => {
    put(1)(queue, self);
    queue.close();
  }],
  after: settled([1]),
}));

model<Ints>("Queue closed while putters wait: everybody wakes", MIXED, () => ({
  ...base(1, [9])(),
  threads: [closingBlocked(put(1)), closing(putAsync(2)), (queue) => queue.close()],
  after: settled([1, 2], [9]),
}));

model<Ints>("Queue: a thread that gives up waiting takes no wake-up along", {
  ...{ threads: 3, timeouts: 1, timed: [2], preemptions: 2, longPreemptions: 3 },
}, () => ({
  ...base(0)(),
  threads: [put(1), get(1), (queue, self) => {
    const box = queue.tryGet({ timeout: 7 });
    if (box !== undefined) {
      note(self, box.value);
      put(2)(queue, self);
    }
  }],
  after: settled([1, 2]),
}));

model<Ints>("Queue: a task that gives up waiting takes no wake-up along", {
  ...{ threads: 3, aborts: 1, preemptions: 2, longPreemptions: 3 },
}, () => ({
  ...base(0)(),
  threads: [put(1), get(1), async (queue, self) => {
    try {
      note(self, await queue.getAsync({ signal: self.signal }));
      put(2)(queue, self);
    } catch (error) {
      if (!self.signal.aborted) throw error;
    }
  }],
  rests: (look) => look.get("put 1") === 1 && look.get("got 1") === 1,
  after: settled([1, 2]),
}));

const DEADLY: ModelOptions = { threads: 3, deaths: 1, preemptions: 1, longPreemptions: 2, timed: [0, 1, 2] };

const dying = (queue: Ints, self: Self): void => {
  self.step("gets", (world) => world.set(`gets ${self.index}`, 1));
  const box = queue.tryGet({ timeout: AGES });
  if (box !== undefined) note(self, box.value);
};

model<Ints>("Queue: a getter dies at any step, another gets", { ...DEADLY, mortal: [0] }, () => ({
  ...base(0)(),
  threads: [dying, dying, (queue, self) => [1, 2].forEach((value) => put(value)(queue, self))],
  after: settled([1, 2]),
}));

/** Puts and gets without ever waiting for another thread, except for one that is inside. */
const busy = (value: number) => (queue: Ints, self: Self): void => {
  if (queue.tryPut(value)) self.step(`has put ${value}`, (world) => world.set(`put ${value}`, 1));
  for (let box; (box = queue.tryGet()) !== undefined;) note(self, box.value);
  if (queue.tryPut(3)) self.step("has put 3", (world) => world.set("put 3", 1));
};

model<Ints>("Queue: a putter dies at any step, another puts and gets", { ...DEADLY, threads: 2, mortal: [0] }, () => ({
  ...base(0)(),
  threads: [put(1), busy(2)],
  after: settled([1, 2, 3]),
}));

model<Ints>("Queue: a putter dies at any step before a full queue", { ...DEADLY, threads: 2, mortal: [0] }, () => ({
  ...base(1, [9])(),
  threads: [put(1), get(1)],
  after: settled([1, 2, 3], [9]),
}));
