// Memory stays as it is however many messages pass: a million of each kind, ten million with LOCKSTEP_STRESS=10, every
// one of them checked.
//
//   deno test -A --no-check --config deno.offline.json tests/stress/memory_stress.ts

import { type Connection, pipe, Queue, Thread } from "../../mod.ts";
import { assert, test } from "../_harness.ts";

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
const WORK = Number(realm.process?.env?.LOCKSTEP_STRESS ?? 1);
const COUNT = 1_000_000 * WORK;
/** What an engine's own heap moves up and down by; one that keeps a word of each of ten million messages exceeds it. */
const MOST = 48 << 20;

/** What passes, and how to tell that it came whole. */
interface Kind {
  make(serial: number): unknown;
  // deno-lint-ignore no-explicit-any
  isRight(value: any, serial: number): boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  integers: { make: (serial) => serial, isRight: (value, serial) => value === serial },
  objects: {
    make: (serial) => ({ serial, text: `message ${serial % 1000}`, list: [serial, -serial] }),
    isRight: (value, serial) =>
      value.serial === serial && value.text === `message ${serial % 1000}` && value.list[1] === -serial,
  },
  "64-byte arrays": {
    make: (serial) => new Uint8Array(64).fill(serial & 0xff),
    isRight: (value, serial) => value.length === 64 && value[serial & 63] === (serial & 0xff),
  },
};

/** A thread's part: all messages, one after another. */
export function pour(kind: string, count: number, to: Queue<unknown> | Connection<unknown, unknown>): void {
  const { make } = KINDS[kind]!;
  for (let serial = 0; serial < count; serial++) {
    if (to instanceof Queue) to.put(make(serial));
    else to.send(make(serial));
  }
}

/** Takes all of them; what the process holds in memory may not grow after the first tenth. */
function drain(kind: string, take: () => unknown): void {
  const { isRight } = KINDS[kind]!;
  const tenth = COUNT / 10;
  const resident: number[] = [];
  for (let serial = 0; serial < COUNT; serial++) {
    const value = take();
    if (!isRight(value, serial)) throw new Error(`message ${serial} is ${JSON.stringify(value)}`);
    if ((serial + 1) % tenth === 0) resident.push(realm.process.memoryUsage().rss);
  }
  const mib = resident.map((bytes) => Math.round(bytes / (1 << 20)));
  console.log(`    ${COUNT} ${kind}: ${mib.join(", ")} MiB`);
  assert(resident.at(-1)! - resident[0]! < MOST, `memory grew: ${mib.join(", ")} MiB`);
}

for (const kind of Object.keys(KINDS)) {
  test(`Memory is steady over ${COUNT} ${kind} through a Queue`, () => {
    const queue = new Queue<unknown>();
    const thread = new Thread({ target: pour, module: import.meta.url, args: [kind, COUNT, queue] }).start();
    drain(kind, () => queue.get());
    thread.join();
    assert(queue.isEmpty);
  }, { limit: 60_000 * WORK });

  test(`Memory is steady over ${COUNT} ${kind} through a Pipe`, () => {
    const [end, other] = pipe<unknown>();
    const thread = new Thread({ target: pour, module: import.meta.url, args: [kind, COUNT, other] }).start();
    other.close();
    drain(kind, () => end.recv());
    thread.join();
    end.close();
  }, { limit: 60_000 * WORK });
}
