// A hundred thousand damaged handles and records, of every kind: attaching to one and polling what came of it gives an
// answer or an error of ours, at once. What is not looked for is sense: memory that anybody may write holds anything.

import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Connection,
  Event,
  Latch,
  LifoQueue,
  Lock,
  pipe,
  PriorityQueue,
  Queue,
  RLock,
  RWLock,
  Semaphore,
  SharedArray,
  SharedValue,
  Thread,
} from "../../mod.ts";
import type { Handle } from "../../mod.ts";
import { assert, type Prng, random, test, watch } from "../_harness.ts";

/** How many cases in all, over the sixteen classes. */
const CASES = 100_000;
/** No call of a poll with a timeout of 0 may take longer, in ms; machines that are busy need some of it. */
const PATIENCE = 2_000;
/** How long a thread that lives may be inside of a monitor, in ms; see _monitor.ts. */
const INSIDE = 10_000;
const TAG = 0;
/** The words of the tag and the identity. */
const HEAD = 3;

/** The fields of a handle. */
interface Parts {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly roster: SharedArrayBuffer;
  readonly [field: string]: unknown;
}

/** A class, what an instance of it is made like, and all that can be done to one without waiting. */
interface Subject {
  readonly name: string;
  readonly make: () => { readonly handle: Handle };
  // deno-lint-ignore no-explicit-any
  readonly attach: (handle: any) => any;
  // deno-lint-ignore no-explicit-any
  readonly polls: readonly ((it: any) => unknown)[];
}

/** Gives back what was taken, or the next poll would find it held. */
function release(guard: { release(): void } | undefined): void {
  guard?.release();
}

const LOCK: Subject["polls"] = [
  (it) => [it.locked, it.owner, it.heldByCurrentThread, String(it)],
  (it) => release(it.tryAcquire()),
  (it) => release(it.tryAcquire({ timeout: 0 })),
  (it) => release(it.recover()),
  (it) => it.release(),
];
const SEMAPHORE: Subject["polls"] = [
  (it) => [it.value, String(it)],
  (it) => release(it.tryAcquire()),
  (it) => it.release(),
  (it) => it.release(3),
];
const QUEUE: Subject["polls"] = [
  (it) => [it.size, it.isEmpty, it.isFull, it.maxSize, it.closed, String(it)],
  (it) => it.tryPut({ a: [1, "text"] }),
  (it) => it.tryGet(),
  (it) => it.tryPutMany?.([1, 2, 3]),
  (it) => it.tryGetMany?.(10),
  (it) => it.taskDone(),
  (it) => it.tryJoin(),
  (it) => it.close(),
];

function queue(Kind: typeof Queue | typeof LifoQueue | typeof PriorityQueue): Subject {
  const make = () => {
    const it = new Kind<unknown>({ maxBytes: 1000, maxSize: 4 });
    it.tryPut("first");
    it.tryPut({ second: new Uint8Array(40) });
    return it;
  };
  return { name: Kind.name, make, attach: Kind.attach, polls: QUEUE };
}

const SUBJECTS: readonly Subject[] = [
  { name: "Lock", make: () => new Lock(), attach: Lock.attach, polls: LOCK },
  { name: "RLock", make: () => new RLock(), attach: RLock.attach, polls: [...LOCK, (it) => it.depth] },
  {
    name: "Condition",
    make: () => new Condition(),
    attach: Condition.attach,
    polls: [
      (it) => [it.lock.locked, String(it)],
      (it) => release(it.tryAcquire()),
      (it) => {
        const guard = it.tryAcquire();
        try {
          if (guard === undefined) return;
          it.notify(2);
          it.tryWait();
          it.tryWaitFor(() => false);
          it.notifyAll();
        } finally {
          guard?.release();
        }
      },
    ],
  },
  { name: "Semaphore", make: () => new Semaphore(2), attach: Semaphore.attach, polls: SEMAPHORE },
  { name: "BoundedSemaphore", make: () => new BoundedSemaphore(2), attach: BoundedSemaphore.attach, polls: SEMAPHORE },
  {
    name: "Event",
    make: () => new Event(),
    attach: Event.attach,
    polls: [(it) => [it.isSet, String(it)], (it) => it.tryWait(), (it) => it.set(), (it) => it.clear()],
  },
  {
    name: "Barrier",
    make: () => new Barrier(3),
    attach: Barrier.attach,
    polls: [
      (it) => [it.parties, it.waiting, it.broken, String(it)],
      (it) => it.wait({ timeout: 0 }),
      (it) => it.reset(),
      (it) => it.abort(),
    ],
  },
  {
    name: "RWLock",
    make: () => new RWLock(),
    attach: RWLock.attach,
    polls: [
      (it) => [it.readers, String(it)],
      (it) => release(it.tryRead()),
      (it) => release(it.tryWrite()),
      (it) => release(it.recover()),
    ],
  },
  {
    name: "Latch",
    make: () => new Latch(3),
    attach: Latch.attach,
    polls: [(it) => [it.count, String(it)], (it) => it.tryWait(), (it) => it.countDown()],
  },
  {
    name: "SharedValue",
    make: () => new SharedValue("i32", 5),
    attach: SharedValue.attach,
    polls: [
      (it) => [it.value, String(it)],
      (it) => it.value = 3,
      (it) => it.add(1),
      (it) => release(it.lock.tryAcquire()),
    ],
  },
  {
    name: "SharedArray",
    make: () => new SharedArray("i16", [1, 2, 3]),
    attach: SharedArray.attach,
    polls: [
      (it) => [it.length, it.at(0), it.view[2], String(it)],
      (it) => it.set(1, 7),
      (it) => release(it.lock.tryAcquire()),
    ],
  },
  queue(Queue),
  queue(LifoQueue),
  queue(PriorityQueue),
  {
    name: "Connection",
    make: () => {
      const [here, there] = pipe<unknown>({ maxBytes: 300, threads: 4 });
      there.trySend({ some: "text" });
      return here;
    },
    attach: Connection.attach,
    polls: [
      (it) => [it.closed, it.readable, it.writable, String(it)],
      (it) => it.poll(),
      (it) => it.trySend([1, 2, 3]),
      (it) => it.tryRecv(),
      (it) => it.trySendBytes(new Uint8Array(90)),
      (it) => it.tryRecvBytesInto(new Uint8Array(90)),
      (it) => it.close(),
    ],
  },
  {
    name: "Thread",
    make: () => new Thread({ target: nothing, module: import.meta.url, maxResultBytes: 300 }),
    attach: Thread.attach,
    polls: [
      (it) => [it.name, it.id, it.alive, it.state, it.daemon, String(it)],
      (it) => {
        try {
          it.tryJoin();
        } catch {
          // The record says what the thread threw, and that may be anything.
        }
      },
    ],
  },
];

/** What the thread that is never started would run. */
export function nothing(): void {}

/** Any word: often one on an edge, or a near miss. */
function anyWord(prng: Prng, old: number): number {
  return prng.pick([
    0,
    1,
    -1,
    prng.below(300),
    2 ** 30,
    2 ** 31 - 1,
    -(2 ** 31),
    old + 1,
    old - 1,
    old ^ (1 << prng.below(32)),
    prng.next(),
  ]);
}

/** Any value that a field of a handle might be given. */
function anyValue(prng: Prng): unknown {
  return prng.pick<() => unknown>([
    () => undefined,
    () => null,
    () => NaN,
    () => -1,
    () => 0.5,
    () => 2 ** 53,
    () => prng.below(1000),
    () => 64 * prng.below(100),
    () => "Lock",
    () => "constructor",
    () => "__proto__",
    () => [],
    () => ({}),
    () => true,
    () => 10n,
    () => new SharedArrayBuffer(prng.below(200)),
    () => new ArrayBuffer(256),
    () => new Int32Array(8),
    () => nothing,
    () => Symbol("s"),
  ])();
}

/** A copy of the record in memory of its own, under another identity. */
function copied(prng: Prng, parts: Parts): Int32Array<SharedArrayBuffer> {
  const words = new Int32Array(new SharedArrayBuffer(parts.byteLength));
  words.set(new Int32Array(parts.buffer, parts.byteOffset, parts.byteLength >> 2));
  words[1] = 1 + prng.below(2 ** 20);
  words[2] = prng.next();
  return words;
}

/** A handle that is damaged, or the record behind it. */
function damaged(prng: Prng, parts: Parts, others: readonly Parts[]): unknown {
  const words = copied(prng, parts);
  const handle: Record<string, unknown> = { ...parts, buffer: words.buffer, byteOffset: 0 };
  switch (prng.below(8)) {
    case 0: // any bytes behind a good head
      prng.fill(new Uint8Array(words.buffer, 4 * HEAD));
      break;
    case 1:
    case 2:
    case 3: // a few words
      for (let n = 1 + prng.below(6); n > 0; n--) {
        const at = HEAD + prng.below(prng.chance(0.5) ? words.length - HEAD : Math.min(words.length - HEAD, 60));
        words[at] = anyWord(prng, words[at]!);
      }
      break;
    case 4: // cut short, or longer than the memory
      handle.byteLength = prng.pick([prng.below(parts.byteLength + 100), 4 * prng.below(parts.byteLength >> 1)]);
      handle.byteOffset = prng.pick([0, 64, 64 * prng.below(8), prng.below(100)]);
      break;
    case 5: // the head: another kind, another version, no identity
      words[prng.below(HEAD)] = prng.pick([0, anyWord(prng, words[TAG]!), words[TAG]! ^ (1 + prng.below(255))]);
      break;
    case 6: // another class's handle, or its record
      return prng.chance(0.5) ? prng.pick(others) : { ...prng.pick(others), kind: parts.kind };
    default: // fields
      for (let n = 1 + prng.below(2); n > 0; n--) handle[prng.pick(Object.keys(handle))] = anyValue(prng);
  }
  return handle;
}

/** What errors of ours begin with, and none of an engine's. */
const OURS = /^Cannot (?!read propert|set propert|convert|access|destructure|assign|redefine|mix)/;

/** Throws what no user should see: an error that is not ours, or an answer that came late. */
function polled(what: string, poll: () => unknown): void {
  const start = performance.now();
  let outcome = "";
  try {
    poll();
  } catch (error) {
    outcome = String(error);
    if (!(error instanceof Error && OURS.test(error.message))) {
      throw new Error(`${what} threw ${error}`, { cause: error });
    }
  }
  // Words that name a living thread as the one inside are believed for a while: it may be a slow one.
  const limit = /internal lock is held by thread \d+ and never released/.test(outcome) ? INSIDE + PATIENCE : PATIENCE;
  const took = performance.now() - start;
  assert(took < limit, `${what} took ${took} ms; ${outcome}`);
}

const progress = new Int32Array(new SharedArrayBuffer(8));

for (const [i, { name, make, attach, polls }] of SUBJECTS.entries()) {
  const cases = Math.ceil(CASES / SUBJECTS.length);
  test(`${cases} damaged handles and records of a ${name} neither crash nor hang who attaches`, () => {
    watch("progress", progress, ["CASE", "POLL"]);
    const prng = random();
    const parts = make().handle as unknown as Parts;
    const others = SUBJECTS.filter((_, j) => j !== i).map(({ make }) => make().handle as unknown as Parts);
    let attached = 0;
    for (let n = 0; n < cases; n++) {
      progress[0] = n;
      progress[1] = -1;
      const handle = damaged(prng, parts, others);
      // deno-lint-ignore no-explicit-any
      let it: any;
      polled(`case ${n}: ${name}.attach()`, () => it = attach(handle));
      if (it === undefined) continue;
      attached++;
      for (const poll of prng.shuffle(polls)) {
        progress[1] = polls.indexOf(poll);
        polled(`case ${n}: ${poll}`, () => poll(it));
      }
    }
    assert.between(attached, cases / 4, cases);
  }, { limit: 120_000 });
}
