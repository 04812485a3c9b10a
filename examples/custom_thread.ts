// A class of threads with fields of its own. Python: class MyThread(Thread).

import { isMainThread, Thread } from "@lockstep/lockstep";

/** Computes the sum of a range. Public fields travel to the worker; the constructor runs only here. */
export class Summer extends Thread<number> {
  from: number;
  to: number;

  constructor(from: number, to: number) {
    super({ module: import.meta.url, name: `sum of ${from} to ${to}` });
    this.from = from;
    this.to = to;
  }

  override run(): number {
    let sum = 0;
    for (let i = this.from; i <= this.to; i++) sum += i;
    return sum;
  }
}

if (isMainThread) {
  const threads = [new Summer(1, 100), new Summer(101, 1000)];
  for (const thread of threads) thread.start();
  for (const thread of threads) console.log(`${thread.name}: ${thread.join()}`);
}
