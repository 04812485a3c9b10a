// Monitor: changes of several words are whole, whoever dies inside.

import { Monitor, monitorWords } from "../../primitives/_monitor.ts";
import { agent } from "../../primitives/_agent.ts";
import { load, type Words } from "../../primitives/_atomics.ts";
import type { Roster } from "../../primitives/_roster.ts";
import { type Look, model, type ModelOptions, twin } from "./_model.ts";
import { expectZero } from "./_names.ts";
import { forced, type Op, skipped } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record } from "./_words.ts";

const A = 3;
const B = 4;
const MONITOR = 5;
const NAMES = ["A", "B", "HOLDER", "COMMIT", "INDEX 0", "VALUE 0", "INDEX 1", "VALUE 1"];
const SLEEPERS_BIT = 0x80000000 | 0;

interface Pair {
  readonly words: Words;
  readonly monitor: Monitor;
}

/** Two words that only change together, behind a monitor. */
function pair(thread: (pair: Pair, self: Self) => void): Parameters<typeof model<Pair>>[2] {
  return () => {
    const words: Words = new Int32Array(new SharedArrayBuffer(64));
    const { buffer, byteOffset, byteLength } = words;
    return {
      records: [record({ kind: "Pair", name: "", buffer, byteOffset, byteLength }, NAMES)],
      attach(): Pair {
        const roster = [...agent.rosters.values()][0] as Roster;
        const monitor = new Monitor(words, roster, MONITOR, (monitorWords(2) - 2) / 2);
        return { words, monitor };
      },
      thread,
      after(look, { monitor }) {
        monitor.enter();
        monitor.leave();
        const [a, deaths] = [look.word("Pair.A"), [0, 1, 2].filter((i) => look.dead(i)).length];
        if (look.word("Pair.B") !== 2 * a) look.fail("B is not twice A");
        if (deaths > 0) return;
        if (a !== [0, 1, 2].filter((i) => look.done(i)).length) look.fail(`a change was lost: A is ${a}`);
        expectZero(look, "Pair.HOLDER", "Pair.COMMIT");
      },
      always: alone,
    };
  };
}

/** COMMIT is cleared before HOLDER. */
function alone(look: Look): void {
  if (look.word("Pair.HOLDER") === 0 && look.word("Pair.COMMIT") !== 0) look.fail("COMMIT outlives HOLDER");
}

function change({ words, monitor }: Pair, self: Self): void {
  monitor.enter();
  const [a, b] = [load(words, A), load(words, B)];
  if (b !== 2 * a) throw new Error(`half of a change shows: A is ${a}, B is ${b}`);
  monitor.set(A, a + 1);
  monitor.set(B, b + 2);
  monitor.commit();
  self.step("done inside", () => {});
  monitor.leave();
}

const isOn = (op: Op, kind: Op["kind"], name: string): boolean => op.kind === kind && op.word?.name === `Pair.${name}`;

const CALM: ModelOptions = { threads: 3, preemptions: 3 };

model<Pair>("Monitor lets one thread in at a time, and wakes the next (invariants 1 and 4)", CALM, pair(change), [
  twin("a leave that wakes nobody", /nobody can move/, (op) => isOn(op, "notify", "HOLDER") ? skipped(op) : undefined),
  twin(
    "a sleeper that comes in without a mark",
    /nobody can move/,
    (op) => isOn(op, "cas", "HOLDER") && op.a === 0 && op.b < 0 ? { ...op, b: op.b & ~SLEEPERS_BIT } : undefined,
  ),
]);

model<Pair>("Monitor bears waits that end for no reason", { threads: 3, spurious: 2 }, pair(change));

model<Pair>(
  "Monitor makes changes wholly or not at all, at whatever step a thread dies (invariant 2)",
  {
    threads: 3,
    deaths: 2,
    preemptions: 1,
    longPreemptions: 2,
  },
  pair(change),
  [
    twin(
      "a change that is not committed",
      /half of a change|not twice/,
      (op) => isOn(op, "store", "COMMIT") && op.a !== 0 ? skipped(op) : undefined,
    ),
    twin(
      "a successor that does not carry it out",
      /half of a change|not twice/,
      (op) => isOn(op, "load", "COMMIT") ? { ...op, kind: "skip", a: 0, label: "(looks away)" } : undefined,
    ),
    twin("a commit that is cleared too early", /half of a change|not twice|outlives/, (op) =>
      isOn(op, "store", "A")
        ? {
          ...op,
          kind: "step",
          word: undefined,
          label: "stores A, clears COMMIT",
          run(world) {
            world.poke("Pair.A", op.a);
            world.poke("Pair.COMMIT", 0);
          },
        }
        : undefined),
    twin(
      "a take-over by two at once",
      /half of a change|not twice|waits for ever/,
      (op) =>
        isOn(op, "cas", "HOLDER") && op.a !== 0 && op.b < 0 && (op.a & 0x3fffffff) !== (op.b & 0x3fffffff)
          ? forced(op)
          : undefined,
      { preemptions: 2, deaths: 1 },
    ),
  ],
);
