// Semaphore and BoundedSemaphore: taking permits and giving them back, blocked and async. The record, its rules and the
// proof are in the header of _permits_state.ts.

import { load, store, write } from "./_atomics.ts";
import { now, POLL } from "./_deadline.ts";
import { disposable } from "./_dispose.ts";
import { LAPSE_TASK, PATIENCE } from "./_heir.ts";
import { BLOCKED_BIT, GATE, HEIR, HELD, LEFT, PermitsState, TASK_BIT, TOTAL, VALUE, WAITS } from "./_permits_state.ts";
import { spinUntil } from "./_spin.ts";
import type { Attempt } from "./_wait.ts";
import { BlockedWait, SLICE, waitAsync } from "./_wait.ts";
import type { Guard } from "./guard.ts";

/** A permit taken. */
export class Permit implements Guard {
  declare readonly [Symbol.dispose]: () => void;
  #core: Permits | undefined;
  readonly #tenancy: number;
  readonly #ended: number;

  /** Stands for a permit that the agent has taken while these were its tenancy and its ENDED. */
  constructor(core: Permits, tenancy: number, ended: number) {
    this.#core = core;
    this.#tenancy = tenancy;
    this.#ended = ended;
  }

  release(): void {
    const core = this.#core;
    this.#core = undefined; // a second call finds nothing to give back
    core?.giveBack(this.#tenancy, this.#ended);
  }
}
disposable(Permit.prototype, "release");

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
    return new Permit(this, this.local.tenancy, this.mark);
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
    if (load(words, VALUE) <= 0) return false;
    const monitor = this.monitor;
    monitor.enter();
    const value = load(words, VALUE);
    if (value > 1 || (value === 1 && (load(words, HEIR) === 0 || !this.heir.keeps()))) {
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
      if (this.heir.named) this.heir.resign();
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

  /** Gives back the permit of a guard, unless its hold was ended by somebody else. */
  giveBack(tenancy: number, mark: number): void {
    const { words } = this;
    this.monitor.enter();
    const cell = this.cells.mine();
    if (this.bounded && this.isSpent(cell, tenancy, mark)) {
      this.monitor.leave();
      return;
    }
    const held = cell < 0 ? 0 : load(words, cell + HELD);
    const value = load(words, VALUE);
    if (held <= 0 && value === this.bound) this.refuse(1);
    if (held > 0) write(words, cell + HELD, held - 1);
    else write(words, TOTAL, (load(words, TOTAL) + 1) | 0);
    write(words, VALUE, value + 1);
    this.leaveAndWake(1);
  }

  /** Adds n permits: gives back those that this thread holds, then those in LEFT, then those that others hold. */
  release(n: number): void {
    const { words } = this;
    this.monitor.enter();
    const reaped = this.cells.newDeaths() ? this.reapInside() : 0;
    const value = load(words, VALUE);
    if (n > this.bound - value) this.refuse(n);
    let left = n;
    if (value !== load(words, TOTAL)) { // somebody holds some
      const mine = this.cells.mine();
      if (mine >= 0) left -= this.discharge(mine, left);
      const returned = Math.min(left, load(words, LEFT));
      if (returned > 0) store(words, LEFT, load(words, LEFT) - returned);
      left -= Math.max(0, returned);
      for (const cell of this.cells.used()) {
        if (left === 0) break;
        left -= this.discharge(cell, left);
      }
    }
    if (left > 0) store(words, TOTAL, (load(words, TOTAL) + left) | 0);
    store(words, VALUE, value + n);
    this.leaveAndWake(reaped + n);
  }
}
