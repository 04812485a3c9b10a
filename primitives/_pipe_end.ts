// One end of a pipe as a Connection uses it: sending, receiving, and all the waiting.
// The record and its invariants are in the header of _pipe_record.ts.

import type { Words } from "./_atomics.ts";
import { POLL } from "./_deadline.ts";
import type { LobbyCondition } from "./_lobby.ts";
import { NOT_YET } from "./_lobby.ts";
import { localOf } from "./_local.ts";
import { DATA, type Incoming, INTO, PEEK, VALUE, type Want } from "./_pipe_in.ts";
import { PipeLocal, type Side } from "./_pipe_local.ts";
import type { Outgoing } from "./_pipe_out.ts";
import { BYTES, Shipment } from "./_pipe_parts.ts";
import type { EndNumber } from "./_pipe_record.ts";
import { Message, RAW } from "./_queue_message.ts";
import type { Roster } from "./_roster.ts";
import type { Wanted } from "./_wait.ts";
import { checkBlocking, title } from "./_wait.ts";
import { ClosedError, UnsupportedError } from "./errors.ts";

/** How often a receiver that finds a message claimed looks whether it may take that over, in ms. */
const GLANCE = 50;

const NOTHING = new Uint8Array(0);
const NOBODY: readonly number[] = [];

/** One Connection's way to its end. */
export class PipeEnd {
  readonly words: Words;
  readonly roster: Roster;
  readonly name: string;
  readonly end: EndNumber;
  readonly #peer: EndNumber;
  readonly #local: PipeLocal;
  readonly #side: Side;
  readonly #out: Outgoing | undefined;
  readonly #in: Incoming | undefined;
  readonly #wanted: Map<string, Wanted> = new Map<string, Wanted>();
  readonly #sent: Message = new Message();
  readonly #received: Message = new Message();
  readonly #conditions: (LobbyCondition<Message> | undefined)[] = [];
  /** Whether it was closed here. */
  closed = false;

  /** An end of the pipe in that record; `held` when this thread's hold is counted already. */
  constructor(words: Words, roster: Roster, name: string, end: EndNumber, held: boolean) {
    this.words = words;
    this.roster = roster;
    this.name = name;
    this.end = end;
    this.#peer = end === 0 ? 1 : 0;
    this.#local = localOf(words, () => new PipeLocal(words, roster));
    this.#side = this.#local.sides[end];
    this.#out = this.#side.out;
    this.#in = this.#side.in;
    if (!held) this.#local.holders.hold(end, this.title);
  }

  /** Its class and name, for messages. */
  get title(): string {
    return title("Connection", this.name);
  }

  /** Whether it can receive. */
  get readable(): boolean {
    return this.#in !== undefined;
  }

  /** Whether it can send. */
  get writable(): boolean {
    return this.#out !== undefined;
  }

  /** What printing it shows. */
  toString(): string {
    const way = this.#in === undefined ? "sends" : this.#out === undefined ? "receives" : "duplex";
    const state = this.closed ? "closed" : this.#local.holders.gone(this.#peer) ? "other end closed" : "open";
    return `${this.title} (${way}, ${state})`;
  }

  /** A thread that is about to start will attach to this end. */
  give(roster: Roster, thread: number): void {
    this.checkOpen("pass on");
    if (roster === this.roster) this.#local.holders.give(this.end, this.title, thread);
  }

  /** Throws ClosedError once it was closed here. */
  checkOpen(verb: string, value?: unknown): void {
    if (this.closed) throw new ClosedError(`Cannot ${verb} ${this.title} as it is closed`, { value });
  }

  /** Lets this thread's hold go. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const local = this.#local;
    if (local.holders.release(this.end)) this.#side.clear();
    local.wakeAll();
  }

  #want(verb: string): Wanted {
    let wanted = this.#wanted.get(verb);
    if (wanted === undefined) {
      const { words, roster, name } = this;
      wanted = { kind: "Connection", words, roster, name, verb, owners: nobody };
      this.#wanted.set(verb, wanted);
    }
    return wanted;
  }

  // Sending.

  /** Sends a value, or bytes. Returns false once the deadline is over. */
  send(value: unknown, data: boolean, deadline: number): boolean {
    const out = this.#stage(value, data);
    const message = this.#sent;
    if (out.offer(message)) {
      message.drop();
      return true;
    }
    try {
      return this.#ship(new Shipment(message), value, data, deadline);
    } finally {
      message.bytes = NOTHING;
    }
  }

  #ship(shipment: Shipment, value: unknown, data: boolean, deadline: number): boolean {
    const out = this.#out!;
    if (out.advance(shipment, true, false) || deadline === POLL) return shipment.done;
    checkBlocking(this.#want(data ? "sendBytes" : "send")); // before a first part of it is in the ring
    try {
      out.ring.putters.wait(this.#sending(shipment, value, data, true), deadline);
      return shipment.done;
    } finally {
      out.cancel(shipment);
      this.#rest();
    }
  }

  /** The same without blocking. */
  async sendAsync(value: unknown, data: boolean, signal: AbortSignal | undefined): Promise<void> {
    const { sendLine } = this.#side;
    signal?.throwIfAborted();
    const out = this.#stage(value, data);
    const first = sendLine.length === 0;
    if (first && out.offer(this.#sent)) return this.#sent.drop();
    const shipment = new Shipment(this.#sent, signal);
    if (first && out.advance(shipment, true, false)) return;
    shipment.message = this.#sent.keep(); // user code runs from here on
    this.#sent.bytes = NOTHING;
    out.queue(shipment);
    try {
      await out.ring.putters.waitAsync(this.#sending(shipment, value, data, false), sendLine, signal);
    } catch (error) {
      if (shipment.done) return; // it was sent before it could be given up
      throw error;
    } finally {
      out.cancel(shipment);
      this.#rest();
    }
  }

  #stage(value: unknown, data: boolean): Outgoing {
    const out = this.#out;
    if (out === undefined) this.#refuse("send through", "receives", "send");
    const message = this.#sent;
    if (data) {
      const bytes = bytesOf(value, "send");
      message.form = RAW;
      message.word = BYTES;
      message.bytes = bytes;
      message.start = 0;
      message.length = bytes.length;
    } else message.stage(value, "send", "value");
    this.#checkPeer(value);
    return out;
  }

  #checkPeer(value: unknown): void {
    this.checkOpen("send through", value);
    if (this.#local.holders.gone(this.#peer)) {
      throw new ClosedError(`Cannot send through ${this.title} as the other end is closed`, { value });
    }
  }

  #sending(shipment: Shipment, value: unknown, data: boolean, spins: boolean): LobbyCondition<boolean> {
    const out = this.#out!;
    const incoming = this.#in;
    let told = false;
    const attempt = (): boolean | typeof NOT_YET => {
      if (shipment.done) return true;
      this.#checkPeer(value);
      const moves = out.moves + (incoming?.moves ?? 0);
      if (out.advance(shipment, false, spins)) return true;
      if (incoming === undefined) return NOT_YET;
      if (incoming.ring.putters.waiting && !this.#local.holders.othersMayReceive(this.end)) {
        if (incoming.takeIn() && out.advance(shipment, false, spins)) return true;
      }
      const moved = out.moves + incoming.moves !== moves;
      if (moved || !told) incoming.ring.putters.wake(Infinity); // the other end's blocked senders (invariant 6)
      told = true;
      return NOT_YET;
    };
    return {
      wanted: this.#want(data ? "sendBytes" : "send"),
      all: true, // they wait for room of different sizes, and for their turn
      attempt,
      ready: () => out.hasRoom(shipment),
    };
  }

  // Receiving.

  /** Receives a value, boxed in a message; undefined once the deadline is over. */
  recv(deadline: number): { value: unknown } | undefined {
    const message = this.#recv(VALUE, "recv", undefined, deadline);
    return message === undefined ? undefined : { value: valueIn(message) };
  }

  /** The same for ever, without the box. */
  recvValue(): unknown {
    return valueIn(this.#recv(VALUE, "recv", undefined, Infinity)!);
  }

  /** Receives bytes. */
  recvBytes(deadline: number): Uint8Array<ArrayBuffer> | undefined {
    const message = this.#recv(DATA, "recvBytes", undefined, deadline);
    return message === undefined ? undefined : dataOf(message);
  }

  /** Receives bytes into an array of the caller's; how many they were. */
  recvBytesInto(view: unknown, deadline: number): number | undefined {
    this.#readableEnd();
    const bytes = bytesOf(view, "receive into");
    try {
      return this.#recv(INTO, "recvBytesInto", bytes, deadline)?.length;
    } finally {
      this.#received.bytes = NOTHING;
    }
  }

  /** Whether there is a message, or the other end is closed. */
  poll(deadline: number): boolean {
    const incoming = this.#readableEnd();
    if (this.#look(PEEK, undefined, false) !== undefined) return true;
    if (deadline === POLL) return false;
    return incoming.ring.getters.wait(this.#condition(PEEK, "poll", undefined), deadline) !== NOT_YET;
  }

  /** The same without blocking. */
  pollAsync(signal: AbortSignal | undefined): Promise<boolean> {
    return this.#recvAsync(PEEK, "poll", undefined, signal, () => true);
  }

  recvAsync(signal: AbortSignal | undefined): Promise<unknown> {
    return this.#recvAsync(VALUE, "recv", undefined, signal, valueIn);
  }

  recvBytesAsync(signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    return this.#recvAsync(DATA, "recvBytes", undefined, signal, dataOf);
  }

  async recvBytesIntoAsync(view: unknown, signal: AbortSignal | undefined): Promise<number> {
    this.#readableEnd();
    const bytes = bytesOf(view, "receive into");
    return await this.#recvAsync(INTO, "recvBytesInto", bytes, signal, (message) => message.length);
  }

  #readableEnd(): Incoming {
    const incoming = this.#in;
    if (incoming === undefined) this.#refuse("receive from", "sends", "recv");
    this.checkOpen("receive from");
    if (!this.#side.receives) {
      this.#side.receives = true;
      this.#local.holders.receives(this.end);
    }
    return incoming;
  }

  #recv(want: Want, verb: string, view: Uint8Array | undefined, deadline: number): Message | undefined {
    const incoming = this.#readableEnd();
    const message = this.#received;
    try {
      if (incoming.take(want, message, view, deadline !== POLL)) return message;
      if (deadline === POLL) return this.#look(want, view, false);
      const found = incoming.ring.getters.wait(this.#condition(want, verb, view), deadline);
      return found === NOT_YET ? undefined : found;
    } finally {
      this.#rest();
    }
  }

  /** This receive has ended; what it had begun goes on with the next one here, or in any other thread. */
  #rest(): void {
    if (this.#in?.midway === true && this.#side.recvLine.length === 0) this.#in.rest();
  }

  /** One look for a message; throws ClosedError at the end of file, unless it is only to be looked at. */
  #look(want: Want, view: Uint8Array | undefined, spins: boolean): Message | undefined {
    this.checkOpen("receive from");
    const message = this.#received;
    if (this.#in!.take(want, message, view, spins)) return message;
    if (!this.#local.holders.gone(this.#peer)) return undefined;
    if (this.#in!.take(want, message, view, spins)) return message; // it was sent before the other end closed
    if (this.#in!.claimed && !this.#in!.isExhausted()) return undefined; // what stands behind that one is left
    if (want === PEEK) return message;
    throw new ClosedError(`Cannot receive from ${this.title} as the other end is closed and nothing is left`);
  }

  /** What a blocked receive waits for; made once, as it is needed all the time. */
  #condition(want: Want, verb: string, view: Uint8Array | undefined): LobbyCondition<Message> {
    if (view !== undefined) return this.#receiving(want, verb, view, true, itself);
    return this.#conditions[want] ??= this.#receiving(want, verb, view, true, itself);
  }

  #receiving<T>(
    want: Want,
    verb: string,
    view: Uint8Array | undefined,
    spins: boolean,
    result: (message: Message) => T,
  ): LobbyCondition<T> {
    const incoming = this.#in!;
    return {
      wanted: this.#want(verb),
      get all(): boolean {
        return incoming.claimed;
      },
      get atMost(): number {
        return incoming.claimed ? GLANCE : Infinity;
      },
      attempt: (): T | typeof NOT_YET => {
        const found = this.#look(want, view, spins);
        return found === undefined ? NOT_YET : result(found);
      },
      ready: () => incoming.stirring,
    };
  }

  async #recvAsync<T>(
    want: Want,
    verb: string,
    view: Uint8Array | undefined,
    signal: AbortSignal | undefined,
    result: (message: Message) => T,
  ): Promise<T> {
    const incoming = this.#readableEnd();
    const condition = this.#receiving(want, verb, view, false, result);
    try {
      return await incoming.ring.getters.waitAsync(condition, this.#side.recvLine, signal);
    } finally {
      this.#rest();
    }
  }

  #refuse(what: string, does: string, verb: string): never {
    throw new UnsupportedError(`Cannot ${what} ${this.title} as this end only ${does}`, {
      hint: `${verb} at the other end, or make the pipe duplex`,
    });
  }
}

/** Nobody in particular can end a wait: a handle of the other end may be on its way to anybody. */
function nobody(): readonly number[] {
  return NOBODY;
}

function itself(message: Message): Message {
  return message;
}

function valueIn(message: Message): unknown {
  try {
    return message.value();
  } finally {
    message.bytes = NOTHING;
  }
}

function dataOf(message: Message): Uint8Array<ArrayBuffer> {
  const { bytes } = message;
  message.bytes = NOTHING;
  return bytes as Uint8Array<ArrayBuffer>;
}

function bytesOf(view: unknown, what: string): Uint8Array {
  if (ArrayBuffer.isView(view)) return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const tag = Object.prototype.toString.call(view);
  if (tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]") {
    return new Uint8Array(view as ArrayBuffer);
  }
  throw new TypeError(`Cannot ${what} something that is no typed array, DataView or ArrayBuffer`);
}
