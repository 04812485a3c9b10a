// A thread that ran out of stack inside an internal lock left it held: every thread that used the record then waited for
// ten seconds and got a LayoutError. (A guard of the interrupted call is lost, as with any lock.)

import { Condition, Queue, RWLock, Semaphore } from "../../mod.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Monitor } from "../../primitives/_monitor.ts";
import { Roster } from "../../primitives/_roster.ts";
import { assert, test } from "../_harness.ts";

/**
 * Runs `act`, which is cut off by a RangeError at its access number `step` to shared memory, and at `more` that follow, as
 * the stack is still full for those who clean up. Returns whether it was.
 */
function cutOff(step: number, act: () => void, more = 0): boolean {
  const realm = globalThis as { Atomics: typeof Atomics };
  const real = realm.Atomics;
  let left = step;
  const narrow: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(real)) {
    const operation = (real as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!;
    narrow[name] = (...args: unknown[]) => {
      if (--left < 0 && left >= -1 - more) throw new RangeError("Maximum call stack size exceeded");
      return operation.apply(real, args);
    };
  }
  realm.Atomics = narrow as unknown as typeof Atomics;
  try {
    act();
    return false;
  } catch (error) {
    assert(error instanceof RangeError);
    return true;
  } finally {
    realm.Atomics = real;
  }
}

const OPERATIONS: readonly (readonly [name: string, make: () => { act(): void; after(): void }])[] = [
  ["Semaphore", () => {
    const semaphore = new Semaphore(2);
    const act = () => semaphore.tryAcquire()!.release();
    return {
      act,
      after(): void {
        assert(semaphore.value >= 1 && semaphore.value <= 2); // one may have gone with the interrupted call
        act();
      },
    };
  }],
  ["RWLock", () => {
    const lock = new RWLock();
    const act = () => lock.tryRead()!.release();
    return { act, after: act };
  }],
  ["Condition", () => {
    const condition = new Condition();
    condition.acquire();
    const act = () => void condition.notifyAll();
    return {
      act: () => {
        condition.tryWait({ timeout: 0 });
        act();
      },
      after(): void {
        if (!condition.lock.heldByCurrentThread) condition.acquire();
        act();
      },
    };
  }],
];

for (const [name, make] of OPERATIONS) {
  test(`${name}: an operation that runs out of stack at any step leaves the record usable`, () => {
    let steps = 0;
    for (;; steps++) {
      const { act, after } = make();
      act(); // has a cell by now
      if (!cutOff(steps, act)) break;
      after();
    }
    assert(steps > 5, `${steps} steps`);
  });
}

// RangeError, or InternalError in Firefox.
test("Semaphore goes on after a recursion without end that uses it", () => {
  const semaphore = new Semaphore(1000);
  const deep = (...room: unknown[]): void => {
    semaphore.acquire().release();
    deep(...room);
  };
  for (let size = 0; size < 20; size++) assert.throws(() => deep(...new Array(size).fill(0)));
  semaphore.acquire().release();
  assert(semaphore.value > 900);
});

test("Queue: a put that runs out of stack at any step of a rewind, and as it cleans up, leaves the queue usable", () => {
  const big = new Uint8Array(5000);
  for (const more of [0, 1, 2]) {
    let steps = 0;
    for (;; steps++) {
      const queue = new Queue<unknown>({ maxBytes: 1 << 20 });
      for (let i = 0; i < 40; i++) queue.put(big);
      for (let i = 0; i < 40; i++) queue.get(); // empty, and far from the start of its ring: the next put goes back there
      if (!cutOff(steps, () => queue.put(big), more)) break;
      queue.put("later");
      const left = [...queue.getMany(9)];
      assert.equal(left.at(-1), "later");
      assert(left.length <= 2, `${left.length} messages`); // the interrupted put has happened or not
    }
    assert(steps > 10, `${steps} steps`);
  }
});

test("What a cut off visit had not committed is no part of the next one", () => {
  const { roster, rosterOffset } = new Semaphore().handle as FullHandle;
  const words = new Int32Array(new SharedArrayBuffer(64));
  const monitor = new Monitor(words, Roster.attach(roster, rosterOffset), 6, 2);
  monitor.enter();
  monitor.set(3, 1);
  monitor.leave();
  monitor.enter();
  monitor.set(4, 1);
  monitor.set(5, 1);
  monitor.commit();
  monitor.leave();
  assert.deepEqual([...words.slice(3, 8)], [0, 1, 1, 0, 0]);
});
