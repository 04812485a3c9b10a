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
  console.log(thread.join()); // waits, and gives what music() returned
  console.log(`alive: ${thread.alive}`);
}
