// A dump as a graph: threads, what they wait for, and who holds it. Threads of a closed circle are marked.

import { describe } from "./_arguments.ts";
import type { Dump, DumpThread, DumpWait } from "./_dump.ts";
import { title } from "./_wait.ts";

/** The data of a dump; what structuredClone makes of one will do. */
export type DumpData = Pick<Dump, "threads">;

interface Box {
  readonly id: string;
  readonly label: string;
  readonly thread: boolean;
  readonly circle: boolean;
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** Boxes and arrows of a dump. */
export function graphOf(dump: DumpData): { readonly boxes: readonly Box[]; readonly arrows: readonly Arrow[] } {
  checkDump(dump);
  const boxes = new Map<string, Box>();
  const arrows = new Map<string, Arrow>();
  const circle = new Set(dump.threads.filter((thread) => inCircle(dump, thread)).map(({ id }) => id));
  const threadBox = (id: number, label: string): string => {
    const box = { id: `t${id}`, label, thread: true, circle: circle.has(id) };
    if (!boxes.has(box.id)) boxes.set(box.id, box);
    return box.id;
  };
  const recordBox = (record: number, kind: string, name: string): string => {
    const box = { id: `r${record}`, label: title(kind, name), thread: false, circle: false };
    if (!boxes.has(box.id)) boxes.set(box.id, box);
    return box.id;
  };
  const draw = (from: string, to: string, label: string): void => {
    arrows.set(`${from} ${to}`, { from, to, label }); // held and waited for: one arrow
  };
  for (const { id, name, state } of dump.threads) threadBox(id, `${name}, ${state}`);
  for (const { id, waits, holds } of dump.threads) {
    for (const { record, kind, name } of holds) draw(recordBox(record, kind, name), `t${id}`, "held by");
    for (const { record, kind, name, owners, ...wait } of waits) {
      if (kind === "Thread" && owners.length > 0) {
        for (const owner of owners) draw(`t${id}`, threadBox(owner.id, owner.name), "waits for the end of");
        continue;
      }
      const box = recordBox(record, kind, name);
      draw(`t${id}`, box, howOf(wait));
      for (const owner of owners) draw(box, threadBox(owner.id, owner.name), "held by");
    }
  }
  return { boxes: [...boxes.values()], arrows: [...arrows.values()] };
}

function checkDump(dump: unknown): void {
  const { threads } = Object(dump) as { readonly threads?: unknown };
  const listsBoth = (thread: unknown): boolean => {
    const { waits, holds } = Object(thread) as { readonly waits?: unknown; readonly holds?: unknown };
    return Array.isArray(waits) && Array.isArray(holds);
  };
  if (Array.isArray(threads) && threads.every(listsBoth)) return;
  throw new TypeError(`Cannot draw a dump as it must be what threadDump() returned: it is ${describe(dump)}`);
}

function howOf({ verb, timed, task }: Pick<DumpWait, "verb" | "timed" | "task">): string {
  return `waits, ${verb}()${timed ? ", timed" : ""}${task ? ", task" : ""}`;
}

function inCircle(dump: DumpData, start: DumpThread): boolean {
  const seen = new Set<number>();
  const todo = [start];
  for (let thread = todo.pop(); thread !== undefined; thread = todo.pop()) {
    for (const { owners } of thread.waits.filter(({ timed, task }) => !timed && !task)) {
      for (const { id } of owners) {
        if (id === start.id) return true;
        const next = dump.threads.find((other) => other.id === id);
        if (next === undefined || seen.has(id)) continue;
        seen.add(id);
        todo.push(next);
      }
    }
  }
  return false;
}

/** Text between the quotes of a Mermaid label. */
export function mermaidText(text: string): string {
  return text.replace(/\s|\p{Cc}/gu, " ").replace(/["#<>&`\\[\](){}|;]/g, (c) => `#${c.charCodeAt(0)};`);
}

/** Text between the quotes of a DOT label. */
export function dotText(text: string): string {
  return text.replace(/\s|\p{Cc}/gu, " ").replace(/["\\]/g, "\\$&");
}
