// The watchdog's thread; see _watchdog.ts. It never returns to an event loop.

import { appendFileSync, writeSync } from "node:fs";
import process from "node:process";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { describe } from "./_watchdog_dump.ts";
import type { Watched } from "./_watchdog_dump.ts";
import type { Message } from "./_watchdog.ts";

const { words, port } = workerData as { words: Int32Array<SharedArrayBuffer>; port: MessagePort };
const TURN = 0;
const LIMIT = 1;

let name = "";
let seed = 0;
let records: Watched[] = [];

for (;;) {
  const turn = Atomics.load(words, TURN);
  drain();
  if (turn % 2 === 0) {
    Atomics.wait(words, TURN, turn);
    continue;
  }
  const limit = Atomics.load(words, LIMIT);
  if (Atomics.wait(words, TURN, turn, limit) !== "timed-out") continue;
  drain();
  say(`\n${describe(name, limit, seed, records)}\n`);
  process.kill(process.pid, "SIGKILL");
}

function drain(): void {
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: Message } | undefined;
    if (received === undefined) return;
    const { message } = received;
    if ("begin" in message) {
      name = message.begin;
      seed = message.seed;
      records = [];
    } else {
      records.push(message.record);
    }
  }
}

/** Writes where the process began: `deno test` captures what goes to descriptor 2, and never shows it if killed. */
function say(text: string): void {
  try {
    appendFileSync("/dev/stderr", text);
  } catch {
    writeSync(2, text);
  }
}
