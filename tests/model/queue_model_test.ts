// Queue: nothing is lost, torn, doubled or out of order, whoever dies at whatever step; see primitives/_ring.ts.

import { ClosedError } from "../../primitives/errors.ts";
import { Queue } from "../../primitives/queue.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const HEAD_WORDS = 32;
const RING_WORDS = 64;
/** The smallest maxBytes; its ring has 80 bytes: four doubles, or nine small integers. */
const LEAST = 64;
const RING_BYTES = 80;

const NAMES: string[] = Array.from({ length: HEAD_WORDS + RING_WORDS }, (_, i) => `[${i}]`);
const RING: Record<number, string> = {
  ...{ 0: "TAIL", 1: "PUTS 0", 2: "PUTS 1", 3: "SEEN_HEAD", 4: "SEEN_GOTS", 5: "PUT", 6: "PUT COMMIT" },
  ...{ 16: "HEAD", 17: "GOTS 0", 18: "GOTS 1", 19: "SEEN_TAIL", 20: "GET", 21: "GET COMMIT" },
  ...{ 32: "CLOSED", 33: "GETTERS BELL", 34: "GETTERS GATE", 35: "GETTERS TASKS" },
  ...{ 48: "PUTTERS BELL", 49: "PUTTERS GATE", 50: "PUTTERS TASKS" },
};
for (const [word, name] of Object.entries(RING)) NAMES[HEAD_WORDS + Number(word)] = name;
Object.assign(NAMES, { 3: "MAX_SIZE", 4: "MAX_BYTES", 16: "DONES" });

/** A queue whose ring is about to wrap, and so are its counters. */
const base = (maxSize: number) => {
  const { handle } = new Queue<number>({ maxSize, maxBytes: LEAST, name: "Q" });
  const { buffer } = handle as unknown as { buffer: SharedArrayBuffer };
  const words = new Int32Array(buffer);
  for (const word of [0, 3, 16, 19]) words[HEAD_WORDS + word] = RING_BYTES - 8; // TAIL, SEEN_HEAD, HEAD, SEEN_TAIL
  for (const word of [1, 2, 4, 17, 18]) words[HEAD_WORDS + word] = -1; // PUTS, SEEN_GOTS, GOTS
  words[16] = -1; // DONES
  return {
    records: [record(handle, NAMES.slice(3), ["MAX_SIZE", "MAX_BYTES"])],
    attach: () => Queue.attach<number>(handle),
  };
};

/** Notes that a put has returned. Values are n + 0.5, so that they are doubles; n from 0 to 29. */
const put = (self: Self, value: number): void =>
  void self.step(`has put ${value}`, (world) => world.set("put", world.get("put") | (1 << value)));

/** Notes what a get gave: each value once. */
const got = (self: Self, value: number): void =>
  void self.step(`has got ${value}`, (world) => {
    const bit = 1 << value;
    if (![0.5, 1.5, 2.5].includes(value)) world.fail(`a torn message: ${value}`);
    if ((world.get("got") & bit) !== 0) world.fail(`${value} was got twice`);
    world.set("got", world.get("got") | bit);
  });

/** What was put is got, or still inside; then the queue works as before. */
function whole(look: Look, queue: Queue<number>): void {
  const taken: number[] = [];
  for (let next = queue.tryGet(); next !== undefined; next = queue.tryGet()) taken.push(next.value);
  let inside = 0;
  for (const value of taken) inside |= 1 << value;
  const lost = look.get("put") & ~(look.get("got") | inside);
  // What a dying consumer had taken goes with it.
  if (lost !== 0 && !(look.dead(1) && (lost & (lost - 1)) === 0)) look.fail(`messages were lost: ${lost.toString(2)}`);
  if ((look.get("got") & inside) !== 0) look.fail("a message is doubled");
  if (queue.size !== 0 || !queue.tryPut(2.5) || queue.tryGet()?.value !== 2.5) {
    look.fail("the queue does not work any more");
  }
}

const SIZE: ModelOptions = { threads: 3, preemptions: 2, longPreemptions: 3 };

model<Queue<number>>("Queue of one place passes messages in order, to a thread and a task", SIZE, () => ({
  ...base(1),
  threads: [
    (queue, self) => {
      queue.put(0.5);
      put(self, 0.5);
      queue.put(1.5);
      put(self, 1.5);
    },
    (queue, self) => got(self, queue.get()),
    async (queue, self) => got(self, await queue.getAsync()),
  ],
  after: whole,
}), [
  twin(
    "a put that wakes nobody",
    /nobody can move/,
    (op) => op.kind === "notify" && op.word?.name === "Q.GETTERS BELL" ? skipped(op) : undefined,
  ),
  twin("a waiter that does not announce itself", /nobody can move/, (op) => {
    if (op.word?.name !== "Q.GETTERS BELL") return undefined;
    if (op.kind === "wait") return { ...op, a: op.a & ~1 };
    return op.kind === "cas" && op.b === (op.a | 1) ? skipped(op) : undefined;
  }),
  twin(
    "a message published before its body is there",
    /torn/,
    (op) => op.kind === "step" && op.label.startsWith("writes") ? { ...op, run: () => 0 } : undefined,
  ),
]);

model<Queue<number>>("Queue takes messages of a thread and a task, each once", SIZE, () => ({
  ...base(1),
  threads: [
    (queue, self) => {
      queue.put(0.5);
      put(self, 0.5);
    },
    async (queue, self) => {
      await queue.putAsync(1.5);
      put(self, 1.5);
    },
    (queue, self) => {
      got(self, queue.get());
      got(self, queue.get());
    },
  ],
  after: whole,
}));

model<Queue<number>>("Queue.get() of two threads takes different messages", SIZE, () => ({
  ...base(0),
  threads: [
    (queue, self) => {
      queue.put(0.5);
      put(self, 0.5);
      queue.put(1.5);
      put(self, 1.5);
    },
    (queue, self) => got(self, queue.get()),
    (queue, self) => got(self, queue.get()),
  ],
  after: whole,
}), [
  twin(
    "getters that do not exclude each other",
    /twice|torn|damaged|lost|doubled|nobody can move/,
    (op) =>
      op.kind === "cas" && op.word?.name === "Q.GET" && op.a === 0
        ? { ...op, kind: "skip", word: undefined, a: 0, label: "(walks into GET)" }
        : undefined,
  ),
]);

model<Queue<number>>("Queue.put() that is aborted or out of time has happened or not", {
  ...{ threads: 3, timeouts: 1, timed: [0], aborts: 1, preemptions: 1, longPreemptions: 2 },
}, () => ({
  ...base(1),
  threads: [
    (queue, self) => {
      if (queue.tryPut(0.5, { timeout: 7 })) put(self, 0.5);
    },
    async (queue, self) => {
      try {
        await queue.putAsync(1.5, { signal: self.signal });
        put(self, 1.5);
      } catch (error) {
        if (!self.signal.aborted) throw error;
        self.step("was aborted", (world) => world.set("aborted", 1));
      }
    },
    (queue, self) => got(self, queue.get()),
  ],
  after(look, queue) {
    if (look.get("aborted") === 1 && ((look.get("put") | look.get("got")) & 2) !== 0) {
      look.fail("an aborted put has happened");
    }
    whole(look, queue);
  },
}));

model<Queue<number>>("Queue.close() ends all waits, and loses nothing that was put", SIZE, () => ({
  ...base(1),
  threads: [
    (queue, self) => {
      try {
        queue.put(0.5);
        put(self, 0.5);
        queue.put(1.5);
        put(self, 1.5);
      } catch (error) {
        if (!(error instanceof ClosedError)) throw error;
      }
    },
    async (queue, self) => {
      try {
        got(self, await queue.getAsync());
      } catch (error) {
        if (!(error instanceof ClosedError)) throw error;
        self.step("sees the end", (world) => world.set("end", 1));
      }
    },
    (queue) => queue.close(),
  ],
  after(look, queue) {
    const inside: number[] = [];
    try {
      for (;;) inside.push(queue.get());
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    }
    if (look.get("end") === 1 && inside.length > 0) look.fail("the end was seen before the last message");
    const bits = inside.reduce((all, value) => all | (1 << value), look.get("got"));
    if (bits !== look.get("put")) look.fail("what was put is not what was got");
  },
}));

model<Queue<number>>("Queue.join() returns once nothing is unfinished, and no sooner", {
  ...{ threads: 2, preemptions: 3 },
}, () => ({
  ...base(0),
  threads: [
    (queue, self) => {
      queue.put(0.5);
      self.step("has work", (world) => world.set("work", 1));
      got(self, queue.get());
      queue.put(1.5); // before the first one is done: from then on there is always one
      queue.taskDone();
      got(self, queue.get());
      self.step("has finished", (world) => world.set("finished", 1));
      queue.taskDone();
    },
    (queue, self) => {
      self.until("there is work", (world) => world.get("work") === 1);
      queue.join();
      self.step("goes on", (world) => {
        if (world.get("finished") !== 1) world.fail("join() returned too soon");
      });
    },
  ],
}));

model<Queue<number>>(
  "Queue loses no message whose put has returned, and stalls nobody, though threads die at any step",
  {
    ...{ threads: 3, deaths: 1, mortal: [0, 1], preemptions: 1, longPreemptions: 2 },
  },
  () => ({
    ...base(1),
    threads: [
      (queue, self) => {
        queue.tryPut(0.5, { timeout: 1e9 });
        put(self, 0.5);
      },
      (queue, self) => {
        const next = queue.tryGet({ timeout: 1e9 });
        got(self, next!.value);
      },
      (queue, self) => {
        queue.tryPut(1.5, { timeout: 1e9 });
        put(self, 1.5);
      },
    ],
    after: whole,
    // With the other producer dead there may be nothing to get; with the consumer dead, no room.
    rests(look) {
      const inside = (look.word("Q.HEAD") & ~1) !== (look.word("Q.TAIL") & ~1);
      return look.dead(1) ? inside : look.dead(0) && look.done(2) && !inside;
    },
  }),
  [
    twin(
      "a count that goes up before the message is there",
      /lost|torn|waits for ever|doubled|damaged/,
      (op) =>
        op.kind === "store" && op.word?.name === "Q.TAIL" && op.stack!.includes("publish") ? skipped(op) : undefined,
    ),
  ],
);
