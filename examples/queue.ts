// Two producers and two consumers share a bounded queue. Python: multiprocessing.Queue.

import { currentThread, isMainThread, Queue, Thread } from "@lockstep/lockstep";

interface Dish {
  readonly name: string;
  readonly cook: string;
}

/** Puts so many dishes; waits whenever the queue is full. */
export function cook(counter: Queue<Dish>, dishes: number): void {
  for (let i = 1; i <= dishes; i++) counter.put({ name: `dish ${i}`, cook: currentThread().name });
}

/** Takes dishes until the queue is closed and empty. */
export function serve(counter: Queue<Dish>): number {
  let served = 0;
  for (const _dish of counter) {
    served++;
    counter.taskDone();
  }
  return served;
}

if (isMainThread) {
  const counter = new Queue<Dish>({ maxSize: 3, name: "counter" });

  console.log(`empty: ${counter.isEmpty}, full: ${counter.isFull}, size: ${counter.size}`);
  for (const name of ["soup", "salad", "bread"]) counter.put({ name, cook: "main" });
  console.log(`empty: ${counter.isEmpty}, full: ${counter.isFull}, size: ${counter.size}`);
  console.log(`one more at once: ${counter.tryPut({ name: "fish", cook: "main" })}`);
  console.log(`one more in 20 ms: ${counter.tryPut({ name: "fish", cook: "main" }, { timeout: 20 })}`);
  console.log(`taken at once: ${counter.tryGet()?.value.name}`);
  counter.taskDone();
  console.log(`from an empty one in 20 ms: ${new Queue().tryGet({ timeout: 20 })}`);

  const options = { module: import.meta.url };
  const waiters = [1, 2].map(() => new Thread({ target: serve, ...options, args: [counter] }).start());
  const cooks = [1, 2].map((i) =>
    new Thread({ target: cook, ...options, name: `cook ${i}`, args: [counter, 50] }).start()
  );
  for (const thread of cooks) thread.join();
  counter.join(); // every dish was served
  counter.close();
  const served = waiters.map((thread) => thread.join());
  console.log(`served ${served.reduce((a, b) => a + b)} dishes`);
  console.log(String(counter));
}
