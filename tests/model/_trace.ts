/**
 * Schedules as strings, and as stories for people.
 *
 * `1*12 2*3 1t 1*4` is twelve steps of thread 1, three of thread 2, a time-out of thread 1, and so on; see _moves.ts.
 *
 * @module
 */

import { make } from "./_explore.ts";
import type { Move, System } from "./_moves.ts";
import type { State } from "./_state.ts";

/** A longer story is told without its middle. */
const MOST_LINES = 200;

/** A schedule as a string. */
export function encode(path: readonly Move[]): string {
  const runs: { text: string; count: number }[] = [];
  for (const { what, thread } of path) {
    const text = what === "c" ? "c" : `${thread + 1}${what}`;
    const last = runs[runs.length - 1];
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  return runs.map(({ text, count }) => count === 1 ? text : `${text}*${count}`).join(" ");
}

/** The schedule that a string stands for. */
export function decode(trace: string): Move[] {
  return trace.trim().split(/\s+/).filter((run) => run !== "").flatMap((run) => {
    const match = /^(?:c|(\d+)([twxa]?))(?:\*(\d+))?$/.exec(run);
    if (match === null) throw new TypeError(`Cannot replay the trace as it holds something unknown: ${run}`);
    const [, thread, what, count = "1"] = match;
    const move: Move = thread === undefined
      ? { what: "c", thread: 0 }
      : { what: what as Move["what"], thread: Number(thread) - 1 };
    return Array.from({ length: Number(count) }, () => move);
  });
}

/** Replays a schedule and tells it, one line a step, each thread in its own column. */
export async function tell(system: System, root: State, path: readonly Move[]): Promise<string> {
  const lines: string[] = [];
  let state = root;
  for (const [i, move] of path.entries()) {
    const texts: string[] = [];
    state = await make(system, state, move, (text) => texts.push(text));
    const name = move.what === "c" ? "" : system.trees[move.thread]!.program.name;
    for (const text of texts.length > 0 ? texts : [""]) {
      lines.push(`${String(i + 1).padStart(4)} ${"      ".repeat(move.thread)}${name.padEnd(3)} ${text}`);
    }
  }
  if (lines.length > MOST_LINES) lines.splice(MOST_LINES >> 1, lines.length - MOST_LINES, "   …");
  return lines.join("\n");
}
