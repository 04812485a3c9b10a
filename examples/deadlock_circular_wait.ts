// The fourth condition, circular wait: A waits for B, B for C, C for A. The cure: give locks ranks, and take them in rising
// order. A wrong order is refused at once, on its first run and in one thread, long before it meets the other thread
// that makes it a deadlock. See docs/deadlocks.md.

import { isMainThread, Lock, LockOrderError, Thread } from "@lockstep/lockstep";

/** Takes the locks in the order given. */
export function inOrder(locks: readonly Lock[]): string {
  const held: { release(): void }[] = [];
  try {
    for (const lock of locks) held.push(lock.acquire());
    return "fine";
  } catch (error) {
    if (!(error instanceof LockOrderError)) throw error;
    return error.message;
  } finally {
    for (const guard of held.reverse()) guard.release();
  }
}

if (isMainThread) {
  const config = new Lock({ name: "config", rank: 1 });
  const cache = new Lock({ name: "cache", rank: 2 });
  const log = new Lock({ name: "log", rank: 3 });
  for (const order of [[config, cache, log], [cache, log], [log, config]]) {
    const names = order.map(({ name }) => name).join(", ");
    const thread = new Thread({ target: inOrder, module: import.meta.url, args: [order] }).start();
    console.log(`${names}: ${thread.join()}`);
  }
}

// Prints:
//   config, cache, log: fine
//   cache, log: fine
//   log, config: Cannot acquire Lock "config" of rank 1 as this thread holds Lock "log" of rank 3: take locks in order of rising rank
