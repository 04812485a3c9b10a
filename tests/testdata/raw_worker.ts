// A worker that Lockstep did not start: it is given a handle, and so becomes a member of the roster.

import { currentThread, isMainThread, Lock, ThreadError } from "../../mod.ts";
import type { Handle } from "../../mod.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
const parentPort = typeof realm.postMessage === "function"
  ? undefined
  : realm.process.getBuiltinModule("node:worker_threads").parentPort;

if (parentPort === undefined) realm.onmessage = (event: { data: Message }) => hear(event.data);
else parentPort.on("message", hear);

interface Message {
  readonly what: "introduce" | "stay" | "hold";
  readonly handle: Handle;
  /** The module that opens the handle's memory, where that is needed. */
  readonly memory: string | undefined;
}

async function hear({ what, handle, memory }: Message): Promise<void> {
  if (memory !== undefined) await import(memory);
  const lock = Lock.attach(handle);
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
  if (parentPort === undefined) setTimeout(() => realm.close?.() ?? realm.process?.exit(0), 50);
  else parentPort.close();
}

function answer(message: object): void {
  if (parentPort === undefined) realm.postMessage(message);
  else parentPort.postMessage(message);
}
