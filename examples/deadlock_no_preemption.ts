// The third condition, no preemption: nobody can take from a thread what it holds. The cure: whoever waits too long lets
// go by itself, and tries again a little later. See docs/deadlocks.md.

import { Event, isMainThread, Latch, Lock, Thread } from "@lockstep/lockstep";

/** Needs both forks; gives the first one back when the second cannot be had soon. */
export function eat(first: Lock, second: Lock, bothHold: Latch, patience: number): string {
  let retreats = 0;
  for (;; retreats++) {
    const one = first.acquire();
    if (retreats === 0) {
      bothHold.countDown();
      bothHold.wait();
    }
    const other = second.tryAcquire({ timeout: patience });
    if (other !== undefined) {
      other.release();
      one.release();
      return retreats === 0 ? "ate at once" : "let go, came back, and ate";
    }
    one.release();
    new Event().tryWait({ timeout: 20 + 20 * Math.random() }); // not in step with the other one
  }
}

if (isMainThread) {
  const [left, right] = [new Lock({ name: "left fork" }), new Lock({ name: "right fork" })];
  const bothHold = new Latch(2);
  const module = import.meta.url;
  const patient = new Thread({ target: eat, module, args: [left, right, bothHold, 2000], name: "patient" }).start();
  const hasty = new Thread({ target: eat, module, args: [right, left, bothHold, 50], name: "hasty" }).start();
  console.log(`The patient one ${patient.join()}`);
  console.log(`The hasty one ${hasty.join()}`);
}

// Prints:
//   The patient one ate at once
//   The hasty one let go, came back, and ate
