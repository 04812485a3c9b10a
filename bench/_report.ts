// What a benchmark reports: one line of JSON a row or finding, which bench/run.ts
// reads and draws. Ratios are the result; absolute times say what machine it was.

/** One comparison, both sides measured in this run. */
export interface Row {
  /** What is done. */
  readonly what: string;
  /** Our figure. */
  readonly ours: number;
  /** Who it is compared with. */
  readonly peer: string;
  /** The peer's figure, in the same unit. */
  readonly theirs: number;
  /** `ns`, `µs`, `ms`, `k/s`, `%`. */
  readonly unit: string;
  /** How the ratio is read: ours / theirs where less is better, or how many times as fast ours is. */
  readonly as: "times theirs" | "times as fast";
  /** The goal for the ratio: at most for "times theirs", at least for "times as fast". */
  readonly goal?: number;
}

/** The ratio of a row. */
export function ratio(row: Row): number {
  const { ours, theirs, unit } = row;
  const more = unit.endsWith("/s"); // more is better
  if (row.as === "times theirs") return more ? theirs / ours : ours / theirs;
  return more ? ours / theirs : theirs / ours;
}

/** Prints a row. */
export function report(row: Row): void {
  console.log(JSON.stringify(row));
}

/** What happened, here and elsewhere, where it is not a matter of speed. */
export interface Finding {
  /** What was done. */
  readonly what: string;
  /** What Lockstep did. */
  readonly ours: string;
  /** Whether that is right. */
  readonly right: boolean;
  /** What others did. */
  readonly others: readonly (readonly [peer: string, outcome: string])[];
}

/** Prints a finding. */
export function tell(finding: Finding): void {
  console.log(JSON.stringify(finding));
}

/** The middle one of several figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Whether this run is only to show that the benchmarks still work. */
export const SHORT: boolean = process.env.LOCKSTEP_BENCH === "short";
