// The record of a thread, primitives/_thread_record.ts: how it ended, and who is told. Threads are in tests/conformance/.

import { createRecord } from "../../primitives/_memory.ts";
import {
  CANCELLED,
  CONTROL,
  DONE,
  type Ending,
  fillThread,
  FIRED,
  KILL_BIT,
  STOP_BIT,
  STUCK_BIT,
  threadBytes,
  ThreadRecord,
  TIMER,
} from "../../primitives/_thread_record.ts";
import { assert, test } from "../_harness.ts";
import { notified } from "../_notified.ts";

const LENGTH = 7;

/** The record of a thread that does not exist, with room for so many bytes. */
function made(room = 10_000): ThreadRecord {
  const { words, roster } = createRecord("Thread", threadBytes(room), undefined, (words) => fillThread(words, room));
  return new ThreadRecord(words, roster);
}

test("a thread's end is read as it was written", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const endings: Ending[] = [
    ...(["returned", "threw"] as const).flatMap((kind) => [
      { kind, bytes },
      { kind, bytes: new Uint8Array(0) },
      { kind, bytes: "posted" as const },
    ]),
    ...(["error", "exit", "closed", "terminated", "unstoppable", "unknown"] as const).flatMap((reason) =>
      [undefined, 0, 1, -1, 255, 0x3fffff, -0x400000].flatMap((exitCode) => [
        { kind: "ended" as const, reason, exitCode, bytes },
        { kind: "ended" as const, reason, exitCode, bytes: undefined },
      ])
    ),
  ];
  for (const ending of endings) {
    const record = made();
    assert.deepEqual([record.done, record.ending, record.posted], [false, undefined, false]);
    assert.equal(record.end(ending), true);
    assert.deepEqual(record.ending, ending);
    assert.deepEqual([record.done, record.posted], [true, ending.bytes === "posted"]);
  }
});

test("a thread ends once: what comes later changes nothing, and wakes all the same", () => {
  const record = made();
  const { buffer } = record.words;
  const first: Ending = { kind: "returned", bytes: new Uint8Array([1, 2, 3]) };
  const woken = notified(buffer, () => record.end(first));
  assert(woken.includes(DONE) && woken.includes(CONTROL));
  assert.equal(record.end({ kind: "threw", bytes: new Uint8Array([4, 5, 6, 7]) }), false);
  assert.equal(record.end({ kind: "ended", reason: "terminated" }), false);
  assert.deepEqual(record.ending, first);
});

test("an outcome has the room that it was given, and 8 KiB at the least", () => {
  for (const [room, capacity] of [[1, 8192], [8192, 8192], [8193, 8256], [100_000, 100_032]] as const) {
    const record = made(room);
    assert.deepEqual([record.limit, record.capacity], [room, capacity]);
    record.end({ kind: "threw", bytes: new Uint8Array(capacity + 1).fill(7) });
    assert.deepEqual(record.ending, { kind: "threw", bytes: new Uint8Array(capacity).fill(7) });
  }
});

test("an end that is damaged is read without going beyond the record", () => {
  for (const length of [-1, 0x7fffffff, 9000]) {
    for (const word of [1, 2, 3, 7, -1, 0xf3]) {
      const record = made(1);
      record.words[LENGTH] = length;
      record.words[DONE] = word;
      const { kind, bytes } = record.ending!;
      assert(["returned", "threw", "ended"].includes(kind));
      assert(bytes === "posted" || bytes!.length === 8192);
      if (word === 0xf3) assert.equal((record.ending as { reason: string }).reason, "unknown");
    }
  }
});

test("who is told of an error: the first who claims it, and nobody when it was joined", () => {
  const record = made();
  const states = (): boolean[] => [record.starting, record.asked, record.taken, record.told];
  assert.deepEqual(states(), [false, false, false, false]);
  record.start(5, 6);
  assert.deepEqual([record.id, record.starter, record.starting], [5, 6, true]);
  record.startReturns();
  assert.deepEqual(states(), [false, false, false, false]);
  record.markAsked();
  record.markAsked();
  assert.deepEqual(states(), [false, true, false, false]);
  record.markTaken();
  assert.deepEqual(states(), [false, true, true, false]);
  assert.deepEqual([record.claimTelling(), record.claimTelling()], [true, false]);
  assert.deepEqual(states(), [false, true, true, true]);
});

test("a timer is cancelled or fires, whichever is first; orders add up, and wake who obeys them", () => {
  for (const [first, second] of [[CANCELLED, FIRED], [FIRED, CANCELLED]] as const) {
    const record = made();
    const woken = notified(record.words.buffer, () => assert.equal(record.settleTimer(first), true));
    assert(woken.includes(TIMER));
    assert.equal(record.settleTimer(second), false);
    assert.equal(record.words[TIMER], first);
  }
  const record = made();
  assert.deepEqual(notified(record.words.buffer, () => record.tell(STOP_BIT)), [CONTROL]);
  record.tell(KILL_BIT);
  assert(notified(record.words.buffer, () => record.tell(STUCK_BIT)).includes(DONE)); // joiners are to learn of it
  assert.equal(record.control, STOP_BIT | KILL_BIT | STUCK_BIT);
});
