// A memory that keeps no promise beyond those of primitives/_park.ts: parking
// polls and returns for no reason, unparking wakes nobody, no count is told, and
// roster and records lie at fixed places in one buffer. Whatever passes here relies
// on the contract and on nothing else of Atomics.wait and notify.
//
//   byte 0               the roster
//   ROSTER_END           one word: the next free byte, in cache lines
//   ROSTER_END + 64 …    records, one after another
//
// LOCKSTEP_MEMORY=hostile puts the whole conformance suite on it. It is the program's own
// memory, as that of threads is: a worker that was given something of it belongs to it.

import type { Memory } from "../../primitives/_memory.ts";
import { openScope, useRoster } from "../../primitives/_memory.ts";
import { padded } from "../../primitives/_layout.ts";
import type { Parker } from "../../primitives/_park.ts";
import { Roster } from "../../primitives/_roster.ts";
import { ROSTER_BYTES } from "../../primitives/_roster_record.ts";
import { add, load, wait } from "../../primitives/_atomics.ts";

/** The scope's number; nothing outside the tests has it. */
export const HOSTILE_SCOPE = 13;
/** This module, which opens the scope wherever it is imported. */
export const HOSTILE_MODULE: string = import.meta.url;

const ROSTER_END = padded(ROSTER_BYTES);
const FIRST_RECORD = ROSTER_END + 64;
const SEGMENT_BYTES = 2 ** 31; // reserved; what is not touched costs nothing
const RESULT_BYTES = 1 << 20; // likewise
const SHORTEST = 0.2;
const LONGEST = 3; // ms between two looks

const idle = new Int32Array(new SharedArrayBuffer(4));

/** How long until the next look, in ms: mostly short, or the suite would take too long. */
function pause(): number {
  return SHORTEST + (LONGEST - SHORTEST) * Math.random() ** 3;
}

/** Sleeps a little, by no word that anybody could notify. */
function doze(ms: number): void {
  wait(idle, 0, 0, Math.min(ms, pause()));
}

const hostileParker: Parker = {
  park(words, index, expected, ms): boolean {
    const end = performance.now() + ms;
    while (load(words, index) === expected) {
      if (Math.random() < 0.2) return false; // for no reason
      if (performance.now() >= end) return true;
      doze(end - performance.now());
    }
    return false;
  },
  parkAny(sleepers, ms): void {
    const end = performance.now() + ms;
    while (performance.now() < end && sleepers.every(([words, index, value]) => load(words, index) === value)) {
      if (Math.random() < 0.2) return;
      doze(end - performance.now());
    }
  },
  parkAsync(words, index, expected, ms) {
    let cancelled = false;
    const end = performance.now() + ms;
    const promise = (async () => {
      while (!cancelled && load(words, index) === expected && performance.now() < end && Math.random() > 0.2) {
        await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, pause())));
      }
    })();
    return { promise, cancel: () => cancelled = true };
  },
  unpark(): void {}, // whoever sleeps looks by itself
};

openScope(HOSTILE_SCOPE, {
  parker: hostileParker,
  memory(roster): Memory {
    const { buffer } = roster.words;
    const next = new Int32Array(buffer, ROSTER_END, 1);
    return {
      roster,
      module: HOSTILE_MODULE,
      resultBytes: RESULT_BYTES,
      allocate(byteLength) {
        const byteOffset = FIRST_RECORD + add(next, 0, padded(byteLength) / 64) * 64;
        if (byteOffset + byteLength > buffer.byteLength) throw new RangeError("The hostile segment is full");
        return { buffer, byteOffset };
      },
    };
  },
});

/** Puts everything that this agent makes from now on into a hostile segment. */
export function useHostileMemory(): void {
  const buffer = new SharedArrayBuffer(SEGMENT_BYTES);
  const words = new Int32Array(buffer, 0, ROSTER_BYTES >> 2);
  useRoster(Roster.create({ words, scope: HOSTILE_SCOPE, parker: hostileParker }));
}
