// What an agent knows of a semaphore, shared by all its objects for it: which of its guards are spent.
//
// Holds of this thread ended by a release(), its own or another's, were any of those taken before. So of the guards taken
// before, as many are good as there were holds left then. Of such moments those are kept after which fewer were left than
// after any later one; a guard is as old as `clock` was when its permit was taken.
//
// Who gives back what among threads is in the header of _permits_state.ts.

import { AsyncLine } from "./_line.ts";

/** What this agent knows of a semaphore. */
export class PermitsLocal {
  readonly line: AsyncLine = new AsyncLine();
  /** Counts what makes guards differ: moments at which holds ended, or became candidates of OWED. */
  clock = 0;
  /** HELD as this agent left it; less in the record: others ended holds. Not known at first, when there is no guard either. */
  held = -1;
  /** EPOCH as this agent saw it last. */
  epoch = 0;
  /** Guards older than this stand for candidates of OWED. */
  doubt = 0;
  /** Guards older than this were there when this thread itself called release() last. */
  own = 0;
  /** The moments, oldest first, and how many of the holds taken before each are not given back by guards since: rising. */
  readonly #moments: number[] = [];
  readonly #good: number[] = [];

  /** Some holds have ended, and so many are left. */
  ended(left: number): void {
    const good = this.#good;
    const moments = this.#moments;
    while (good.length > 0 && good[good.length - 1]! >= left) {
      good.pop();
      moments.pop();
    }
    good.push(left);
    moments.push(++this.clock);
    this.held = left;
  }

  /** Whether the hold of a guard that old has ended; if not, it ends now. */
  isSpent(age: number): boolean {
    const good = this.#good;
    const moments = this.#moments;
    let first = moments.length;
    while (first > 0 && moments[first - 1]! > age) first--;
    if (first === moments.length) return false; // nothing has ended since
    if (good[first]! <= 0) return true;
    for (let i = first; i < good.length; i++) good[i]!--;
    if (first > 0 && good[first - 1]! >= good[first]!) {
      good.splice(first - 1, 1); // no fewer than after a later one any more
      moments.splice(first - 1, 1);
    }
    return false;
  }
}
