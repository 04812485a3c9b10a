// PYTHON.md section 15, where Python hangs or loses data: each kind of death once, by an exit call, by an error that nobody
// catches and by terminate(). D5 to D7, D11 and D24 to D31, which kill nobody, stand with their primitives.

import {
  Barrier,
  Condition,
  Event,
  Latch,
  Lock,
  pipe,
  Queue,
  RLock,
  RWLock,
  Semaphore,
  setExceptHook,
  type Thread,
  threadDump,
} from "../../mod.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";
import type { Capabilities } from "../adapters/conformance.ts";
import * as targets from "../testdata/hang_threads.ts";
import type { Kill } from "../testdata/hang_threads.ts";
import { asker } from "./_hands.ts";
import { blockedOn, joined, starter } from "./_kit.ts";

const KILLS: readonly Kill[] = ["exit", "error", "terminate"];
const AMPLE = { limit: 30_000 };
const MIB = 1 << 20;
/** ms within which threads have to have come up. */
const SOON = 15_000;

const module = new URL("../testdata/hang_threads.ts", import.meta.url).href;
const go = starter(module);
const ask = asker(module);

/** Kills a thread that is there, and returns once it is dead. */
async function killed(victim: Thread<unknown, never>, kill: Kill, here: Latch, order: Event): Promise<void> {
  await here.waitAsync();
  const end = assert.rejects(victim.joinAsync());
  if (kill === "terminate") await victim.terminate();
  else order.set();
  await end;
  assert.equal(victim.state, "dead");
}

export function hangsCases(has: Capabilities): void {
  for (const kill of KILLS) {
    const scenario = (name: string, body: (here: Latch, order: Event) => Promise<void>): void =>
      test(name.replace("killed", `killed (${kill})`), async () => {
        setExceptHook(() => {}); // the errors are on purpose
        try {
          await body(new Latch(1), new Event());
        } finally {
          setExceptHook(undefined);
        }
      }, AMPLE);

    for (const Kind of [Lock, RLock, RWLock]) {
      scenario(
        `D1 a thread that holds a ${Kind.name} is killed: OwnerDiedError until recover()`,
        async (here, order) => {
          const owned: Lock | RLock | RWLock = new Kind({ name: "data" });
          const victim = go(targets.holdAndDie, owned, kill, here, order);
          await here.waitAsync();
          const waits = ask(targets.want, owned);
          await until(() => blockedOn(Kind.name, "data") >= 1, SOON);
          const task = take(owned).then(({ release }) => typeof release, (error: Error) => error.name);
          await killed(victim as never, kill, here, order);
          assert.deepEqual([await waits.joinAsync(), await task], ["died", "OwnerDiedError"]);
          await assert.rejects(take(owned), (error) => (error as Error).name === "OwnerDiedError");
          owned.recover()!.release();
          assert.equal(owned.recover(), undefined);
          assert.equal(await ask(targets.want, owned).joinAsync(), "had");
          (await take(owned)).release();
        },
      );
    }

    scenario("D2 a thread that holds a permit is killed: it comes back", async (here, order) => {
      const semaphore = new Semaphore(1, { name: "permit" });
      const victim = go(targets.permitAndDie, semaphore, kill, here, order);
      await here.waitAsync();
      const waits = [ask(targets.permit, semaphore), ask(targets.permit, semaphore)];
      await until(() => blockedOn("Semaphore", "permit") === 2, SOON);
      await killed(victim as never, kill, here, order);
      await joined(waits);
      (await semaphore.acquireAsync()).release();
      assert.equal(semaphore.value, 1);
    });

    scenario("D3 a thread that waits in get() is killed: another one gets the next item", async (here, order) => {
      const queue = new Queue<string>({ maxBytes: 1000, name: "jobs" });
      const victim = go(targets.getAndDie, queue, kill, here, order);
      await here.waitAsync();
      const other = ask(targets.get, queue);
      await until(() => blockedOn("Queue", "jobs") === (kill === "terminate" ? 2 : 1), SOON);
      await killed(victim as never, kill, here, order);
      queue.put("next");
      assert.equal(await other.joinAsync(), "next");
      queue.put("last");
      assert.equal(await queue.getAsync(), "last");
      assert.equal(queue.size, 0);
    });

    scenario(
      "D4 a thread that sends 1 MiB is killed in the middle: it never shows, later ones arrive",
      async (here, order) => {
        const [reader, writer] = pipe<Uint8Array>({ duplex: false, maxBytes: 10_000, name: "cut" });
        const victim = go(targets.sendAndDie, writer as never, MIB, kill, here, order);
        await here.waitAsync();
        if (kill === "terminate") await until(() => blockedOn("Connection", "cut") === 1, SOON);
        assert.equal(reader.tryRecv(), undefined); // a part of it may be here
        await killed(victim as never, kill, here, order);
        const received = reader.recvAsync();
        await writer.sendAsync(new Uint8Array(100).fill(2));
        assert.deepEqual(await received, new Uint8Array(100).fill(2));
      },
    );

    scenario("D8 a thread that waits on a Condition is killed: notifyAll() wakes the living", async (here, order) => {
      const condition = new Condition(undefined, { name: "news" });
      const victim = go(targets.waitAndDie, condition, kill, here, order);
      await here.waitAsync();
      const living = ask(targets.wait, condition);
      await until(() => blockedOn("Condition", "news") === (kill === "terminate" ? 2 : 1), SOON);
      await killed(victim as never, kill, here, order);
      assert.equal(await condition.withLockAsync(() => condition.notifyAll()), 1);
      await living.joinAsync();
      assert.equal(await condition.withLockAsync(() => condition.notifyAll()), 0);
    });

    scenario("D9 a thread that waits for an Event is killed: set() wakes the living", async (here, order) => {
      const event = new Event({ name: "signal" });
      const victim = go(targets.eventAndDie, event, kill, here, order);
      await here.waitAsync();
      const living = [ask(targets.awaitEvent, event), ask(targets.awaitEvent, event)];
      await until(() => blockedOn("Event", "signal") === (kill === "terminate" ? 3 : 2), SOON);
      await killed(victim as never, kill, here, order);
      const mine = event.waitAsync();
      event.set();
      event.clear();
      await Promise.all([joined(living), mine]);
    });

    scenario(
      "D10 a thread that waits at a Barrier is killed: the others are told, reset() works",
      async (here, order) => {
        const barrier = new Barrier(4);
        const victim = go(targets.meetAndDie, barrier, kill, here, order);
        await here.waitAsync();
        const other = ask(targets.meet, barrier);
        const mine = barrier.waitAsync().catch((error: Error) => error.name);
        await until(() => barrier.waiting === 3, SOON);
        await killed(victim as never, kill, here, order);
        assert.deepEqual([await other.joinAsync(), await mine], [-1, "BrokenBarrierError"]);
        assert(barrier.broken);
        barrier.reset();
        const again = [ask(targets.meet, barrier), ask(targets.meet, barrier)].map((thread) => thread.joinAsync());
        const places = await Promise.all([...again, barrier.waitAsync(), barrier.waitAsync()]);
        assert.deepEqual(places.sort(), [0, 1, 2, 3]);
      },
    );

    scenario(
      "D12 a thread is killed before its taskDone(): a join gives up in time and is shown",
      async (here, order) => {
        const queue = new Queue<string>({ maxBytes: 1000, name: "undone" });
        queue.put("item");
        await killed(go(targets.takeAndDie, queue, kill, here, order) as never, kill, here, order);
        if (has.blocksMain) assert.equal(queue.tryJoin({ timeout: 20 }), false);
        const controller = new AbortController();
        const join = queue.joinAsync({ signal: controller.signal });
        await until(() => JSON.stringify(threadDump()).includes("undone"), SOON);
        controller.abort("enough");
        await assert.rejects(join, (reason) => reason === "enough");
        queue.taskDone();
        await queue.joinAsync();
      },
    );
  }

  test(
    "D13 two threads take A and B in opposite order: exactly one DeadlockError, naming threads and locks",
    async () => {
      const [a, b, both] = [new Lock({ name: "A" }), new Lock({ name: "B" }), new Latch(2)];
      const threads = [go(targets.takeBoth, a, b, both), go(targets.takeBoth, b, a, both)];
      const told = (await joined(threads)).filter((each) => each !== undefined);
      assert.equal(told.length, 1);
      const [names, locks] = told[0]!;
      assert.deepEqual([...names].sort(), threads.map(({ name }) => name).sort());
      assert.deepEqual([...locks].sort(), ['Lock "A"', 'Lock "B"']);
      assert.deepEqual([a.locked, b.locked], [false, false]);
    },
    AMPLE,
  );
}

function take(owned: Lock | RLock | RWLock): Promise<{ release(): void }> {
  return owned instanceof RWLock ? owned.writeAsync() : owned.acquireAsync();
}
