// The record of an RWLock by itself: for whom it is kept and for how long, what follows from the cells, who is woken.
// The words are in the header of primitives/_rwlock_state.ts.

import { Agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import {
  BLOCKED_READER,
  BLOCKED_WRITER,
  ENTITLED,
  FREED,
  GATE,
  GRANTS,
  ONE_TASK_READER,
  OPENED,
  READERS,
  READS,
  RWLockState,
  TASK_WRITER,
  WAITERS,
  WAITS,
  WRITER,
  WRITERS,
} from "../../primitives/_rwlock_state.ts";
import { waitOf } from "../../primitives/_roster_waits.ts";
import { RWLock } from "../../primitives/rwlock.ts";
import { asAgent, ENDED } from "../_as_agent.ts";
import { withStoppedClock } from "../_clock.ts";
import { assert, test } from "../_harness.ts";

const TASKS = 7;
const HEIR = 9;
const LAPSE = 10;
const LAPSE_TASK = 1;

/** What a cell says of its thread. */
interface Cell {
  readonly thread?: number;
  readonly reads?: number;
  readonly waits?: number;
  readonly grants?: number;
}

/** A record whose cells say that, as the thread of the first one sees it; the others are of another thread. */
function scene(...cells: readonly Cell[]) {
  const handle = new RWLock({ threads: 4 }).handle as FullHandle;
  const words = new Int32Array(handle.buffer, handle.byteOffset, handle.byteLength / 4);
  const roster = Roster.attach(handle.roster, handle.rosterOffset);
  const them = asAgent(new Agent(), () => Roster.attach(handle.roster, handle.rosterOffset).me);
  const state = new RWLockState(words, roster, "");
  const at = (cell: number): number => 20 + 4 * cell;
  cells.forEach(({ thread, reads = 0, waits = 0, grants = 0 }, i) => {
    words.set([thread ?? (i === 0 ? roster.me : them), reads, waits, grants], at(i));
  });
  state.countAnew();
  return { handle, state, words, me: roster.me, them, at };
}

test("RWLock: what is kept for readers that waited for a writer lapses, sooner if all of them are tasks", () =>
  withStoppedClock((pass) => {
    for (
      const [waits, lapse] of [
        [BLOCKED_READER, LAPSE],
        [BLOCKED_READER + 2 * ONE_TASK_READER, LAPSE],
        [2 * ONE_TASK_READER, LAPSE_TASK],
      ] as const
    ) {
      const { state, words, at } = scene({}, { waits }, { waits: ONE_TASK_READER });
      for (let turn = 0; turn < 2; turn++) {
        state.entitle();
        words[OPENED]!++;
        assert.equal(words[ENTITLED]! > 0, true);
        assert.equal(state.mayWrite(), false);
        pass(lapse / 2);
        assert.equal(state.mayWrite(), false);
        pass(lapse / 2);
        assert.equal(state.mayWrite(), true);
        assert.deepEqual([words[ENTITLED], words[at(1) + GRANTS], words[at(2) + GRANTS]], [0, 0, 0]);
      }
    }
  }));

test("RWLock: what is kept for a writer lapses, sooner if only tasks wait to write", () =>
  withStoppedClock((pass) => {
    for (
      const [waits, lapse] of [
        [BLOCKED_WRITER, LAPSE],
        [BLOCKED_WRITER + TASK_WRITER, LAPSE],
        [TASK_WRITER, LAPSE_TASK],
      ] as const
    ) {
      const { state, words, at } = scene({ waits: BLOCKED_READER }, { waits });
      for (let turn = 0; turn < 2; turn++) {
        words[FREED]!++;
        assert.equal(state.mayRead(at(0), BLOCKED_READER, 1000), false);
        pass(lapse / 2);
        assert.equal(state.mayRead(at(0), BLOCKED_READER, 1000), false);
        pass(lapse / 2);
        assert.equal(state.mayRead(at(0), BLOCKED_READER, 1000), true);
      }
    }
  }));

test("RWLock: who may read beside whom", () =>
  withStoppedClock((pass) => {
    const may = (...cells: readonly Cell[]) => {
      const { state, at } = scene(...cells);
      return (bit: number, waited: number) => {
        const first = state.mayRead(at(0), bit, waited);
        pass(1000); // whatever is kept lapses
        assert.equal(state.mayRead(at(0), bit, waited), first);
        return first;
      };
    };
    const writer = { waits: BLOCKED_WRITER };
    assert.equal(may({}, { reads: 1 })(BLOCKED_READER, 0), true);
    assert.equal(may({ grants: 1, waits: BLOCKED_READER }, writer)(BLOCKED_READER, 0), true);
    assert.equal(may({}, writer, { reads: 1 })(BLOCKED_READER, 1000), false);
    const again = may({ reads: 1 }, writer);
    assert.equal(again(BLOCKED_READER, 0), true); // that writer waits for it
    assert.equal(again(ONE_TASK_READER, 9.9), false); // it may be another task
    assert.equal(again(ONE_TASK_READER, 10), true);
    const { state, words, at, them } = scene({ grants: 1, waits: BLOCKED_READER });
    words[WRITER] = them;
    assert.equal(state.mayRead(at(0), BLOCKED_READER, 1000), false);
    assert.equal(state.mayWrite(), false);
    assert.equal(scene({}, { reads: 1 }).state.mayWrite(), false);
  }));

test("RWLock: who found no way in looks again soon only where what is kept may lapse", () => {
  const reads = scene({ reads: 1 }, { waits: BLOCKED_WRITER });
  const glance = (writes: boolean, bit: number) => reads.state.glance(writes, reads.at(0), bit);
  assert.equal(glance(true, BLOCKED_WRITER), Infinity);
  assert.equal(glance(true, ONE_TASK_READER), Infinity);
  assert.equal(glance(false, BLOCKED_READER), Infinity);
  assert.equal(glance(false, ONE_TASK_READER), LAPSE);
  assert.equal(scene({}, { reads: 1 }).state.glance(false, 20, ONE_TASK_READER), Infinity);
  const { state, words, at, them } = scene({}, { waits: BLOCKED_WRITER });
  for (const [writes, bit] of [[true, BLOCKED_WRITER], [false, BLOCKED_READER], [false, ONE_TASK_READER]] as const) {
    words[WRITER] = 0;
    assert.equal(state.glance(writes, at(0), bit), LAPSE_TASK);
    words[WRITER] = them;
    assert.equal(state.glance(writes, at(0), bit), Infinity);
  }
});

/** READERS to ENTITLED. */
function counts(words: Int32Array): number[] {
  return [READERS, WRITERS, WAITERS, TASKS, ENTITLED].map((word) => words[word]!);
}

test("RWLock: counts follow from the cells, and change with them (invariants 1 and 2)", () => {
  const all = BLOCKED_WRITER + TASK_WRITER + BLOCKED_READER + 2 * ONE_TASK_READER;
  const { state, words, at } = scene({ reads: 2, waits: all, grants: 2 }, { reads: 3, waits: BLOCKED_READER });
  assert.deepEqual(counts(words), [5, 3 - 1, 4, 3, 2]);
  state.beginRead(at(0));
  assert.deepEqual(counts(words), [6, 2, 4, 3, 1]);
  assert.deepEqual([...words.slice(at(0) + READS, at(0) + READS + 3)], [3, all, 1]);
  state.beginRead(at(1)); // entitled it is not
  assert.deepEqual(counts(words), [7, 2, 4, 3, 1]);
  state.entitle();
  assert.deepEqual([words[at(0) + GRANTS], words[at(1) + GRANTS], words[ENTITLED]], [3, 1, 4]);
  state.setWaits(at(0), ONE_TASK_READER); // of those entitled two have given up
  assert.deepEqual([words[at(0) + WAITS], words[at(0) + GRANTS]], [ONE_TASK_READER, 1]);
  assert.deepEqual(counts(words), [7, 0, 2, 1, 2]);
});

test("RWLock: what dead threads held, waited for and were kept is given up, and all who wait are woken", () => {
  const waits = BLOCKED_WRITER + BLOCKED_READER + ONE_TASK_READER;
  const { state, words, at, them } = scene({}, { waits }, { thread: ENDED, reads: 2, waits, grants: 2 });
  words[HEIR] = ENDED | 0x40000000;
  assert.equal(state.lookForDeaths(), true); // as nobody has looked yet
  assert.deepEqual([...words.slice(at(2), at(2) + 4)], [0, 0, 0, 0]);
  assert.deepEqual(counts(words), [0, 1, 2, 1, 0]);
  assert.deepEqual([words[HEIR], words[FREED], words[OPENED], words[GATE]], [0, 1, 1, 1]);
  assert.equal(state.lookForDeaths(), false);
  words[HEIR] = them;
  state.reap();
  assert.equal(words[HEIR], them);
});

test("RWLock: who takes the place of a thread that died inside counts anew", () => {
  const { state, words } = scene({ reads: 1 }, { reads: 1, waits: BLOCKED_READER, grants: 1 });
  const good = counts(words);
  for (const word of [READERS, WRITERS, WAITERS, TASKS, ENTITLED]) words[word] = 7;
  words[16] = ENDED; // the monitor's HOLDER
  state.monitor.enter();
  assert.deepEqual(counts(words), good);
  state.monitor.leave();
});

/** For whom this thread says that it waits while it enters the lock's monitor, the last time in `body`. */
function waitsFor(words: Int32Array, roster: Roster, body: () => void): readonly number[] | undefined {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  let owners: readonly number[] | undefined;
  realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
  Object.defineProperty(realm.Atomics, "compareExchange", {
    value(view: Int32Array, index: number, seen: number, next: number) {
      if (view.buffer === words.buffer && index === 16 && next !== 0) {
        owners = waitOf(roster, roster.me)?.owners ?? owners;
      }
      return real.compareExchange(view, index, seen, next);
    },
  });
  try {
    body();
  } finally {
    realm.Atomics = real;
  }
  return owners;
}

test("RWLock: who reads waits for the writer or those blocked before it, who writes for the writer or all who read", () => {
  const reads = (lock: RWLock) => lock.tryRead({ timeout: 1 });
  const writes = (lock: RWLock) => lock.tryWrite({ timeout: 1 });
  const whom = (how: (lock: RWLock) => unknown, writer: boolean, ...cells: readonly Cell[]) => {
    const { handle, state, words, them } = scene(...cells);
    if (writer) words[WRITER] = them;
    return waitsFor(words, state.roster, () => how(RWLock.attach(handle)))?.map((id) => id === them ? "they" : id);
  };
  const blocked = { waits: BLOCKED_WRITER };
  assert.deepEqual(whom(reads, true, {}, {}), ["they"]);
  assert.deepEqual(whom(reads, false, {}, { waits: TASK_WRITER, reads: 1 }), []);
  assert.deepEqual(whom(reads, false, {}, { ...blocked, reads: 1 }), ["they"]);
  assert.deepEqual(whom(reads, false, { waits: ONE_TASK_READER, grants: 1 }, blocked), []); // on its way in
  assert.deepEqual(whom(writes, true, {}, {}), ["they"]);
  assert.deepEqual(whom(writes, false, {}, { reads: 1 }), ["they"]);
  assert.deepEqual(whom(writes, false, {}, { waits: BLOCKED_READER, grants: 1 }), []);
});

test("RWLock: it is remembered that a writer has died", () => {
  const { state, words, me } = scene({});
  words[WRITER] = ENDED;
  assert.equal(state.writerLives(), false);
  assert.equal(words[WRITER], ENDED | 0x40000000);
  words[WRITER] = me | 0x40000000;
  assert.equal(state.writerLives(), false);
  words[WRITER] = me;
  assert.equal(state.writerLives(), true);
});

/** Which words are notified while `body` runs, and how many sleepers of each. */
function woken(body: () => void): Record<number, number> {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  const counts: Record<number, number> = {};
  realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
  Object.defineProperty(realm.Atomics, "notify", {
    value(_: Int32Array, index: number, count: number) {
      counts[index] = count;
      return 0;
    },
  });
  try {
    body();
  } finally {
    realm.Atomics = real;
  }
  return counts;
}

test("RWLock: of the writers one is woken, or all where one is the heir; of readers and tasks all (invariant 4)", () => {
  const { state, words, them } = scene({}, { waits: BLOCKED_WRITER + BLOCKED_READER }, { waits: TASK_WRITER });
  const wake = (writers: boolean, readers: boolean) => {
    const before = [FREED, OPENED, GATE].map((word) => words[word]!);
    state.monitor.enter();
    const counts = woken(() => state.leaveAndWake(writers, readers));
    delete counts[16]; // of the monitor
    const went = [FREED, OPENED, GATE].filter((word, i) => words[word] !== before[i]);
    assert.deepEqual(went, Object.keys(counts).map(Number)); // each word changes whose sleepers are woken
    return counts;
  };
  assert.deepEqual(wake(false, false), {});
  assert.deepEqual(wake(true, false), { [FREED]: 1, [GATE]: Infinity });
  assert.deepEqual(wake(false, true), { [OPENED]: Infinity, [GATE]: Infinity });
  words[HEIR] = them;
  assert.deepEqual(wake(true, false), { [FREED]: Infinity, [GATE]: Infinity });
  words[HEIR] = 0;
  words[WRITER] = them; // it died: all are to know
  assert.deepEqual(wake(true, true), { [FREED]: Infinity, [OPENED]: Infinity, [GATE]: Infinity });
  const none = scene({});
  none.state.monitor.enter();
  none.state.leaveAndWake(true, true);
  assert.deepEqual([none.words[FREED], none.words[OPENED], none.words[GATE]], [0, 0, 0]);
});
