// The first condition, mutual exclusion: only one thread at a time may have it. Two readers that each take two locks can
// deadlock although neither changes anything. The cure: do not exclude. Readers share an RWLock, and a counter
// that is one number needs no lock at all. See docs/deadlocks.md.

import { DeadlockError, Event, isMainThread, Latch, Lock, RWLock, SharedValue, Thread } from "@lockstep/lockstep";

/** What both kinds of lock can do for a reader. */
function take(lock: Lock | RWLock): { release(): void } {
  return lock instanceof RWLock ? lock.read() : lock.acquire();
}

/** Reads two tables, each under its lock, and counts that. */
export function report(
  first: Lock | RWLock,
  second: Lock | RWLock,
  bothHold: Latch,
  pause: number,
  reports: SharedValue<"i32">,
): string {
  const guard = take(first);
  try {
    bothHold.countDown();
    bothHold.wait();
    new Event().tryWait({ timeout: pause });
    take(second).release();
    reports.add(1); // one atomic step: nothing to exclude anybody from
    return "has read both tables";
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return "closed a circle: " + error.cycle.map(({ threadName }) => threadName).join(" waits for ");
  } finally {
    guard.release();
  }
}

if (isMainThread) {
  const module = import.meta.url;
  for (const Kind of [Lock, RWLock]) {
    const [users, orders] = [new Kind({ name: "users" }), new Kind({ name: "orders" })];
    const bothHold = new Latch(2);
    const reports = new SharedValue("i32", 0);
    const orderings: [Lock | RWLock, Lock | RWLock][] = [[users, orders], [orders, users]];
    const threads = orderings.map(([first, second], i) =>
      new Thread({ target: report, module, args: [first, second, bothHold, 50 * i, reports], name: `reader-${i + 1}` })
        .start()
    );
    for (const thread of threads) console.log(`${Kind.name}: ${thread.name} ${thread.join()}`);
    console.log(`${Kind.name}: ${reports.value} of 2 reports`);
  }
}

// Prints:
//   Lock: reader-1 has read both tables
//   Lock: reader-2 closed a circle: reader-2 waits for reader-1
//   Lock: 1 of 2 reports
//   RWLock: reader-1 has read both tables
//   RWLock: reader-2 has read both tables
//   RWLock: 2 of 2 reports
