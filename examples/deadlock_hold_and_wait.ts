// The second condition, hold and wait: who holds something asks for more. The cure: acquireAll() takes everything at
// once, or nothing, so nobody holds a tool while waiting for one that might never come. See docs/deadlocks.md.

import { acquireAll, DeadlockError, isMainThread, Latch, Lock, Thread } from "@lockstep/lockstep";

/** Builds things, each with two tools that it takes one by one; returns how often a deadlock kept it from that. */
export function buildOneByOne(first: Lock, second: Lock, allHold: Latch, things: number): number {
  let deadlocks = 0;
  for (let thing = 0; thing < things;) {
    const one = first.acquire();
    try {
      if (thing + deadlocks === 0) {
        allHold.countDown();
        allHold.wait(); // at first everybody holds one tool
      }
      second.acquire().release();
      thing++;
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error;
      deadlocks++;
    } finally {
      one.release();
    }
  }
  return deadlocks;
}

/** The same with both tools or none. */
export function buildAtOnce(first: Lock, second: Lock, things: number): number {
  for (let thing = 0; thing < things; thing++) acquireAll([first, second]).release();
  return 0;
}

if (isMainThread) {
  const module = import.meta.url;
  const [saw, drill, clamp] = ["saw", "drill", "clamp"].map((name) => new Lock({ name })) as [Lock, Lock, Lock];
  const pairs = [[saw, drill], [drill, clamp], [clamp, saw]] as const;
  const allHold = new Latch(3);
  const ways = {
    "one by one": pairs.map(([first, second]) =>
      new Thread({ target: buildOneByOne, module, args: [first, second, allHold, 100] })
    ),
    "acquireAll()": pairs.map(([first, second]) =>
      new Thread({ target: buildAtOnce, module, args: [first, second, 100] })
    ),
  };
  for (const [way, threads] of Object.entries(ways)) {
    for (const thread of threads) thread.start();
    const deadlocks = threads.map((thread) => thread.join()).reduce((sum, n) => sum + n, 0);
    console.log(`${way}: 300 things built, ${deadlocks === 0 ? "no deadlocks" : "deadlocks found and broken"}`);
  }
}

// Prints:
//   one by one: 300 things built, deadlocks found and broken
//   acquireAll(): 300 things built, no deadlocks
