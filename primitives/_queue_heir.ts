// Memory layout: who puts next, 2 words of a queue's record, written inside the monitor of those who put.
//
//   word  name  meaning
//   0     HEIR  bits 0-29 id of the thread for which room is kept, bit 30: for a task of it; 0 = none
//   1     NEED  how many bytes that takes
//
// The bound on barging, and on a large message that waits while small ones slip in. A putter that was woken and found the
// room taken again makes itself the heir once it has waited for PATIENCE ms: then others wait, too, until there is room for
// the heir and it has put, given up or died. An heir that does not come for LAPSE ms though it has room, as its event loop
// may be busy, is passed over.
//
// What an heir without room waits for is that others get. So who gets from the queue as well is never kept from putting: it
// could not go on to get. Nor is anybody else for long while nobody gets, as the getter may wait for that very put: after
// STALLED ms without a get one message slips in, and so on.

import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { now } from "./_deadline.ts";
import { LAPSE, LAPSE_TASK } from "./_heir.ts";
import type { Roster } from "./_roster.ts";

const THREAD_MASK = 0x3fffffff;
const TASK_BIT = 0x40000000;
const NEED = 1;
/** ms without a get after which one putter passes an heir that has no room. */
const STALLED = 100;

/** The putter for which room is kept. Use it inside the monitor of those who put. */
export class QueueHeir {
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #index: number;
  readonly #me: number;
  #seen = 0; // the heir that was seen last, whether it had room, what had been put or got then, and since when that is so
  #fits = false;
  #moves = 0;
  #since = 0;

  /** The heir at word `index` of a record. */
  constructor(words: Words, roster: Roster, index: number) {
    this.#words = words;
    this.#roster = roster;
    this.#index = index;
    this.#me = roster.me;
  }

  /**
   * Whether somebody else puts first. `fits` says whether there is room for so many bytes, `puts` and `gots` change with
   * each put and get, and `gets` is whether this agent gets from the queue.
   */
  keeps(fits: (need: number) => boolean, puts: number, gots: number, gets: boolean): boolean {
    const words = this.#words;
    const heir = load(words, this.#index);
    const thread = heir & THREAD_MASK;
    if (heir === 0 || thread === this.#me) return false;
    if (this.#roster.alive(thread)) {
      const room = fits(load(words, this.#index + NEED) >>> 0);
      if (!room && gets) return false;
      const moves = room ? puts : gots; // while room is kept for it nobody puts but the heir, and then it is kept anew
      if (heir !== this.#seen || room !== this.#fits || moves !== this.#moves) {
        this.#seen = heir;
        this.#fits = room;
        this.#moves = moves;
        this.#since = now();
        return true;
      }
      const time = now();
      if (time - this.#since < (!room ? STALLED : (heir & TASK_BIT) !== 0 ? LAPSE_TASK : LAPSE)) return true;
      if (!room) {
        this.#since = time;
        return false;
      }
    }
    store(words, this.#index, 0);
    this.#seen = 0;
    return false;
  }

  /** Makes this agent the heir, if nobody is; returns whether it is. */
  claim(task: boolean, need: number): boolean {
    const words = this.#words;
    const heir = load(words, this.#index);
    const mine = task ? this.#me | TASK_BIT : this.#me;
    if (heir !== 0) return heir === mine;
    store(words, this.#index + NEED, need);
    store(words, this.#index, mine);
    return true;
  }

  /** This agent's task or thread is the heir no longer. */
  resign(task: boolean): void {
    const mine = task ? this.#me | TASK_BIT : this.#me;
    if (load(this.#words, this.#index) === mine) store(this.#words, this.#index, 0);
  }
}
