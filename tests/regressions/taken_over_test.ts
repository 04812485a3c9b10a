// A receiver that rests in the middle of a long message is passed over: another one has it sent again, and dies in the
// middle, too. What the first one still has of it must not become one with the rest, nor with what follows.

import { pipe } from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { brief, bytes, OtherEnd, turn } from "./_other_agent.ts";

const PATIENCE = 100; // ms that others wait for an idle receiver

test("D3 who was passed over in the middle of a message does not go on with it when the one who passed it dies", async () => {
  const [a, b] = pipe<any, any>({ maxBytes: 1000, threads: 4 });
  const first = new OtherEnd(b);
  const second = new OtherEnd(b);
  let sent = false;
  const sending = a.sendBytesAsync(bytes(5000, 1)).then(() => sent = true);
  assert.equal(first.run((end) => end.tryRecvBytes()), undefined); // takes in what is here
  assert.equal(second.run((end) => end.tryRecvBytes()), undefined); // sees it rest
  await turn(1.5 * PATIENCE);
  assert.equal(second.run((end) => end.tryRecvBytes()), undefined); // has it sent again
  await turn();
  for (let i = 0; i < 2; i++) {
    assert.equal(second.run((end) => end.tryRecvBytes()), undefined); // takes in more of it than the first one
    await turn();
  }
  assert.equal(sent, false);
  second.die();
  while (!sent) {
    assert.equal(first.run((end) => end.tryRecvBytes()), undefined);
    await turn();
  }
  await sending;
  assert.equal(first.run((end) => end.tryRecvBytes()), undefined);
  a.sendBytes(bytes(20, 2));
  assert.deepEqual(brief(first.run((end) => end.tryRecvBytes())), [20, 2]);
  assert.equal(b.poll(), false);
});
