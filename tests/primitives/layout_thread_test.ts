// Golden offsets: changing one raises LAYOUT_VERSION.

import { Agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { HELD, note } from "../../primitives/_notes.ts";
import { Roster } from "../../primitives/_roster.ts";
import { beginWait, confirmWait, endWait } from "../../primitives/_roster_waits.ts";
import { STOP_BIT, ThreadRecord } from "../../primitives/_thread_record.ts";
import { Lock, Thread } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { asAgent } from "../_as_agent.ts";

function wordsOf(handle: unknown): Int32Array<SharedArrayBuffer> {
  const { buffer, byteOffset, byteLength } = handle as FullHandle;
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

test("Thread: DONE THREAD CONTROL JOINS LENGTH TIMER LIMIT STARTER, OUTCOME at byte 64", () => {
  const roster = asAgent(new Agent(), () => Roster.create());
  const thread = new Thread({ target: () => {}, module: import.meta.url, exportName: "none", maxResultBytes: 9000 });
  const words = wordsOf(thread.handle);
  assert.deepEqual([words.length, words[0]], [Math.ceil((64 + 9000) / 64) * 16, 0x4c110001]);
  assert.deepEqual([...words.slice(3, 16)], [0, 0, 0, 0, 0, 0, 9000, 0, 0, 0, 0, 0, 0]);

  const record = new ThreadRecord(words, roster);
  record.start(roster.take("T", 0, 0), 77);
  assert.deepEqual([words[4], words[10], words[6]], [4096, 77, 8]); // STARTING_BIT
  record.startReturns();
  record.markAsked();
  record.tell(STOP_BIT);
  record.settleTimer(1);
  assert.deepEqual([words[5], words[6], words[8]], [1, 1, 1]);
  record.end({ kind: "ended", reason: "exit", exitCode: -3, bytes: Uint8Array.of(1, 2, 3, 4, 5) });
  record.markTaken();
  record.claimTelling();
  assert.deepEqual([words[3], words[6], words[7]], [3 | (2 << 4) | 0x100 | (-3 << 9), 7, 5]);
  assert.deepEqual([words[16], words[17]], [0x04030201, 5]);
});

test("Roster: the head, a slot at word 16, ids waited for and notes behind the slots", () => {
  const roster = asAgent(new Agent(), () => Roster.create());
  const { words } = roster;
  assert.deepEqual([words.length, words[0]], [16 + 1024 * (64 + 2048), 0x4c010001]);
  assert.deepEqual([...words.slice(3, 16)], new Array(13).fill(0));
  const [slot, extra] = [16, 16 + 1024 * 64];

  const id = roster.take("née", 7, 1);
  assert.equal(id, 1 << 12); // slot 0, generation 1
  assert.deepEqual([words[slot], words[slot + 3], words[slot + 4], words[slot + 14]], [(1 << 3) | 2, 7, 1, 4]);
  assert.equal(words[slot + 16], 0x65a9c36e); // UTF-8
  roster.adopt(id);
  assert.equal(words[slot], (1 << 3) | 3);

  const ticket = beginWait(roster, 2, 5, 6, "ab", true, "acquire", 9);
  confirmWait(roster, [11, 12], 3);
  assert.deepEqual([words[6], words[slot + 7]], [ticket, ticket]); // WAITS, WAITING
  assert.deepEqual([words[slot + 8], words[slot + 9], words[slot + 48], words[slot + 49]], [2, 5, 6, 1]); // KIND … VERB
  assert.deepEqual([words[slot + 1], words[slot + 51], words[slot + 15], words[slot + 32]], [1, 9, 2, 0x6261]);
  assert.deepEqual([words[slot + 13], words[slot + 50], words[slot + 12]], [2, 3, 1]); // OWNERS, STAMP, CHECKED
  assert.deepEqual([...words.slice(extra, extra + 2)], [11, 12]);
  endWait(roster);
  assert.equal(words[slot + 7], 0);

  const lock = wordsOf(new Lock().handle);
  note(HELD, { kind: "Lock", name: "l", words: lock, roster }, "here");
  const notes = extra + 1024;
  assert.deepEqual([...words.slice(notes, notes + 3)], [id, 2, 0]); // WHOSE, CHANGES, MORE
  assert.deepEqual([...words.slice(notes + 64, notes + 67)], [2 | (1 << 8), lock[1]!, lock[2]!]); // WHAT, KEY
  assert.deepEqual([words[notes + 69], words[notes + 70]], [1, 4]); // NAME_LEN, PLACE_LEN
  assert.deepEqual([words[notes + 72], words[notes + 88]], [0x6c, 0x65726568]);

  roster.setTracks(true);
  roster.tellToStop(id);
  assert.deepEqual([words[10], words[slot], words[slot + 5]], [1, (1 << 3) | 4, id]); // TRACKS, STATE, STOP
  roster.markDead(id);
  assert.deepEqual([words[4], words[5], words[slot], words[slot + 6]], [1, 1, (1 << 3) | 5, 0]); // TICKETS, DEATHS, RETIRED
  assert.equal(roster.take("again", 0, 0), 1 | (1 << 12)); // never used slots come first
});
