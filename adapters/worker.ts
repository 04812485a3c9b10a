/**
 * serve: functions of a worker of your own, for threads. For code that a bundler turns into one file, where no module
 * can be imported by its URL.
 *
 * @example The worker's file, `my_worker.ts`
 * ```ts ignore
 * import { serve } from "@lockstep/lockstep/worker";
 * serve({ add: (a: number, b: number) => a + b });
 * ```
 *
 * @example The page's
 * ```ts ignore
 * import { Thread } from "@lockstep/lockstep";
 * const worker = () => new Worker(new URL("./my_worker.ts", import.meta.url), { type: "module" });
 * const sum = await new Thread<number, [number, number]>({ worker, target: "add", args: [3, 4] }).start().joinAsync();
 * ```
 *
 * @module
 */

import "./detect.ts";
import { beginWhenGreeted } from "./_begin.ts";
import { keepForHearing } from "./_maker.ts";
import { starter } from "./_port.ts";
import { served } from "../primitives/_thread_run.ts";
import "../primitives/mod.ts"; // every class that an argument may hold

if (starter.port === undefined) keepForHearing(); // no thread yet

let begun = false;

/**
 * Gives functions to the thread that was started on this worker's file, which calls the one named by its `target`.
 * To be called as the file is loaded, once or more often; the thread begins when it has returned to its event loop.
 * It may be called after an `await`, if this module is imported without one; until it is, the thread's state is "starting".
 *
 * @param targets The functions, by name.
 *
 * @example Two functions
 * ```ts
 * import { serve } from "@lockstep/lockstep/worker";
 * serve({ add: (a: number, b: number) => a + b, negate: (a: number) => -a });
 * ```
 */
export function serve(targets: Readonly<Record<string, (...args: any[]) => unknown>>): void {
  for (const [name, target] of Object.entries(targets)) served.set(name, target);
  if (begun) return;
  begun = true;
  beginWhenGreeted();
}
