/**
 * How the words of a roster are used in a model. Nothing here knows the layout of a slot: it is asked. On a roster of the
 * same make, each thread once waits for a lock in vain, is told to stop and dies, and what these write is noted:
 *
 *   written by a wait of a thread   that thread's own; shared when the model has threads that watch each other's waits
 *   the EXTRA area of a thread      the same
 *   written by an end               shared, as everybody asks who lives; constant when nobody ends in the model
 *   anything else                   constant
 *
 * @module
 */

import { agent, setAgent } from "../../primitives/_agent.ts";
import { Lock } from "../../primitives/lock.ts";
import { useRoster } from "../../primitives/_memory.ts";
import { Roster } from "../../primitives/_roster.ts";
import { EXTRA_WORDS, ROSTER_BYTES, SLOTS } from "../../primitives/_roster_record.ts";
import { NOT_EQUAL, type OpKind, TIMED_OUT } from "./_ops.ts";
import { handle, type Handler, type Plain } from "./_seam.ts";
import { compute } from "./_thread.ts";
import { type Access, type Region, unfollowed } from "./_words.ts";

/** The first word behind the slots. */
const EXTRAS = (ROSTER_BYTES >> 2) - SLOTS * EXTRA_WORDS;

/** What happens to threads in a model, and who looks at it. */
export interface RosterUse {
  /** Threads may die. */
  readonly deaths: boolean;
  /** Threads may be told to stop. */
  readonly stops: boolean;
  /** What other threads read of a wait: nothing, whether there is one (Condition), or all (the detector of deadlocks). */
  readonly watched: "not" | "asleep" | "wholly";
}

/** Notes who writes what, on real memory, with a clock that goes on with each sleep. */
class Probe implements Handler {
  readonly written = new Set<number>();
  readonly read = new Set<number>();
  readonly #roster: Roster;
  #clock = 0;

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  op(kind: OpKind, view: Int32Array<SharedArrayBuffer>, index: number, a: number, b: number, ms: number): number {
    const seen = view[index]!;
    const own = view.buffer === this.#roster.words.buffer;
    if (kind === "load" && own) this.read.add((view.byteOffset >> 2) + index);
    if (kind === "load") return seen;
    if (kind === "notify") return 0;
    if (kind === "wait" || kind === "waitAsync") {
      if (seen !== a) return NOT_EQUAL;
      this.#clock += ms;
      return TIMED_OUT;
    }
    if (own) this.written.add((view.byteOffset >> 2) + index);
    view[index] = compute(kind, seen, a, b)!;
    return kind === "store" ? a : seen;
  }

  plain(view: Plain, index: number, value: number | undefined): number {
    if (!(view instanceof Int32Array)) throw new Error("Bug in the model: a wait for a lock touches doubles");
    const words = unfollowed(view);
    if (value !== undefined) words[index] = value;
    return words[index]!;
  }

  sleep(): Promise<"ok"> {
    return Promise.resolve("ok");
  }

  now(): number {
    return this.#clock;
  }
}

/** A roster as each exploration has it, the ids of the threads of the model, and one for what surrounds them. */
export function makeRoster(threads: number, fresh: () => void): { roster: Roster; ids: number[]; helperId: number } {
  fresh();
  const roster = Roster.create();
  useRoster(roster);
  roster.me;
  const ids = Array.from({ length: threads }, (_, i) => roster.take(`T${i + 1}`, 0, 0));
  const helperId = roster.take("H", 0, 0);
  for (const id of [...ids, helperId]) roster.markRunning(id);
  return { roster, ids, helperId };
}

/** The roster's words, as the threads of these ids use them. */
export function rosterRegion(roster: Roster, ids: readonly number[], use: RosterUse, fresh: () => void): Region {
  const before = agent;
  const scratch = makeRoster(ids.length, fresh);
  const lock = new Lock({ name: "n".repeat(64) });
  lock.acquire();
  const waits = ids.map((_, i) => {
    fresh();
    Roster.attach(scratch.roster.words.buffer, 0).adopt(scratch.ids[i]!);
    return probe(scratch.roster, () => void Lock.attach(lock.handle).tryAcquire({ timeout: 500 })).written;
  });
  const asleep = scratch.ids.map((id) => probe(scratch.roster, () => void scratch.roster.waits(id)).read);
  const ends = ids.map((_, i) => {
    const stop = probe(scratch.roster, () => scratch.roster.tellToStop(scratch.ids[i]!)).written;
    const death = probe(scratch.roster, () => scratch.roster.markDead(scratch.ids[i]!)).written;
    return new Set([...use.stops ? stop : [], ...use.deaths ? death : []]);
  });
  setAgent(before);
  const { buffer, byteOffset } = roster.words;
  return {
    label: "Roster",
    buffer,
    byteOffset,
    byteLength: ROSTER_BYTES,
    describe(index) {
      if (index >= EXTRAS) {
        const owner = ids.findIndex((id) => (id & 0xfff) === Math.floor((index - EXTRAS) / EXTRA_WORDS));
        return { name: `T${owner + 1}.extra[${index}]`, access: use.watched === "wholly" ? "shared" : "own", owner };
      }
      const wait = waits.flatMap((words, i) => words.has(index) ? [i] : []);
      const end = ends.flatMap((words, i) => words.has(index) ? [i] : []);
      const who = [...wait, ...end][0] ?? -1;
      const owner = wait.length === 1 ? wait[0]! : -1;
      const seen = use.watched === "wholly" || (use.watched === "asleep" && asleep.some((words) => words.has(index)));
      const waiting: Access = seen ? "shared" : "own";
      const access = end.length > 0 ? "shared" : wait.length > 0 ? waiting : "constant";
      const of = wait.length > 1 || end.length > 1 || who < 0 ? "Roster" : `T${who + 1}`;
      return { name: `${of}.${end.length > 0 ? "life" : wait.length > 0 ? "wait" : "word"}[${index}]`, access, owner };
    },
  };
}

function probe(roster: Roster, run: () => void): Probe {
  const probe = new Probe(roster);
  const last = handle(probe);
  try {
    run();
  } finally {
    handle(last);
  }
  return probe;
}
