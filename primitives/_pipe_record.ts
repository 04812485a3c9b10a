// Memory layout: Connection, one record for both ends of a pipe. 16 words, 4 t words of cells for t threads filled up to
// whole cache lines, 80 words for each direction, then the bytes of each direction's ring. (For 64 threads, duplex, 1 MiB:
// 1728 bytes and 2 MiB.) Ends are 0 and 1; direction d carries messages to end d, and a one-way pipe has direction 0 only.
//
//   word  name       written by      meaning
//   0 1 2 TAG ID     creator, once   see _layout.ts
//   3     RINGS      creator, once   directions: 2 when duplex, else 1
//   4     SIZE       creator, once   bytes of each ring, a multiple of 64
//   5     THREADS    creator, once   t, the number of cells
//   6 7   CLOSED     inside          one word for each end: 1 = nobody holds it, and nobody ever will again
//   8 9   monitor    any thread      see _monitor.ts; its journal is empty
//   10-15 spare, zero
//   16 …  cells      inside          t times THREAD, HOLDS, HOLDS, FLAGS: see _cells.ts
//           HOLDS    one word for each end: bits 0-15 the Connections that the thread has open; bits 16-31 those
//                    that were given to it with its start, and that it has not attached so far
//           FLAGS    bit e: it has received at end e
//   … each direction:
//   +0    SENDER     inside PUT      id of the thread whose message in parts is on its way, 0 = none
//   +1    RECEIVER   inside GET      bits 0-29 id of the thread that takes in a message in parts, 0 = none;
//                                    bit 30 IDLE_BIT: it does not receive at present
//   +2    AGAIN      inside PUT      1: what was taken in of the message in parts is no more, SENDER sends it from the start
//   +3    RESTS      inside GET      counts how often a receiver has become idle, wraps, only compared
//   +16   ring       senders, receivers   see _ring.ts; its CLOSED stays 0, as ends close, not rings
// "Inside" is inside the monitor at word 8; PUT and GET are those of the ring.
//
// A message in the ring is whole, or stands there in parts (a message that has no room passes so, whatever its length):
//   FORM   word 1                     body
//   CODED, RAW, INT, OTHER up to 4    a value, see _queue_message.ts
//   RAW    BYTES                      what sendBytes() sent
//   OTHER  FIRST                      16 bytes: a double, how many bytes will follow in all; FORM and word 1 of the message
//   OTHER  MORE                       bytes
//   OTHER  LAST                       bytes, the last ones
//
// Invariants:
//   1. CLOSED of an end becomes 1 when the last of those alive who hold it closes, or is found dead; then it stays 1.
//   2. While SENDER names a living thread only that thread puts messages into the direction. So between FIRST and LAST
//      stand parts of one message; if instead a FIRST or a whole message follows, the earlier one was given up, or its
//      sender died: whoever takes it in drops it.
//   3. While RECEIVER names a living thread only that thread takes out. It has taken FIRST and what followed into its own
//      memory. Parts that come where nobody has taken the FIRST of their message belong to one that died, or will come
//      again: they are dropped.
//      A thread whose receive ends before the message does (no more time, aborted) becomes idle, and goes on with its next
//      receive. Others may take over from it, as REST says, and so does a receiver that closes the end.
//   4. SENDER is set before FIRST is put, and cleared after LAST is put or when the message is given up. So when it is 0
//      or dead and then the ring is found empty, what was taken in so far will never be complete.
//   5. Each change inside is one store; CLOSED follows from the cells and the roster.
//
// REST is what becomes of a message whose beginning was taken out, or stands at HEAD: the parts from HEAD on tell it.
// SENDER alone does not, as it may belong to a later message. Inside PUT and GET:
//   parts, up to        SENDER           REST
//   LAST                any              HERE    sent completely: its sender is done
//   FIRST, or whole     any              NEVER   given up, cut short, or sent again from that FIRST on
//   TAIL                0 or dead        NEVER   the same
//   TAIL                alive            COMING  it is the sender of this one: a later one has put its FIRST (invariants 2, 4)
// Inside GET alone the last line is not sure: SENDER may be set already, and the FIRST about to come.
//
// RECEIVER, where others look for a message and find it claimed:
//   alive                they wait: it takes the rest, rests, closes or dies
//   alive, idle; NEVER   RECEIVER = 0
//   alive, idle; COMING  when it has been idle for a while: AGAIN = 1, then RECEIVER = 0
//   alive, idle; HERE    they wait for it: nobody else can have what it has taken in. (What it has not, stays: no loss.)
//   dead                 RECEIVER = 0, and parts are dropped up to the next FIRST or whole message
// A receiver that closes its end does the same for itself, at once. When its REST is HERE it puts back what it has taken in,
// in front of HEAD, if there is room for it (one store to HEAD, then RECEIVER = 0); so does one that becomes idle. Else the
// message is lost with the end closed.
// End of file where a message is claimed by another: not while a message stands complete behind the claimed one, nor
// before its receiver has stood still for a while, as it may put it back. Then nothing is left for anybody but that one.
//
// Two who send to each other: a blocked sender of a duplex pipe takes in what arrives, into the inbox of its agent for this
// end, out of which its receives are served first; but only while the other end's senders are blocked too, and where no
// other living thread may receive at its end, as then these messages may be that one's: it holds the end and has received
// there, or holds this end only. (Who made the pipe holds both, mostly to give them away.) (_pipe_end.ts)
//   6. A blocked sender has announced itself in PUTTERS of its direction before it looks there for blocked senders of the
//      other, and it wakes those whenever it has moved something: so of two that are blocked one sees the other.
//
// Death: a cell of a dead thread is cleared by whoever looks next. Inside PUT and GET see _ring.ts. What a thread had in its
//   inbox, or of a message in parts, goes with it.
// Hostile bytes: ids are looked up in the roster, lengths are checked against what was promised; LayoutError or TypeError.

import type { Words } from "./_atomics.ts";
import { load, store } from "./_atomics.ts";
import { MOST_THREADS } from "./_cells.ts";
import { FIRST } from "./_layout.ts";
import { RING_WORDS, ringBytes } from "./_ring.ts";
import { LayoutError } from "./errors.ts";

const RINGS = FIRST;
const SIZE = 4;
const THREADS = 5;
/** One word for each end. */
export const CLOSED = 6;
/** The monitor of the cells. */
export const MONITOR = 8;
/** The first cell. */
export const CELLS = 16;
/** Words of a cell. */
export const CELL_WORDS = 4;

/** Of a direction. */
export const SENDER = 0;
/** Of a direction. */
export const RECEIVER = 1;
/** RECEIVER: it does not receive at present. */
export const IDLE_BIT = 0x40000000;
/** Of a direction. */
export const AGAIN = 2;
/** Of a direction. */
export const RESTS = 3;
/** Of a direction. */
export const RING = 16;
const DIRECTION_WORDS = RING + RING_WORDS;

/** The smallest ring: parts of a few bytes fit. */
const LEAST_SIZE = 64;

/** Which end of a pipe. */
export type EndNumber = 0 | 1;

/** What is fixed for a pipe. */
export interface Shape {
  /** 2 when duplex, else 1. */
  readonly rings: number;
  /** Bytes of each ring. */
  readonly size: number;
  /** How many threads may hold an end. */
  readonly threads: number;
}

/** The shape of a pipe in whose rings a message of so many bytes fits whole. */
export function shapeOf(duplex: boolean, maxBytes: number, threads: number): Shape {
  const size = Math.max(LEAST_SIZE, Math.ceil(ringBytes(maxBytes) / 64) * 64);
  return { rings: duplex ? 2 : 1, size, threads };
}

/** The word of a direction. */
export function directionAt({ threads }: Shape, direction: number): number {
  return Math.ceil((CELLS + CELL_WORDS * threads) / 16) * 16 + DIRECTION_WORDS * direction;
}

/** The word where the bytes of a direction's ring begin. */
export function bytesAt(shape: Shape, direction: number): number {
  return directionAt(shape, shape.rings) + (shape.size >> 2) * direction;
}

/** Bytes of the whole record. */
export function pipeBytes(shape: Shape): number {
  return 4 * bytesAt(shape, shape.rings);
}

/** Bytes of the smallest record. */
export const LEAST_BYTES: number = pipeBytes({ rings: 1, size: LEAST_SIZE, threads: 1 });

/** Writes a fresh record. */
export function fillPipe(words: Words, { rings, size, threads }: Shape): void {
  store(words, RINGS, rings);
  store(words, SIZE, size);
  store(words, THREADS, threads);
}

/** The shape of a record, checked against its length. */
export function readShape(words: Words): Shape {
  const shape = { rings: load(words, RINGS), size: load(words, SIZE), threads: load(words, THREADS) };
  const { rings, size, threads } = shape;
  if (
    (rings !== 1 && rings !== 2) || size < LEAST_SIZE || size % 64 !== 0 || threads < 1 || threads > MOST_THREADS ||
    pipeBytes(shape) > words.byteLength
  ) {
    throw new LayoutError(
      `Cannot attach Connection as its record is damaged: ${rings} rings of ${size} bytes for ${threads} threads`,
      { expected: "Connection", actual: "a damaged record" },
    );
  }
  return shape;
}
