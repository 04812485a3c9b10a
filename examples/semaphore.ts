// Five threads, three seats. Python: multiprocessing.Semaphore.

import { isMainThread, Semaphore, SharedValue, Thread } from "@lockstep/lockstep";

/** Takes a seat, stays a while, and notes how many sat at the same time. */
export function sit(seats: Semaphore, sitting: SharedValue<"i">, most: SharedValue<"i">): void {
  const seat = seats.acquire();
  try {
    const now = sitting.add(1) + 1;
    most.update((value) => Math.max(value, now));
    const end = performance.now() + 30;
    while (performance.now() < end);
    sitting.sub(1);
  } finally {
    seat.release();
  }
}

if (isMainThread) {
  const seats = new Semaphore(3);
  const sitting = new SharedValue("i");
  const most = new SharedValue("i");
  const threads = Array.from(
    { length: 5 },
    () => new Thread({ target: sit, module: import.meta.url, args: [seats, sitting, most] }).start(),
  );
  for (const thread of threads) thread.join();
  console.log(`never more than three: ${most.value <= 3}`);
  console.log(`value afterwards: ${seats.value}`);

  const guards = [seats.acquire(), seats.acquire(), seats.acquire()];
  console.log(`all taken: ${seats.value}, one more: ${seats.tryAcquire()}`);
  for (const guard of guards) guard.release();
  seats.release(); // a Semaphore may grow; a BoundedSemaphore would refuse
  console.log(`with one more: ${seats.value}`);
}
