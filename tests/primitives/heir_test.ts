// The bound on barging of Semaphore and of RWLock's writers, primitives/_heir.ts, as its word shows it.

import { Agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { type Guard, RWLock, Semaphore } from "../../primitives/mod.ts";
import { asAgent, ENDED } from "../_as_agent.ts";
import { timeAsleep, withStoppedClock } from "../_clock.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

const TASK_BIT = 0x40000000;
const LAPSE = 10;
const LAPSE_TASK = 1;

/** How what has an heir is taken. */
interface Kind<T> {
  readonly name: string;
  /** The word. */
  readonly heir: number;
  make(): T;
  attach(handle: object): T;
  tryTake(lock: T, options?: { timeout: number }): Guard | undefined;
  takeAsync(lock: T, options?: { signal: AbortSignal }): Promise<Guard>;
}

const SEMAPHORE: Kind<Semaphore> = {
  name: "Semaphore",
  heir: 10,
  make: () => new Semaphore(1),
  attach: (handle) => Semaphore.attach(handle as never),
  tryTake: (semaphore, options) => semaphore.tryAcquire(options),
  takeAsync: (semaphore, options) => semaphore.acquireAsync(options),
};

const RWLOCK: Kind<RWLock> = {
  name: "RWLock",
  heir: 9,
  make: () => new RWLock(),
  attach(handle) {
    const lock = RWLock.attach(handle as never);
    lock.read().release(); // it has a cell now, as who waits has
    return lock;
  },
  tryTake: (lock, options) => lock.tryWrite(options),
  takeAsync: (lock, options) => lock.writeAsync(options),
};

/** A lock, the same lock in another thread of the program, and the word. */
function scene<T extends { readonly handle: object }>(kind: Kind<T>) {
  const lock = kind.make();
  const handle = lock.handle as FullHandle;
  const other = new Agent();
  const table = Roster.attach(handle.roster, handle.rosterOffset);
  const [theirs, them] = asAgent(other, () => {
    return [kind.attach(handle), Roster.attach(handle.roster, handle.rosterOffset).me] as const;
  });
  const words = new Int32Array(handle.buffer, handle.byteOffset, kind.heir + 1);
  return {
    lock,
    parker: table.parker,
    me: table.me,
    them,
    take: (timeout = 0) => kind.tryTake(lock, { timeout }),
    takeAsync: (signal?: AbortSignal) => kind.takeAsync(lock, signal && { signal }),
    theyTake: () => asAgent(other, () => kind.tryTake(theirs)),
    theyRelease: (guard: Guard | undefined) => asAgent(other, () => guard!.release()),
    die: () => void table.markDead(them),
    get heir(): number {
      return words[kind.heir]!;
    },
    set heir(heir: number) {
      words[kind.heir] = heir;
    },
  };
}

type Scene = ReturnType<typeof scene>;

for (const kind of [SEMAPHORE, RWLOCK] as Kind<{ readonly handle: object }>[]) {
  const { name } = kind;

  test(`${name}: what is kept for another thread is let go once it lapses`, () =>
    withStoppedClock((pass) => {
      const our = scene(kind);
      for (const mine of [our.me, our.me | TASK_BIT]) {
        our.heir = mine;
        our.take()!.release();
      }
      for (const [heir, lapse] of [[our.them, LAPSE], [our.them | TASK_BIT, LAPSE_TASK], [our.them, LAPSE]] as const) {
        our.heir = heir;
        assert.equal(our.take(), undefined);
        pass(lapse / 2);
        assert.equal(our.take(), undefined);
        pass(lapse / 2);
        our.take()!.release();
        assert.equal(our.heir, 0);
      }
      our.heir = our.them;
      assert.equal(our.take(), undefined);
      pass(LAPSE - 1);
      our.heir = ENDED; // another one, for which it is kept as long
      assert.equal(our.take(), undefined);
      pass(LAPSE - 1);
      assert.equal(our.take(), undefined);
    }));

  for (
    const [meanwhile, act] of [
      ["has it", (our) => {
        const held = our.theyTake();
        assert.equal(our.take(), undefined);
        our.theyRelease(held);
      }],
      ["wants it no longer", (our) => our.take()!.release()],
    ] as [string, (our: Scene) => void][]
  ) {
    test(`${name}: what is released next is kept for an heir that was one before, and meanwhile ${meanwhile}`, () =>
      withStoppedClock((pass) => {
        const our = scene(kind);
        for (let turn = 0; turn < 3; turn++) {
          our.heir = our.them;
          assert.equal(our.take(), undefined);
          pass(LAPSE - 1);
          our.heir = 0;
          act(our);
          pass(LAPSE - 1);
        }
      }));
  }

  test(`${name}: who waits for long is the heir until it gives up or gets in; one is enough, and it stays`, async () => {
    const our = scene(kind);
    for (const end of ["gives up", "gets in"]) {
      const held = our.theyTake();
      const controller = new AbortController();
      const waiting = our.takeAsync(controller.signal).catch((reason) => reason);
      await until(() => our.heir !== 0);
      assert.equal(our.heir, our.me | TASK_BIT);
      if (end === "gives up") controller.abort(end);
      else {
        our.theyRelease(held);
        withStoppedClock(() => assert.equal(our.theyTake(), undefined));
      }
      const got = await waiting;
      assert.equal(our.heir, 0);
      if (end === "gives up") our.theyRelease(held);
      else got.release();
    }
    const held = our.theyTake();
    const heirs: Record<number, number> = {};
    timeAsleep(() => assert.equal(our.take(100), undefined), (slept) => heirs[slept] = our.heir);
    assert.deepEqual(heirs, { 0: 0, 20: 0, 60: our.me }); // the first look after it has gone to sleep later than at 10 ms
    assert.equal(our.heir, 0);
    our.heir = our.them;
    timeAsleep(() => assert.equal(our.take(100), undefined), () => assert.equal(our.heir, our.them));
    assert.equal(our.heir, our.them);
    our.theyRelease(held);
  });

  test(`${name}: a waiter sees soon that what is kept for another thread lapses, or is taken and kept anew`, () => {
    const our = scene(kind);
    const sleeps: number[] = [];
    let held: Guard | undefined;
    our.heir = our.them;
    const took = timeAsleep(() => our.take(1000)!.release(), (slept) => {
      sleeps.push(slept);
      if (slept === LAPSE - 1) {
        held = our.theyTake();
        our.heir = 0;
      } else if (held !== undefined) {
        our.theyRelease(held);
        our.heir = our.them;
        held = undefined;
      }
    });
    const rest = sleeps.splice(LAPSE + 1);
    assert.deepEqual(sleeps, Array.from({ length: LAPSE + 1 }, (_, ms) => ms));
    assert.deepEqual(rest.map((waited) => waited - rest[0]!), Array.from({ length: LAPSE }, (_, ms) => ms));
    assert.equal(took - rest[0]!, LAPSE);
  });

  test(`${name}: a task looks again soon where something is kept for another thread`, async () => {
    const our = scene(kind);
    const { parkAsync } = our.parker;
    for (const heir of [our.them, 0]) {
      const held = heir === 0 ? our.theyTake() : undefined;
      our.heir = heir;
      const sleeps: number[] = [];
      our.parker.parkAsync = (words, index, expected, ms) => {
        sleeps.push(ms);
        return parkAsync(words, index, expected, ms);
      };
      const [waiting] = await withStoppedClock(async () => { // so that nothing lapses yet
        const waiting = our.takeAsync();
        for (let turns = 0; turns < 20; turns++) await Promise.resolve(); // it goes to sleep
        return [waiting];
      });
      our.parker.parkAsync = parkAsync;
      assert.deepEqual(sleeps, [heir === 0 ? 20 : LAPSE_TASK]);
      if (heir === 0) our.theyRelease(held);
      (await waiting).release();
    }
  });

  test(`${name}: nothing is kept for a thread that has died`, () => {
    for (const task of [0, TASK_BIT]) {
      const our = scene(kind);
      our.theyRelease(our.theyTake());
      our.heir = our.them | task;
      assert.equal(our.take(), undefined);
      our.die();
      our.take()!.release();
      assert.equal(our.heir, 0);
    }
  });
}

test("Semaphore: a permit that is kept wakes all who sleep for one, as the heir may be any of them", () => {
  const semaphore = new Semaphore(0);
  const { buffer, byteOffset, roster, rosterOffset } = semaphore.handle as FullHandle;
  const words = new Int32Array(buffer, byteOffset, 16);
  const { parker } = Roster.attach(roster, rosterOffset);
  const { unpark } = parker;
  const woken: number[] = [];
  parker.unpark = (words, index, count) => {
    if (words.buffer === buffer && index === 3) woken.push(count);
    unpark(words, index, count);
  };
  try {
    assert.equal(semaphore.value, 0); // has looked for deaths, and counted anew
    words[7] = 3; // SLEEPERS
    semaphore.release();
    words[SEMAPHORE.heir] = ENDED;
    semaphore.release(2);
  } finally {
    parker.unpark = unpark;
  }
  assert.deepEqual(woken, [1, Infinity]);
});

test("RWLock: who waits to read is nobody's heir", () => {
  const our = scene(RWLOCK);
  const held = our.theyTake();
  const heirs: number[] = [];
  timeAsleep(() => assert.equal(our.lock.tryRead({ timeout: 200 }), undefined), () => heirs.push(our.heir));
  assert.deepEqual(heirs, [0, 0, 0, 0]);
  our.theyRelease(held);
});
