/**
 * Pipes of the smallest size, for models: their words by name, and what stands in them at the start.
 *
 * @module
 */

import { openHandle } from "../../primitives/_handle.ts";
import { PipeEnd } from "../../primitives/_pipe_end.ts";
import { LEAST_BYTES } from "../../primitives/_pipe_record.ts";
import { pipe } from "../../primitives/pipe.ts";
import type { Look } from "./_model.ts";
import type { Op } from "./_ops.ts";
import type { Self } from "./_thread.ts";
import { record, type Region } from "./_words.ts";

/** Both ends, as one thread sees them. */
export type Ends = readonly [PipeEnd, PipeEnd];

const CELLS = 16; // for 3 threads, 4 words each
const DIRECTION = 80;
const NAMES: string[] = Array.from({ length: 32 + 2 * DIRECTION + 32 - 3 }, (_, i) => `[${3 + i}]`);
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
  place(at, named(["SENDER", "RECEIVER", "AGAIN", "RESTS"]));
  place(at + 16, named(["TAIL", "PUTS 0", "PUTS 1", "SEEN_HEAD", "SEEN_GOTS", "PUT_HOLDER", "PUT_COMMIT"]));
  place(at + 32, named(["HEAD", "GOTS 0", "GOTS 1", "SEEN_TAIL", "GET_HOLDER", "GET_COMMIT"]));
  place(at + 48, named(["RING_CLOSED", "GETTERS_BELL", "GETTERS_GATE", "GETTERS_TASKS"]));
  place(at + 64, named(["PUTTERS_BELL", "PUTTERS_GATE", "PUTTERS_TASKS"]));
}

/** Numbers that a ring of the smallest size holds. */
export const FULL = 7;

/** To end 1 four messages without a byte, in the place of numbers. */
export const EMPTY: unique symbol = Symbol("empty");

/**
 * A pipe in which each direction holds so many numbers: 10, 11 … on their way to end 0, 20, 21 … to end 1. Thread i holds
 * the ends that `held[i]` names as bits, the maker none unless it is told to.
 */
export const base =
  (to0: number, to1: number | typeof EMPTY, held: readonly number[] = [1, 2], made = true) =>
  (ids: readonly number[]): { records: readonly Region[]; attach(): Ends } => {
    const ends = pipe<number>({ maxBytes: 1, threads: 3, name: "P" });
    for (let i = 0; i < to0; i++) ends[1].send(10 + i);
    if (to1 === EMPTY) { for (let i = 0; i < 4; i++) ends[0].sendBytes(new Uint8Array(0)); }
    else for (let i = 0; i < to1; i++) ends[0].send(20 + i);
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

/** Whether an operation is of that kind, on the word of that name. */
export const isOn = (op: Op, kind: Op["kind"], name: string): boolean =>
  op.kind === kind && op.word?.name === `P.${name}`;

/** Notes that a message came. */
export const got = (self: Self, value: number): void => {
  self.step(`has got ${value}`, (world) => world.set(`got ${value}`, world.get(`got ${value}`) + 1));
};

/** Fails unless each of them came, once. */
export const expectGot = (look: Look, ...values: readonly number[]): void => {
  for (const value of values) {
    if (look.get(`got ${value}`) !== 1) look.fail(`${value} came ${look.get(`got ${value}`)} times`);
  }
};
