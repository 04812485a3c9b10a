// The waiting room by itself; what queues and pipes do in it is in their tests, and in the models.

import { createRecord } from "../../primitives/_memory.ts";
import { AsyncLine } from "../../primitives/_line.ts";
import { Lobby, NOT_YET } from "../../primitives/_lobby.ts";
import { assert, test } from "../_harness.ts";

const BASE = 8;

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
