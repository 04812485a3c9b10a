// The other process: does its task on the primitives whose packed handles come in,
// and says on standard output how far it is, a word a line.

import { Barrier, Condition, Event, Lock, Queue, Semaphore } from "../../primitives/mod.ts";
import { openSegment, say, unpack } from "./memory.ts";

const [path = "", task = "", ...packed] = Deno.args;
const buffer = openSegment(path, false);
const handle = (index: number) => unpack(packed[index]!, buffer);
const words = (index: number) => new Int32Array(buffer, Number(packed[index]), 16);

/** What a child can be told to do; the arguments are packed handles and offsets. */
const tasks: Record<string, () => void> = {
  /** lock, counter, rounds */
  count() {
    const lock = Lock.attach(handle(0));
    const counter = words(1);
    say("ready");
    for (let i = 0; i < Number(packed[2]); i++) {
      const guard = lock.acquire();
      counter[0]! += 1;
      guard.release();
    }
  },
  /** lock */
  hold() {
    Lock.attach(handle(0)).acquire();
    say("held");
    new Event().wait();
  },
  /** semaphore */
  permit() {
    Semaphore.attach(handle(0)).acquire();
    say("held");
    new Event().wait();
  },
  /** semaphore, counters { inside, most, turns }, rounds */
  bounded() {
    const semaphore = Semaphore.attach(handle(0));
    const counters = words(1);
    say("ready");
    for (let i = 0; i < Number(packed[2]); i++) {
      const guard = semaphore.acquire();
      const inside = Atomics.add(counters, 0, 1) + 1;
      if (inside > Atomics.load(counters, 1)) Atomics.store(counters, 1, inside);
      Atomics.add(counters, 2, 1);
      Atomics.sub(counters, 0, 1);
      guard.release();
    }
  },
  /** event of ours, event of theirs, rounds */
  turns() {
    const [mine, theirs] = [Event.attach(handle(0)), Event.attach(handle(1))];
    say("ready");
    for (let i = 0; i < Number(packed[2]); i++) {
      mine.wait();
      mine.clear();
      theirs.set();
    }
  },
  /** condition, word { turn }, rounds */
  condition() {
    const turn = Condition.attach(handle(0));
    const word = words(1);
    say("ready");
    for (let i = 0; i < Number(packed[2]); i++) {
      const guard = turn.acquire();
      turn.waitFor(() => word[0] === 1);
      word[0] = 0;
      turn.notify();
      guard.release();
    }
  },
  /** barrier, counters, rounds */
  barrier() {
    const barrier = Barrier.attach(handle(0));
    const counters = words(1);
    say("ready");
    for (let i = 0; i < Number(packed[2]); i++) {
      Atomics.add(counters, 0, 1);
      Atomics.add(counters, 1, barrier.wait());
    }
  },
  /** barrier */
  party() {
    const barrier = Barrier.attach(handle(0));
    say("ready");
    barrier.wait();
  },
  /** jobs, results */
  square() {
    const [jobs, results] = [Queue.attach(handle(0)), Queue.attach(handle(1))] as Queue<unknown>[];
    say("ready");
    for (const job of jobs!) results!.put({ of: job, square: (job as { n: number }).n ** 2 });
    results!.close();
  },
};

tasks[task]!();
say("done");
