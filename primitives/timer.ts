/**
 * Timer: a thread that waits before it begins.
 *
 * @module
 */

import { describe, optionsObject } from "./_arguments.ts";
import { keepName } from "./_inspect.ts";
import { CANCELLED } from "./_thread_record.ts";
import type { Handle } from "./_handle.ts";
import { ThreadCore } from "./_thread_core.ts";
import type { SubclassOptions, ThreadOptions } from "./thread.ts";
import { faceAs, Thread, threadCore, timerFace } from "./thread.ts";

/** What a Timer is made from: what any thread is, and how long it waits. */
export type TimerOptions<R, A extends readonly unknown[]> = ThreadOptions<R, A> & {
  /** How long it waits before it calls the target, in milliseconds. */
  interval: number;
};

/**
 * A thread that waits for `interval` ms and then calls its target; `cancel()` ends it before that.
 *
 * @example Cancelled in time
 * ```ts
 * import { Timer } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const module = "data:text/javascript,export const ring = () => 'ring'";
 * const { ring }: { ring: () => string } = await import(module);
 * const timer = new Timer({ interval: 60_000, target: ring, module }).start();
 * timer.cancel();
 * assert.equal(await timer.joinAsync(), undefined);
 * ```
 */
export class Timer<R = unknown, A extends readonly unknown[] = readonly []> extends Thread<R | undefined, A> {
  /**
   * Makes a timer; `start()` starts it.
   *
   * @param options The interval, and what it calls with what.
   * @throws {RangeError} If the interval is negative or NaN.
   * @throws {TypeError} If the interval is no number.
   * @throws All that the constructor of `Thread` throws.
   */
  constructor(options: TimerOptions<R, A>) {
    const { interval } = optionsObject<{ interval: unknown }>(options);
    if (typeof interval !== "number") {
      throw new TypeError(
        `Cannot make a timer as interval must be a number of milliseconds: it is ${describe(interval)}`,
      );
    }
    if (!(interval >= 0)) {
      throw new RangeError(`Cannot make a timer as interval must be 0 or more milliseconds: it is ${interval}`);
    }
    super(options as unknown as SubclassOptions);
  }

  /**
   * The timer that a handle stands for, to be joined and cancelled from anywhere.
   *
   * @throws {LayoutError} If it is no handle of a Timer, or damaged.
   */
  static override attach<R = unknown>(handle: Handle): Thread<R> & Pick<Timer, "cancel"> {
    return faceAs(Timer, ThreadCore.attach(handle, true)) as Thread<R> & Timer;
  }

  /**
   * Ends it at once without calling the target, unless it has called it already. Works before `start()` too.
   *
   * @example Before it is started
   * ```ts
   * import { Timer } from "@lockstep/lockstep";
   * const module = "data:text/javascript,export const ring = () => 'ring'";
   * const { ring }: { ring: () => string } = await import(module);
   * const timer = new Timer({ interval: 1, target: ring, module });
   * timer.cancel();
   * ```
   */
  cancel(): void {
    threadCore(this).record.settleTimer(CANCELLED);
  }
}
timerFace.of = (core) => faceAs(Timer, core);
keepName(Timer, "Timer");
