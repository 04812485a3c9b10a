// Barrier: arriving, waiting, and running the action, blocked and async. The record, its rules and the proof are in the
// header of _barrier_round.ts.

import { add, load, store } from "./_atomics.ts";
import {
  ACTING,
  type Action,
  ACTION_THREW,
  ACTIONS,
  ACTOR,
  ARRIVED,
  BarrierRound,
  BLOCKED_ACTION,
  BROKEN,
  CALLING,
  damaged,
  FILLING,
  GRACE,
  LATE,
  OUTCOME,
  type Party,
  PASSED,
  PLACES,
  ROUND,
  STATE,
  STOPPED,
  TIMED_OUT,
  TURN,
  WAITING,
} from "./_barrier_round.ts";
import { now, remaining } from "./_deadline.ts";
import { spinUntil } from "./_spin.ts";
import type { Attempt } from "./_wait.ts";
import { BlockedWait, checkBlocking, SLICE, title, waitAsync } from "./_wait.ts";
import { DeadlockError, ThreadStoppedError } from "./errors.ts";

/** One barrier as this agent sees it. */
export class BarrierCore extends BarrierRound {
  /** Waits for the others, blocked. Returns the party's place. */
  wait(deadline: number, action: Action | undefined): number {
    const { words } = this;
    const limit = new Limit(deadline);
    let party: Party | undefined;
    let wait: BlockedWait | undefined;
    try {
      for (;;) {
        const turn = load(words, TURN); // before the look (invariant 4)
        this.#actIfCalled(party, true);
        const step = party ?? this.#arrive(action, limit, true);
        if (typeof step === "number") return step;
        party = step;
        if (party?.acts === true) this.#act(party);
        if (party !== undefined && this.#hasEnded(party)) return this.#placeOf(party);
        const atMost = this.#restOf(limit, party);
        if (wait === undefined) {
          if (spinUntil(() => load(words, TURN) !== turn)) continue;
          // The deadline is kept here, as it may rest.
          wait = BlockedWait.begin(this, deadline === Infinity ? Infinity : Number.MAX_VALUE);
        }
        wait.park(words, TURN, turn, atMost);
      }
    } finally {
      wait?.end();
      if (party?.result.outcome === 0) this.#withdraw(party);
    }
  }

  /** Waits for the others without blocking. */
  waitAsync(deadline: number, action: Action | undefined, signal: AbortSignal | undefined): Promise<number> {
    const { words } = this;
    const limit = new Limit(deadline);
    let party: Party | undefined;
    const attempt = (): Attempt<number> => {
      const expected = load(words, TURN); // before the look (invariant 4)
      this.#actIfCalled(party, false);
      const step = party ?? this.#arrive(action, limit, false);
      if (typeof step === "number") return { done: true, value: step };
      party = step;
      if (party?.acts === true) this.#act(party);
      if (party !== undefined && this.#hasEnded(party)) return { done: true, value: this.#placeOf(party) };
      const atMost = Math.min(this.#restOf(limit, party), SLICE);
      return { done: false, sleep: { words, index: TURN, expected, atMost } };
    };
    const onGiveUp = (): void => {
      if (party?.result.outcome === 0) this.#withdraw(party);
    };
    // Aborted after its round was complete: it was counted, and the others have gone on.
    const had = (error: unknown): number | undefined =>
      party?.result.outcome === PASSED && !(error instanceof ThreadStoppedError) ? party.place : undefined;
    return waitAsync(this, attempt, { signal, onGiveUp, had });
  }

  /**
   * A party arrives. Returns it; its place when that completed the round; or undefined when the present round
   * is complete and the party has to wait for the next one to begin. `blocked`: its thread is to block.
   */
  #arrive(action: Action | undefined, limit: Limit, blocked: boolean): Party | number | undefined {
    const { words, parties } = this;
    this.monitor.enter();
    let wakes = false;
    try {
      this.collect();
      wakes = this.reap();
      const state = load(words, STATE);
      if (state === BROKEN) throw this.brokenError(load(words, OUTCOME));
      if (state !== FILLING) {
        if (state !== CALLING && state !== ACTING) throw damaged(`its state is ${state}`);
        if (blocked) this.#refuseToWait();
        return undefined;
      }
      const cell = this.cells.claim(title(this.kind, this.name));
      const arrived = load(words, ARRIVED) + 1;
      const place = this.freePlace(arrived - 1);
      const local = this.local;
      let next = FILLING;
      let actor = 0;
      if (arrived >= parties) {
        actor = action !== undefined || local.actors.size > 0 ? this.me : this.chooseActor();
        next = actor === 0 ? FILLING : actor === this.me ? ACTING : CALLING;
        if (actor === 0) { // never mind counting this party
          wakes = true;
          this.pass();
          return place;
        }
      } else if (limit.over) {
        wakes = true;
        this.endRound(TIMED_OUT, BROKEN);
        throw this.brokenError(TIMED_OUT);
      }
      if (blocked && next !== ACTING) this.#refuseToWait();
      const at = PLACES + (place >> 5);
      this.monitor.set(at, load(words, at) | (1 << (place & 31)));
      this.monitor.set(cell + WAITING, load(words, cell + WAITING) + 1);
      this.monitor.set(ARRIVED, arrived);
      if (action !== undefined) {
        this.monitor.set(cell + ACTIONS, load(words, cell + ACTIONS) + (blocked ? BLOCKED_ACTION : 1));
      }
      if (next !== FILLING) {
        this.monitor.set(STATE, next);
        this.monitor.set(ACTOR, actor);
      }
      this.monitor.commit();
      local.result ??= { outcome: 0 };
      const party: Party = { place, result: local.result, action, blocked, acts: next === ACTING };
      if (action !== undefined) local.actors.add(party);
      if (next === CALLING) {
        add(words, TURN, 1);
        wakes = true;
      }
      return party;
    } finally {
      this.leave(wakes);
    }
  }

  /** Called by who would have to block; throws when it must not. */
  #refuseToWait(): void {
    if (this.local.acting) {
      const { roster } = this;
      const what = title(this.kind, this.name);
      const member = { thread: this.me, threadName: roster.name(this.me), waitsFor: what, holds: what };
      throw new DeadlockError(`Cannot wait at ${what} as this thread runs its action: it would wait for itself`, {
        cycle: [member],
      });
    }
    checkBlocking(this);
  }

  /** Whether the party's round has ended. */
  #hasEnded(party: Party): boolean {
    if (party.result.outcome !== 0) return true;
    this.monitor.enter();
    this.collect();
    const wakes = this.reap();
    this.leave(wakes);
    return party.result.outcome !== 0;
  }

  #placeOf(party: Party): number {
    const { outcome } = party.result;
    if (outcome !== PASSED) throw this.brokenError(outcome);
    return party.place;
  }

  /** How long the waiter may sleep, in ms; breaks its round when its time is over. */
  #restOf(limit: Limit, party: Party | undefined): number {
    if (limit.left > 0) return limit.left;
    const { words } = this;
    let wakes = false;
    this.monitor.enter();
    try {
      this.collect();
      const state = load(words, STATE);
      if (party === undefined ? state === FILLING || state === BROKEN : party.result.outcome !== 0) return 0; // look again
      if (party === undefined) { // it came for the next round, and has no part in this one
        store(words, OUTCOME, LATE);
        throw this.brokenError(LATE);
      }
      if (state === ACTING) return Infinity;
      if (state === CALLING && limit.grace > 0) return limit.grace;
      wakes = true;
      this.endRound(TIMED_OUT, BROKEN);
      throw this.brokenError(TIMED_OUT);
    } finally {
      this.leave(wakes);
    }
  }

  /** A party goes away before its round has ended. */
  #withdraw(party: Party): void {
    const { words } = this;
    this.monitor.enter();
    this.collect();
    const cell = this.cells.mine();
    this.local.actors.delete(party);
    if (party.result.outcome !== 0 || cell < 0) {
      this.monitor.leave();
      return;
    }
    if (this.roster.stopRequested) { // the whole thread is about to end
      this.endRound(STOPPED, BROKEN);
      this.leave(true);
      return;
    }
    const called = load(words, STATE) === CALLING;
    const at = PLACES + (party.place >> 5);
    this.monitor.set(at, load(words, at) & ~(1 << (party.place & 31)));
    this.monitor.set(cell + WAITING, load(words, cell + WAITING) - 1);
    this.monitor.set(ARRIVED, load(words, ARRIVED) - 1);
    if (party.action !== undefined) {
      this.monitor.set(cell + ACTIONS, load(words, cell + ACTIONS) - (party.blocked ? BLOCKED_ACTION : 1));
    }
    if (called) {
      this.monitor.set(STATE, FILLING);
      this.monitor.set(ACTOR, 0);
    }
    this.monitor.commit();
    if (load(words, cell + WAITING) <= 0) this.local.result = undefined;
    if (called) {
      if (load(words, OUTCOME) === LATE) store(words, OUTCOME, PASSED); // the round that was missed would have been this one
      add(words, TURN, 1); // those who wait for the next round may arrive in this one
    }
    this.leave(called);
  }

  // The action.

  /** Runs the action if this thread is called for it. A task leaves it to the party that brought it. */
  #actIfCalled(party: Party | undefined, blocked: boolean): void {
    const { words } = this;
    if (load(words, STATE) !== CALLING || load(words, ACTOR) !== this.me) return;
    if (!blocked && party?.action === undefined) return;
    this.monitor.enter();
    this.collect();
    const called = load(words, STATE) === CALLING && load(words, ACTOR) === this.me;
    if (called) store(words, STATE, ACTING);
    this.monitor.leave();
    if (called) this.#act(party);
  }

  /** Runs the action, its own if the party has one. The round ends with it. */
  #act(party: Party | undefined): void {
    const { words } = this;
    const local = this.local;
    const round = load(words, ROUND);
    const action = party?.action ?? [...local.actors][0]?.action;
    if (party !== undefined) party.acts = false;
    let outcome = ACTION_THREW;
    local.acting = true;
    try {
      action?.();
      outcome = PASSED;
    } finally {
      local.acting = false;
      this.monitor.enter();
      const stands = load(words, STATE) === ACTING && load(words, ACTOR) === this.me && load(words, ROUND) === round;
      if (stands && outcome === PASSED) this.pass();
      else if (stands) this.endRound(outcome, BROKEN);
      this.collect();
      this.leave(stands);
    }
  }
}

/** The time limit of one wait, and the time that it is given on top while the action is being called. */
class Limit {
  readonly #deadline: number;
  #late = -1;

  constructor(deadline: number) {
    this.#deadline = deadline;
  }

  get left(): number {
    return remaining(this.#deadline);
  }

  get over(): boolean {
    return this.left <= 0;
  }

  get grace(): number {
    if (this.#late < 0) this.#late = now();
    return this.#late + GRACE - now();
  }
}
