// The bound on barging of all queues, primitives/_queue_heir.ts, as its two words show it: HEIR and NEED.

import { Agent } from "../../primitives/_agent.ts";
import type { FullHandle } from "../../primitives/_handle.ts";
import { Roster } from "../../primitives/_roster.ts";
import { LifoQueue, PriorityQueue, Queue } from "../../primitives/mod.ts";
import { asAgent } from "../_as_agent.ts";
import { withStoppedClock } from "../_clock.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

const TASK_BIT = 0x40000000;
const LAPSE = 10;
const LAPSE_TASK = 1;
const STALLED = 100;

/** A queue of 1000 bytes, another thread of its program, and HEIR and NEED. */
function scene(Kind: typeof Queue, heir: number, maxSize = 0) {
  const queue = new Kind<unknown>({ maxBytes: 1000, maxSize });
  const { buffer, roster, rosterOffset } = queue.handle as FullHandle;
  const other = new Agent();
  const as = <T>(act: (theirs: Queue<unknown>) => T): T => asAgent(other, () => act(theirs));
  const theirs: Queue<unknown> = asAgent(other, () => Kind.attach<unknown>(queue.handle));
  const table = Roster.attach(roster, rosterOffset);
  const them = asAgent(other, () => Roster.attach(roster, rosterOffset).me);
  return { queue, as, me: table.me, them, die: () => table.markDead(them), words: new Int32Array(buffer, 4 * heir, 2) };
}

for (const [Kind, HEIR] of [[Queue, 68], [LifoQueue, 54], [PriorityQueue, 54]] as const) {
  const { name } = Kind;

  test(`${name}: room that is kept for another thread is let go once it lapses, or the thread dies`, () =>
    withStoppedClock((pass) => {
      const { queue, me, them, die, words } = scene(Kind, HEIR);
      for (const put of [() => queue.tryPut(1), () => queue.tryPutMany([1]) === 1]) {
        words.set([me, 8]);
        assert.equal(put(), true);
        for (const [heir, lapse] of [[them, LAPSE], [them | TASK_BIT, LAPSE_TASK]] as const) {
          words.set([heir, 8]);
          assert.equal(put(), false);
          pass(lapse / 2);
          assert.equal(put(), false);
          pass(lapse / 2);
          assert.equal(put(), true);
          assert.equal(words[0], 0);
        }
      }
      words.set([them, 8]);
      assert.equal(queue.tryPut(1), false);
      die();
      assert.equal(queue.tryPut(1), true);
      assert.equal(words[0], 0);
    }));

  test(`${name}: room is kept as long as ever for an heir that was one before`, () =>
    withStoppedClock((pass) => {
      const { queue, as, them, words } = scene(Kind, HEIR);
      for (let turn = 0; turn < 3; turn++) {
        words.set([them, 8]);
        assert.equal(queue.tryPut(1), false);
        pass(LAPSE - 1);
        words.set([0, 0]);
        as((theirs) => theirs.put(turn));
      }
      words.set([them, 8]);
      assert.equal(queue.tryPut(1), false);
      pass(LAPSE - 1);
      as((theirs) => theirs.get()); // that there is more room prolongs nothing
      assert.equal(queue.tryPut(1), false);
      pass(1);
      assert.equal(queue.tryPut(1), true);
    }));

  test(`${name}: where the heir has no room, one put in a while slips in, unless somebody gets`, () =>
    withStoppedClock((pass) => {
      const { queue, as, them, words } = scene(Kind, HEIR);
      as((theirs) => theirs.putMany([1, 2, 3]));
      words.set([them, 1000]);
      assert.equal(queue.tryPut(4), false);
      pass(STALLED);
      as((theirs) => theirs.get());
      assert.equal(queue.tryPut(4), false); // counts anew from here
      for (let i = 0; i < 3; i++) {
        pass(STALLED);
        assert.equal(queue.tryPut(4), true);
        assert.equal(queue.tryPut(5), false);
        assert.equal(words[0], them);
      }
      words[1] = 8; // now it has room
      assert.equal(queue.tryPut(5), false);
      pass(LAPSE);
      assert.equal(queue.tryPut(5), true);
    }));

  test(`${name}: an heir for which there is no place does not lapse`, () =>
    withStoppedClock((pass) => {
      const { queue, as, them, words } = scene(Kind, HEIR, 2);
      as((theirs) => theirs.putMany([1, 2]));
      words.set([them, 8]);
      for (let i = 0; i < 3; i++) {
        assert.equal(queue.tryPut(3), false);
        assert.equal(words[0], them);
        pass(LAPSE);
      }
      as((theirs) => theirs.get());
      assert.equal(queue.tryPut(3), false); // now there is one: counts anew from here
      pass(LAPSE);
      assert.equal(queue.tryPut(3), true);
    }));

  for (
    const [how, gets] of [["get", (q: Queue) => void q.get()], ["getMany", (q: Queue) => void q.getMany(1)]] as const
  ) {
    test(`${name}: who gets as well, by ${how}(), is not kept from putting where the heir has no room`, () => {
      const { queue, as, them, words } = scene(Kind, HEIR);
      as((theirs) => theirs.putMany([1, 2]));
      words.set([them, 1000]);
      assert.equal(queue.tryPut(3), false);
      gets(queue);
      assert.equal(queue.tryPut(3), true);
      assert.equal(queue.tryPutMany([4]), 1);
      words.set([them, 8]); // it has
      assert.equal(queue.tryPut(5), false);
    });
  }

  test(`${name}: a task that waits for long is the heir, with what it needs, until it gives up or has put`, async () => {
    const { queue, as, me, them, words } = scene(Kind, HEIR);
    for (const end of ["gives up", "puts"]) {
      queue.putMany(["x".repeat(400), "y"]);
      const controller = new AbortController();
      const waiting = queue.putAsync(new Uint8Array(700), { signal: controller.signal }).catch((reason) => reason);
      await until(() => words[0] !== 0);
      assert.deepEqual([...words], [me | TASK_BIT, 700]);
      withStoppedClock(() =>
        as((theirs) => {
          assert.equal(theirs.tryPut(1), false);
          assert.equal(theirs.tryPutMany([1]), 0);
        })
      );
      if (end === "gives up") controller.abort(end);
      else queue.getMany(2);
      assert.equal(await waiting, end === "puts" ? undefined : end);
      assert.equal(words[0], 0);
      assert.equal(as((theirs) => theirs.tryPut(1)), true);
      queue.getMany(9);
    }
    // One is enough, and it stays.
    queue.put(new Uint8Array(700));
    words.set([them, 900]);
    const controller = new AbortController();
    const waiting = queue.putAsync(new Uint8Array(600), { signal: controller.signal }).catch((reason) => reason);
    await new Promise((resolve) => setTimeout(resolve, 80)); // it looks up every 20 ms
    controller.abort("enough");
    assert.equal(await waiting, "enough");
    assert.deepEqual([...words], [them, 900]);
  });
}
