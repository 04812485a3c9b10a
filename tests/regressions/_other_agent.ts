/**
 * A pipe's end in another thread, which runs when it is told to, and what tests of pipes say of messages.
 *
 * @module
 */

import { Agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { Connection } from "../../primitives/pipe.ts";
import { asAgent } from "../_as_agent.ts";

/** A Connection that another agent holds. */
export class OtherEnd {
  readonly #agent: Agent;
  readonly #handle: FullHandle;
  readonly #end: Connection<any, any>;

  /** Another agent attaches to the same end: a new one, or that which has attached to another. */
  constructor(end: Connection<any, any>, same?: OtherEnd) {
    this.#agent = same === undefined ? new Agent() : same.#agent;
    const handle = this.#handle = end.handle as FullHandle;
    this.#agent.mayBlock = true;
    this.#end = this.run(() => Connection.attach(handle));
  }

  /** Lets it do something that does not wait for others. */
  run<T>(act: (end: Connection<any, any>) => T): T {
    return asAgent(this.#agent, () => act(this.#end));
  }

  /** It dies, as it stands. */
  die(): void {
    const { roster, rosterOffset } = this.#handle;
    const { me } = this.run(() => Roster.attach(roster, rosterOffset));
    Roster.attach(roster, rosterOffset).markDead(me);
  }
}

/** The word at which a direction's own words begin, in the record of a pipe for two threads. */
const DIRECTION = 32;

/** SENDER, RECEIVER and AGAIN of the direction to end 1, in the record of a duplex pipe for 2 or 3 threads. */
export function wordsTo1(end: Connection<any, any>): Int32Array {
  const { buffer, byteOffset } = end.handle as FullHandle;
  return new Int32Array(buffer, byteOffset + 4 * (DIRECTION + 80), 3);
}

/** So many bytes of one value. */
export function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** Length and first byte. */
export function brief(message: Uint8Array | undefined): [number, number] | undefined {
  return message === undefined ? undefined : [message.length, message[0]!];
}

/** Lets a sender go on that waits as a task. */
export function turn(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
