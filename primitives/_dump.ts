// What dumps are made of: the roster as one picture, and the picture as a table.

import { timeOfDay } from "./_deadline.ts";
import { inspectable } from "./_inspect.ts";
import { kindName } from "./_layout.ts";
import { AWAITED, HELD_BY_TASK, notesOf } from "./_notes.ts";
import type { Roster, ThreadEntry } from "./_roster.ts";
import { DAEMON_BIT, MAIN_BIT, STARTING, STOPPING } from "./_roster_record.ts";
import { waitOf } from "./_roster_waits.ts";
import { title } from "./_wait.ts";

/** One thread that another one waits for. */
export interface DumpOwner {
  /** The thread's id. */
  readonly id: number;
  /** The thread's name. */
  readonly name: string;
}

/** What a thread, or one of its tasks, waits for. */
export interface DumpWait {
  /** The class of what it waits for: `"Lock"`, `"Queue"`, `"Thread"` … */
  readonly kind: string;
  /** Its name, `""` for none. */
  readonly name: string;
  /** A number that tells it from others of the same name. */
  readonly record: number;
  /** The method that waits: `"acquire"`, `"get"`, `"join"` … */
  readonly verb: string;
  /** How long it has waited, in ms. */
  readonly elapsed: number;
  /** Whether the wait has a time limit. */
  readonly timed: boolean;
  /** Whether a task waits, without blocking the thread. */
  readonly task: boolean;
  /** The threads that it waits for; empty where nobody in particular can end the wait. */
  readonly owners: readonly DumpOwner[];
}

/** What a thread, or one of its tasks, holds; known only while `trackHeld(true)`. */
export interface DumpHold {
  /** The class of what it holds: `"Lock"`, `"RWLock"` … */
  readonly kind: string;
  /** Its name, `""` for none. */
  readonly name: string;
  /** A number that tells it from others of the same name. */
  readonly record: number;
  /** Where in the program it was taken: function, file, line and column; `""` where that is not known. */
  readonly place: string;
  /** For how long it has been held, in ms. */
  readonly elapsed: number;
  /** Whether a task holds it. */
  readonly task: boolean;
}

/** One thread of a dump. */
export interface DumpThread {
  /** The thread's id. */
  readonly id: number;
  /** The thread's name. */
  readonly name: string;
  /** What it is doing; `"blocked"` stands for a running thread in a blocking wait. */
  readonly state: "starting" | "running" | "blocked" | "stopping";
  /** Whether it is the program's first thread. */
  readonly main: boolean;
  /** Whether the program does not wait for it to end. */
  readonly daemon: boolean;
  /** What it waits for; first the wait that blocks it, if there is one, then waits of its tasks older than 20 ms. */
  readonly waits: readonly DumpWait[];
  /** What it holds. */
  readonly holds: readonly DumpHold[];
  /** How many waits of tasks and holds are left out, as a thread has room for only 15 of them. */
  readonly more: number;
}

/**
 * The threads of the program at one moment. Printing it shows a table; `structuredClone`
 * and `postMessage` carry its data.
 */
export interface Dump {
  /** When it was taken, in ms since 1970. */
  readonly time: number;
  /** Whether what threads hold was being tracked. */
  readonly tracked: boolean;
  /** Every thread that is alive, in no special order. */
  readonly threads: readonly DumpThread[];
  /** The dump as a table. */
  toString(): string;
}

class ThreadDump implements Dump {
  readonly time: number = timeOfDay();
  readonly tracked: boolean;
  readonly threads: readonly DumpThread[];

  constructor(roster: Roster) {
    this.tracked = roster.tracks;
    this.threads = roster.list().map((entry) => threadOf(roster, entry));
  }

  toString(): string {
    return tableOf(this);
  }
}
inspectable(ThreadDump.prototype);

/** A dump of the roster's threads. */
export function takeDump(roster: Roster): Dump {
  return new ThreadDump(roster);
}

function threadOf(roster: Roster, { id, name, state, flags }: ThreadEntry): DumpThread {
  const published = waitOf(roster, id);
  const wait = published?.looked === true ? published : undefined; // before that it runs: it does not know for whom it waits
  const ownersOf = (ids: readonly number[]): DumpOwner[] => ids.map((id) => ({ id, name: roster.name(id) }));
  const waits: DumpWait[] = [];
  if (wait !== undefined) {
    const { name, key: record, verb, elapsed, untimed, owners } = wait;
    const kind = kindName(wait.kind);
    waits.push({ kind, name, record, verb, elapsed, timed: !untimed, task: false, owners: ownersOf(owners) });
  }
  const { notes, more } = notesOf(roster, id);
  const holds: DumpHold[] = [];
  for (const { type, kind, name, key: record, place, elapsed, owner, verb, timed } of notes) {
    if (type === AWAITED) {
      const owners = ownersOf(owner === 0 ? [] : [owner]);
      waits.push({ kind, name, record, verb, elapsed, timed, task: true, owners });
    } else {
      holds.push({ kind, name, record, place, elapsed, task: type === HELD_BY_TASK });
    }
  }
  return {
    id,
    name,
    state: state === STARTING
      ? "starting"
      : state === STOPPING
      ? "stopping"
      : wait === undefined
      ? "running"
      : "blocked",
    main: (flags & MAIN_BIT) !== 0,
    daemon: (flags & DAEMON_BIT) !== 0,
    waits,
    holds,
    more,
  };
}

/** The data of a dump as a table, one line for each thread and for each thing it waits for or holds. */
function tableOf(dump: Pick<Dump, "threads" | "tracked">): string {
  const rows: string[][] = [["thread", "state", "", "what", "since", "by"]];
  for (const { name, state, daemon, waits, holds, more } of dump.threads) {
    const lines: string[][] = [];
    for (const wait of waits) {
      const by = wait.owners.map((owner) => printable(owner.name)).join(", ");
      const how = (wait.task ? " (task)" : "") + (wait.timed ? " (timed)" : "");
      const what = `${title(wait.kind, wait.name)} ${wait.verb}()${how}`;
      lines.push(["waits for", what, ago(wait.elapsed), by === "" || wait.kind === "Thread" ? "" : `held by ${by}`]);
    }
    for (const hold of holds) {
      const place = hold.place === "" ? "" : `at ${hold.place}`;
      lines.push(["holds", title(hold.kind, hold.name) + (hold.task ? " (task)" : ""), ago(hold.elapsed), place]);
    }
    if (more > 0) lines.push(["", `and ${more} more`, "", ""]);
    if (lines.length === 0) lines.push(["", "", "", ""]);
    lines.forEach((line, i) => {
      rows.push(i > 0 ? ["", "", ...line] : [printable(name), daemon ? `${state}, daemon` : state, ...line]);
    });
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd()).join("\n");
}

/** A name on one line, whatever stands in it. */
export function printable(name: string): string {
  return /^[\x20-\x7e\u00a0-\u{10ffff}]*$/u.test(name) ? name : JSON.stringify(name);
}

function ago(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
