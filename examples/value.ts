// One number in shared memory, changed by several threads. Python: multiprocessing.Value.

import { isMainThread, SharedValue, Thread } from "@lockstep/lockstep";

/** Each `add` is one atomic step: no other thread comes between. */
export function earn(money: SharedValue<"i">, times: number): void {
  for (let i = 0; i < times; i++) money.add(3);
}

/** A step of several operations takes the value's own lock. */
export function spend(money: SharedValue<"i">, times: number): void {
  for (let i = 0; i < times; i++) money.update((value) => value - 2);
}

if (isMainThread) {
  const money = new SharedValue("i", 5000);
  const threads = [earn, spend].map((target) =>
    new Thread({ target, module: import.meta.url, args: [money, 1000] }).start()
  );
  for (const thread of threads) thread.join();
  console.log(`money: ${money.value}`);

  // Python's type codes, and names of one's own.
  const ratio = new SharedValue("f", 0.5);
  const letter = new SharedValue("c", "a");
  const big = new SharedValue("u64", 2n ** 63n);
  letter.value = "b";
  console.log(ratio.value, letter.value, big.value);

  // Integers wrap as their C type does; what is no integer is refused.
  const small = new SharedValue("u8", 250);
  small.add(10);
  console.log(`250 + 10 in a u8: ${small.value}`);
  try {
    small.value = 1.5;
  } catch (error) {
    console.log((error as Error).name);
  }
}
