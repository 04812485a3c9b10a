// Names, daemons, and whether a thread lives. Python: name, daemon, is_alive.

import { currentThread, enumerateThreads, Event, isMainThread, mainThread, Thread } from "@lockstep/lockstep";

/** Stays until it is told to go. */
export function stay(go: Event): string {
  go.wait();
  return currentThread().name;
}

if (isMainThread) {
  const go = new Event();
  const thread = new Thread({ target: stay, module: import.meta.url, args: [go] });
  console.log(`named ${thread.name}, state ${thread.state}, alive ${thread.alive}`);
  thread.name = "stayer";
  thread.start();
  console.log(`named ${thread.name}, alive ${thread.alive}, daemon ${thread.daemon}`);
  console.log(enumerateThreads().map(({ name }) => name).join(", "));
  go.set();
  console.log(`joined ${thread.join()}, alive ${thread.alive}`);

  // The program does not wait for daemons: this one waits for ever, and the program ends.
  const daemon = new Thread({ target: stay, module: import.meta.url, args: [new Event()], daemon: true });
  daemon.start();
  console.log(`${mainThread().name} goes, ${daemon.daemon ? "the daemon does not hold it" : ""}`);
}
