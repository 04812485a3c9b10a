// A worker that Lockstep did not start: it is given a handle, and so becomes a member of the roster.

import { BlockingUnavailableError, currentThread, Event, isMainThread, Lock, Thread, ThreadError } from "../../mod.ts";
import type { Handle } from "../../mod.ts";
import { listenToOwner } from "./own_worker.ts";
import { setEvent } from "./thread_targets.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

const answer = listenToOwner((data) => hear(data as Message));

interface Message {
  readonly what: "introduce" | "stay" | "hold" | "start" | "join";
  readonly handle: Handle;
  /** The module that opens the handle's memory, where that is needed. */
  readonly memory: string | undefined;
}

async function hear({ what, handle, memory }: Message): Promise<void> {
  if (memory !== undefined) await import(memory);
  const lock = Lock.attach(handle);
  if (what === "start") return answer(startAndBlock());
  if (what === "join") return answer(await startAndJoin());
  if (what === "hold") lock.acquire();
  const { name, alive, daemon } = currentThread();
  let join = "";
  try {
    currentThread().join();
  } catch (error) {
    join = error instanceof ThreadError ? error.code : String(error);
  }
  answer({ name, alive, daemon, join, isMainThread });
  if (what !== "introduce") return;
  setTimeout(() => realm.close?.() ?? realm.process?.exit(0), 50);
}

/** Starts a thread, joins it, and lets the event loop turn. */
async function startAndJoin(): Promise<string> {
  const module = new URL("./thread_targets.ts", import.meta.url);
  await new Thread({ target: setEvent, module, args: [new Event()] }).start().joinAsync();
  return await new Promise((resolve) => setTimeout(() => resolve("a timer ran"), 10));
}

/** Starts a thread and at once blocks until that has done something. */
function startAndBlock(): object {
  const event = new Event({ name: "begun" });
  const module = new URL("./thread_targets.ts", import.meta.url);
  new Thread({ target: setEvent, module, args: [event], daemon: true }).start();
  try {
    event.wait();
    return { woken: true };
  } catch (error) {
    return { woken: false, hint: error instanceof BlockingUnavailableError ? error.hint : String(error) };
  }
}
