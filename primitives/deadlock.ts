/**
 * Deadlocks: found, named, and shown.
 *
 * Detection needs no call: a thread that closes a circle of waits gets a `DeadlockError`. What is
 * here lets any thread look at the program: which circles there are, who waits for what, who holds what.
 *
 * @module
 */

import { findCircles } from "./_detect.ts";
import type { DumpData } from "./_draw.ts";
import { dotText, graphOf, mermaidText } from "./_draw.ts";
import type { Dump } from "./_dump.ts";
import { takeDump } from "./_dump.ts";
import { setTracking } from "./_held.ts";
import { memory } from "./_memory.ts";
import type { Roster } from "./_roster.ts";
import type { Cycle } from "./errors.ts";

export type { Dump, DumpHold, DumpOwner, DumpThread, DumpWait } from "./_dump.ts";
export type { DumpData } from "./_draw.ts";

/** The program's roster, with the calling thread in it. */
function rosterHere(): Roster {
  const { roster } = memory();
  roster.me; // joins it
  return roster;
}

/**
 * The closed circles of waits that exist at this moment.
 *
 * One look at the roster, without waiting: what it returns was a deadlock when it returned, never a false alarm. A
 * circle that closed in the last third of a second may be missing still, as each of its threads has to look again
 * at what it waits for first. As a rule one of them gets its `DeadlockError` before anybody sees the circle here.
 *
 * - **Cost:** a few microseconds for each thread.
 *
 * @returns The circles; in each the thread that closed it comes first, and the last one waits for the first.
 *
 * @example Nobody waits for anybody
 * ```ts
 * import { findDeadlocks } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * assert.deepEqual(findDeadlocks(), []);
 * ```
 */
export function findDeadlocks(): Cycle[] {
  return findCircles(rosterHere());
}

/**
 * Every thread of the program: its state, what it waits for and since when, and who holds that; with
 * `trackHeld(true)` also what it holds, and where in the program it took it.
 *
 * Waits of tasks (the async methods) show once they are 20 ms old. The threads go on meanwhile, so two lines of
 * a dump may be some microseconds apart.
 *
 * - **Cost:** a few microseconds for each thread.
 *
 * @returns Plain data that prints as a table.
 *
 * @example Look at the program from anywhere
 * ```ts
 * import { threadDump } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const dump = threadDump();
 * assert(dump.threads.some(({ state }) => state === "running"));
 * console.log(`${dump}`);
 * ```
 */
export function threadDump(): Dump {
  return takeDump(rosterHere());
}

/**
 * Turns on, or off, that every thread of the program notes which locks it holds and where it took them, for
 * `threadDump()`. The calling thread follows at once; the others when they next make or attach a lock, or begin to
 * wait for one. So call it before starting threads. Locks that a thread holds already when it starts to note are not shown.
 *
 * - **Cost:** while it is on, some microseconds for each lock taken; off, nothing. A thread has room for 15
 *   notes, and says how many more there are.
 *
 * @param on Whether to note them.
 * @throws {TypeError} If `on` is no boolean.
 *
 * @example See where a lock was taken
 * ```ts
 * import { Lock, threadDump, trackHeld } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * trackHeld(true);
 * const guard = new Lock({ name: "accounts" }).acquire();
 * const held = threadDump().threads.flatMap(({ holds }) => holds);
 * assert.equal(held[0]!.name, "accounts");
 * guard.release();
 * trackHeld(false);
 * ```
 */
export function trackHeld(on: boolean): void {
  if (typeof on !== "boolean") {
    throw new TypeError(`Cannot track what is held as on must be a boolean: it is ${typeof on}`);
  }
  rosterHere().setTracks(on);
  setTracking(on);
}

/**
 * Draws a dump as a Mermaid flowchart: threads, what they wait for, who holds it. Threads of a closed circle are red.
 *
 * @param dump A dump, or what `structuredClone` or `JSON` made of one.
 * @returns The text of the chart, for a ```` ```mermaid ```` block.
 * @throws {TypeError} If it is no dump.
 *
 * @example A chart of the program
 * ```ts
 * import { threadDump, toMermaid } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * assert.match(toMermaid(threadDump()), /^flowchart LR/);
 * ```
 */
export function toMermaid(dump: DumpData): string {
  const { boxes, arrows } = graphOf(dump);
  const lines = boxes.map(({ id, label, thread, circle }) => {
    const text = `"${mermaidText(label)}"`;
    return `  ${id}${thread ? `(${text})` : `[${text}]`}${circle ? ":::circle" : ""}`;
  });
  for (const { from, to, label } of arrows) lines.push(`  ${from} -->|"${mermaidText(label)}"| ${to}`);
  lines.push("  classDef circle stroke:#c00,stroke-width:3px");
  return `flowchart LR\n${lines.join("\n")}\n`;
}

/**
 * Draws a dump in the DOT language of Graphviz. Threads of a closed circle are red.
 *
 * @param dump A dump, or what `structuredClone` or `JSON` made of one.
 * @returns The text of the graph.
 * @throws {TypeError} If it is no dump.
 *
 * @example A graph of the program
 * ```ts
 * import { threadDump, toDot } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * assert.match(toDot(threadDump()), /^digraph threads/);
 * ```
 */
export function toDot(dump: DumpData): string {
  const { boxes, arrows } = graphOf(dump);
  const lines = boxes.map(({ id, label, thread, circle }) =>
    `  ${id} [label="${dotText(label)}", shape=${thread ? "ellipse" : "box"}${circle ? ", color=red" : ""}];`
  );
  for (const { from, to, label } of arrows) lines.push(`  ${from} -> ${to} [label="${dotText(label)}"];`);
  return `digraph threads {\n  rankdir=LR;\n${lines.join("\n")}\n}\n`;
}
