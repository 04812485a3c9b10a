// A thread beside the main one. Python: threading.Thread, start, join.

import { currentThread, isMainThread, Thread } from "@lockstep/lockstep";

/** What the thread does: its function is exported, so that the worker can import it. */
export function music(): string {
  for (const song of ["first song", "second song"]) {
    console.log(`${currentThread().name} plays the ${song}`);
  }
  return "the music is over";
}

if (isMainThread) {
  const thread = new Thread({ target: music, module: import.meta.url, name: "player" });
  thread.start();
  const ended = thread.tryJoin({ timeout: 10_000 }); // waits 10 s at most
  console.log(ended === undefined ? "it still plays" : "it has ended");
  console.log(thread.join()); // waits as long as it takes, and gives what music() returned
  console.log(`alive: ${thread.alive}`);
}
