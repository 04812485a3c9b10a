// Pipe: messages in order, and an end of file that comes when the last holder of the other end closes or dies.

import { ClosedError } from "../../primitives/errors.ts";
import { agent } from "../../primitives/_agent.ts";
import { Holders } from "../../primitives/_pipe_holders.ts";
import { Connection, pipe } from "../../primitives/pipe.ts";
import type { Roster } from "../../primitives/_roster.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const THREADS = 4; // the maker's and three more
const CELL = ["THREAD", "HOLDS receiver", "HOLDS sender", "FLAGS"];
const RING: Record<number, string> = {
  ...{ 0: "TAIL", 1: "PUTS 0", 2: "PUTS 1", 3: "SEEN_HEAD", 4: "SEEN_GOTS", 5: "PUT", 6: "PUT COMMIT" },
  ...{ 16: "HEAD", 17: "GOTS 0", 18: "GOTS 1", 19: "SEEN_TAIL", 20: "GET", 21: "GET COMMIT" },
  ...{ 33: "GETTERS BELL", 34: "GETTERS GATE", 35: "GETTERS TASKS" },
  ...{ 48: "PUTTERS BELL", 49: "PUTTERS GATE", 50: "PUTTERS TASKS" },
};
const DIRECTION = 32; // behind 16 words and 4 cells

/** The words of the record, by index. */
function nameOf(word: number): string {
  const cell = Math.floor((word - 16) / 4);
  if (word >= 16 && cell < THREADS) return `${CELL[word % 4]} ${cell}`;
  if (word >= DIRECTION) {
    return { 0: "SENDER", 1: "RECEIVER" }[word - DIRECTION] ?? RING[word - DIRECTION - 16] ?? `[${word}]`;
  }
  return ["RINGS", "SIZE", "THREADS", "CLOSED receiver", "CLOSED sender", "HOLDER", "COMMIT"][word - 3] ?? `[${word}]`;
}

const NAMES = Array.from({ length: DIRECTION + 80 }, (_, word) => nameOf(word)).slice(3);

interface Ends {
  receiver(): Connection<never, number>;
  sender(): Connection<number, never>;
}

/** A one-way pipe whose ends are given to threads: as the roster's ids, for the receiver and for the sender. */
const base = (receivers: readonly number[], senders: readonly number[]) => {
  const [receiver, sender] = pipe<number>({ duplex: false, maxBytes: 1, name: "P", threads: THREADS });
  const handles = [receiver.handle, sender.handle] as const;
  const { buffer, byteOffset, byteLength } = handles[0] as unknown as {
    buffer: SharedArrayBuffer;
    byteOffset: number;
    byteLength: number;
  };
  const roster = [...agent.rosters.values()][0] as Roster;
  const holders = new Holders(new Int32Array(buffer, byteOffset, byteLength >> 2), roster, THREADS);
  for (const id of receivers) holders.give(0, "P", id);
  for (const id of senders) holders.give(1, "P", id);
  receiver.close();
  sender.close();
  return {
    records: [record(handles[0], NAMES, ["RINGS", "SIZE", "THREADS"])],
    attach: (): Ends => ({
      receiver: () => Connection.attach<never, number>(handles[0]),
      sender: () => Connection.attach<number, never>(handles[1]),
    }),
  };
};

const sent = (self: Self, value: number): void =>
  void self.step(`has sent ${value}`, (world) => world.set("sent", world.get("sent") | (1 << value)));

function received(self: Self, value: number): void {
  self.step(`receives ${value}`, (world) => {
    if (![1, 2, 3].includes(value)) world.fail(`a torn message: ${value}`);
    if ((world.get("got") & (1 << value)) !== 0) world.fail(`${value} came twice`);
    if (value === 2 && (world.get("got") & 2) === 0) world.fail("2 came before 1");
    world.set("got", world.get("got") | (1 << value));
  });
}

/** Sends 1 and 2, and closes. */
function send({ sender }: Ends, self: Self): void {
  const end = sender();
  try {
    for (const value of [1, 2]) {
      end.trySend(value, { timeout: 1e9 });
      sent(self, value);
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    self.step("nobody receives", (world) => world.set("unheard", 1));
  }
  end.close();
}

/** Receives until the end of file. */
function receive({ receiver }: Ends, self: Self): void {
  const end = receiver();
  try {
    for (;;) received(self, end.tryRecv({ timeout: 1e9 })!.value);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
  self.step("end of file", (world) => world.set("eof", 1));
  end.close();
}

async function receiveAsync({ receiver }: Ends, self: Self): Promise<void> {
  const end = receiver();
  try {
    for (;;) received(self, await end.recvAsync());
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
  self.step("end of file", (world) => world.set("eof", 1));
  end.close();
}

/** All that was sent came, and nobody was told of an end that was none. */
function complete(look: Look): void {
  if (look.dead(1)) return;
  const [all, got] = [look.get("sent"), look.get("got")];
  if ((all & ~got) !== 0) look.fail(`messages were lost: sent ${all.toString(2)}, got ${got.toString(2)}`);
  if (look.get("eof") === 0) look.fail("no end of file");
  if (look.get("unheard") === 1) look.fail("a sender was told that nobody receives");
}

const isOn = (op: Op, kind: Op["kind"], name: string): boolean => op.kind === kind && op.word?.name === `P.${name}`;

const SIZE: ModelOptions = { threads: 2, preemptions: 2, longPreemptions: 3 };

model<Ends>("Pipe passes what is sent, then the end of file", SIZE, (ids) => ({
  ...base([ids[1]!], [ids[0]!]),
  threads: [send, receive],
  after: complete,
}), [
  twin(
    "a send that wakes nobody",
    /nobody can move|no end of file/,
    (op) => isOn(op, "notify", "GETTERS BELL") && !op.stack!.includes("lose") ? skipped(op) : undefined,
  ),
]);

model<Ends>(
  "Pipe passes what two threads send to a task",
  { ...SIZE, threads: 3, preemptions: 1, longPreemptions: 2 },
  (ids) => ({
    ...base([ids[1]!], [ids[0]!, ids[2]!]),
    threads: [
      send,
      receiveAsync,
      ({ sender }, self) => {
        const end = sender();
        end.trySend(3, { timeout: 1e9 });
        sent(self, 3);
        end.close();
      },
    ],
    after: complete,
  }),
);

model<Ends>("Pipe ends when its last sender dies at any step, and loses nothing that was sent", {
  ...{ threads: 2, deaths: 1, mortal: [0], preemptions: 1, longPreemptions: 3 },
}, (ids) => ({
  ...base([ids[1]!], [ids[0]!]),
  threads: [send, receive],
  after: complete,
}), [
  twin(
    "a holder that stays though it died",
    /waits for ever/,
    (op) =>
      op.kind === "store" && /THREAD|HOLDS/.test(op.word?.name ?? "") && op.stack!.includes("#reap")
        ? skipped(op)
        : undefined,
  ),
]);

model<Ends>("Pipe tells a sender when its last receiver dies at any step", {
  ...{ threads: 2, deaths: 1, mortal: [1], preemptions: 1, longPreemptions: 3 },
}, (ids) => ({
  ...base([ids[1]!], [ids[0]!]),
  threads: [send, receive],
  after: complete,
}));
