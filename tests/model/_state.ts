/**
 * One state of the whole system: memory, where each thread stands, who sleeps, and what the scheduler may still do.
 *
 * @module
 */

import type { Node } from "./_thread.ts";
import type { WordTable } from "./_words.ts";

/** Somebody asleep on a word; those on one word are woken oldest first. */
export interface Sleeper {
  readonly cell: number;
  readonly thread: number;
  /** The number of the waitAsync, -1 for a blocking wait. */
  readonly wait: number;
  /** When it ends by itself. */
  readonly until: number;
}

/** How often the scheduler may still do what is not a plain step. */
export interface Budget {
  /** Switch away from a thread that could go on. */
  preemptions: number;
  /** Let a sleep of a thread with a time limit end, while others could go on. */
  timeouts: number;
  /** Let time pass for everybody. */
  ticks: number;
  /** Wake a sleeper for no reason. */
  spurious: number;
  /** End a thread for ever. */
  deaths: number;
  /** Abort an async thread's signal. */
  aborts: number;
}

/** No disturbance at all. */
export const CALM: Budget = { preemptions: 0, timeouts: 0, ticks: 0, spurious: 0, deaths: 0, aborts: 0 };

/** A state; apply() of _moves.ts works on a copy. */
export class State {
  memory: Int32Array;
  nodes: Node[];
  sleepers: readonly Sleeper[] = [];
  /** Events that wait for the event loop of an async thread, oldest first. */
  arrived: readonly (readonly number[])[];
  /** Bits of threads that have died. */
  dead = 0;
  clock = 0;
  /** The thread that went last, -1 for none. */
  current = -1;
  left: Budget;
  /** Look-ups in a row that brought nobody forward. */
  lookUps = 0;
  violation: string | undefined = undefined;

  constructor(memory: Int32Array, nodes: Node[], left: Budget) {
    this.memory = memory;
    this.nodes = nodes;
    this.left = left;
    this.arrived = nodes.map(() => []);
  }

  copy(): State {
    const next = new State(this.memory.slice(), this.nodes.slice(), this.left);
    next.sleepers = this.sleepers;
    next.arrived = this.arrived;
    next.dead = this.dead;
    next.clock = this.clock;
    next.current = this.current;
    next.lookUps = this.lookUps;
    return next;
  }

  isDead(thread: number): boolean {
    return (this.dead & (1 << thread)) !== 0;
  }

  /** Whether the thread is inside a blocking wait. */
  sleeps(thread: number): boolean {
    return this.sleepers.some((sleeper) => sleeper.thread === thread && sleeper.wait < 0);
  }
}

/** The states met so far, by two hashes of 32 bits, each with the most preemptions that were left there. */
export class Visited {
  #mask = (1 << 16) - 1;
  #keys = new Int32Array(2 << 16);
  #left = new Int8Array(1 << 16); // one more than what was left, 0 = free
  size = 0;

  /** Notes a state. Returns false when it is known with as many preemptions left. */
  add(state: State, words: WordTable): boolean {
    const [a, b] = hash(state, words);
    const left = state.left.preemptions + 1;
    let at = a & this.#mask;
    while (this.#left[at] !== 0) {
      if (this.#keys[2 * at] === a && this.#keys[2 * at + 1] === b) {
        if (this.#left[at]! >= left) return false;
        this.#left[at] = left;
        return true;
      }
      at = (at + 1) & this.#mask;
    }
    this.#put(at, a, b, left);
    if (++this.size * 2 > this.#mask) this.#grow();
    return true;
  }

  #put(at: number, a: number, b: number, left: number): void {
    this.#keys[2 * at] = a;
    this.#keys[2 * at + 1] = b;
    this.#left[at] = left;
  }

  #grow(): void {
    const [keys, left] = [this.#keys, this.#left];
    this.#mask = this.#mask * 2 + 1;
    this.#keys = new Int32Array(2 * (this.#mask + 1));
    this.#left = new Int8Array(this.#mask + 1);
    for (let i = 0; i < left.length; i++) {
      if (left[i] === 0) continue;
      const a = keys[2 * i]!;
      let at = a & this.#mask;
      while (this.#left[at] !== 0) at = (at + 1) & this.#mask;
      this.#put(at, a, keys[2 * i + 1]!, left[i]!);
    }
  }
}

let h1 = 0;
let h2 = 0;

function mix(value: number): void {
  h1 = Math.imul(h1 ^ value, 0x9e3779b1);
  h1 ^= h1 >>> 15;
  h2 = Math.imul(h2 + value, 0x85ebca6b);
  h2 = ((h2 << 13) | (h2 >>> 19)) ^ 0x27d4eb2f;
}

/** What tells states apart, but for the preemptions left. */
function hash(state: State, words: WordTable): [number, number] {
  const { memory, nodes, sleepers, arrived, left } = state;
  const { initials } = words;
  h1 = 0x12345;
  h2 = 0x6789a;
  for (let i = 0; i < memory.length; i++) {
    if (memory[i] === initials[i]) continue; // so that a word met later changes no hash
    mix(i);
    mix(memory[i]!);
  }
  mix(-1);
  for (let i = 0; i < nodes.length; i++) mix(state.isDead(i) ? -1 : nodes[i]!.id);
  for (const { cell, thread, wait, until } of sleepers) {
    mix(cell);
    mix((thread << 16) | (wait + 1));
    mix(until === Infinity ? -1 : Math.round(until * 16));
  }
  for (const events of arrived) {
    mix(events.length);
    for (const event of events) mix(event - 2 ** 40);
  }
  mix(Math.round(state.clock * 16));
  mix(state.current);
  mix(state.lookUps);
  mix((left.timeouts << 24) | (left.ticks << 18) | (left.spurious << 12) | (left.deaths << 6) | left.aborts);
  h1 ^= h1 >>> 16;
  h1 = Math.imul(h1, 0x21f0aaad);
  h2 ^= h2 >>> 15;
  return [h1 | 0, h2 | 0];
}
