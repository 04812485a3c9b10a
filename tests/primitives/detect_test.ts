// The detector alone, on a roster whose threads are played by this one: stale looks, deaths, reuse of slots, wrapping
// counters; and random histories against the truth. Real threads are in deadlock_test.ts.

import { Agent } from "../../primitives/_agent.ts";
import { detect, findCircles } from "../../primitives/_detect.ts";
import { KINDS, REACQUIRE } from "../../primitives/_layout.ts";
import { Roster } from "../../primitives/_roster.ts";
import { extraOf, SLOT_MASK } from "../../primitives/_roster_record.ts";
import { beginWait, confirmWait, edges, endWait, lastWait, untimedWait } from "../../primitives/_roster_waits.ts";
import type { BlockedWait, Wanted } from "../../primitives/_wait.ts";
import { asAgent } from "../_as_agent.ts";
import { assert, random, test } from "../_harness.ts";

const WAITS = 6; // a word of the roster's head

/** A thread of the roster, played by this one. */
class Actor {
  readonly #agent = new Agent();
  readonly roster: Roster;
  readonly id: number;

  constructor(table: Roster, name: string) {
    [this.roster, this.id] = this.act(() => {
      const roster = Roster.attach(table.words.buffer, table.words.byteOffset);
      roster.rename(roster.me, name);
      return [roster, roster.me];
    });
  }

  /** Does something in its place. */
  act<T>(body: () => T): T {
    return asAgent(this.#agent, body);
  }

  /** Draws a ticket. */
  begin(name = "", untimed = true, verb = "acquire"): number {
    return this.act(() => beginWait(this.roster, KINDS.Lock, 1, this.id, name, untimed, verb));
  }

  /** Looks for whom it waits. */
  look(...owners: readonly Actor[]): void {
    this.publish(lastWait(this.roster), owners);
  }

  publish(stamp: number, owners: readonly Actor[]): void {
    this.act(() => confirmWait(this.roster, owners.map(({ id }) => id), stamp));
  }

  /** Waits for them, and has looked at once. */
  waitFor(name: string, ...owners: readonly Actor[]): void {
    this.begin(name);
    this.look(...owners);
  }

  /** The same, to have a Condition's lock back. */
  reacquire(...owners: readonly Actor[]): void {
    this.begin("", true, REACQUIRE);
    this.look(...owners);
  }

  end(): void {
    this.act(() => endWait(this.roster));
  }
}

function actors(...names: readonly string[]): { table: Roster; cast: Actor[] } {
  return asAgent(new Agent(), () => {
    const table = Roster.create();
    return { table, cast: names.map((name) => new Actor(table, name)) };
  });
}

/** The circles that show now, as lists of names, closer first. */
function circles(table: Roster): string[] {
  return findCircles(table).map((circle) => circle.map(({ threadName }) => threadName).join(" "));
}

test("A circle shows once every member has looked again since its closer began to wait", () => {
  const { table, cast } = actors("a", "b", "c");
  const [a, b, c] = cast as [Actor, Actor, Actor];
  a.waitFor("1", b);
  b.waitFor("2", c);
  c.waitFor("3", a);
  assert.deepEqual(circles(table), []);
  b.look(c);
  assert.deepEqual(circles(table), []);
  a.look(b);
  assert.deepEqual(circles(table), ["c a b"]);
  const [circle] = findCircles(table);
  assert.deepEqual(circle!.map(({ holds, waitsFor }) => `${holds} ${waitsFor}`), [
    'Lock "2" Lock "3"',
    'Lock "3" Lock "1"',
    'Lock "1" Lock "2"',
  ]);
});

test("What a thread saw before another one began to wait counts for nothing", () => {
  const { table, cast } = actors("a", "b");
  const [a, b] = cast as [Actor, Actor];
  a.waitFor("1", b); // b then let go of it, unseen by a, and
  b.waitFor("2", a); // asked for something else
  assert.deepEqual(circles(table), []);
  a.look();
  assert.deepEqual(circles(table), []);
});

test("A look that began before the closer's wait and ended after it counts for nothing", () => {
  const { table, cast } = actors("a", "b");
  const [a, b] = cast as [Actor, Actor];
  a.begin();
  const stamp = lastWait(table);
  b.waitFor("2", a);
  a.publish(stamp, [b]);
  assert.deepEqual(circles(table), []);
  a.look(b);
  assert.deepEqual(circles(table), ["b a"]);
});

test("Waits that have ended, begun anew or have a time limit, and threads that have died are no members", () => {
  const { table, cast } = actors("a", "b");
  const [a, b] = cast as [Actor, Actor];
  a.waitFor("1", b);
  b.begin("2", false);
  b.look(a);
  a.look(b);
  assert.deepEqual(circles(table), []);
  b.end();
  assert.deepEqual(circles(table), []);
  b.waitFor("2", a);
  a.end();
  a.begin("1");
  assert.deepEqual(circles(table), []);
  a.look(b);
  b.look(a);
  assert.deepEqual(circles(table), ["a b"]);
  table.markDead(b.id);
  assert.deepEqual(circles(table), []);
});

test("An id of a thread that has died means nothing in the slot's next life", () => {
  const { table, cast } = actors("a", "b");
  const [a, b] = cast as [Actor, Actor];
  a.waitFor("1", b);
  table.markDead(b.id);
  const heirs = Array.from({ length: 1023 }, (_, i) => new Actor(table, `heir ${i}`));
  const heir = heirs.find(({ id }) => (id & 0xfff) === (b.id & 0xfff))!;
  assert.notEqual(heir.id, b.id);
  heir.waitFor("2", a);
  a.look(b); // the lock still names its dead holder
  assert.deepEqual(circles(table), []);
  a.look(heir);
  assert.deepEqual(circles(table), [`${table.name(heir.id)} a`]);
});

test("A thread that waits for many is in a circle with each one that waits for it; others do not matter", () => {
  const { table, cast } = actors("writer", "r1", "r2", "r3");
  const [writer, r1, r2, r3] = cast as [Actor, Actor, Actor, Actor];
  writer.waitFor("rw", r1, r2, r3);
  assert.deepEqual(circles(table), []);
  r2.waitFor("l", writer);
  writer.look(r1, r2, r3);
  assert.deepEqual(circles(table), ["r2 writer"]);
  r3.waitFor("l", writer);
  for (const actor of [r2, r3]) actor.look(writer);
  writer.look(r1, r2, r3);
  assert.deepEqual(circles(table), ["r2 writer", "r3 writer"]);
});

test("A thread that waits no longer hides no circle behind it", () => {
  const { table, cast } = actors("writer", "r1", "r2");
  const [writer, r1, r2] = cast as [Actor, Actor, Actor];
  r2.waitFor("l", writer);
  writer.waitFor("rw", r1, r2);
  r1.waitFor("l", writer);
  r1.end(); // what it waited for still stands there
  r2.look(writer);
  assert.deepEqual(circles(table), ["writer r2"]);
});

test("Who waits to have a Condition's lock back closes a circle only where all others do, too", () => {
  const { table, cast } = actors("a", "b", "c");
  const [a, b, c] = cast as [Actor, Actor, Actor];
  const again = (...pairs: readonly (readonly [Actor, Actor])[]) => pairs.forEach(([who, whom]) => who.look(whom));
  a.waitFor("1", b);
  b.reacquire(a);
  assert.deepEqual(circles(table), []); // a has to look anew here as well, though its own ticket is earlier
  again([a, b]);
  assert.deepEqual(circles(table), ["a b"]);
  a.end();
  a.reacquire(b);
  again([b, a]);
  assert.deepEqual(circles(table), ["a b"]);
  for (const actor of [a, b]) actor.end();
  a.reacquire(b);
  b.reacquire(a);
  again([a, b]);
  assert.deepEqual(circles(table), ["b a"]);
  for (const actor of [a, b]) actor.end();
  a.waitFor("1", b);
  b.waitFor("2", c);
  c.reacquire(a);
  again([a, b], [b, c]);
  assert.deepEqual(circles(table), ["b c a"]);
});

/** Calls `act` once, when that word of the table is read next, just after that. */
function onceRead<T>(table: Roster, index: number, act: () => void, body: () => T): T {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  realm.Atomics = Object.create(null, Object.getOwnPropertyDescriptors(real)) as typeof Atomics;
  Object.defineProperty(realm.Atomics, "load", {
    value(view: Int32Array, at: number) {
      const seen = real.load(view, at);
      if (view.buffer === table.words.buffer && at === index) {
        realm.Atomics = real;
        act();
      }
      return seen;
    },
  });
  try {
    return body();
  } finally {
    realm.Atomics = real;
  }
}

// Part (b) of the proof: the circle of which all has been read is looked at once more.
for (
  const [what, happens] of [
    ["dies", (who, _, table) => table.markDead(who.id)],
    ["waits no longer", (who) => who.end()],
    ["waits anew", (who, whom) => {
      who.end();
      who.waitFor("", whom);
    }],
    ["waits anew with a time limit", (who, whom) => {
      who.end();
      who.begin("", false);
      who.look(whom);
    }],
  ] as [string, (who: Actor, whom: Actor, table: Roster) => void][]
) {
  test(`A circle is none when a member ${what} after the last one was read`, () => {
    for (let member = 0; member < 3; member++) {
      const { table, cast } = actors("a", "b", "c");
      const next = (i: number) => cast[(i + 1) % 3]!;
      for (const i of [1, 2, 0]) cast[i]!.waitFor("", next(i)); // a closes it, and is the first to search
      cast.forEach((actor, i) => actor.look(next(i)));
      const circle = (act: () => void) => {
        const last = extraOf(cast[2]!.id & SLOT_MASK); // a has read its own next one and b's, and now c's
        return onceRead(table, last, act, () => findCircles(table)).map((circle) => circle[0]!.threadName);
      };
      let happened = false;
      assert.deepEqual(circle(() => happened = true), ["a"]);
      assert(happened);
      assert.deepEqual(circle(() => happens(cast[member]!, next(member), table)), []);
    }
  });
}

test("A waiter looks often for a second once it sees a circle that lacks only fresh stamps", () => {
  const { table, cast } = actors("a", "b", "c");
  const [a, b, c] = cast as [Actor, Actor, Actor];
  let hurries = 0;
  const wait = { ticket: 0, elapsed: 0, suspects: undefined, suspicion: undefined } as
    & { -readonly [key in "ticket" | "elapsed" | "suspects" | "suspicion"]: BlockedWait[key] }
    & { hurry(): void };
  wait.hurry = () => void hurries++;
  const wanted = { roster: c.roster, verb: "acquire", kind: "Lock", name: "3" } as unknown as Wanted;
  const look = (elapsed: number): number => {
    hurries = 0;
    wait.elapsed = elapsed;
    c.act(() => detect(wanted, wait as unknown as BlockedWait, [a.id]));
    return hurries;
  };
  for (const start of [100, 3000]) {
    [a, b, c].forEach((actor) => actor.end());
    a.waitFor("1", b);
    b.waitFor("2", c);
    c.waitFor("3", a);
    wait.ticket = untimedWait(table, c.id);
    assert.equal(look(start), 1);
    assert.equal(look(start + 999), 1);
    assert.equal(look(start + 1000), 0);
    assert.equal(look(start + 1500), 0);
    b.end();
    assert.equal(look(start + 1600), 0); // and is over with
  }
});

test("A thread that would wait for itself is a circle of one", () => {
  const { table, cast } = actors("a");
  cast[0]!.waitFor("rw", cast[0]!);
  assert.deepEqual(circles(table), ["a"]);
});

test("The closer is the latest also where the counter of waits wraps", () => {
  for (const start of [-1, -2, -3, -4, 0x7fffffff, 0x7ffffffe]) {
    const { table, cast } = actors("a", "b", "c");
    const [a, b, c] = cast as [Actor, Actor, Actor];
    table.words[WAITS] = start;
    a.waitFor("1", b);
    b.waitFor("2", c);
    c.waitFor("3", a);
    a.look(b);
    b.look(c);
    assert.deepEqual(circles(table), ["c a b"], `from ${start}`);
  }
});

test("A chain of 1000 threads that closes is found", () => {
  const { table, cast } = actors(...Array.from({ length: 1000 }, (_, i) => `t${i}`));
  cast.forEach((actor, i) => actor.waitFor("", cast[(i + 1) % cast.length]!));
  cast.forEach((actor, i) => actor.look(cast[(i + 1) % cast.length]!));
  assert.equal(findCircles(table)[0]!.length, 1000);
});

/** One simulated thread: what it holds is in the world's owners, what it waits for and how far its look is, here. */
interface Life {
  readonly actor: Actor;
  wants: number | undefined;
  timed: boolean;
  stamp: number | undefined; // a look under way: the stamp is drawn
  saw: Actor[] | undefined; // and the owner is read
  looks: number; // whole looks since the wait began
  alive: boolean;
}

// In parts: together they take seconds of a core, which a busy machine does not give to one test.
for (let part = 1; part <= 6; part++) {
  test(`Random histories, ${part} of 6: what shows is a deadlock, and it shows once all members have looked again`, () => {
    const prng = random();
    let shown = 0;
    for (let history = 0; history < 50; history++) {
      const { table, cast } = actors(..."abcdef".slice(0, 2 + prng.below(5)));
      const lives = cast.map((actor): Life => ({
        ...{ actor, wants: undefined, timed: false, stamp: undefined, saw: undefined, looks: 0, alive: true },
      }));
      const owners: (Life | undefined)[] = Array.from({ length: 2 + prng.below(5) }, () => undefined);
      for (let step = 0; step < 250; step++) {
        act(prng.pick(lives), owners, prng, table);
        const truth = new Set(deadlocked(lives, owners));
        const found = findCircles(table);
        for (const circle of found) {
          shown++;
          for (const { thread } of circle) assert(truth.has(thread), `history ${history}, step ${step}`);
        }
        for (const members of ringsOf(lives, owners)) {
          const since = Math.max(...members.map(({ actor }) => untimedWait(actor.roster, actor.id)));
          if (members.some((life) => edges(table, life.actor.id, untimedWait(table, life.actor.id))!.stamp < since)) {
            continue;
          }
          const told = found.some((circle) => circle.some(({ thread }) => thread === members[0]!.actor.id));
          assert(told, `history ${history}, step ${step}: missed`);
        }
      }
    }
    assert(shown > 100 / 6);
  });
}

/** One step of one thread. */
function act(life: Life, owners: (Life | undefined)[], prng: { below(n: number): number }, table: Roster): void {
  const { actor } = life;
  if (!life.alive) {
    owners.forEach((owner, i) => {
      if (owner === life && prng.below(3) === 0) owners[i] = undefined; // somebody recovers it
    });
    return;
  }
  if (prng.below(150) === 0) { // dies, and that is known at once or a little later: looks no more
    life.alive = false;
    table.markDead(actor.id);
    return;
  }
  if (life.wants === undefined) {
    const lock = prng.below(owners.length);
    if (owners[lock] === life) owners[lock] = undefined;
    else if (owners[lock] === undefined) owners[lock] = life;
    else {
      Object.assign(life, { wants: lock, timed: prng.below(8) === 0, stamp: undefined, saw: undefined, looks: 0 });
      actor.begin(`${lock}`, !life.timed);
    }
    return;
  }
  const owner = owners[life.wants];
  if (life.stamp === undefined && (owner === undefined || (life.timed && prng.below(4) === 0))) {
    if (owner === undefined) owners[life.wants] = life; // taken; the wait may end a little later
    if (prng.below(2) === 0) life.wants = undefined;
    else life.wants = -1;
    if (life.wants === undefined) actor.end();
    return;
  }
  if (life.wants === -1) {
    life.wants = undefined;
    actor.end();
  } else if (life.stamp === undefined) life.stamp = lastWait(table);
  else if (life.saw === undefined) life.saw = owner === undefined ? [] : [owner.actor];
  else {
    actor.publish(life.stamp, life.saw);
    life.stamp = life.saw = undefined;
  }
}

/** The rings of the truth: untimed waits, living threads. */
function ringsOf(lives: readonly Life[], owners: readonly (Life | undefined)[]): Life[][] {
  const next = (life: Life): Life | undefined =>
    life.alive && !life.timed && life.wants !== undefined && life.wants >= 0 ? owners[life.wants] : undefined;
  const rings: Life[][] = [];
  for (const start of lives) {
    const path = [start];
    for (let at = next(start); at !== undefined && path.length <= lives.length; at = next(at)) {
      if (at === start) {
        if (lives.indexOf(start) === Math.min(...path.map((life) => lives.indexOf(life)))) rings.push(path);
        break;
      }
      path.push(at);
    }
  }
  return rings;
}

function deadlocked(lives: readonly Life[], owners: readonly (Life | undefined)[]): number[] {
  return ringsOf(lives, owners).flat().map(({ actor }) => actor.id);
}
