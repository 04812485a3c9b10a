// A permit handed over: one thread takes it, another gives it back by a plain release(), while a third holds a guard. For
// whom the release() was shows only later; it was taken for the guard's, and the permit came back twice.

import { Agent, agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { BoundedSemaphore, Event, type Guard, Semaphore, Thread } from "../../mod.ts";
import { asAgent } from "../_as_agent.ts";
import { assert, random, test } from "../_harness.ts";
import { dies } from "../primitives/_deaths.ts";

const KINDS = [Semaphore, BoundedSemaphore] as const;

/** Takes a permit that somebody else gives back, and dies. */
export function holder(semaphore: Semaphore, taken: Event, end: Event): void {
  semaphore.acquire();
  taken.set();
  end.wait();
  throw new Error("dies without a permit");
}

/** Gives back what it does not hold. */
export function releaser(semaphore: Semaphore): void {
  semaphore.release();
}

/** A thread played by this one. */
class Actor {
  readonly #agent = new Agent();
  readonly #roster: Roster;
  readonly #semaphore: Semaphore;
  readonly guards: Guard[] = [];
  /** How many permits it has taken that are to be given back by a plain release(). */
  bare = 0;

  constructor(semaphore: Semaphore) {
    const { handle } = semaphore;
    const { roster, rosterOffset } = handle as FullHandle;
    this.#agent.mayBlock = true;
    this.#agent.started = true;
    [this.#roster, this.#semaphore] = this.#act(() => [
      Roster.attach(roster, rosterOffset),
      (semaphore.constructor as typeof Semaphore).attach(handle),
    ]);
    this.#act(() => this.#roster.me);
  }

  #act<T>(body: () => T): T {
    return asAgent(this.#agent, body);
  }

  acquire(): Guard {
    const guard = this.#act(() => this.#semaphore.tryAcquire());
    assert(guard !== undefined);
    return { release: () => this.#act(() => guard.release()) } as Guard;
  }

  release(n?: number): void {
    this.#act(() => this.#semaphore.release(n));
  }

  /** Its target returns. */
  return(): void {
    this.#act(() => agent.leaving.forEach((used) => used.leave()));
    this.die();
  }

  die(): void {
    this.#roster.markDead(this.#roster.me);
  }
}

let alive: Actor[] = [];

/** Four threads; those of earlier stages are dead, as the roster has not room for all. */
function stage<S extends Semaphore>(semaphore: S): { semaphore: S; a: Actor; b: Actor; c: Actor; d: Actor } {
  for (const actor of alive) actor.die();
  alive = [1, 2, 3, 4].map(() => new Actor(semaphore));
  const [a, b, c, d] = alive as [Actor, Actor, Actor, Actor];
  return { semaphore, a, b, c, d };
}

test("D2 BoundedSemaphore: a guard proves that another's permit was handed over, also of a thread that has taken more", () => {
  const { semaphore, a, b, c } = stage(new BoundedSemaphore(3));
  const guard = a.acquire();
  const spent = b.acquire();
  c.release(); // for either of them
  const later = a.acquire();
  guard.release(); // then it was for the other one
  assert.equal(semaphore.value, 2);
  spent.release();
  assert.equal(semaphore.value, 2);
  later.release();
  assert.equal(semaphore.value, 3);
});

for (const Kind of KINDS) {
  for (const first of ["guard", "death"]) {
    test(`D2 S13 ${Kind.name}: a permit handed over comes back once, the ${first} first`, async () => {
      const semaphore = new Kind(2);
      const [taken, end] = [new Event(), new Event()];
      const guard = semaphore.acquire();
      const dies = new Thread({ target: holder, module: import.meta.url, args: [semaphore, taken, end] }).start();
      await taken.waitAsync();
      await new Thread({ target: releaser, module: import.meta.url, args: [semaphore] }).start().joinAsync();
      assert.equal(semaphore.value, 1);
      if (first === "guard") {
        guard.release();
        assert.equal(semaphore.value, 2);
      }
      end.set();
      await assert.rejects(dies.joinAsync(), /dies/);
      if (first === "death") {
        assert.equal(semaphore.value, 1);
        guard.release();
      }
      assert.equal(semaphore.value, 2);
    }, { limit: 60_000 });
  }

  test(`D2 ${Kind.name}: of two that may have been given back one comes back, whoever dies first`, () => {
    for (const order of [[0, 1], [1, 0]]) {
      const { semaphore, a, b, c } = stage(new Kind(2));
      a.acquire();
      b.acquire();
      c.release();
      const values = order.map((i) => {
        [a, b][i]!.die();
        return semaphore.value;
      });
      assert.deepEqual(values, [1, 2]);
    }
  });

  test(`D2 ${Kind.name}: who returns was given back for, and a guard's permit comes back`, () => {
    const { semaphore, a, b, c } = stage(new Kind(2));
    a.acquire();
    b.acquire();
    c.release();
    b.return();
    assert.equal(semaphore.value, 1);
    a.die();
    assert.equal(semaphore.value, 2);
  });

  test(`D2 ${Kind.name}: what is taken after a release() is none that it gave back`, () => {
    const { semaphore, a, b, c, d } = stage(new Kind(3));
    const guard = a.acquire();
    b.acquire();
    c.release();
    d.acquire();
    assert.equal(semaphore.value, 1);
    d.die();
    assert.equal(semaphore.value, 2);
    guard.release();
    b.die();
    assert.equal(semaphore.value, 3);
  });

  test(`D2 ${Kind.name}: a release() by a thread whose own permit may have been given back is for anybody`, () => {
    const { semaphore, a, b, c, d } = stage(new Kind(3));
    const guard = a.acquire();
    b.acquire();
    c.release(); // for b
    d.acquire();
    b.release(); // for d
    assert.equal(semaphore.value, 2);
    guard.release();
    assert.equal(semaphore.value, 3);
    d.die();
    b.die();
    assert.equal(semaphore.value, 3);
  });

  test(`D2 ${Kind.name}: permits taken here and given back there, in any mix with guards and deaths`, () => {
    const prng = random();
    for (let round = 0; round < 60; round++) {
      const semaphore = new Kind(5, { threads: 40 });
      let cast = [1, 2, 3, 4].map(() => new Actor(semaphore));
      let deaths = 0;
      const held = (actor: Actor): number => actor.guards.length + actor.bare;
      const taken = (): number => cast.reduce((sum, actor) => sum + held(actor), 0);
      for (let step = 0; step < 60; step++) {
        const actor = prng.pick(cast);
        const deed = prng.below(20);
        if (deed < 5) {
          if (semaphore.value > 0) actor.guards.push(actor.acquire());
        } else if (deed < 9) {
          if (semaphore.value > 0) actor.acquire(), actor.bare++;
        } else if (deed < 13) {
          if (actor.guards.length > 0) actor.guards.splice(prng.below(actor.guards.length), 1)[0]!.release();
        } else if (deed < 15) {
          if (actor.bare > 0) actor.bare--, actor.release();
        } else if (deed < 19) {
          const lenders = cast.filter(({ bare }) => bare > 0);
          if (held(actor) === 0 && lenders.length > 0) prng.pick(lenders).bare--, actor.release();
        } else if (round % 2 === 1) {
          actor.die();
          deaths++;
          cast = cast.map((each) => each === actor ? new Actor(semaphore) : each);
        }
        if (deaths === 0) assert.equal(semaphore.value, 5 - taken());
        else assert.between(semaphore.value, 0, 5 - taken());
      }
      for (const actor of cast) {
        for (const guard of actor.guards) guard.release();
        while (actor.bare-- > 0) actor.release();
      }
      if (deaths === 0) assert.equal(semaphore.value, 5);
      for (const actor of cast) actor.die();
      assert.equal(semaphore.value, 5);
    }
  });
}

/** What a thread may be doing when it dies, after B has taken a permit that somebody else gives back. */
const DEEDS: Record<string, (mortal: Semaphore, a: Actor, c: Actor) => () => void> = {
  "gives it back beside a guard": (mortal, a) => {
    a.guards.push(a.acquire());
    return () => mortal.release();
  },
  "gives its guard back afterwards": (mortal, _a, c) => {
    const guard = mortal.acquire();
    c.release();
    return () => guard.release();
  },
  "finds a guard's thread dead afterwards": (mortal, a, c) => {
    a.acquire();
    c.release();
    a.die();
    return () => void mortal.value;
  },
};

for (const Kind of KINDS) {
  for (const [name, prepare] of Object.entries(DEEDS)) {
    test(`D2 ${Kind.name}: no permit is lost at whatever step a thread dies that ${name}`, () => {
      for (let steps = 0, done = false; !done; steps++) {
        const { semaphore, a, b, c } = stage(new Kind(2));
        b.acquire();
        const attach = () => prepare(Kind.attach(semaphore.handle), a, c);
        done = dies(semaphore.handle, steps, attach, (act) => act());
        assert.between(semaphore.value, 0, 2);
        for (const guard of a.guards) guard.release();
        b.die();
        assert.equal(semaphore.value, 2);
        assert(semaphore.tryAcquire() !== undefined && semaphore.tryAcquire() !== undefined);
        assert.equal(semaphore.tryAcquire(), undefined);
        assert(steps < 500);
      }
    });
  }
}

test("S7 D2: whoever releases, returns or dies, a Semaphore counts, and a BoundedSemaphore has all permits in the end", () => {
  const prng = random();
  for (let round = 0; round < 60; round++) {
    const bounded = round % 2 === 1;
    const semaphore = new (bounded ? BoundedSemaphore : Semaphore)(4, { threads: 40 });
    const { buffer, byteOffset, byteLength } = semaphore.handle as FullHandle;
    const words = new Int32Array(buffer, byteOffset, byteLength / 4);
    const cells = (word: number) => Array.from({ length: 40 }, (_, i) => words[16 + 3 * i + word]!);
    const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, one) => all + one, 0);
    let cast = [1, 2, 3, 4].map(() => new Actor(semaphore));
    let value = 4; // as in Python
    let ends = 0;
    for (let step = 0; step < 80; step++) {
      const actor = prng.pick(cast);
      const deed = prng.below(24);
      if (deed < 11) {
        if (semaphore.value > 0) actor.guards.push(actor.acquire()), value--;
      } else if (deed < 17) {
        if (actor.guards.length > 0) actor.guards.splice(prng.below(actor.guards.length), 1)[0]!.release(), value++;
      } else if (deed < 22) {
        const n = 1 + prng.below(2);
        if (bounded && semaphore.value + n > 4) assert.throws(() => actor.release(n), RangeError);
        else actor.release(n), value += n;
      } else if (round % 4 > 1) {
        if (deed === 22) actor.return();
        else actor.die();
        ends++;
        cast = cast.map((each) => each === actor ? new Actor(semaphore) : each);
      }
      if (!bounded && ends === 0) assert.equal(semaphore.value, value);
      assert.between(semaphore.value, 0, bounded ? 4 : Infinity);
      const [total, left, owed] = [words[4]!, words[13]!, words[14]!];
      assert.equal(semaphore.value + sum(cells(1)) + left - owed, total); // invariants 1, 2 and 6 of the header
      if (bounded) assert.equal(total, 4);
      if (owed !== 0) assert.between(owed, 1, sum(words.subarray(16 + 3 * 40)) - 1);
    }
    for (const actor of cast) actor.die();
    const { value: end } = semaphore;
    if (end < words[4]!) semaphore.release(words[4]! - end);
    assert.equal(semaphore.value, words[4]);
    assert.equal(words[13], 0);
  }
});

test("S8 D2 Semaphore: permits that release() adds beside guards stay, and the guards' come back", () => {
  const { semaphore, a, b, c, d } = stage(new Semaphore(3));
  const [first, second] = [a.acquire(), b.acquire()];
  c.release(); // a fourth one
  d.acquire();
  first.release();
  second.release();
  assert.equal(semaphore.value, 3);
  d.die();
  assert.equal(semaphore.value, 4);
});

test("S8 D2 Semaphore: a permit added beside one guard stays, and what is taken later comes back", () => {
  const { semaphore, a, b, c } = stage(new Semaphore(2));
  const guard = a.acquire();
  c.release(); // a third one
  b.acquire();
  a.acquire();
  guard.release();
  assert.equal(semaphore.value, 1);
  b.die();
  a.die();
  assert.equal(semaphore.value, 3);
});

test("D2 Semaphore: who holds a guard gives back for another, whose permit comes back once", () => {
  const { semaphore, a, b } = stage(new Semaphore(2));
  const guard = a.acquire();
  b.acquire();
  a.release();
  guard.release();
  assert.equal(semaphore.value, 2);
  b.die();
  assert.equal(semaphore.value, 2);
});

test("BoundedSemaphore: a guard taken since is none that a handed over permit was taken for", () => {
  const { semaphore, a, b, c, d } = stage(new BoundedSemaphore(3));
  const [first, second] = [a.acquire(), b.acquire()];
  c.release();
  const third = d.acquire();
  first.release();
  second.release(); // it was for this one
  assert.equal(semaphore.value, 2);
  third.release();
  assert.equal(semaphore.value, 3);
  assert.throws(() => c.release(), RangeError);
});

test("Semaphore: signals that nobody gives back do not add up for ever", () => {
  const { semaphore, a, b, c } = stage(new Semaphore(2000));
  const { buffer, byteOffset } = semaphore.handle as FullHandle;
  const words = new Int32Array(buffer, byteOffset);
  let most = 0;
  for (let round = 0, each = 1000; round < 1200; round++, each = 500) {
    for (const actor of [a, b]) for (let i = 0; i < each; i++) actor.acquire();
    assert.equal(semaphore.value, 0);
    c.release(1000);
    most = Math.max(most, words[14]!); // OWED
  }
  assert.between(most, 1, 1 << 20);
}, { limit: 60_000 });
