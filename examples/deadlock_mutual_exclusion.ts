// The first condition, mutual exclusion: only one thread at a time may have it. Two readers that each take two locks can
// deadlock although neither changes anything. The cure: do not exclude. Readers share an RWLock, and a counter
// that is one number needs no lock at all. See docs/deadlocks.md.

import {
  DeadlockError,
  Event,
  isMainThread,
  Latch,
  Lock,
  RWLock,
  SharedValue,
  Thread,
  threadDump,
} from "@lockstep/lockstep";

/** What both kinds of lock can do for a reader. */
function take(lock: Lock | RWLock): { release(): void } {
  return lock instanceof RWLock ? lock.read() : lock.acquire();
}

/** Returns once the thread of that name waits for a lock. */
function untilWaiting(thread: string): void {
  const waits = () => threadDump().threads.some(({ name, waits }) => name === thread && waits[0]?.kind === "Lock");
  while (!waits()) new Event().tryWait({ timeout: 5 });
}

/** Reads two tables, each under its lock, and counts that. */
export function report(
  first: Lock | RWLock,
  second: Lock | RWLock,
  bothHold: Latch,
  reports: SharedValue<"i32">,
  after?: string,
): string {
  const guard = take(first);
  try {
    bothHold.countDown();
    bothHold.wait();
    if (after !== undefined) untilWaiting(after); // or either of them might be the one that closes the circle
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
    const threads = orderings.map(([first, second], i) => {
      const after = Kind === Lock && i === 1 ? "reader-1" : undefined; // nobody waits for who reads
      const args: Parameters<typeof report> = [first, second, bothHold, reports, after];
      return new Thread({ target: report, module, args, name: `reader-${i + 1}` }).start();
    });
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
