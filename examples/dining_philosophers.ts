// Dining philosophers: a fork between each two, both needed to eat. Each variant but the first breaks one of the four
// conditions. See docs/deadlocks.md.

import { acquireAll, DeadlockError, isMainThread, Latch, Lock, Thread } from "@lockstep/lockstep";

type Variant = "naive" | "ranked" | "acquireAll" | "back-off";

/** Eats, many times; returns how often a deadlock kept it from that. */
export function dine(left: Lock, right: Lock, variant: Variant, meals: number, seated: Latch): number {
  let deadlocks = 0;
  for (let meal = 0; meal < meals;) {
    try {
      if (eat(left, right, variant, meal + deadlocks === 0 ? seated : undefined)) meal++;
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error;
      deadlocks++; // its left fork is back on the table, so a neighbour eats
    }
  }
  return deadlocks;
}

function eat(left: Lock, right: Lock, variant: Variant, seated: Latch | undefined): boolean {
  if (variant === "acquireAll") {
    acquireAll([left, right]).release();
    return true;
  }
  return left.withLock(() => {
    if (variant === "naive") {
      seated?.countDown();
      seated?.wait(); // at first everybody has the left fork in hand
    }
    const other = variant === "back-off" ? right.tryAcquire({ timeout: 5 * Math.random() }) : right.acquire();
    other?.release();
    return other !== undefined;
  });
}

if (isMainThread) {
  const seats = 5;
  for (const variant of ["naive", "ranked", "acquireAll", "back-off"] as const) {
    const forks = Array.from({ length: seats }, (_, i) => {
      return new Lock({ name: `fork ${i + 1}`, ...(variant === "ranked" ? { rank: i } : {}) });
    });
    const seated = new Latch(seats);
    const threads = forks.map((fork, i) => {
      const next = forks[(i + 1) % seats]!;
      // Ranked: the last one reaches for the lower fork first, like everybody else.
      const [left, right] = variant === "ranked" && i === seats - 1 ? [next, fork] : [fork, next];
      return new Thread({ target: dine, module: import.meta.url, args: [left, right, variant, 20, seated] }).start();
    });
    const deadlocks = threads.map((thread) => thread.join()).reduce((sum, n) => sum + n, 0);
    console.log(
      `${variant}: everybody had 20 meals, ${deadlocks === 0 ? "no deadlocks" : "deadlocks found and broken"}`,
    );
  }
}

// Prints:
//   naive: everybody had 20 meals, deadlocks found and broken
//   ranked: everybody had 20 meals, no deadlocks
//   acquireAll: everybody had 20 meals, no deadlocks
//   back-off: everybody had 20 meals, no deadlocks
