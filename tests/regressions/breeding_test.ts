// A module that starts a thread on itself, after its first await and without a guard, bred threads without end: by then the
// import that would have been refused was over.

import { agent } from "../../primitives/_agent.ts";
import { Thread, ThreadError } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

const module = import.meta.url;

/** How many threads have started one another, up to one that is started so many levels below this one. */
export async function generation(below: number): Promise<number> {
  if (below === 0) return agent.generation;
  return await new Thread({ target: generation, module, args: [below - 1] }).start().joinAsync();
}

test("T26 threads start threads, each of which knows how many came before it", async () => {
  const mine = agent.generation;
  assert.equal(await generation(3), mine + 3);
});

test("T27 threads that start one another without end are stopped, with an error that names the guard", async () => {
  const mine = agent.generation;
  agent.generation = 64;
  try {
    const thread = new Thread({ target: generation, module, args: [0] });
    assert.match(assert.throws<Error>(() => thread.start(), ThreadError).message, /guard .* with isMainThread/);
    agent.generation = 63;
    assert.equal(await thread.start().joinAsync(), 64);
  } finally {
    agent.generation = mine;
  }
});
