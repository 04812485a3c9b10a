// Two threads, two locks, opposite order: where Python hangs for ever, one thread is told, and the other goes on.
// Then the cure: ask for both at once. See docs/deadlocks.md.

import { acquireAll, DeadlockError, Event, isMainThread, Latch, Lock, Thread, threadDump } from "@lockstep/lockstep";

/** Takes one account, and when the other thread has taken one too, the other account. */
export function transfer(from: Lock, to: Lock, bothHold: Latch, after?: string): string {
  const guard = from.acquire();
  try {
    bothHold.countDown();
    bothHold.wait();
    if (after !== undefined) untilWaiting(after); // or either of them might be the one that closes the circle
    to.acquire().release();
    return "moved the money";
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return `got a ${error.name}: ${error.message}`;
  } finally {
    guard.release(); // so the other one can go on
  }
}

/** Returns once the thread of that name waits for a lock. */
function untilWaiting(thread: string): void {
  const waits = () => threadDump().threads.some(({ name, waits }) => name === thread && waits[0]?.kind === "Lock");
  while (!waits()) new Event().tryWait({ timeout: 5 });
}

/** The same without a deadlock: both accounts or none, in whatever order they are named. */
export function transferSafely(from: Lock, to: Lock): string {
  const guard = acquireAll([from, to]);
  guard.release();
  return "moved the money";
}

if (isMainThread) {
  const module = import.meta.url;
  const checking = new Lock({ name: "checking" });
  const savings = new Lock({ name: "savings" });
  const bothHold = new Latch(2);

  const ann = new Thread({ target: transfer, module, args: [checking, savings, bothHold], name: "Ann" }).start();
  const bob = new Thread({ target: transfer, module, args: [savings, checking, bothHold, "Ann"], name: "Bob" }).start();
  console.log(`Ann ${ann.join()}`);
  console.log(`Bob ${bob.join()}`);

  const careful = [[checking, savings], [savings, checking]].map(([from, to]) =>
    new Thread({ target: transferSafely, module, args: [from!, to!] }).start()
  );
  for (const thread of careful) console.log(`With acquireAll() each ${thread.join()}`);
}

// Prints:
//   Ann moved the money
//   Bob got a DeadlockError: Cannot acquire Lock "checking" as this closes a circle of 2 threads, each waiting for the next:
//     Bob holds Lock "savings", waits for Lock "checking", held by Ann
//     Ann holds Lock "checking", waits for Lock "savings", held by Bob
//   With acquireAll() each moved the money
//   With acquireAll() each moved the money
