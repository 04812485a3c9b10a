// What all queues do alike: staging and decoding, the three forms of waiting,
// closing, and the count of unfinished messages. Where the messages stand is the store's.
//
// Memory layout: the head of a queue's record, 32 words. TAG set and the rest zero = fresh.
//
//   word   name      written by     meaning
//   0 1 2  TAG ID    creator, once  see _layout.ts
//   3      MAX_SIZE  creator, once  how many messages may be inside, 0 = any number
//   4      MAX_BYTES creator, once  how long a message may be
//   16     DONES     taskDone()     messages reported done, wraps; what was put less this is unfinished
//   17-19  JOINERS   joiners, done  the lobby of those who wait for DONES to catch up, see _lobby.ts
//   32 …                            the store's own head, then its bytes
//   others spare, zero
//
// Invariants:
//   1. DONES never overtakes the count of messages put: it goes up by a cas, after a look at that count, which only grows.
//   2. A joiner reads DONES first: if the count of messages put, read later, is the same, nothing was unfinished then.
//   3. Messages that were put and never reported done may be 2^32 - 1 at a time.
//
// A producer is a thread, whatever the forms of its puts: one that blocks first puts in what waits without blocking, as the
// event loop on which that waits may not turn.
//
// A message is staged, which may run user code, before anything is locked, and decoded after everything is unlocked. So
// a message that cannot be carried changes nothing, and one that cannot be decoded costs the get that took it.

import type { Words } from "./_atomics.ts";
import { cas, load } from "./_atomics.ts";
import { POLL } from "./_deadline.ts";
import { LAPSE } from "./_heir.ts";
import type { Kind } from "./_layout.ts";
import { Lobby, NOT_YET } from "./_lobby.ts";
import type { LobbyCondition } from "./_lobby.ts";
import { mayBlock } from "./_park.ts";
import { Batch } from "./_queue_batch.ts";
import { Message } from "./_queue_message.ts";
import {
  CRAMPED,
  DONE,
  FULL,
  KEPT,
  type Outcome,
  OVER,
  type Pending,
  type QueueLocal,
  type Store,
} from "./_queue_store.ts";
import { HEADER } from "./_ring.ts";
import type { Roster } from "./_roster.ts";
import { checkBlocking, title, type Wanted } from "./_wait.ts";
import { ClosedError } from "./errors.ts";

/** Word: how many messages may be inside. */
export const MAX_SIZE = 3;
/** Word: how long a message may be. */
export const MAX_BYTES = 4;
const DONES = 16;
const JOINERS = 17;
/** Words of a queue's head. */
export const QUEUE_WORDS = 32;

/** What a get gives on a queue that is closed and empty. */
export const DRAINED: unique symbol = Symbol("drained");

/** What a get may give beside the value. */
type Got = unknown;

class Waiting implements Wanted {
  readonly #core: QueueCore;
  readonly verb: string;

  constructor(core: QueueCore, verb: string) {
    this.#core = core;
    this.verb = verb;
  }

  get kind(): Kind {
    return this.#core.kind;
  }
  get words(): Words {
    return this.#core.words;
  }
  get roster(): Roster {
    return this.#core.roster;
  }
  get name(): string {
    return this.#core.name;
  }
  owners(): readonly number[] {
    return []; // anybody could end the wait
  }
}

/** The wait of a put for room. */
class Offering implements LobbyCondition<true> {
  readonly #core: QueueCore;
  readonly #length: () => number;
  readonly attempt: () => true | typeof NOT_YET;
  readonly wanted: Wanted;
  all = false;
  atMost: number = Infinity;

  constructor(core: QueueCore, wanted: Wanted, attempt: () => true | typeof NOT_YET, length: () => number) {
    this.#core = core;
    this.wanted = wanted;
    this.#length = length;
    this.attempt = attempt;
  }

  /** What an outcome means for the wait. */
  judge(outcome: Outcome, unsent: () => unknown): true | typeof NOT_YET {
    if (outcome === DONE) return true;
    if (outcome === OVER) throw this.#core.refused(unsent());
    if (outcome === CRAMPED) this.all = true; // another may need less
    this.atMost = outcome === KEPT ? LAPSE : Infinity;
    return NOT_YET;
  }

  readonly ready: () => boolean = () => this.#core.store.hasRoom(this.#length());
  readonly readyForOthers: () => boolean = () => this.#core.store.hasRoom(0);

  insist(task: boolean): void {
    this.#core.store.insist(task, this.#length());
    this.all = true; // to be among those who are woken
  }

  relent(task: boolean): void {
    this.#core.store.relent(task);
  }
}

/** A queue as one agent sees it. */
export class QueueCore {
  readonly words: Words;
  readonly roster: Roster;
  readonly kind: Kind;
  readonly name: string;
  readonly maxSize: number;
  readonly maxBytes: number;
  readonly store: Store;
  readonly #local: QueueLocal;
  readonly #joiners: Lobby;
  readonly #out: Message = new Message();
  readonly #in: Message = new Message();
  #batch: Batch | undefined = new Batch();

  readonly #getting: LobbyCondition<Got>;
  readonly #joining: LobbyCondition<true>;
  readonly #putting: Wanted;
  readonly #puttingMany: Wanted;
  readonly #takingMany: Wanted;

  /** The queue of a record, with its store. */
  constructor(kind: Kind, words: Words, roster: Roster, name: string, store: Store) {
    this.kind = kind;
    this.words = words;
    this.roster = roster;
    this.name = name;
    this.maxSize = load(words, MAX_SIZE) >>> 0;
    this.maxBytes = load(words, MAX_BYTES) >>> 0;
    this.store = store;
    this.#local = store.local;
    this.#joiners = new Lobby(words, roster, JOINERS);
    this.#putting = new Waiting(this, "put");
    this.#puttingMany = new Waiting(this, "putMany");
    this.#takingMany = new Waiting(this, "getMany");
    this.#getting = {
      wanted: new Waiting(this, "get"),
      all: false,
      attempt: () => this.#tryGet(),
      ready: () => store.stirring,
    };
    this.#joining = {
      wanted: new Waiting(this, "join"),
      all: true,
      attempt: () => this.unfinished === 0 ? true : NOT_YET,
      ready: () => this.unfinished === 0,
    };
  }

  /** Its class and name, for messages. */
  get title(): string {
    return title(this.kind, this.name);
  }

  // Putting.

  /** Puts a value; false once the deadline is over. */
  put(value: unknown, priority: number, deadline: number): boolean {
    const message = this.#out;
    message.stage(value, "put");
    message.priority = priority;
    this.#checkFits(message.length);
    const outcome = this.#offer(message);
    if (outcome !== DONE && !this.#putSlow(message, value, outcome, deadline)) return false;
    message.drop();
    return true;
  }

  // A thread that blocks runs no user code meanwhile: the message may stay where it was staged.
  #putSlow(message: Message, value: unknown, outcome: Outcome, deadline: number): boolean {
    const condition = this.#offering(message, value, outcome);
    if (deadline === POLL) return false;
    return this.store.putters.wait(condition, deadline) !== NOT_YET;
  }

  /** The wait for room. Throws when there is nothing to wait for. */
  #offering(message: Message, value: unknown, outcome: Outcome): LobbyCondition<true> {
    const attempt = (): true | typeof NOT_YET => condition.judge(this.#offer(message), () => value);
    const condition = new Offering(this, this.#putting, attempt, () => this.#next()?.length() ?? message.length);
    condition.judge(outcome, () => value);
    return condition;
  }

  /** Puts a message in, behind those of this thread that wait. */
  #offer(message: Message): Outcome {
    const outcome = this.#local.ahead.size === 0 ? DONE : this.#putAhead();
    return outcome === DONE ? this.store.offer(message) : outcome;
  }

  /** Puts in what this thread wanted to put before: DONE once nothing is left. */
  #putAhead(): Outcome {
    for (let pending = this.#next(); pending !== undefined; pending = this.#next()) {
      const outcome = pending.put();
      if (outcome !== DONE) return outcome;
      this.store.putters.wake(Infinity); // its task is to learn of it
    }
    return DONE;
  }

  /** The first put that waits. One that was given up a moment ago has yet to leave. */
  #next(): Pending | undefined {
    for (const pending of this.#local.ahead) {
      if (pending.signal?.aborted !== true) return pending;
    }
    return undefined;
  }

  #checkFits(length: number): void {
    if (length <= this.maxBytes) return;
    throw new RangeError(
      `Cannot put into ${this.title} as the message takes ${length} bytes: maxBytes is ${this.maxBytes}`,
    );
  }

  /** The error of a put on a closed queue. */
  refused(value: unknown): ClosedError {
    return new ClosedError(`Cannot put into ${this.title} as it is closed`, { value });
  }

  /** The same without blocking. */
  putAsync(value: unknown, priority: number, signal: AbortSignal | undefined): Promise<void> {
    const message = this.#out;
    message.stage(value, "put");
    message.priority = priority;
    this.#checkFits(message.length);
    const outcome = this.#local.ahead.size === 0 ? this.store.offer(message) : FULL;
    if (outcome === DONE) {
      message.drop();
      return Promise.resolve();
    }
    if (outcome === OVER) throw this.refused(value);
    const kept = message.keep();
    message.drop();
    const pending = this.#pending(signal, () => kept.length, () => this.store.offer(kept));
    return this.#wait(pending, this.#putting, () => value);
  }

  #pending(signal: AbortSignal | undefined, length: () => number, offer: () => Outcome): Pending {
    const { ahead } = this.#local;
    let outcome: Outcome | undefined;
    const put = (): Outcome => {
      if (outcome === DONE) return DONE;
      outcome = offer();
      if (outcome === DONE) ahead.delete(pending);
      return outcome;
    };
    const pending = { signal, length, put };
    return pending;
  }

  /** Waits without blocking until all of it is in, whoever puts it. */
  async #wait(pending: Pending, wanted: Wanted, unsent: () => unknown): Promise<void> {
    const { ahead, put } = this.#local;
    const attempt = (): true | typeof NOT_YET => condition.judge(pending.put(), unsent);
    const condition = new Offering(this, wanted, attempt, pending.length);
    ahead.add(pending);
    try {
      await this.store.putters.waitAsync(condition, put, pending.signal);
    } catch (error) {
      if (ahead.has(pending)) throw error; // else it was put before it could be given up
    } finally {
      ahead.delete(pending);
    }
  }

  // Putting many.

  /** Puts values in their order; returns how many, fewer than all only once the deadline is over. */
  putMany(values: readonly unknown[], priority: Priority, deadline: number): number {
    const batch = this.#stageMany(values, priority);
    try {
      const condition = this.#offeringMany(batch, values);
      if (deadline !== POLL && !mayBlock()) this.#putWhole(batch);
      if (condition.attempt() === NOT_YET && deadline !== POLL) this.store.putters.wait(condition, deadline);
      return values.length - batch.count;
    } finally {
      this.#batch = batch;
    }
  }

  /** All or none, in a thread that may not block for the rest: throws BlockingUnavailableError when there is no room. */
  #putWhole(batch: Batch): void {
    let outcome: Outcome = batch.count === 0 ? DONE : this.#putAhead();
    if (outcome === DONE && batch.count > 0) outcome = this.store.offerMany(batch, true);
    if (outcome !== DONE && outcome !== OVER) checkBlocking(this.#puttingMany);
  }

  /** The same without blocking. Rejects with `signal.reason` only when nothing was put; else resolves with how many. */
  async putManyAsync(
    values: readonly unknown[],
    priority: Priority,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const batch = this.#stageMany(values, priority);
    const pending = this.#pending(signal, () => lengthOf(batch), () => this.#offerMany(batch));
    try {
      await this.#wait(pending, this.#puttingMany, () => unsent(values, batch));
    } catch (error) {
      if (signal?.aborted !== true || error !== signal.reason || batch.count === values.length) throw error;
    }
    this.#batch = batch;
    return values.length - batch.count;
  }

  /** All of them, before any is put: one that cannot be put keeps the others out, too. User code may come back here. */
  #stageMany(values: readonly unknown[], priority: Priority): Batch {
    const batch = this.#batch ?? new Batch();
    this.#batch = undefined;
    batch.clear();
    const message = new Message();
    const root = new ItemName();
    for (; root.index < values.length; root.index++) {
      const value = values[root.index];
      message.priority = typeof priority === "number" ? priority : priority(value); // may encode: before stage()
      message.stage(value, "put", root as unknown as string);
      this.#checkFits(message.length);
      batch.add(message);
    }
    return batch;
  }

  #offeringMany(batch: Batch, values: readonly unknown[]): LobbyCondition<true> {
    const attempt = (): true | typeof NOT_YET => {
      const outcome = batch.count === 0 ? DONE : this.#putAhead();
      return condition.judge(outcome === DONE ? this.#offerMany(batch) : outcome, () => unsent(values, batch));
    };
    const length = (): number => this.#next()?.length() ?? lengthOf(batch);
    const condition = new Offering(this, this.#puttingMany, attempt, length);
    return condition;
  }

  /** Puts in as many as there is room for: DONE once all are in. */
  #offerMany(batch: Batch): Outcome {
    const { store } = this;
    let outcome: Outcome = batch.count === 0 && store.closed ? OVER : DONE;
    while (batch.count > 0 && outcome === DONE) outcome = store.offerMany(batch, false);
    return outcome;
  }

  // Getting.

  /** The next value; NOT_YET once the deadline is over, DRAINED when none will come. */
  get(deadline: number): Got {
    const result = this.#tryGet();
    if (result !== NOT_YET || deadline === POLL) return result;
    return this.store.getters.wait(this.#getting, deadline);
  }

  #tryGet(): Got {
    const message = this.#in;
    const outcome = this.store.take(message);
    return outcome === DONE ? message.value() : outcome === OVER ? DRAINED : NOT_YET;
  }

  /** The same without blocking. */
  getAsync(signal: AbortSignal | undefined): Promise<Got> {
    return this.store.getters.waitAsync(this.#getting, this.#local.get, signal);
  }

  /** What is inside now, at most `most`, waiting for the first; NOT_YET once the deadline is over. */
  getMany(most: number, deadline: number): unknown[] | typeof DRAINED | typeof NOT_YET {
    const condition = this.#gettingMany(most);
    const result = condition.attempt();
    if (result !== NOT_YET || deadline === POLL) return result;
    return this.store.getters.wait(condition, deadline);
  }

  /** The same without blocking. */
  getManyAsync(most: number, signal: AbortSignal | undefined): Promise<unknown[] | typeof DRAINED> {
    return this.store.getters.waitAsync(this.#gettingMany(most), this.#local.get, signal);
  }

  #gettingMany(most: number): LobbyCondition<unknown[] | typeof DRAINED> {
    const { store } = this;
    return {
      wanted: this.#takingMany,
      all: false,
      attempt: () => this.#tryGetMany(most),
      ready: () => store.stirring,
    };
  }

  #tryGetMany(most: number): unknown[] | typeof DRAINED | typeof NOT_YET {
    const { store } = this;
    const batch = this.#batch ?? new Batch();
    const message = this.#in;
    const values: unknown[] = [];
    let failure: { error: unknown } | undefined;
    most = Math.min(most, Math.max(store.count().size, 1)); // who puts meanwhile must not keep it going
    while (values.length < most && failure === undefined) {
      let outcome = store.takeMany(batch, most - values.length);
      if (outcome === DONE && batch.count === 0) {
        outcome = store.take(message);
        if (outcome === DONE) failure = decodeTo(values, message, failure);
      }
      if (outcome !== DONE) {
        if (values.length > 0) break;
        return outcome === OVER ? DRAINED : NOT_YET;
      }
      while (batch.count > 0) {
        batch.peek(message);
        message.own();
        failure = decodeTo(values, message, failure);
        batch.drop(1, batch.bytesAt(batch.start));
      }
    }
    if (failure === undefined) return values;
    const { error } = failure;
    if (error instanceof Error) Object.defineProperty(error, "items", { value: values, configurable: true });
    throw error;
  }

  // Finishing and closing.

  /** Messages put and not yet reported done. */
  get unfinished(): number {
    const dones = load(this.words, DONES); // invariant 2
    return ((this.store.countPuts() - dones) | 0) >>> 0;
  }

  /** Reports one message done; false when all of them are. */
  taskDone(): boolean {
    const { words } = this;
    for (;;) {
      const dones = load(words, DONES);
      const left = ((this.store.countPuts() - dones) | 0) >>> 0;
      if (left === 0) return false;
      if (cas(words, DONES, dones, (dones + 1) | 0) !== dones) continue;
      if (left === 1) this.#joiners.wake(Infinity);
      return true;
    }
  }

  /** Waits until everything is done; false once the deadline is over. */
  join(deadline: number): boolean {
    if (this.unfinished === 0) return true;
    return deadline !== POLL && this.#joiners.wait(this.#joining, deadline) !== NOT_YET;
  }

  /** The same without blocking. */
  async joinAsync(signal: AbortSignal | undefined): Promise<void> {
    await this.#joiners.waitAsync(this.#joining, this.#local.join, signal);
  }

  /** What printing it shows. */
  toString(): string {
    const { size } = this.store.count();
    const most = this.maxSize === 0 ? "" : `/${this.maxSize}`;
    return `${this.title} (size=${size}${most}${this.store.closed ? ", closed" : ""})`;
  }
}

/** `items[7]`, made only when an error says it: making it for each item costs a fifth of its put. */
class ItemName {
  index = 0;

  toString(): string {
    return `items[${this.index}]`;
  }
}

/** How many bytes the next message of a batch takes. */
function lengthOf(batch: Batch): number {
  return batch.count === 0 ? 0 : batch.bytesAt(batch.start) - HEADER;
}

/** The values of which the messages are still in the batch. */
function unsent(values: readonly unknown[], batch: Batch): unknown[] {
  return values.slice(values.length - batch.count);
}

/** The priority of each message. */
export type Priority = number | ((value: unknown) => number);

/** Decodes a message; of those that cannot be, the first one's error is kept. */
function decodeTo(values: unknown[], message: Message, failure: { error: unknown } | undefined): typeof failure {
  try {
    values.push(message.value());
    return failure;
  } catch (error) {
    return failure ?? { error };
  }
}
