// The roster by itself: slots that are used again, ids that mean nothing any more, counters that wrap, and waits that
// change while they are read. The words are in the header of primitives/_roster_record.ts.

import { Agent } from "../../primitives/_agent.ts";
import { KINDS } from "../../primitives/_layout.ts";
import { threadParker } from "../../primitives/_park.ts";
import { Roster } from "../../primitives/_roster.ts";
import {
  DEAD,
  DEATHS,
  DIED_BIT,
  extraOf,
  FLAGS,
  FREE,
  HELD_BASE,
  HOOK_BIT,
  LAST_GENERATION,
  LIFE,
  MOST_OWNERS,
  NAME_LEN,
  NUMBER,
  PARENT,
  RETIRED,
  ROSTER_BYTES,
  RUNNING,
  SLOT_MASK,
  slotAt,
  SLOTS,
  STAMP,
  STARTING,
  STATE,
  STOP,
  STOPPING,
  TAKING,
  TICKETS,
  TRACKS,
  UNTIMED,
  VERB,
  WAITING,
  WAITS,
} from "../../primitives/_roster_record.ts";
import {
  beginWait,
  claimWarning,
  confirmWait,
  countCalmLook,
  edges,
  endWait,
  lastWait,
  untimedWait,
  waitOf,
} from "../../primitives/_roster_waits.ts";
import { asAgent } from "../_as_agent.ts";
import { assert, test } from "../_harness.ts";

/** A roster of nobody, and threads that run, as their starter makes them. */
function scene(...names: readonly string[]): { roster: Roster; ids: number[] } {
  const roster = asAgent(new Agent(), () => Roster.create());
  const ids = names.map((name) => roster.take(name, 0, 0));
  for (const id of ids) roster.markRunning(id);
  return { roster, ids };
}

const slotOf = (id: number): number => slotAt(id & SLOT_MASK);

/** The roster as the thread of that id sees it. */
function seenBy(roster: Roster, id: number): Roster {
  return asAgent(new Agent(), () => {
    const theirs = Roster.attach(roster.words.buffer, roster.words.byteOffset);
    theirs.adopt(id);
    return theirs;
  });
}

/** Calls `act` once, just before that word of the roster is read or changed next. */
function before<T>(how: "load" | "compareExchange", roster: Roster, index: number, act: () => void, body: () => T): T {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
  Object.defineProperty(realm.Atomics, how, {
    value(view: Int32Array, at: number, ...more: [number, number]) {
      if (view.buffer === roster.words.buffer && at === index) {
        realm.Atomics = real;
        act();
      }
      return real[how](view, at, ...more);
    },
  });
  try {
    return body();
  } finally {
    realm.Atomics = real;
  }
}

test("Slots never used come first, then those of the dead, oldest first, for others than before", () => {
  for (const start of [0, -1, -2, 0x7fffffff, 0x7ffffffe]) {
    const { roster, ids: [a, b, c] } = scene("a", "b", "c") as { roster: Roster; ids: [number, number, number] };
    roster.words[TICKETS] = start;
    assert.equal(roster.markDead(c), true);
    assert.equal(roster.markDead(a), true);
    assert.equal(roster.markDead(c), false); // which makes it no younger
    const fresh = Array.from({ length: SLOTS - 3 }, () => roster.take("", 0, 0));
    assert.deepEqual(fresh.map((id) => id & SLOT_MASK), Array.from({ length: SLOTS - 3 }, (_, i) => i + 3));
    assert.equal(roster.forgotten(c), false);
    const [second, first] = [roster.take("c2", 0, 0), roster.take("a2", 0, 0)];
    assert.deepEqual([second, first], [c + (1 << 12), a + (1 << 12)], `from ${start}`);
    assert.throws(() => roster.take("", 0, 0), /1024 threads are alive/);
    for (const old of [a, c]) {
      assert.deepEqual([roster.alive(old), roster.state(old), roster.forgotten(old)], [false, DEAD, true]);
      assert.deepEqual([roster.name(old), roster.flags(old), roster.parent(old)], ["", 0, 0]);
      assert.equal(roster.heldBase(old), -1);
    }
    assert.deepEqual([roster.name(first), roster.forgotten(b), roster.alive(b)], ["a2", false, true]);
  }
});

test("A slot whose generations are used up is never taken again", () => {
  const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
  for (let i = 1; i < SLOTS; i++) roster.take("", 0, 0);
  roster.words[slotOf(a) + STATE] = ((LAST_GENERATION - 1) << 3) | DEAD;
  const last = roster.take("last", 0, 0);
  assert.equal(last, LAST_GENERATION * 4096);
  assert.deepEqual([roster.alive(last), roster.alive(a)], [true, false]);
  roster.markDead(last);
  assert.throws(() => roster.take("", 0, 0), RangeError);
  assert.equal(roster.alive(last), false);
  // Somebody else uses up the last one meanwhile.
  roster.words[slotOf(a) + STATE] = ((LAST_GENERATION - 1) << 3) | DEAD;
  const takes = () =>
    before("load", roster, slotOf(a) + RETIRED, () => roster.markDead(roster.take("", 0, 0)), () => {
      return roster.take("", 0, 0);
    });
  assert.throws(takes, RangeError);
});

test("A thread has nothing of the one that had its slot before", () => {
  const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
  for (let i = 1; i < SLOTS; i++) roster.take("", 0, 0);
  const { words } = roster;
  const at = slotOf(a);
  for (const word of [LIFE, STOP, WAITING, NUMBER, PARENT, FLAGS]) words[at + word] = -1;
  words[roster.heldBase(a)] = 3;
  roster.markDead(a);
  const next = roster.take("next", 11, 1);
  assert.deepEqual([LIFE, STOP, WAITING, NUMBER, PARENT, FLAGS].map((word) => words[at + word]), [0, 0, 0, 0, 11, 1]);
  assert.equal(words[roster.heldBase(next)], 0);
  assert.equal(roster.alive(next), true);
  assert.equal(words[at + STATE]! & 7, STARTING);
});

test("Two who take a slot at once get different ones", () => {
  const { roster } = scene();
  let other = 0;
  const mine = before("compareExchange", roster, slotAt(0) + STATE, () => other = roster.take("b", 0, 0), () => {
    return roster.take("a", 0, 0);
  });
  assert.deepEqual([other, mine], [4096, 4097]);
  assert.deepEqual([roster.name(other), roster.name(mine)], ["b", "a"]);
});

test("What is said of an old id touches no later thread", () => {
  const { roster, ids: [old] } = scene("old") as { roster: Roster; ids: [number] };
  for (let i = 1; i < SLOTS; i++) roster.take("", 0, 0);
  roster.tellToStop(old);
  roster.markDead(old);
  const id = roster.take("new", 0, 0);
  roster.words[slotOf(id) + STOP] = old; // written late
  const theirs = seenBy(roster, id);
  const { deaths } = roster;
  roster.tellToStop(old);
  assert.deepEqual([theirs.stopRequested, roster.markDead(old), roster.deaths], [false, false, deaths]);
  roster.rename(old, "x");
  assert.deepEqual([roster.name(id), roster.state(id)], ["new", RUNNING]);
  roster.tellToStop(id);
  assert.deepEqual([theirs.stopRequested, roster.state(id)], [true, STOPPING]);
  // It dies, and its slot is taken, while somebody is about to say something of it.
  let next = 0;
  const said = before("compareExchange", roster, slotOf(id) + STATE, () => {
    roster.markDead(id);
    next = roster.take("next", 0, 0);
  }, () => roster.markDead(id));
  assert.deepEqual([said, roster.alive(next), roster.deaths], [false, true, deaths + 1]);
});

test("A thread may be told to stop before it runs", () => {
  const { roster } = scene();
  const id = roster.take("starts", 0, 0);
  roster.tellToStop(id);
  const theirs = seenBy(roster, id);
  assert.deepEqual([theirs.stopRequested, roster.state(id)], [true, STOPPING]);
});

test("A thread ends once, whoever says so, and each end is counted", () => {
  const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
  const { deaths } = roster;
  assert.deepEqual([roster.markDead(a), roster.markDead(a), roster.deaths], [true, false, deaths + 1]);
  roster.tellToStop(a);
  roster.markRunning(a);
  assert.deepEqual([roster.state(a), roster.words[slotOf(a) + STOP]], [DEAD, 0]);
  const twice = scene("a");
  const was = before(
    "compareExchange",
    twice.roster,
    slotAt(0) + STATE,
    () => assert.equal(twice.roster.markDead(twice.ids[0]!), true),
    () => twice.roster.markDead(twice.ids[0]!),
  );
  assert.deepEqual([was, twice.roster.deaths], [false, 1]);
});

test("Where the kernel says who has died, deaths are counted when somebody asks", () => {
  const words = new Int32Array(new SharedArrayBuffer(ROSTER_BYTES));
  const roster = asAgent(new Agent(), () => Roster.create({ words, scope: 9, parker: threadParker }));
  const [a, b, c] = ["a", "b", "c"].map((name) => roster.take(name, 0, 0)) as [number, number, number];
  roster.markDead(a);
  assert.equal(roster.deaths, 1);
  words[slotOf(c) + LIFE] = DIED_BIT;
  assert.deepEqual([roster.deaths, roster.deaths], [2, 2]);
  words[slotOf(b) + LIFE] = DIED_BIT;
  assert.deepEqual([words[DEATHS], roster.alive(b), roster.alive(b)], [2, false, false]);
  assert.deepEqual([words[DEATHS], roster.state(b)], [3, DEAD]);
});

test("Any number may be asked for: none but the ids of living threads is alive", () => {
  const { roster, ids: [a, b] } = scene("a", "b") as { roster: Roster; ids: [number, number] };
  roster.markDead(b);
  const wrong = [
    0,
    1,
    2,
    -1,
    -a,
    a + 4096,
    a - 4096,
    4096 + SLOTS,
    4096 + SLOT_MASK,
    2 ** 30 + a,
    2 ** 31,
    2 ** 32 + a,
    b,
    b + 1,
  ];
  roster.words[extraOf(0)] = (1 << 3) | RUNNING; // behind the last slot
  for (const id of wrong) {
    assert.deepEqual([roster.alive(id), roster.state(id), roster.waits(id)], [false, DEAD, false], `${id}`);
    assert.equal(roster.markDead(id), false);
    assert.equal(roster.forgotten(id), id === a - 4096 || id === 0 || id === 1, `${id}`);
  }
  assert.equal(roster.alive(a), true);
});

test("All who live are listed but those that are not complete; a whole family may have ended", () => {
  const { roster, ids: [a, b, c] } = scene("a", "b", "c") as { roster: Roster; ids: [number, number, number] };
  const [child, grandchild, other] = [roster.take("child", a, 0), roster.take("", 0, 0), roster.take("other", b, 1)];
  roster.words[slotOf(grandchild) + PARENT] = child;
  roster.markDead(c);
  const listed = () => roster.list().map(({ id }) => id);
  assert.deepEqual([...roster.living()], [a, b, child, grandchild, other]);
  assert.deepEqual(listed(), [a, b, child, grandchild, other]);
  assert.deepEqual(roster.list().at(-1), { id: other, name: "other", state: STARTING, flags: 1, parent: b });
  roster.words[slotOf(other) + STATE] = (1 << 3) | TAKING;
  assert.deepEqual([listed(), roster.alive(other), roster.state(other)], [[a, b, child, grandchild], true, STARTING]);
  roster.words[slotOf(other) + STATE] = (1 << 3) | STARTING;
  const dies = before("load", roster, slotOf(b) + NAME_LEN, () => roster.markDead(b), listed);
  assert.deepEqual(dies, [a, child, grandchild, other]);
  const later = (2 << 3) | RUNNING; // another one has its slot
  const reused = before("load", roster, slotOf(a) + NAME_LEN, () => roster.words[slotOf(a) + STATE] = later, listed);
  assert.deepEqual(reused, [child, grandchild, other]);
  roster.words[slotOf(a) + STATE] = (1 << 3) | RUNNING;
  roster.markDescendantsDead(a);
  assert.deepEqual(listed(), [a, other]);
  assert.equal(roster.words[slotAt(6) + STATE], FREE);
});

test("A hook counts as long as its thread lives and has it", () => {
  const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
  const theirs = seenBy(roster, a);
  assert.equal(roster.hooked, false);
  theirs.markHook(true);
  theirs.markReturned();
  assert.deepEqual([roster.hooked, roster.returned(a)], [true, true]);
  theirs.markHook(false);
  assert.deepEqual([roster.hooked, roster.returned(a)], [false, true]);
  roster.words[slotOf(a) + FLAGS]! |= HOOK_BIT;
  roster.markDead(a);
  assert.equal(roster.hooked, false);
});

/** Begins a wait of this thread. */
const begin = (theirs: Roster, untimed = true): number =>
  beginWait(theirs, KINDS.Lock, 1, 2, "lock", untimed, "acquire", 0);

test("Tickets of waits skip 0 where they wrap, and end as they began", () => {
  const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
  const theirs = seenBy(roster, a);
  roster.words[WAITS] = -2;
  assert.deepEqual([begin(theirs), begin(theirs), begin(theirs), lastWait(roster)], [-1, 1, 2, 2]);
  assert.deepEqual([untimedWait(roster, a), roster.waits(a), waitOf(roster, a)!.ticket], [2, true, 2]);
  assert.deepEqual([waitOf(roster, a)!.looked, edges(roster, a, 1)], [false, undefined]);
  confirmWait(theirs, [5], lastWait(roster));
  assert.deepEqual([waitOf(roster, a)!.looked, edges(roster, a, 2)], [true, { stamp: 2, owners: [5] }]);
  endWait(theirs);
  assert.deepEqual([untimedWait(roster, a), roster.waits(a), waitOf(roster, a)], [0, false, undefined]);
  begin(theirs, false);
  const { untimed, looked, owners } = waitOf(roster, a)!;
  assert.deepEqual([untimedWait(roster, a), untimed, looked, owners], [0, false, false, []]);
});

test("A wait for more threads than there is room for spoils no notes", () => {
  const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
  const theirs = seenBy(roster, a);
  const ticket = begin(theirs);
  confirmWait(theirs, Array.from({ length: MOST_OWNERS + 5 }, (_, i) => i + 1), ticket);
  assert.equal(roster.words[roster.heldBase(a)], 0);
  assert.equal(waitOf(roster, a)!.owners.length, MOST_OWNERS);
  assert.equal(HELD_BASE, MOST_OWNERS);
});

test("A wait that changes while it is read counts for nothing", () => {
  const changes = (act: (theirs: Roster, old: number) => void) => {
    const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
    const theirs = seenBy(roster, a);
    const ticket = begin(theirs);
    confirmWait(theirs, [a], ticket);
    return (word: number, look: (roster: Roster, id: number, ticket: number) => unknown) =>
      before("load", roster, slotOf(a) + word, () => act(theirs, a), () => look(roster, a, ticket));
  };
  const anew = (theirs: Roster): void => {
    endWait(theirs);
    begin(theirs);
  };
  /** Dies; another one has its slot and waits. */
  const reused = (theirs: Roster, id: number): void => {
    theirs.markDead(id);
    for (let i = 1; i < SLOTS; i++) theirs.take("", 0, 0);
    begin(seenBy(theirs, theirs.take("", 0, 0)));
  };
  for (const act of [anew, endWait, reused]) {
    assert.equal(changes(act)(VERB, waitOf), undefined);
    assert.equal(changes(act)(STAMP, edges), undefined);
    assert.equal(changes(act)(UNTIMED, untimedWait), 0);
  }
  assert.equal(changes(reused)(WAITING, waitOf), undefined);
  assert.equal(changes(reused)(WAITING, untimedWait), 0);
});

test("A thread that sleeps on sees whether it has reason to look around", () => {
  const { roster, ids: [a] } = scene("a") as { roster: Roster; ids: [number] };
  const theirs = seenBy(roster, a);
  const stamp = begin(theirs);
  const { deaths } = roster;
  const calm = (): boolean => countCalmLook(theirs, stamp, deaths);
  assert.deepEqual([calm(), waitOf(roster, a)!.checked], [true, 1]);
  const { words } = roster;
  for (const [word, value] of [[WAITS, stamp + 1], [DEATHS, deaths + 1], [TRACKS, 1], [slotOf(a) + STOP, a]] as const) {
    const good = words[word]!;
    words[word] = value;
    assert.equal(calm(), false, `${word}`);
    words[word] = good;
  }
  assert.deepEqual([calm(), waitOf(roster, a)!.checked], [true, 2]);
});

test("A stuck program is reported once for each state of it", () => {
  const { roster } = scene("a");
  assert.deepEqual([3, 3, 4, 4].map((ticket) => claimWarning(roster, ticket)), [true, false, true, false]);
});
