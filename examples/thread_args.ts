// Several threads with arguments of their own. Python: Thread(args=…, kwargs=…).

import { isMainThread, Thread } from "@lockstep/lockstep";

/** Options stand for Python's keyword arguments; their types are checked where the thread is made. */
export function sleeper(seconds: number, { name, times = 1 }: { name: string; times?: number }): string {
  const end = performance.now() + seconds * 1000 * times;
  while (performance.now() < end);
  return `${name} slept ${times} times ${seconds} s`;
}

if (isMainThread) {
  const threads = ["Alex", "Levi", "Tom"].map((name, i) =>
    new Thread({ target: sleeper, module: import.meta.url, args: [0.01, { name, times: i + 1 }] }).start()
  );
  for (const thread of threads) console.log(thread.join());
}
