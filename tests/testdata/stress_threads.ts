// What the threads of primitives_stress_test.ts do: the same few turns with every primitive, in every way of waiting, with
// counters that would show a lost wake-up, a lost turn, or two in a place for one.

import {
  type Barrier,
  type Condition,
  type Event,
  type Latch,
  type Lock,
  OwnerDiedError,
  type RLock,
  type RWLock,
  type Semaphore,
  type SharedArray,
  ThreadStoppedError,
} from "../../mod.ts";
import { Prng } from "../_prng.ts";

/** How a thread waits. */
export type Way = "blocked" | "timed" | "async" | "mixed";
/** How long it stays in the critical section. */
export type Work = "none" | "short" | "long";

/** What the threads share in one course; `counts` are plain words, guarded by the primitive. */
export interface Course {
  readonly way: Way;
  readonly work: Work;
  readonly turns: number;
  readonly counts: SharedArray<"i32">;
  readonly lock: Lock;
  readonly rlock: RLock;
  readonly semaphore: Semaphore;
  readonly permits: number;
  readonly rwlock: RWLock;
  readonly filled: Condition;
  readonly emptied: Condition;
  readonly phases: readonly [Event, Event];
  readonly barrier: Barrier;
}

/** Words of `counts`. */
export const COUNT = {
  lock: 0,
  rlock: 1,
  inside: 2,
  permits: 3,
  left: 4,
  right: 5,
  buffer: 6,
  got: 7,
  arrived: 8,
} as const;
/** How many words there are. */
export const COUNTS = 9;
const ROOM = 3;

const MS: Readonly<Record<Work, number>> = { none: 0, short: 0.003, long: 0.5 };

function busy(work: Work): void {
  if (work === "none") return;
  for (const end = performance.now() + MS[work]; performance.now() < end;);
}

type Sure = Exclude<Way, "mixed">;

interface Turn {
  readonly way: Sure;
  readonly prng: Prng;
}

/** The three forms of one operation, as one that always succeeds in the end. */
interface Forms<T> {
  block(): T;
  try(options: { timeout: number }): T | undefined | false;
  wait(options: { signal?: AbortSignal }): Promise<T>;
}

const SPENT: unique symbol = Symbol("spent");

/** Takes whatever it is, and gives up every now and then before. */
async function insist<T>({ way, prng }: Turn, forms: Forms<T>): Promise<T> {
  if (way === "blocked") return forms.block();
  for (let tries = 0;; tries++) {
    if (way === "timed") {
      const got = forms.try({ timeout: tries < 3 ? prng.below(4) / 2 : 50 });
      if (got !== undefined && got !== false) return got;
      continue;
    }
    if (tries > 2 || prng.chance(0.7)) return await forms.wait({});
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(SPENT), prng.below(3));
    try {
      return await forms.wait({ signal: controller.signal });
    } catch (error) {
      if (error !== SPENT) throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Does all turns of one kind; tasks two at a time. */
async function turns(course: Course, prng: Prng, one: (turn: Turn, number: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < course.turns;) {
    const way = course.way === "mixed" ? prng.pick(["blocked", "timed", "async"] as const) : course.way;
    if (way !== "async" || i + 1 === course.turns) await one({ way, prng }, i++);
    else await Promise.all([one({ way, prng }, i++), one({ way, prng }, i++)]);
  }
}

function bump(counts: Int32Array, index: number, work: Work): void {
  const before = counts[index]!;
  busy(work);
  counts[index] = before + 1;
}

/** Each primitive in its turn; returns the sum of the places that it had at the barrier. */
export async function playAll(
  me: number,
  size: number,
  courses: readonly Course[],
  gates: readonly Latch[],
  seed: number,
): Promise<number[]> {
  const prng = new Prng(seed + me);
  const sums: number[] = [];
  for (const [i, course] of courses.entries()) {
    gates[i]!.countDown();
    gates[i]!.wait();
    sums.push(await playOne(me, size, course, prng));
  }
  return sums;
}

async function playOne(me: number, size: number, course: Course, prng: Prng): Promise<number> {
  const { lock, rlock, semaphore, permits, rwlock, filled, emptied, phases, barrier, work } = course;
  const view = course.counts.view;
  const counts = new Int32Array(view.buffer, view.byteOffset, view.length);

  await turns(course, prng, async (turn) => {
    const guard = await insist(turn, {
      block: () => lock.acquire(),
      try: (options) => lock.tryAcquire(options),
      wait: (options) => lock.acquireAsync(options),
    });
    bump(counts, COUNT.lock, work);
    guard.release();
  });

  await turns(course, prng, async (turn) => {
    const guard = await insist(turn, {
      block: () => rlock.acquire(),
      try: (options) => rlock.tryAcquire(options),
      wait: (options) => rlock.acquireAsync(options),
    });
    const nested = turn.way === "async" ? [] : [rlock.acquire(), rlock.acquire()];
    bump(counts, COUNT.rlock, work);
    for (const each of prng.shuffle([guard, ...nested])) each.release();
  });

  await turns(course, prng, async (turn) => {
    const guard = await insist(turn, {
      block: () => semaphore.acquire(),
      try: (options) => semaphore.tryAcquire(options),
      wait: (options) => semaphore.acquireAsync(options),
    });
    if (Atomics.add(counts, COUNT.inside, 1) >= permits) throw new Error("more inside than there are permits");
    busy(work);
    Atomics.add(counts, COUNT.permits, 1);
    Atomics.sub(counts, COUNT.inside, 1);
    guard.release();
  });

  await turns(course, prng, async (turn, number) => {
    if ((number + me) % 3 !== 0) {
      const guard = await insist(turn, {
        block: () => rwlock.read(),
        try: (options) => rwlock.tryRead(options),
        wait: (options) => rwlock.readAsync(options),
      });
      const left = counts[COUNT.left];
      busy(work);
      if (left !== counts[COUNT.right]) throw new Error("a reader sees half of a write");
      guard.release();
      return;
    }
    const guard = await insist(turn, {
      block: () => rwlock.write(),
      try: (options) => rwlock.tryWrite(options),
      wait: (options) => rwlock.writeAsync(options),
    });
    bump(counts, COUNT.left, work);
    bump(counts, COUNT.right, "none");
    guard.release();
  });

  // Half of them put into a buffer, half of them take: one notify() each, so a lost one stops all.
  const puts = me % 2 === 0;
  const [mine, other] = puts ? [emptied, filled] : [filled, emptied];
  const ready = () => puts ? counts[COUNT.buffer]! < ROOM : counts[COUNT.buffer]! > 0;
  await turns(course, prng, async (turn) => {
    const guard = turn.way === "async" ? await mine.acquireAsync() : mine.acquire();
    await insist(turn, {
      block: () => (mine.waitFor(ready), true),
      try: (options) => mine.tryWaitFor(ready, options),
      wait: (options) => mine.waitForAsync(ready, options).then(() => true),
    });
    if (!ready()) throw new Error("woken in vain");
    busy(work);
    counts[COUNT.buffer] = counts[COUNT.buffer]! + (puts ? 1 : -1);
    if (!puts) counts[COUNT.got] = counts[COUNT.got]! + 1;
    other.notify();
    guard.release();
  });

  // Two events in turn: the last to arrive lets all others go on, and closes the way behind them.
  const last = (phase: number) => {
    if (Atomics.add(counts, COUNT.arrived, 1) !== size - 1) return false;
    Atomics.store(counts, COUNT.arrived, 0);
    phases[1 - phase]!.clear();
    phases[phase]!.set();
    return true;
  };
  const alone = { ...course, turns: Math.ceil(course.turns / 4) * 2 };
  let phase = 0;
  for (let i = 0; i < alone.turns; i++, phase = 1 - phase) {
    const event = phases[phase]!;
    const way = course.way === "mixed" ? prng.pick(["blocked", "timed", "async"] as const) : course.way;
    if (last(phase)) continue;
    await insist({ way, prng }, {
      block: () => (event.wait(), true),
      try: (options) => event.tryWait(options),
      wait: (options) => event.waitAsync(options).then(() => true),
    });
  }

  let places = 0;
  for (let i = 0; i < alone.turns; i++) {
    const way = course.way === "mixed" ? prng.pick(["blocked", "timed", "async"] as const) : course.way;
    places += await insist({ way, prng }, {
      block: () => barrier.wait() + 1,
      try: () => barrier.wait({ timeout: 600_000 }) + 1, // one that times out would break it for all
      wait: (options) => barrier.waitAsync(options).then((place) => place + 1),
    });
  }
  return places;
}

// Threads that die.

/** What victims and those who outlive them share. */
export interface Mortal {
  readonly lock: Lock;
  readonly rlock: RLock;
  readonly semaphore: Semaphore;
  readonly rwlock: RWLock;
  readonly condition: Condition;
  readonly event: Event;
}

/** Takes a lock whatever happened to its holder. */
async function outlive<T extends { release(): void }>(
  turn: Turn,
  recover: () => T | undefined,
  forms: Forms<T>,
): Promise<T> {
  for (;;) {
    try {
      return await insist(turn, forms);
    } catch (error) {
      if (!(error instanceof OwnerDiedError)) throw error;
      const guard = recover();
      if (guard !== undefined) return guard;
    }
  }
}

/** Random operations, each one to its end or to that of the thread; returns how many. `count` 0: until it is stopped. */
export async function operate(
  shared: Mortal,
  way: Way,
  count: number,
  work: Work,
  seed: number,
  end: string,
): Promise<number> {
  const prng = new Prng(seed);
  const { lock, rlock, semaphore, rwlock, condition, event } = shared;
  const until = count === 0 ? 20 + prng.below(400) : count;
  for (let done = 0; done < until || end === "terminate"; done++) {
    const turn: Turn = {
      prng,
      way: way === "mixed" ? prng.pick(["blocked", "timed", "async"] as const) : way,
    };
    const dies = end !== "" && end !== "terminate" && done === until - 1;
    const hold = async (guard: { release(): void }) => {
      if (dies) await die(end);
      busy(work);
      if (turn.way === "async" && prng.chance(0.1)) await new Promise((resolve) => setTimeout(resolve, 1));
      guard.release();
    };
    switch (prng.below(7)) {
      case 0:
        await hold(
          await outlive(turn, () => lock.recover(), {
            block: () => lock.acquire(),
            try: (options) => lock.tryAcquire(options),
            wait: (options) => lock.acquireAsync(options),
          }),
        );
        break;
      case 1:
        await hold(
          await outlive(turn, () => rlock.recover(), {
            block: () => rlock.acquire(),
            try: (options) => rlock.tryAcquire(options),
            wait: (options) => rlock.acquireAsync(options),
          }),
        );
        break;
      case 2:
        await hold(
          await insist(turn, {
            block: () => semaphore.acquire(),
            try: (options) => semaphore.tryAcquire(options),
            wait: (options) => semaphore.acquireAsync(options),
          }),
        );
        break;
      case 3:
        await hold(
          await outlive(turn, () => rwlock.recover(), {
            block: () => rwlock.read(),
            try: (options) => rwlock.tryRead(options),
            wait: (options) => rwlock.readAsync(options),
          }),
        );
        break;
      case 4:
        await hold(
          await outlive(turn, () => rwlock.recover(), {
            block: () => rwlock.write(),
            try: (options) => rwlock.tryWrite(options),
            wait: (options) => rwlock.writeAsync(options),
          }),
        );
        break;
      case 5: {
        // Everybody waits now and then, and somebody who passes lets all go.
        const guard = await outlive(turn, () => condition.lock.recover(), {
          block: () => condition.acquire(),
          try: (options) => condition.tryAcquire(options),
          wait: (options) => condition.acquireAsync(options),
        });
        try {
          if (prng.chance(0.5)) condition.notifyAll();
          else if (turn.way === "async") {
            await condition.waitAsync({ signal: AbortSignal.timeout(3) }).catch((error) => {
              if (error instanceof ThreadStoppedError || error instanceof OwnerDiedError) throw error;
            });
          } else condition.tryWait({ timeout: 3 });
        } catch (error) {
          if (!(error instanceof OwnerDiedError)) throw error; // it died while this one was to take the lock back
        }
        await hold(guard);
        break;
      }
      default:
        if (prng.chance(0.5)) {
          event.set();
          event.clear();
        } else if (turn.way === "async") await event.waitAsync({ signal: AbortSignal.timeout(3) }).catch(rethrowStop);
        else event.tryWait({ timeout: 3 });
        if (dies) await die(end);
    }
  }
  return until;
}

function rethrowStop(error: unknown): void {
  if (error instanceof ThreadStoppedError) throw error;
}

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

/** Ends this thread as it is told to: never comes back. */
export async function die(end: string): Promise<never> {
  if (end === "exit" && realm.process !== undefined) realm.process.exit(3);
  else if (end === "exit") realm.close();
  else {setTimeout(() => {
      throw new Error("late");
    });}
  return await new Promise<never>(() => setTimeout(() => {}, 60_000));
}
