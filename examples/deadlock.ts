// Two threads, two locks, opposite order: where Python hangs for ever, one thread is told, and the other goes on.
// Then the cure: ask for both at once. See docs/deadlocks.md.

import { acquireAll, DeadlockError, Event, isMainThread, Latch, Lock, Thread } from "@lockstep/lockstep";

/** Takes one account, and when the other thread has taken one too, the other account. */
export function transfer(from: Lock, to: Lock, bothHold: Latch, pause: number): string {
  const guard = from.acquire();
  try {
    bothHold.countDown();
    bothHold.wait();
    new Event().tryWait({ timeout: pause });
    to.acquire().release();
    return "moved the money";
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return `got a ${error.name}: ${error.message}`;
  } finally {
    guard.release(); // so the other one can go on
  }
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

  const ann = new Thread({ target: transfer, module, args: [checking, savings, bothHold, 0], name: "Ann" }).start();
  const bob = new Thread({ target: transfer, module, args: [savings, checking, bothHold, 50], name: "Bob" }).start();
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
