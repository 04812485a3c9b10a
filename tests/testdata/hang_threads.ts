// The victims of tests/conformance/hangs.ts: each is killed while it holds something or waits, and those who outlive it.

import {
  type Barrier,
  BrokenBarrierError,
  type Condition,
  type Connection,
  DeadlockError,
  type Event,
  type Latch,
  type Lock,
  OwnerDiedError,
  type Queue,
  type RLock,
  RWLock,
  type Semaphore,
} from "../../mod.ts";

/** How a thread is killed. */
export type Kill = "exit" | "error" | "terminate";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

/** Dies as it is told to, once `go` is set: never comes back. */
async function die(kill: Kill, here: Latch, go: Event): Promise<never> {
  here.countDown();
  if (kill === "terminate") go.wait(); // throws
  await go.waitAsync();
  if (kill === "error") {
    setTimeout(() => {
      throw new Error("on purpose");
    });
  } else if (realm.process?.exit !== undefined) realm.process.exit(3);
  else realm.close();
  return await new Promise<never>(() => setTimeout(() => {}, 60_000));
}

/** Waits, and is killed meanwhile: blocked where terminate() is to find it so, else as a task. */
async function dieIn(
  kill: Kill,
  here: Latch,
  go: Event,
  block: () => unknown,
  task: () => Promise<unknown>,
): Promise<void> {
  if (kill === "terminate") {
    here.countDown();
    block();
    throw new Error("It was not killed");
  }
  task().catch(() => {});
  await die(kill, here, go);
}

type Owned = Lock | RLock | RWLock;

export async function holdAndDie(owned: Owned, kill: Kill, here: Latch, go: Event): Promise<void> {
  if (owned instanceof RWLock) owned.write();
  else owned.acquire();
  await die(kill, here, go);
}

/** What becomes of who wants it. */
export function want(owned: Owned): string {
  try {
    (owned instanceof RWLock ? owned.write() : owned.acquire()).release();
    return "had";
  } catch (error) {
    if (error instanceof OwnerDiedError) return "died";
    throw error;
  }
}

export async function permitAndDie(semaphore: Semaphore, kill: Kill, here: Latch, go: Event): Promise<void> {
  semaphore.acquire();
  await die(kill, here, go);
}

export function permit(semaphore: Semaphore): void {
  semaphore.acquire().release();
}

export async function getAndDie(queue: Queue<string>, kill: Kill, here: Latch, go: Event): Promise<void> {
  await dieIn(kill, here, go, () => queue.get(), () => queue.getAsync());
}

export function get(queue: Queue<string>): string {
  return queue.get();
}

export async function sendAndDie(
  end: Connection<never, Uint8Array>,
  size: number,
  kill: Kill,
  here: Latch,
  go: Event,
): Promise<void> {
  const sender = end as unknown as Connection<Uint8Array, never>;
  const message = new Uint8Array(size).fill(1);
  await dieIn(kill, here, go, () => sender.send(message), () => sender.sendAsync(message));
}

export async function waitAndDie(condition: Condition, kill: Kill, here: Latch, go: Event): Promise<void> {
  const task = async () => {
    await condition.acquireAsync();
    await condition.waitAsync();
  };
  await dieIn(kill, here, go, () => condition.withLock(() => condition.wait()), task);
}

export function wait(condition: Condition): void {
  condition.withLock(() => condition.wait());
}

export async function eventAndDie(event: Event, kill: Kill, here: Latch, go: Event): Promise<void> {
  await dieIn(kill, here, go, () => event.wait(), () => event.waitAsync());
}

export function awaitEvent(event: Event): void {
  event.wait();
}

export async function meetAndDie(barrier: Barrier, kill: Kill, here: Latch, go: Event): Promise<void> {
  await dieIn(kill, here, go, () => barrier.wait(), () => barrier.waitAsync());
}

/** Its place, or -1 where the barrier is broken. */
export function meet(barrier: Barrier): number {
  try {
    return barrier.wait();
  } catch (error) {
    if (error instanceof BrokenBarrierError) return -1;
    throw error;
  }
}

export async function takeAndDie(queue: Queue<string>, kill: Kill, here: Latch, go: Event): Promise<void> {
  queue.get();
  await die(kill, here, go);
}

/** Takes both, in that order; what it was told of a circle. */
export function takeBoth(first: Lock, second: Lock, both: Latch): [names: string[], locks: string[]] | undefined {
  const guard = first.acquire();
  try {
    both.countDown();
    both.wait();
    second.acquire().release();
    return undefined;
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return [error.cycle.map(({ threadName }) => threadName), error.cycle.map(({ waitsFor }) => waitsFor)];
  } finally {
    guard.release();
  }
}
