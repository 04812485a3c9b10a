// What the threads of this agent hold: ranks, checked before anything can hang,
// and, only while the program tracks its holds, a note of each one for dumps.

import { agent } from "./_agent.ts";
import { recordKey } from "./_layout.ts";
import type { Notable } from "./_notes.ts";
import { HELD, HELD_BY_TASK, note, unnote } from "./_notes.ts";
import type { Roster } from "./_roster.ts";
import { title } from "./_wait.ts";
import { LockOrderError } from "./errors.ts";

/** Something held that has a rank or is tracked. */
export interface Holdable extends Notable {
  readonly rank: number | undefined;
  /** The method that takes it, for messages: `acquire` unless told. */
  readonly verb?: string;
  /** Whether that hold of this agent still stands. */
  holds(serial: number): boolean;
}

interface Hold {
  readonly what: Holdable;
  readonly serial: number;
  readonly task: boolean;
  /** Its note for dumps; undefined while holds are not tracked. */
  note: number | undefined;
}

/** Whether holds may have to be noted, also of locks without a rank: those of some roster are. */
export let tracking = false;
/** The rosters of which this agent notes its holds. */
const tracked = new Set<Roster>();

/** Follows those of this agent's rosters that say so, as one has just been told to. */
export function setTracking(on: boolean): void {
  for (const roster of agent.rosters.values() as Iterable<Roster>) if (roster.tracks === on) followTracking(roster);
}

/** Does as the roster's program does: called where something slow happens anyway. */
export function followTracking(roster: Roster): void {
  const on = roster.tracks;
  if ((on || tracking) && on !== tracked.has(roster)) follow(roster, on);
}

function follow(roster: Roster, on: boolean): void {
  if (on) tracked.add(roster);
  else tracked.delete(roster);
  tracking = tracked.size !== 0;
  const holds = agent.ranked as Hold[];
  for (let i = holds.length - 1; i >= 0; i--) {
    const hold = holds[i]!;
    if (hold.what.roster !== roster) continue;
    if (on) hold.note = noteOf(hold.what, hold.task, ""); // where it was taken is not known any more
    else drop(hold);
    if (!on && hold.what.rank === undefined) holds.splice(i, 1);
  }
}

/**
 * Throws LockOrderError when this thread holds something of that rank or a higher one. A call that blocks
 * the thread is checked against all that the thread and its tasks hold. An async one is checked only against what the
 * thread itself holds: which task asks cannot be told, and another task's holds are none of its concern. What the thread
 * takes once more, and therefore need not wait for, is fine in any order.
 */
export function checkRank(what: Holdable, task: boolean): void {
  const { rank } = what;
  if (rank === undefined) return;
  let higher: Holdable | undefined;
  for (const hold of agent.ranked as Hold[]) {
    const held = hold.what;
    if (held.rank === undefined || held.rank < rank || (task && hold.task) || !held.holds(hold.serial)) continue;
    if (sameRecord(held, what)) {
      if (!task && !hold.task && nests(held, what)) return;
    } else if (!agent.together.includes(recordKey(held.words))) higher ??= held;
  }
  if (higher === undefined) return;
  const wanted = title(what.kind, what.name);
  const other = title(higher.kind, higher.name);
  throw new LockOrderError(
    `Cannot ${verbOf(what)} ${wanted} of rank ${rank} as this thread holds ${other} of rank ${higher.rank}: ` +
      "take locks in order of rising rank",
    { held: other, wanted },
  );
}

/** Whether the thread that holds it takes it once more without waiting: an RLock, or an RWLock that it reads, to read. */
function nests(held: Holdable, what: Holdable): boolean {
  return what.kind === "RLock" || (held.verb === "read" && what.verb === "read");
}

/** Notes a hold of this agent. */
export function noteHold(what: Holdable, serial: number, task: boolean): void {
  const notes = tracking && tracked.has(what.roster);
  if (!notes && what.rank === undefined) return;
  sweepHolds();
  const noted = notes ? noteOf(what, task, callerPlace()) : undefined;
  (agent.ranked as Hold[]).push({ what, serial, task, note: noted });
}

/** A hold of this agent has ended. */
export function forgetHold(what: Holdable): void {
  const holds = agent.ranked as Hold[];
  for (let i = holds.length - 1; i >= 0; i--) {
    const hold = holds[i]!;
    if (hold.what !== what && hold.what.holds(hold.serial)) continue;
    drop(hold);
    holds.splice(i, 1);
  }
}

/** Drops holds that somebody else has ended, so that the list stays short and dumps true. */
export function sweepHolds(): void {
  const holds = agent.ranked as Hold[];
  for (let i = holds.length - 1; i >= 0; i--) {
    const hold = holds[i]!;
    if (hold.what.holds(hold.serial)) continue;
    drop(hold);
    holds.splice(i, 1);
  }
}

function noteOf(what: Holdable, task: boolean, place: string): number {
  return note(task ? HELD_BY_TASK : HELD, what, place);
}

function drop(hold: Hold): void {
  if (hold.note !== undefined) unnote(hold.what.roster, hold.note);
  hold.note = undefined;
}

function sameRecord(one: Holdable, other: Holdable): boolean {
  return one === other || recordKey(one.words) === recordKey(other.words);
}

function verbOf(what: Holdable): string {
  return what.verb ?? "acquire";
}

const OWN_URL: string = import.meta.url ?? ""; // none where a bundler has made a script of it
const HERE = OWN_URL.slice(0, OWN_URL.lastIndexOf("/") + 1);
/** The same as a path: in Bun's stacks files are no URLs. */
const HERE_PATH = HERE.startsWith("file:") ? decodeURI(HERE.replace(/^file:\/\/(?:\/(?=\w:))?/, "")) : HERE;

/** Where in the program the library was called: the first line of the stack that is not the library's own. */
function callerPlace(): string {
  const lines = (new Error().stack ?? "").split("\n").map((line) => line.trim());
  const frames = lines.filter((line) => /:\d+:\d+\)?$/.test(line));
  const frame = frames.find((line) => !line.includes(HERE) && !line.replaceAll("\\", "/").includes(HERE_PATH)) ??
    frames.at(-1) ?? "";
  const [, name = "", url = ""] = /^(?:at )?(?:async )?(?:(.*?)(?: \(|@))?(.*?)\)?$/.exec(frame) ?? [];
  const short = url.split(/[\\/]/).slice(-2).join("/"); // the file and its folder
  return name === "" ? short : `${name} (${short})`;
}
