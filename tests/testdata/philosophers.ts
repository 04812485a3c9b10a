// Dining philosophers, each a thread, in four variants.

import { acquireAll, DeadlockError, type Latch, type Lock, type SharedArray } from "../../mod.ts";
import { Prng } from "../_prng.ts";
import { clock } from "./death_threads.ts";

/** How they pick up their forks. */
export type Variant = "naive" | "ranked" | "all" | "back-off";

/** One evening of a philosopher: its forks, and how it eats with them. */
export interface Course {
  readonly left: Lock;
  readonly right: Lock;
  readonly variant: Variant;
  readonly meals: number;
  /** With latches, two for each meal, all hold their left forks at first. */
  readonly met: readonly Latch[];
  /** When each of them last began to wait for its second fork: the time of day in ms, the same for all threads. */
  readonly began: SharedArray<"f64">;
}

/** What one philosopher has to tell of a course. */
export interface Diary {
  readonly meals: number;
  /** How often it was told that a circle had closed. */
  readonly deadlocks: number;
  /** How often it put a fork back unused. */
  readonly retreats: number;
  /** The longest it waited for a meal, in ms. */
  readonly hunger: number;
  /** The longest from the closing of a circle to the error, in ms. */
  readonly slowest: number;
}

const still = new Int32Array(new SharedArrayBuffer(4));

function sleep(ms: number): void {
  Atomics.wait(still, 0, 0, ms);
}

/**
 * Eats one course after the other, and leaves the table with the others: an engine that takes a thread down holds up all
 * threads of the process, for seconds when there are many, wherever they are.
 */
export function dine(courses: readonly Course[], seat: number, seed: number, rise: Latch): Diary[] {
  const prng = new Prng(seed);
  const diaries = courses.map((course) => eat(course, seat, prng));
  rise.countDown();
  rise.wait();
  return diaries;
}

function eat({ left, right, variant, meals, met, began }: Course, seat: number, prng: Prng): Diary {
  let deadlocks = 0;
  let retreats = 0;
  let hunger = 0;
  let slowest = 0;
  for (let meal = 0; meal < meals; meal++) {
    const start = performance.now();
    const gate = met[2 * meal];
    for (let tries = 0;; tries++) {
      const guard = pickUp(tries === 0 ? gate : undefined);
      if (guard !== undefined) {
        guard.release();
        break;
      }
    }
    hunger = Math.max(hunger, performance.now() - start);
    met[2 * meal + 1]?.countDown(); // nobody sits down again before all have eaten
    met[2 * meal + 1]?.wait();
  }
  return { meals, deadlocks, retreats, hunger, slowest };

  function pickUp(gate: Latch | undefined): { release(): void } | undefined {
    if (variant === "all") return acquireAll([left, right]);
    const first = left.acquire();
    gate?.countDown();
    gate?.wait();
    began.set(seat, clock());
    try {
      const second = variant === "back-off" ? right.tryAcquire({ timeout: 2 + prng.below(4) }) : right.acquire();
      if (second !== undefined) {
        return {
          release() {
            second.release();
            first.release();
          },
        };
      }
      retreats++;
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error;
      deadlocks++;
      slowest = Math.max(slowest, clock() - Math.max(...began)); // all of them are in it
    }
    first.release();
    sleep(prng.below(5));
    return undefined;
  }
}
