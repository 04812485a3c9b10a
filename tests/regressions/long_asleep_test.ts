// A thread that has slept for a while without anything stirring looks only at a few words. Neither an order to stop nor
// the death of the holder may wait until it reads all of them again.

import { Latch, Lock, OwnerDiedError, Thread, ThreadError, ThreadStoppedError } from "../../mod.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

/** From here on it is asleep in whole slices, and will be for five seconds more. */
const LONG = 2500;

/** Takes the lock, and dies holding it. */
export async function holdAndDie(lock: Lock, held: Latch): Promise<void> {
  lock.acquire();
  held.countDown();
  await new Promise((resolve) => setTimeout(resolve, LONG));
  throw new Error("it dies");
}

/** Waits for the lock. */
export function want(lock: Lock): void {
  lock.acquire();
}

test("A thread long asleep is told of the holder's death in time", async () => {
  const [lock, held] = [new Lock(), new Latch(1)];
  const holder = new Thread({ target: holdAndDie, module: import.meta.url, args: [lock, held] }).start();
  await held.waitAsync();
  const waiter = new Thread({ target: want, module: import.meta.url, args: [lock] }).start();
  await assert.rejects(holder.joinAsync());
  const died = performance.now();
  await assert.rejects(waiter.joinAsync(), OwnerDiedError);
  assert.between(performance.now() - died, 0, 2000);
});

test("A thread long asleep is told to stop in time", async () => {
  const lock = new Lock();
  const guard = lock.acquire();
  const waiter = new Thread({ target: want, module: import.meta.url, args: [lock] }).start();
  await until(() => waiter.state === "running");
  await new Promise((resolve) => setTimeout(resolve, LONG));
  const told = performance.now();
  const ended = waiter.terminate({ grace: 10_000 });
  await assert.rejects(
    waiter.joinAsync(),
    (error) => error instanceof ThreadError || error instanceof ThreadStoppedError,
  );
  await ended;
  assert.between(performance.now() - told, 0, 2000);
  guard.release();
});
