// What an agent knows of a pipe and has at each of its ends, shared by all its Connections there: the ways in and out,
// and the tasks that wait their turn.

import type { Words } from "./_atomics.ts";
import { AsyncLine } from "./_line.ts";
import { Holders } from "./_pipe_holders.ts";
import { Incoming } from "./_pipe_in.ts";
import { Outgoing } from "./_pipe_out.ts";
import { bytesAt, directionAt, type EndNumber, readShape, type Shape } from "./_pipe_record.ts";
import type { Ring } from "./_ring.ts";
import type { Roster } from "./_roster.ts";

/** What this agent has at one end, shared by all its Connections there. */
export class Side {
  readonly out: Outgoing | undefined;
  readonly in: Incoming | undefined;
  readonly sendLine: AsyncLine = new AsyncLine();
  readonly recvLine: AsyncLine = new AsyncLine();
  receives = false;

  constructor(words: Words, roster: Roster, shape: Shape, rings: readonly Ring[], end: EndNumber) {
    const [into, from] = [rings[1 - end], rings[end]];
    if (into !== undefined) this.out = new Outgoing(words, roster, directionAt(shape, 1 - end), into);
    if (from !== undefined) this.in = new Incoming(words, roster, directionAt(shape, end), from);
  }

  /** This agent holds the end no longer. */
  clear(): void {
    this.out?.clear();
    this.in?.clear();
    this.receives = false;
  }
}

/** What this agent knows of a pipe, shared by all its Connections. */
export class PipeLocal {
  readonly shape: Shape;
  readonly holders: Holders;
  readonly rings: Ring[] = [];
  readonly sides: readonly [Side, Side];

  constructor(words: Words, roster: Roster) {
    const shape = this.shape = readShape(words);
    this.holders = new Holders(words, roster, shape.threads);
    for (let d = 0; d < shape.rings; d++) {
      this.rings.push(Outgoing.ringOf(words, roster, directionAt(shape, d), bytesAt(shape, d), shape.size));
    }
    this.sides = [new Side(words, roster, shape, this.rings, 0), new Side(words, roster, shape, this.rings, 1)];
    this.holders.onClosed = () => this.wakeAll();
  }

  wakeAll(): void {
    for (const { getters, putters } of this.rings) {
      getters.wake(Infinity);
      putters.wake(Infinity);
    }
  }
}
