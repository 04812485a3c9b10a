// What a queue asks of the record that keeps its messages; the ring and the heap
// both answer it. Nothing here waits.

import { AsyncLine } from "./_line.ts";
import type { Batch } from "./_queue_batch.ts";
import type { Message } from "./_queue_message.ts";
import type { Lobby } from "./_lobby.ts";

/** offer(): the message is in. */
export const DONE = 0;
/** offer(): as many messages are inside as may be. */
export const FULL = 1;
/** offer(): there are not enough free bytes. */
export const CRAMPED = 2;
/** take(): no message is inside. */
export const EMPTY = 3;
/** The queue is closed, for take() also empty. */
export const OVER = 4;
/** offer(): somebody else puts first, see _queue_heir.ts. */
export const KEPT = 5;

/** What came of an attempt. */
export type Outcome = typeof DONE | typeof FULL | typeof CRAMPED | typeof EMPTY | typeof OVER | typeof KEPT;

/** A put of this agent that waits without blocking. */
export interface Pending {
  readonly signal: AbortSignal | undefined;
  /** How many bytes it wants next. */
  length(): number;
  /** Puts in as much of it as there is room for: DONE once all of it is in. */
  put(): Outcome;
}

/** What all objects of an agent for one queue share. */
export class QueueLocal {
  /** The puts that wait, in the order of their calls: whatever this agent puts later goes behind them. */
  readonly ahead: Set<Pending> = new Set<Pending>();
  /** Whose turn it is to wait. */
  readonly put: AsyncLine = new AsyncLine();
  readonly get: AsyncLine = new AsyncLine();
  readonly join: AsyncLine = new AsyncLine();
  /** Whether this agent gets from the queue. */
  gets = false;
}

/** The messages of a queue in shared memory. */
export interface Store {
  readonly local: QueueLocal;
  /** Where those wait who want a message. */
  readonly getters: Lobby;
  /** Where those wait who want room. */
  readonly putters: Lobby;
  /** Puts a message in, if there is room; wakes a getter. */
  offer(message: Message): Outcome;
  /** Keeps the next room for this thread, or task, which wants so many bytes. */
  insist(task: boolean, length: number): void;
  /** No longer; wakes those who were held back. */
  relent(task: boolean): void;
  /** Puts as many messages of a batch in as there is room for, or, if they go in `whole` only, all or none; wakes getters. */
  offerMany(batch: Batch, whole: boolean): Outcome;
  /** Takes a message out; wakes a putter. */
  take(message: Message): Outcome;
  /** Takes messages out, at most `most`; wakes putters. None, though it is DONE: the next one is for take(). */
  takeMany(batch: Batch, most: number): Outcome;
  /** Whether a message of so many bytes could be put now: a look that never throws. */
  hasRoom(length: number): boolean;
  /** Whether a get has something to do: there is a message, or the queue is closed. */
  readonly stirring: boolean;
  /** Messages inside, and whether one more could be put. */
  count(): { readonly size: number; readonly full: boolean };
  /** Messages ever put, wrapping. */
  countPuts(): number;
  /** Whether it is closed. */
  readonly closed: boolean;
  /** Lets nothing more in, and wakes everybody. */
  close(): void;
}
