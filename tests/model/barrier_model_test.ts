// Barrier: rounds of as many parties as it has, each with a place of its own.

import { Barrier } from "../../primitives/barrier.ts";
import { BrokenBarrierError } from "../../primitives/errors.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const CELLS = 3;
const CELL = ["THREAD", "WAITING", "ACTIONS", "RESULT"];
const NAMES = [
  "ROUND",
  "STATE",
  "ARRIVED",
  "ACTOR",
  "OUTCOME",
  "SETTLED",
  "TURN",
  "PARTIES",
  "THREADS",
  "TIMEOUT",
  "TIMEOUT",
]
  .concat(["HOLDER", "COMMIT"], ...Array.from({ length: 6 }, (_, i) => [`INDEX ${i}`, `VALUE ${i}`]))
  .concat(["PLACES"])
  .concat(...Array.from({ length: CELLS }, (_, i) => CELL.map((name) => `${name} ${i}`)));

const base = (parties: number, action?: () => void) => {
  const { handle } = new Barrier(parties, { threads: CELLS, name: "B" });
  return {
    records: [record(handle, NAMES, ["PARTIES", "THREADS", "TIMEOUT"])],
    attach: () => Barrier.attach(handle, action === undefined ? undefined : { action }),
  };
};

/** Each place once a round, and nobody goes before all have come. */
function pass(self: Self, parties: number, round: number, place: number): void {
  self.step(`passes as ${place}`, (world) => {
    const places = world.get(`places ${round}`);
    if (place < 0 || place >= parties || (places & (1 << place)) !== 0) {
      world.fail(`place ${place} twice in round ${round}`);
    }
    world.set(`places ${round}`, places | (1 << place));
    if (world.get(`came ${round}`) < parties) world.fail(`passed round ${round} before all had come`);
  });
}

const come = (self: Self, round: number): void =>
  void self.step("comes", (world) => world.set(`came ${round}`, world.get(`came ${round}`) + 1));

function idle(look: Look): void {
  expectZero(look, "B.STATE", "B.ARRIVED", "B.ACTOR", "B.HOLDER", "B.COMMIT", "B.PLACES");
  for (let i = 0; i < CELLS; i++) for (const word of CELL.slice(1)) expectZero(look, `B.${word} ${i}`);
}

const SIZE: ModelOptions = { threads: 3, preemptions: 1, longPreemptions: 2 };

model<Barrier>("Barrier lets go when all have come, threads and tasks, each with its place", SIZE, () => ({
  ...base(3),
  threads: [
    (barrier, self) => {
      come(self, 0);
      pass(self, 3, 0, barrier.wait());
    },
    (barrier, self) => {
      come(self, 0);
      pass(self, 3, 0, barrier.wait());
    },
    async (barrier, self) => {
      come(self, 0);
      pass(self, 3, 0, await barrier.waitAsync());
    },
  ],
  after: idle,
}), [
  twin(
    "a last party that wakes nobody",
    /nobody can move/,
    (op) => op.kind === "notify" && op.word?.name === "B.TURN" ? skipped(op) : undefined,
  ),
  twin(
    "a round that forgets a party",
    /nobody can move/,
    (op) => op.kind === "store" && op.word?.name === "B.RESULT 0" && op.a !== 0 ? skipped(op) : undefined,
  ),
]);

model<Barrier>(
  "Barrier goes from round to round without mixing them up",
  { ...SIZE, threads: 2, preemptions: 2 },
  () => ({
    ...base(2),
    threads: [
      (barrier, self) => {
        for (let round = 0; round < 3; round++) {
          come(self, round);
          pass(self, 2, round, barrier.wait());
        }
      },
      async (barrier, self) => {
        for (let round = 0; round < 3; round++) {
          come(self, round);
          pass(self, 2, round, await barrier.waitAsync());
        }
      },
    ],
    after: idle,
  }),
);

model<Barrier>("Barrier calls the action of the only thread that brought one, in each round, before anybody passes", {
  ...{ threads: 2, spurious: 1, preemptions: 1, longPreemptions: 3 },
}, () => {
  const { records, attach } = base(2);
  const { handle } = attach();
  const act = (self: Self): void => void self.step("acts", (world) => world.set("acted", world.get("acted") + 1));
  const thread = (barrier: Barrier, self: Self): void => {
    for (let round = 0; round < 2; round++) {
      come(self, round);
      pass(self, 2, round, barrier.wait());
      self.step("looks", (world) => {
        if (world.get("acted") <= round) world.fail(`passed round ${round} before its action`);
      });
    }
  };
  return {
    records,
    attach: (self) => self.index === 0 ? Barrier.attach(handle, { action: () => act(self) }) : Barrier.attach(handle),
    threads: [thread, thread],
    after(look) {
      if (look.get("acted") !== 2) look.fail(`the action was called ${look.get("acted")} times`);
      idle(look);
    },
  };
});

/** Waits; a round that breaks must break for all. */
function brittle(wait: () => number, self: Self): void {
  come(self, 0);
  try {
    pass(self, 2, 0, wait());
    self.step("passed", (world) => world.set("passed", world.get("passed") + 1));
  } catch (error) {
    if (!(error instanceof BrokenBarrierError)) throw error;
    self.step("broken", (world) => world.set("broken", world.get("broken") + 1));
  }
}

function allAlike(look: Look): void {
  if (look.get("passed") > 0 && look.get("broken") > 0 && look.get("aborted") === 0) {
    look.fail("a round broke for some");
  }
  expectZero(look, "B.ARRIVED", "B.HOLDER", "B.COMMIT", "B.PLACES");
}

model<Barrier>("Barrier breaks for all when a party's time is over", {
  ...{ threads: 2, timeouts: 1, timed: [0], preemptions: 2, longPreemptions: 4 },
}, () => ({
  ...base(2),
  threads: [
    (barrier, self) => brittle(() => barrier.wait({ timeout: 7 }), self),
    (barrier, self) => brittle(() => barrier.wait(), self),
  ],
  after: allAlike,
}));

model<Barrier>("Barrier: who runs out of time before his round begins breaks that one, not the one before", {
  ...{ threads: 2, timeouts: 1, timed: [1], preemptions: 2, longPreemptions: 3 },
}, () => ({
  ...base(1, () => {}),
  threads: [
    (barrier, self) => self.step(`passes as ${barrier.wait()}`, (world) => world.set("passed", 1)),
    (barrier, self) => {
      try {
        barrier.wait({ timeout: 7 });
      } catch (error) {
        if (!(error instanceof BrokenBarrierError)) throw error;
        self.step("is late", (world) => world.set("late", 1));
      }
    },
  ],
  after(look) {
    if (look.get("passed") === 0) look.fail("a complete round was broken");
    if ((look.word("B.STATE") === 3) !== (look.get("late") === 1)) look.fail("only who was late breaks it");
    expectZero(look, "B.ARRIVED", "B.ACTOR", "B.HOLDER", "B.COMMIT", "B.PLACES");
  },
}), [
  twin(
    "one who leaves without a word",
    /only who was late/,
    (op) => op.kind === "store" && op.word?.name === "B.OUTCOME" && op.a === 8 ? skipped(op) : undefined,
  ),
]);

model<Barrier>("Barrier.abort() breaks it for all who wait", { ...SIZE, preemptions: 2, longPreemptions: 3 }, () => ({
  ...base(3),
  threads: [
    (barrier, self) => brittle(() => barrier.wait(), self),
    (barrier) => barrier.abort(),
  ],
  after(look) {
    if (look.get("passed") > 0) look.fail("a round of two passed a barrier of three");
  },
}));

model<Barrier>("Barrier breaks for all when a party died", {
  ...{ threads: 2, deaths: 1, mortal: [1], preemptions: 1, longPreemptions: 2 },
}, () => ({
  ...base(2),
  threads: [
    (barrier, self) => brittle(() => barrier.wait({ timeout: 1e9 }), self),
    (barrier, self) => brittle(() => barrier.wait({ timeout: 1e9 }), self),
  ],
  // One that died before it came is just missing.
  rests: (look) => look.dead(1) && look.word("B.ARRIVED") === 1 && look.word("B.STATE") === 0,
}));
