// The outcome of a thread, as those get it who join it: read from its record or, where it holds shared memory, come by
// message. Such a message goes to the starter, and to joiners elsewhere by the way of _thread_route.ts.

import { agent } from "./_agent.ts";
import { decodeOutcome, encodeWithin } from "./_codec_late.ts";
import { keepAlive, letGo } from "./_keep_alive.ts";
import type { ThreadCore } from "./_thread_core.ts";
import type { AbruptEnd } from "./_thread_record.ts";
import { route } from "./_thread_route.ts";
import { checkStop } from "./_wait.ts";
import { BlockingUnavailableError, ThreadError } from "./errors.ts";
import { copyFromMessage } from "./message.ts";

/** What a join gives. */
export interface Joined {
  readonly value: unknown;
}

/** What joiners of a thread that has ended get; throws what it threw, or why there is nothing. */
export function outcomeOf(core: ThreadCore): Joined {
  const ending = core.record.ending!;
  if (ending.kind === "ended") throw failureOf(core, ending);
  const { bytes } = ending;
  const value = bytes === "posted" ? postedValue(core) : decodeOutcome(bytes);
  if (ending.kind === "threw") throw value;
  return { value };
}

/** What a failed thread's joiners get. */
export function errorOf(core: ThreadCore): unknown {
  try {
    outcomeOf(core);
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What a thread threw, as its record has room for it. */
export function bytesOf({ record, title }: ThreadCore, thrown: unknown): Uint8Array {
  return encodeWithin(record.capacity, thrown, (length) => {
    const what = `Cannot pass on all of what ${title.slice(0, 200)} threw as it takes ${length} bytes`;
    return `${what}: maxResultBytes is ${record.limit}`;
  });
}

/** The error of a thread that ended without an outcome. */
export function failureOf({ title, name }: ThreadCore, ending: AbruptEnd): ThreadError {
  const { reason, exitCode, bytes } = ending;
  const how = {
    error: "an error was thrown outside its target",
    exit: `it called exit(${exitCode ?? ""})`,
    closed: "it closed itself, or had nothing left to do before its target was done",
    terminated: "it was terminated",
    unstoppable: "it does not stop",
    misuse: "it was misused",
    unknown: "it ended without saying why",
  }[reason];
  const cause = bytes === undefined ? undefined : decodeOutcome(bytes);
  const said = cause instanceof Error ? `${how}: ${innermost(cause).message}` : how;
  return new ThreadError(`Cannot get the result of ${title} as ${said}`, {
    reason,
    exitCode,
    threadName: name,
    ...(bytes === undefined ? {} : { cause }),
  });
}

/** Where threads have started one another, each says that the next one failed: once is enough. */
function innermost(error: Error): Error {
  while (error instanceof ThreadError && error.cause instanceof Error) error = error.cause;
  return error;
}

function postedValue(core: ThreadCore): unknown {
  const { posted } = core.local;
  if (posted !== "lost") return copyFromMessage(posted!.value); // a joiner may change what it gets
  throw new ThreadError(
    `Cannot get the result of ${core.title} as it holds shared memory, and the thread that started it has let go of it`,
    { reason: "unknown", threadName: core.name },
  );
}

// Outcomes that come by message.

/** Fetches such an outcome without the event loop; throws where it cannot be had so. */
export function receive(core: ThreadCore): void {
  if (!core.record.posted || takePosted(core)) return;
  throw new BlockingUnavailableError(
    `Cannot join ${core.title} here as its result holds shared memory, which cannot reach a blocked thread ` +
      "that is not its starter, nor any in a browser: use joinAsync(), while the starter's event loop turns",
    { hint: "joinAsync" },
  );
}

/** Takes the outcome's message if it has arrived. */
export function takePosted({ local }: ThreadCore): boolean {
  for (;;) {
    if (local.posted !== undefined) return true;
    const taken = local.worker?.take();
    if (taken === undefined) return false;
    local.hear(taken.message);
  }
}

/** Resolves when the outcome's message has arrived; asks for it where it does not come by itself. */
export async function arrival(core: ThreadCore, signal: AbortSignal | undefined): Promise<void> {
  const { local, record, roster } = core;
  if (local.worker === undefined) {
    const way = route(roster, { lockstep: "ask", to: record.starter, from: roster.me, thread: core.handle });
    if (!way) local.posted = "lost";
  }
  await whenPosted(core, signal);
}

/** Resolves when the outcome's message has arrived. */
export function whenPosted(core: ThreadCore, signal?: AbortSignal): Promise<void> {
  const { local } = core;
  if (local.posted !== undefined) return Promise.resolve();
  const owner = agent;
  keepAlive();
  return new Promise<void>((resolve, reject) => {
    const done = (): void => {
      local.listeners.delete(arrived);
      owner.sleepers.delete(wake);
      signal?.removeEventListener("abort", onAbort);
      letGo();
    };
    const arrived = (): void => {
      done();
      resolve();
    };
    const fail = (reason: unknown): void => {
      done();
      reject(reason);
    };
    const onAbort = (): void => fail(signal!.reason);
    const wake = (): void => {
      try {
        checkStop(core);
      } catch (error) {
        fail(error);
      }
    };
    owner.sleepers.add(wake); // which also keeps all of this: whoever will resolve it knows the local only weakly
    local.listeners.add(arrived);
    signal?.addEventListener("abort", onAbort);
  });
}
