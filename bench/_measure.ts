// Time of one operation in this thread, by mitata: batches, warm-up, medians.

import { measure as mitata } from "./peers/node_modules/mitata/src/lib.mjs";
import { SHORT } from "./_report.ts";

/** Median time of one call, in nanoseconds. */
export async function measure(call: () => unknown): Promise<number> {
  const stats = await mitata(call, {
    min_cpu_time: (SHORT ? 0.02 : 0.4) * 1e9,
    batch_samples: 2 * 1024,
  }) as { p50: number };
  return stats.p50;
}
