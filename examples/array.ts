// A run of numbers in shared memory. Python: multiprocessing.Array.

import { isMainThread, SharedArray, Thread } from "@lockstep/lockstep";

/** Squares its part of the array, in place. */
export function square(numbers: SharedArray<"i">, from: number, to: number): void {
  for (let i = from; i < to; i++) numbers.set(i, numbers.at(i) ** 2);
}

/** Turns a shared text into upper case. */
export function shout(text: SharedArray<"c">): void {
  text.value = text.value.toUpperCase();
}

if (isMainThread) {
  const numbers = new SharedArray("i", [1, 2, 3, 4, 5, 6]);
  const threads = [[0, 3], [3, 6]].map(([from = 0, to = 0]) =>
    new Thread({ target: square, module: import.meta.url, args: [numbers, from, to] }).start()
  );
  for (const thread of threads) thread.join();
  console.log([...numbers].join(" "));
  console.log(`last: ${numbers.at(-1)}, slice: ${numbers.view.slice(1, 3).join(" ")}`);

  const zeros = new SharedArray("d", 4); // a length makes zeros
  console.log(`${zeros.length} zeros: ${[...zeros].join(" ")}`);

  const text = new SharedArray("c", "hello");
  new Thread({ target: shout, module: import.meta.url, args: [text] }).start().join();
  console.log(text.value, text.raw.length);

  try {
    numbers.at(6);
  } catch (error) {
    console.log((error as Error).name);
  }
}
