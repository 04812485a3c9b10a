// The waiting room by itself; what queues and pipes do in it is in their tests, and in the models.

import type { FullHandle } from "../../primitives/_handle.ts";
import { createRecord } from "../../primitives/_memory.ts";
import { AsyncLine } from "../../primitives/_line.ts";
import { Lobby, NOT_YET } from "../../primitives/_lobby.ts";
import { ClosedError, LifoQueue, PriorityQueue, Queue } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { notified } from "../_notified.ts";
import { until } from "../_until.ts";

const BASE = 8;
const WAITING_BIT = 1;
const ALL_BIT = 2;

for (const others of [true, false]) {
  test(`Lobby: who goes on wakes the next one if that could go on, though it could not itself: ${others}`, async () => {
    const { words, roster } = createRecord("Queue", 64, undefined);
    const lobby = new Lobby(words, roster, BASE);
    let open = false;
    const going = lobby.waitAsync(
      {
        wanted: { kind: "Queue", words, roster, name: "", verb: "put", owners: () => [] },
        all: false,
        attempt: () => open ? true : NOT_YET,
        ready: () => false, // there is no room for another one as large
        readyForOthers: () => others,
      },
      new AsyncLine(),
      undefined,
    );
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(lobby.waiting, true);
    open = true;
    lobby.wake(1);
    assert.equal(await going, true);
    assert.equal(lobby.waiting, !others); // set again by the one that went on, and taken by its wake-up
  });
}

for (const [Kind, GETTERS, PUTTERS] of [[Queue, 65, 80], [LifoQueue, 48, 51], [PriorityQueue, 48, 51]] as const) {
  const { name } = Kind;
  const GATE = 1;

  test(`Q18 D25 ${name}: close() wakes who waits for a message, and who waits for room`, async () => {
    const queue = new Kind<number>({ maxSize: 1 });
    const { buffer } = queue.handle as FullHandle;
    const words = new Int32Array(buffer);
    const getting = assert.rejects(queue.getAsync(), ClosedError);
    await until(() => (words[GETTERS]! & WAITING_BIT) !== 0);
    words[PUTTERS]! |= WAITING_BIT; // blocked, in another thread
    const woken = notified(buffer, () => queue.close());
    for (const word of [GETTERS, GETTERS + GATE, PUTTERS]) assert(woken.includes(word), `${word} in ${woken}`);
    await getting;
  });

  test(`Q7 ${name}: of those who wait for room all are woken where they need different things`, async () => {
    for (const options of [{ maxBytes: 1000 }, { maxSize: 1 }]) { // room in bytes, or a place that is kept for one of them
      const queue = new Kind<Uint8Array>(options);
      const words = new Int32Array((queue.handle as FullHandle).buffer);
      const bell = (): number => words[PUTTERS]! & (WAITING_BIT | ALL_BIT);
      queue.put(new Uint8Array(800));
      const putting = queue.putAsync(new Uint8Array(400));
      await until(() => bell() !== 0);
      if ("maxBytes" in options) assert.equal(bell(), WAITING_BIT | ALL_BIT);
      else await until(() => bell() === (WAITING_BIT | ALL_BIT));
      queue.get();
      await putting;
    }
  });
}
