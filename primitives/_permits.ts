// Semaphore and BoundedSemaphore: taking permits and giving them back, blocked and async. The record, its rules and the
// proof are in the header of _permits_state.ts.

import { add, load, read, store, write } from "./_atomics.ts";
import { now, POLL } from "./_deadline.ts";
import { guarding } from "./_dispose.ts";
import { LAPSE_TASK, PATIENCE } from "./_heir.ts";
import {
  BLOCKED_BIT,
  EPOCH,
  GATE,
  HELD,
  LEFT,
  ONE_EPOCH,
  OWED,
  PermitsState,
  TASK_BIT,
  TOTAL,
  VALUE,
  WAITS,
} from "./_permits_state.ts";
import { spinUntil } from "./_spin.ts";
import type { Attempt } from "./_wait.ts";
import { BlockedWait, SLICE, waitAsync } from "./_wait.ts";
import type { Guard } from "./guard.ts";

/** A permit taken. */
export class Permit implements Guard {
  declare readonly [Symbol.dispose]: () => void;
  #core: Permits | undefined;
  readonly #age: number;

  /** Stands for a permit that the agent took when its clock for this semaphore showed `age`. */
  constructor(core: Permits, age: number) {
    this.#core = core;
    this.#age = age;
  }

  release(): void {
    const core = this.#core;
    this.#core = undefined; // a second call finds nothing to give back
    core?.giveBack(this.#age);
  }
}
guarding(Permit.prototype);

/** One semaphore as this agent sees it. */
export class Permits extends PermitsState {
  #seen = 0; // VALUE and GATE when the last try found nothing
  #gate = 0;

  // Taking one, blocked.

  /** Takes a permit, or returns undefined once the deadline is over. */
  acquire(deadline: number): Permit | undefined {
    if (this.#tryTake()) return this.#permit();
    if (deadline === POLL) {
      if (!this.cells.newDeaths()) return undefined;
      this.reap(); // whatever it says: taking the place of a thread that died inside may have freed permits too
      return this.#tryTake() ? this.#permit() : undefined;
    }
    if (spinUntil(() => load(this.words, VALUE) > 0) && this.#tryTake()) return this.#permit();
    return this.#wait(deadline) ? this.#permit() : undefined;
  }

  #permit(): Permit {
    return new Permit(this, this.local.clock);
  }

  #wait(deadline: number): boolean {
    const wait = BlockedWait.begin(this, deadline);
    let taken = false;
    try {
      for (;;) {
        if (this.cells.newDeaths()) this.reap();
        taken = this.#takeOrMark(BLOCKED_BIT, wait.elapsed);
        if (taken || wait.expired) return taken;
        // Somebody else's permit may be there: look again when its reservation may have lapsed.
        wait.park(this.words, VALUE, this.#seen, this.#seen > 0 ? LAPSE_TASK : Infinity);
      }
    } finally {
      wait.end();
      if (!taken) this.#giveUp(BLOCKED_BIT);
    }
  }

  /** Takes a free permit, if there is one. */
  #tryTake(): boolean {
    const words = this.words;
    if (load(words, VALUE) <= 0) {
      this.heir.rests();
      return false;
    }
    const monitor = this.monitor;
    monitor.enter();
    if (this.isFree()) {
      let cell = this.cells.mine();
      if (cell < 0) cell = this.cell(); // may give back what the dead held: VALUE has to be read again
      this.take(cell);
      monitor.leave();
      return true;
    }
    monitor.leave();
    return false;
  }

  /** The same for a waiter; when there is none, counts it as one that is about to sleep (invariant 3). */
  #takeOrMark(bit: number, waited: number): boolean {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cell();
    const free = this.isFree();
    if (free) {
      this.take(cell);
      this.setWaits(cell, load(words, cell + WAITS) & ~bit);
      this.heir.resign();
    } else {
      this.setWaits(cell, load(words, cell + WAITS) | bit);
      if (waited > PATIENCE) this.heir.claim(bit === TASK_BIT);
      this.#seen = load(words, VALUE);
      this.#gate = load(words, GATE);
    }
    this.monitor.leave();
    return free;
  }

  /** A waiter goes away without a permit: another one may have use for what it was woken for (invariant 4). */
  #giveUp(bit: number): void {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cells.mine();
    if (cell >= 0) this.setWaits(cell, load(words, cell + WAITS) & ~bit);
    this.heir.resign();
    this.leaveAndWake(load(words, VALUE) > 0 ? 1 : 0);
  }

  // Taking one without blocking.

  /** Takes a permit for a task of this agent. */
  async acquireAsync(signal: AbortSignal | undefined): Promise<Permit> {
    signal?.throwIfAborted();
    const { line } = this.local;
    if (line.length === 0 && this.#tryTake()) return this.#permit();
    await line.enter(signal);
    try {
      return await this.#waitAsync(signal);
    } finally {
      line.leave();
    }
  }

  #waitAsync(signal: AbortSignal | undefined): Promise<Permit> {
    const { words } = this;
    const since = now();
    const attempt = (): Attempt<Permit> => {
      if (this.cells.newDeaths()) this.reap();
      if (this.#takeOrMark(TASK_BIT, now() - since)) return { done: true, value: this.#permit() };
      const atMost = this.#seen > 0 ? LAPSE_TASK : SLICE;
      return { done: false, sleep: { words, index: GATE, expected: this.#gate, atMost } };
    };
    return waitAsync(this, attempt, { signal, onGiveUp: () => this.#giveUp(TASK_BIT) });
  }

  // Giving back.

  /** Gives back the permit of a guard that old; one that is spent makes a new permit, or if bounded nothing. */
  giveBack(age: number): void {
    const { words, local } = this;
    this.monitor.enter();
    const value = load(words, VALUE);
    if (value === this.bound && !this.bounded) this.refuse(1);
    const cell = this.cells.mine();
    const held = cell < 0 ? 0 : this.heldIn(cell);
    const spent = held <= 0 || local.isSpent(age);
    if (spent && this.bounded) {
      this.monitor.leave();
      return;
    }
    if (!spent) {
      write(words, cell + HELD, held - 1);
      local.held = held - 1;
    } else if (age < local.own) this.#answer(1); // then our own release() was for somebody else, or for a new permit
    else add(words, TOTAL, 1); // then that release() was for a new permit
    write(words, VALUE, value + 1);
    if (read(words, OWED) !== 0) {
      if (!spent && age < local.doubt) this.#proveGood(cell);
      this.settle();
    }
    this.leaveAndWake(1);
  }

  /** Adds n permits: gives back those that this thread holds, then those in LEFT, then those that others hold. */
  release(n: number): void {
    const { words, local } = this;
    this.monitor.enter();
    const reaped = this.cells.newDeaths() ? this.reapInside() : 0;
    const value = load(words, VALUE);
    if (n > this.bound - value) this.refuse(n);
    const mine = this.cells.mine();
    const held = mine < 0 ? 0 : this.heldIn(mine);
    const doubt = mine < 0 ? 0 : this.inDoubt(mine);
    const own = Math.min(n, Math.max(0, held - doubt));
    if (own > 0) {
      store(words, mine + HELD, held - own);
      local.ended(held - own);
      local.own = local.clock;
    }
    if (n > own) this.#answer(n - own, doubt > 0);
    store(words, VALUE, value + n);
    this.settle();
    this.leaveAndWake(reaped + n);
  }

  /**
   * Ends holds for n permits that were not given back for holds of our own, or only `perhaps`. The caller adds them to
   * VALUE, and settles.
   */
  #answer(n: number, perhaps = false): void {
    const { words } = this;
    if (load(words, VALUE) === load(words, TOTAL) && load(words, OWED) === 0) { // nobody holds any
      add(words, TOTAL, n);
      return;
    }
    const returned = Math.min(n, Math.max(0, load(words, LEFT)));
    if (returned > 0) store(words, LEFT, load(words, LEFT) - returned);
    if ((n -= returned) === 0) return;
    const mine = perhaps ? -1 : this.cells.mine();
    const holders = [...this.cells.used()].filter((cell) => cell !== mine && load(words, cell + HELD) > 0);
    if (holders.length > 1) {
      if (mine >= 0 && load(words, OWED) === 0) store(words, this.oldOf(mine), 0);
      for (const cell of holders) store(words, this.oldOf(cell), load(words, cell + HELD));
      add(words, EPOCH, ONE_EPOCH);
      if (mine >= 0) this.local.epoch = load(words, EPOCH); // it is not about ours
      add(words, OWED, n);
      return;
    }
    for (const cell of holders) {
      const held = load(words, cell + HELD);
      const ended = Math.min(n, held);
      store(words, cell + HELD, held - ended);
      n -= ended;
    }
    if (n > 0) add(words, TOTAL, n);
  }

  /** One of our candidates was given back by its guard: it is none any more. */
  #proveGood(cell: number): void {
    const old = load(this.words, this.oldOf(cell));
    if (old > 0) store(this.words, this.oldOf(cell), old - 1);
  }
}
