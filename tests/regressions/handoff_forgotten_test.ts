// A lock that is handed over may be left taken by a thread whose target returned. Once another thread had the slot of that
// one, nothing told the two apart from a thread that had died, and the lock was marked.

import { Lock } from "../../mod.ts";
import { store } from "../../primitives/_atomics.ts";
import { OWNER } from "../../primitives/_lock_word.ts";
import { lockCore } from "../../primitives/lock.ts";
import { Roster } from "../../primitives/_roster.ts";
import { assert, test } from "../_harness.ts";

test("A handoff Lock goes on being held once its taker has returned and its slot is another thread's", () => {
  const lock = new Lock({ handoff: true });
  const { words, roster } = lockCore(lock);
  const take = (): number => {
    const id = roster.take("taker", roster.me, 0);
    roster.markRunning(id);
    roster.markDead(id);
    return id;
  };
  const first = take();
  store(words, OWNER, first);
  const slot = (id: number): number => id & 0xfff;
  for (let i = 0; i < 2 * 1024 && slot(take()) !== slot(first); i++);
  assert.equal(roster.forgotten(first), true);
  assert.equal(lock.tryAcquire({ timeout: 5 }), undefined);
  assert.equal(String(lock), `Lock (locked, owner ${first} )`);
  lock.release();
  assert.equal(lock.locked, false);
  assert.equal(Roster.prototype.forgotten.call(roster, roster.me), false);
});
