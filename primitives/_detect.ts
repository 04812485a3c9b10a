// Finding circles of waits.
//
// Every blocked thread publishes its wait in its slot of the roster: a ticket drawn from the one counter WAITS, whether
// it has a time limit, the threads that it waits for (OWNERS), and a STAMP, the value of WAITS before it last looked who
// these are. It looks at the start of the wait and again at the end of each slice. A circle is a ring of different
// threads, each in an untimed blocking wait, each with the next one among its owners. Its closer is the member with
// the latest ticket, those left out that wait to have a Condition's lock back, as long as there are others: a wait that
// throws without it would surprise its caller. Only the closer reports the circle, and it alone throws: so each circle is
// broken exactly once, without the members having to agree on anything.
//
// The closer M reports a circle, in which m is the latest ticket, when
//   a. for each member T, in any order, it has read a ticket t of an untimed wait, not later than m, then a STAMP that is
//      not earlier than m, then the next member U among OWNERS, then the same ticket t again;
//   b. after all that it has found each member alive and still in the wait of ticket t.
// As m is known only at the end, the search begins with M's own ticket, and again whenever it meets a later one.
//
// No false alarm. Write R(T) for what T waits for.
//   1. A thread is blocked from before it draws its ticket until after it clears WAITING: in between it only looks at
//      R(T) and sleeps, and none of its tasks runs. Tickets differ, so a ticket that is read twice stands for one wait,
//      without a gap.
//   2. T writes OWNERS before STAMP, and M reads STAMP before OWNERS. So what M has read there is of the look that began
//      at STAMP, or of a later one. That T waits for U was therefore read in R(T) itself, at a moment v(T) after m was
//      drawn, hence after all tickets of the circle were drawn, and before (b) began.
//   3. At v(T) both T and U were blocked, by 1 and (b). What U holds ends only by U's doing: a hold counts as its
//      taker's (locks that are released elsewhere by design are made with `handoff` and publish no owners), a joined
//      thread ends by its own doing, and a lock of a dead thread is only taken over once it is known to be dead, which
//      (b) rules out. U is blocked until (b). So "T waits for U" holds from v(T) until (b).
//   4. By 3 all edges of the circle hold together at the moment when (b) begins. Nobody of the circle can go on unless
//      another one does: it is a deadlock. By 2 each member was alive after m was drawn; and what its U held at v(T)
//      it had held before it was blocked, so the circle was closed at m already, among living threads.
//
// No miss. Once a circle is closed no member changes its wait, so each looks again within a slice and publishes a STAMP
// not earlier than m. From then on the closer's next search finds it. So that this is soon, the closer
// looks often while it sees a circle that lacks only fresh stamps; its first looks come quickly anyway, as a wait's slices
// begin short.
//
// Other things that may happen meanwhile:
//   - A thread dies, or its slot is used again: ids carry generations, and one that died is no member. A dead thread whose
//     end nobody has learned of writes no fresh STAMP: no circle goes through it; its death is reported when it is known.
//   - A member is told to stop: it writes no fresh STAMP either but throws; if it wrote one before, 4 holds for that moment.
//   - A thread takes R(T) at last but has not cleared WAITING yet: it has stopped looking, so its STAMP grows old; if
//     it is fresh, R(T) was still another's at v(T), after which nobody could let go of it, by 3.
//   - RLock: waits like any other. So does Condition's re-acquire, but for who throws. A join waits for the thread joined.
//   - A writer of an RWLock waits for each of its readers: all must go, so any ring through one of them is a deadlock.
//   - A task of a thread holds a lock and the thread blocks: the task cannot go on, so the hold is the thread's.
//   - Waits with a time limit and async waits end by themselves or need no thread: they are no members.
//   - WAITS wraps: tickets and stamps are compared by their age, seen from now. That errs only for what is 2^32 waits
//     old, and then by picking another closer or by waiting for a fresher stamp.

import { printable } from "./_dump.ts";
import { kindName } from "./_layout.ts";
import type { Roster } from "./_roster.ts";
import type { PublishedWait } from "./_roster_waits.ts";
import { edges, lastWait, reacquires, untimedWait, waitOf } from "./_roster_waits.ts";
import { checkStuck } from "./_stuck.ts";
import type { BlockedWait, Wanted } from "./_wait.ts";
import { title } from "./_wait.ts";
import type { Cycle, CycleMember } from "./errors.ts";
import { DeadlockError } from "./errors.ts";

/** ms for which a wait looks often when a circle seems to have closed. */
const HURRY = 1000;

/** Looks for a circle that this untimed wait has closed, and throws DeadlockError if there is one. */
export function detect(wanted: Wanted, wait: BlockedWait, owners: readonly number[]): void {
  const { roster } = wanted;
  if (owners.some((owner) => untimedWait(roster, owner) !== 0)) {
    const search = new Search(roster, roster.me, wait.ticket);
    const circle = search.circle();
    if (circle !== undefined) {
      throw new DeadlockError(tell(`Cannot ${wanted.verb} ${title(wanted.kind, wanted.name)}`, circle), {
        cycle: circle,
      });
    }
    if (!search.suspicious) wait.suspects = undefined;
    else {
      wait.suspects ??= wait.elapsed;
      if (wait.elapsed - wait.suspects < HURRY) wait.hurry();
    }
  }
  checkStuck(roster, wait);
}

/** Every circle of waits of the roster's threads, at this moment; the closer is the first member. */
export function findCircles(roster: Roster): Cycle[] {
  const found: Cycle[] = [];
  for (const { id } of roster.list()) {
    const ticket = untimedWait(roster, id);
    const circle = ticket === 0 ? undefined : new Search(roster, id, ticket).circle();
    if (circle !== undefined) found.push(circle);
  }
  return found;
}

/** One look of a closer, or of somebody on its behalf. */
class Search {
  readonly #roster: Roster;
  readonly #closer: number;
  readonly #ticket: number;
  readonly #reacquires: boolean;
  /** The latest ticket met so far; stamps must not be earlier. */
  #latest: number;
  readonly #path: { readonly id: number; readonly ticket: number }[] = [];
  readonly #seen = new Set<number>();
  #fresh = true;
  /** Whether there was a circle but for some stamps. */
  suspicious = false;

  constructor(roster: Roster, closer: number, ticket: number) {
    this.#roster = roster;
    this.#closer = closer;
    this.#ticket = this.#latest = ticket;
    this.#reacquires = reacquires(roster, closer);
  }

  /** The circle, told from the closer on, or `undefined`. */
  circle(): Cycle | undefined {
    let latest: number;
    do {
      latest = this.#latest;
      if (!this.#search()) {
        this.#fresh = false;
        this.suspicious = this.#search();
        return undefined;
      }
    } while (latest !== this.#latest);
    const waits: PublishedWait[] = [];
    for (const { id, ticket } of this.#path) { // (b) of the proof
      const wait = waitOf(this.#roster, id);
      if (wait?.ticket !== ticket || untimedWait(this.#roster, id) !== ticket) return undefined;
      waits.push(wait);
    }
    return this.#path.map(({ id }, i): CycleMember => ({
      thread: id,
      threadName: this.#roster.name(id),
      waitsFor: describeWait(waits[i]!),
      holds: describeWait(waits.at(i - 1)!),
    }));
  }

  /** Whether there is a circle, by (a) of the proof; leaves it in #path. */
  #search(): boolean {
    this.#seen.clear();
    this.#path.length = 0;
    const found = this.#reach(this.#closer, this.#ticket);
    for (const { ticket } of this.#path) if (this.#isLater(ticket, this.#latest)) this.#latest = ticket;
    return found;
  }

  /** Whether a way leads from that member back to the closer; leaves it in #path. */
  #reach(id: number, ticket: number): boolean {
    this.#path.push({ id, ticket });
    for (const next of this.#owners(id, ticket)) {
      if (next === this.#closer) return true;
      if (this.#seen.has(next)) continue;
      this.#seen.add(next);
      const blocked = untimedWait(this.#roster, next);
      if (blocked !== 0 && this.#goesBefore(next, blocked) && this.#reach(next, blocked)) return true;
    }
    this.#path.pop();
    return false;
  }

  /** Whether another wait leaves it to the closer to throw. */
  #goesBefore(id: number, ticket: number): boolean {
    if (reacquires(this.#roster, id) !== this.#reacquires) return !this.#reacquires;
    return !this.#isLater(ticket, this.#ticket);
  }

  #owners(id: number, ticket: number): readonly number[] {
    const seen = edges(this.#roster, id, ticket);
    if (seen === undefined || (this.#fresh && this.#isLater(this.#latest, seen.stamp))) return [];
    return seen.owners;
  }

  /** Whether the first ticket, or stamp, is later than the second, both read before; wraps. */
  #isLater(first: number, second: number): boolean {
    const present = lastWait(this.#roster);
    return (present - first) >>> 0 < (present - second) >>> 0;
  }
}

/** What a published wait waits for, as messages call it. */
function describeWait(wait: PublishedWait): string {
  return title(kindName(wait.kind), wait.name);
}

/** The story of a circle, a line for each member. */
function tell(what: string, circle: Cycle): string {
  const lines = circle.map((member, i) => {
    const next = circle[(i + 1) % circle.length]!;
    const has = member.holds.startsWith("Thread") ? "" : `holds ${member.holds}, `;
    const by = member.waitsFor.startsWith("Thread") ? " to end" : `, held by ${printable(next.threadName)}`;
    return `  ${printable(member.threadName)} ${has}waits for ${member.waitsFor}${by}`;
  });
  const one = circle.length === 1;
  const head = one ? "this thread would wait for itself" : `this closes a circle of ${circle.length} threads`;
  return `${what} as ${head}, each waiting for the next:\n${lines.join("\n")}`;
}
