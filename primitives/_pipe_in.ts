// The receiving side of one direction of a pipe, as one agent sees it. Nothing here waits;
// invariants are those of _pipe_record.ts.

import type { Words } from "./_atomics.ts";
import { load, read, store } from "./_atomics.ts";
import { now } from "./_deadline.ts";
import { FIRST, isBytes, LAST, MORE, Partial } from "./_pipe_parts.ts";
import { AGAIN as RESEND, IDLE_BIT, RECEIVER, RESTS, SENDER } from "./_pipe_record.ts";
import { CODED, Inbox, Message, OTHER, RAW } from "./_queue_message.ts";
import { frameBytes, HEADER, type Ring } from "./_ring.ts";
import type { Roster } from "./_roster.ts";
import { spinUntil } from "./_spin.ts";
import { LayoutError } from "./errors.ts";

/** take(): a value. */
export const VALUE = 0;
/** take(): what sendBytes() sent. */
export const DATA = 1;
/** take(): the same, into an array of the caller's. */
export const INTO = 2;
/** take(): either, to be kept. */
export const ANY = 3;
/** take(): nothing; only looks whether there is something. */
export const PEEK = 4;
/** What is to be taken. */
export type Want = typeof VALUE | typeof DATA | typeof INTO | typeof ANY | typeof PEEK;

// What a look at the ring gives.

/** Nothing to take now. */
const EMPTY = 0;
/** A message is taken; for PEEK, it is there. */
const TAKEN = 1;
/** A part was taken, or got rid of: look again. */
const AGAIN = 2;
/** An idle receiver has begun the next message: it may have to be taken over. */
const CLAIMED = 3;
/** REST matters, and is sure only inside PUT, too. */
const UNSURE = 4;

// REST of _pipe_record.ts.
const HERE = 0;
const COMING = 1;
const NEVER = 2;

/** How long a receiver may be idle before another takes over, in ms. */
const PATIENCE = 100;

/** Takes messages out of a ring, whole or in parts. */
export class Incoming {
  readonly #words: Words;
  readonly #roster: Roster;
  readonly #sender: number;
  readonly #receiver: number;
  readonly #resend: number;
  readonly #rests: number;
  readonly #me: number;
  readonly #scratch: Inbox = new Inbox();
  readonly ring: Ring;
  /** Whole messages that a blocked sender of this agent took in; `#next` is the first that is left. */
  #inbox: Message[] = [];
  #next = 0;
  #partial: Partial | undefined = undefined;
  /** Whether it looks from inside PUT, too: only then is REST sure. */
  #insidePut = false;
  /** RECEIVER as another thread left it, RESTS as of then, and when that was seen first. */
  #stuck = 0;
  #stuckRests = 0;
  #stuckSince = 0;
  /** Whether another thread is taking in a message in parts, when last seen. */
  claimed = false;
  /** Counts what was taken out of the ring. */
  moves = 0;

  constructor(words: Words, roster: Roster, base: number, ring: Ring) {
    this.#words = words;
    this.#roster = roster;
    this.#sender = base + SENDER;
    this.#receiver = base + RECEIVER;
    this.#resend = base + RESEND;
    this.#rests = base + RESTS;
    this.#me = roster.me;
    this.ring = ring;
  }

  /** How many messages lie in the inbox. */
  get kept(): number {
    return this.#inbox.length - this.#next;
  }

  /** Whether a take is worth it: a cheap look. */
  get stirring(): boolean {
    return this.kept > 0 || this.ring.filled;
  }

  /**
   * Takes the next message, if all of it is here; in a thread that blocks it `spins` for the rest of one that has begun.
   * INTO copies it to `view`. Whoever ends a receive without a message calls rest().
   *
   * @throws {TypeError} If it is of the other sort; it stays.
   * @throws {RangeError} If the view is too short; the message stays.
   * @throws {LayoutError} If there is something else in the ring.
   */
  take(want: Want, message: Message, view: Uint8Array | undefined, spins: boolean): boolean {
    if (this.#next < this.#inbox.length && want !== ANY) {
      this.#takeKept(want, message, view);
      return true;
    }
    return this.#takeRing(want, message, view, spins);
  }

  #takeRing(want: Want, message: Message, view: Uint8Array | undefined, spins: boolean): boolean {
    const { ring } = this;
    for (;;) {
      if (this.#partial === undefined && !ring.filled && load(this.#words, this.#receiver) === 0) {
        this.claimed = false;
        return false; // as inside, where all this costs more
      }
      let found: number;
      ring.get.enter();
      try {
        found = this.#look(want, message, view);
      } finally {
        ring.get.leave();
      }
      if (found === UNSURE) found = this.#lookSurely(want, message, view);
      if (found === CLAIMED) {
        if (!this.#takeOver()) return false;
        continue;
      }
      if (found === EMPTY) {
        if (this.#partial === undefined || !spins || !spinUntil(() => ring.filled)) return false;
        continue;
      }
      if (want !== PEEK || found === AGAIN) ring.putters.wake(1);
      if (found === TAKEN) return true;
    }
  }

  /** #look() from inside PUT, too, where REST matters. */
  #lookSurely(want: Want, message: Message, view: Uint8Array | undefined): number {
    this.#enterBoth();
    this.#insidePut = true;
    try {
      return this.#look(want, message, view);
    } finally {
      this.#insidePut = false;
      this.#leaveBoth();
    }
  }

  #enterBoth(): void {
    this.ring.put.enter();
    this.ring.get.enter(this.ring.put);
  }

  #leaveBoth(): void {
    this.ring.get.leave();
    this.ring.put.leave();
  }

  /** Whether this agent has taken in the beginning of a message, which nobody else can take then. */
  get midway(): boolean {
    return this.#partial !== undefined;
  }

  /** Takes what is here into the inbox. Returns whether anything moved. */
  takeIn(): boolean {
    const before = this.moves;
    for (let message = new Message(); this.take(ANY, message, undefined, false); message = new Message()) {
      this.#inbox.push(message);
    }
    if (this.kept > 0) this.ring.getters.wake(Infinity); // a task of this agent may wait for it
    return this.moves !== before;
  }

  /** A receive has ended before the message that it had begun: others may take that over (invariant 3). */
  rest(): void {
    if (this.#partial === undefined) return;
    const words = this.#words;
    this.#enterBoth();
    try {
      if (load(words, this.#receiver) === this.#me) {
        if (this.#restOfMine() === HERE && this.#putBack()) store(words, this.#receiver, 0);
        else {
          store(words, this.#rests, (load(words, this.#rests) + 1) | 0);
          store(words, this.#receiver, this.#me | IDLE_BIT);
        }
      }
    } finally {
      this.#leaveBoth();
    }
    this.ring.getters.wake(Infinity);
  }

  /** Whether a receiver has stood still for a while: else two that only poll would take over from each other for ever. */
  #isStuck(receiver: number): boolean {
    const rests = load(this.#words, this.#rests);
    if (receiver === this.#stuck && rests === this.#stuckRests) return now() - this.#stuckSince >= PATIENCE;
    this.#stuck = receiver;
    this.#stuckRests = rests;
    this.#stuckSince = now();
    return false;
  }

  /** Takes over a message in parts from an idle receiver (REST). Returns whether a look is worth it now. */
  #takeOver(): boolean {
    const words = this.#words;
    const { ring } = this;
    this.#enterBoth();
    try {
      const receiver = load(words, this.#receiver);
      if (receiver === 0 || (receiver & ~IDLE_BIT) === this.#me) return true;
      if ((receiver & IDLE_BIT) === 0) return false;
      const rest = this.#restFrom(ring.front(), false);
      if (rest === HERE) return false;
      if (rest === COMING) {
        if (!this.#isStuck(receiver)) return false;
        store(words, this.#resend, 1);
      }
      store(words, this.#receiver, 0);
    } finally {
      this.#leaveBoth();
    }
    ring.putters.wake(Infinity);
    return true;
  }

  /**
   * Where the other end is closed and the next message is `claimed`: whether nothing is left for anybody but its receiver,
   * which has stood still for a while.
   */
  isExhausted(): boolean {
    const { ring } = this;
    ring.get.enter();
    try {
      const receiver = load(this.#words, this.#receiver);
      const id = receiver & ~IDLE_BIT;
      if (id === 0 || id === this.#me || !this.#roster.alive(id)) return false; // no longer claimed
      return !this.#holdsMore() && this.#isStuck(receiver);
    } finally {
      ring.get.leave();
    }
  }

  /** Forgets all that was taken and not received: nobody here will receive it any more. Whoever closes wakes all. */
  clear(): void {
    this.#inbox = [];
    this.#next = 0;
    if (this.#partial === undefined) return;
    const words = this.#words;
    this.#enterBoth();
    try {
      if ((load(words, this.#receiver) & ~IDLE_BIT) === this.#me) { // else it was taken over
        const rest = this.#restOfMine();
        if (rest === COMING) store(words, this.#resend, 1);
        else if (rest === HERE) this.#putBack();
        store(words, this.#receiver, 0);
      }
    } finally {
      this.#leaveBoth();
      this.#partial = undefined;
    }
  }

  #takeKept(want: Want, message: Message, view: Uint8Array | undefined): void {
    const kept = this.#inbox[this.#next]!;
    const { form, word, length } = kept;
    check(want, form, word, length, view);
    if (want === PEEK) return;
    message.form = form;
    message.word = word;
    message.length = length;
    message.number = kept.number;
    message.start = 0;
    message.bytes = kept.bytes;
    if (want === INTO) view!.set(kept.bytes.subarray(0, length));
    this.#inbox[this.#next++] = undefined!;
    if (this.#next === this.#inbox.length) {
      this.#inbox = [];
      this.#next = 0;
    }
  }

  // Inside GET.

  #look(want: Want, message: Message, view: Uint8Array | undefined): number {
    const words = this.#words;
    const { ring } = this;
    const receiver = read(words, this.#receiver);
    const id = receiver & ~IDLE_BIT;
    this.claimed = false;
    if (id !== this.#me) this.#partial = undefined; // taken over
    if (receiver !== 0 && (id !== this.#me || this.#partial === undefined)) {
      if (id !== this.#me && this.#roster.alive(id)) {
        this.claimed = true;
        return receiver === id ? EMPTY : CLAIMED;
      }
      store(words, this.#receiver, 0);
    } else if (receiver !== id && want !== PEEK) store(words, this.#receiver, id);
    const sender = this.#partial === undefined ? 0 : load(words, this.#sender); // before the look at the ring (invariant 4)
    const at = ring.front();
    if (at < 0) {
      if (this.#partial !== undefined && (sender === 0 || !this.#roster.alive(sender))) this.#drop();
      return this.#partial !== undefined && want === PEEK ? TAKEN : EMPTY;
    }
    const form = ring.form(at);
    const word = ring.word(at);
    if (form === OTHER && word >= FIRST) return this.#lookPart(at, word, want, message, view);
    if (this.#partial !== undefined) this.#drop(); // its sender gave it up
    const length = ring.length(at);
    check(want, form, word, length, view);
    if (want === PEEK) return TAKEN;
    this.#read(at, form, word, length, want, message, view);
    this.#consume(at);
    return TAKEN;
  }

  #read(
    at: number,
    form: number,
    word: number,
    length: number,
    want: Want,
    message: Message,
    view: Uint8Array | undefined,
  ): void {
    const { ring } = this;
    if (want === INTO) {
      message.length = length;
      ring.read(at + HEADER, length, view!, 0);
      return;
    }
    const scratch = want === ANY && form === CODED ? new Inbox() : this.#scratch;
    message.receive(form, word, length, scratch);
    if (length === 0) return;
    if (form === CODED) ring.readShort(at + HEADER, length, message.bytes, scratch.cells);
    else if (form === RAW) ring.read(at + HEADER, length, message.bytes, 0);
    else if (length === 8) message.number = ring.readNumber(at);
  }

  #lookPart(at: number, word: number, want: Want, message: Message, view: Uint8Array | undefined): number {
    if (word === FIRST) return this.#begin(at, want, view);
    const partial = this.#partial;
    if (partial === undefined) { // the one who began it died (invariant 3)
      this.#consume(at);
      return AGAIN;
    }
    if (want === PEEK) return this.#peekPart(at);
    const suits = this.#suits(at, partial, want, view);
    if (suits !== TAKEN) return suits;
    try {
      partial.add(this.ring, at);
    } catch (error) {
      this.#discard(at);
      throw error;
    }
    this.#consume(at);
    if (word === MORE) return AGAIN;
    this.#drop();
    if (word !== LAST) throw damaged();
    partial.finish(message);
    if (want === INTO) view!.set(message.bytes);
    return TAKEN;
  }

  /**
   * Whether the message of which a part stands at `at` is what the caller asks for; throws if not. Gets rid of the part if
   * no more will come: TAKEN, AGAIN or UNSURE.
   */
  #suits(at: number, { form, word, total }: Partial, want: Want, view: Uint8Array | undefined): number {
    try {
      check(want, form, word, total, view);
      return TAKEN;
    } catch (error) {
      const found = this.#peekPart(at);
      if (found === TAKEN) throw error;
      return found;
    }
  }

  #begin(at: number, want: Want, view: Uint8Array | undefined): number {
    let partial: Partial;
    try {
      partial = Partial.read(this.ring, at);
      if (want === PEEK) return this.#peekPart(at);
      const suits = this.#suits(at, partial, want, view);
      if (suits !== TAKEN) return suits;
      try {
        partial.open();
      } catch (cause) {
        throw new LayoutError(`Cannot receive a message of ${partial.total} bytes: ${cause}`);
      }
    } catch (error) {
      if (error instanceof LayoutError) this.#discard(at);
      throw error;
    }
    store(this.#words, this.#receiver, this.#me); // before the parts are ours alone (invariant 3)
    this.#partial = partial;
    this.#consume(at);
    this.ring.getters.wake(Infinity); // from here on they wait for something else: see `claimed`
    return AGAIN;
  }

  /** Finds a message that is here or on its way, or remains of one: these go, and what was taken in before them. */
  #peekPart(at: number): number {
    const rest = this.#restFrom(at, this.ring.word(at) === FIRST);
    if (rest === HERE || (rest === COMING && this.#insidePut)) return TAKEN;
    if (rest === COMING) return UNSURE;
    this.#discard(at);
    return AGAIN;
  }

  /** REST, as the parts from `at` on tell it, or behind the FIRST that stands there; -1: there are none. */
  #restFrom(at: number, first: boolean): typeof HERE | typeof COMING | typeof NEVER {
    const { ring } = this;
    const sender = load(this.#words, this.#sender);
    ring.look(); // after that: what was put before SENDER was cleared is seen
    if (first) at = ring.next(at);
    for (; at >= 0; at = ring.next(at)) {
      const word = ring.form(at) === OTHER ? ring.word(at) : FIRST;
      if (word === LAST) return HERE;
      if (word !== MORE) return NEVER;
    }
    return sender !== 0 && this.#roster.alive(sender) ? COMING : NEVER;
  }

  /** The same for the message that this agent has begun; a damaged ring is one in which no more will come. */
  #restOfMine(): typeof HERE | typeof COMING | typeof NEVER {
    try {
      return this.#restFrom(this.ring.front(), false);
    } catch (error) {
      if (error instanceof LayoutError) return NEVER;
      throw error;
    }
  }

  /** Puts what was taken in back in front of the rest. Inside PUT, too. Returns false when there is no room. */
  #putBack(): boolean {
    const partial = this.#partial!;
    const { ring } = this;
    if (partial.filled > ring.size) return false; // more than 32 bits can count, maybe
    if (!ring.putBack(partial.backBytes, partial.filled > 0 ? 2 : 1, (at) => partial.write(ring, at))) return false;
    this.#partial = undefined;
    return true;
  }

  /** Whether a message stands complete in the ring, apart from the end of one that somebody has begun. */
  #holdsMore(): boolean {
    const { ring } = this;
    ring.look();
    let begun = false;
    for (let at = ring.front(); at >= 0; at = ring.next(at)) {
      const word = ring.form(at) === OTHER ? ring.word(at) : 0;
      if (word < FIRST || (word === LAST && begun)) return true;
      begun ||= word === FIRST;
    }
    return false;
  }

  #consume(at: number): void {
    this.ring.consume(at, frameBytes(this.ring.length(at)), 1);
    this.moves++;
  }

  /** Gets rid of what makes no sense, so that the next look finds something else. */
  #discard(at: number): void {
    this.#drop();
    this.#consume(at);
  }

  /** Nobody takes in a message in parts any more. */
  #drop(): void {
    this.#partial = undefined;
    store(this.#words, this.#receiver, 0);
    this.ring.getters.wake(Infinity);
  }
}

function damaged(): LayoutError {
  return new LayoutError("Cannot use this pipe as it is damaged: it holds no message");
}

/** Whether the next message is what the caller asks for. */
function check(want: Want, form: number, word: number, length: number, view: Uint8Array | undefined): void {
  if (want >= ANY) return;
  if (isBytes(form, word) !== (want !== VALUE)) {
    throw new TypeError(
      want === VALUE
        ? "Cannot receive a value as the next message is bytes: use recvBytes(), it stays in the pipe"
        : "Cannot receive bytes as the next message is a value: use recv(), it stays in the pipe",
    );
  }
  if (view !== undefined && length > view.length) {
    throw new RangeError(
      `Cannot receive into ${view.length} bytes as the next message has ${length}: it stays in the pipe`,
    );
  }
}
