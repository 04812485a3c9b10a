// Two values that must change together. Python: threading.Lock, with lock.

import { isMainThread, Lock, SharedArray, Thread } from "@lockstep/lockstep";

/** Changes both numbers a thousand times, always under the lock. */
export function change(lock: Lock, pair: SharedArray<"i">): void {
  for (let i = 0; i < 1000; i++) {
    using _guard = lock.acquire(); // released at the end of the block, also when it throws
    pair.set(0, pair.at(0) + 1);
    pair.set(1, pair.at(1) + 1);
  }
}

/** Looks at both, and counts how often they differ: never, under the lock. */
export function compare(lock: Lock, pair: SharedArray<"i">): number {
  let different = 0;
  for (let i = 0; i < 1000; i++) {
    const guard = lock.acquire(); // the same, for engines without `using`
    try {
      if (pair.at(0) !== pair.at(1)) different++;
    } finally {
      guard.release();
    }
  }
  return different;
}

if (isMainThread) {
  const lock = new Lock({ name: "pair" });
  const pair = new SharedArray("i", 2);
  const changer = new Thread({ target: change, module: import.meta.url, args: [lock, pair] }).start();
  const comparer = new Thread({ target: compare, module: import.meta.url, args: [lock, pair] }).start();
  changer.join();
  console.log(`different: ${comparer.join()} times`);
  console.log(`pair: ${[...pair].join(" ")}`);
  console.log(String(lock));
}
