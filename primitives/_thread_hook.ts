// Errors that nobody joins: who is told, and when.
//
// A thread that fails while nobody waits for it tells at once, by itself, as its
// starter may be blocked. Where some agent has set a hook, the error goes from
// starter to starter until one has it. A thread that was asked for before, by a
// join that gave up, is left to its starter's end: a later join may get the error.
// One that fails before its start() has returned, which may take long on a busy
// machine, is left to its starter: the next statement may join it.

import { agent } from "./_agent.ts";
import { recordKey } from "./_layout.ts";
import { decodeOutcome, encodeThrown } from "./_codec_late.ts";
import type { FullHandle } from "./_handle.ts";
import type { Roster } from "./_roster.ts";
import { ThreadCore } from "./_thread_core.ts";
import type { ThreadMessage } from "./_thread_messages.ts";
import { errorOf } from "./_thread_outcome.ts";
import type { Ending } from "./_thread_record.ts";
import type { Host } from "./host.ts";

/** The object that stands for a thread; thread.ts, which stands above, puts its own here. */
export const faces: { of(core: ThreadCore): object } = { of: (core) => core };

/** Sets or removes the hook of this agent. */
export function changeHook(hook: typeof agent.exceptHook, roster: Roster): void {
  agent.exceptHook = hook;
  roster.markHook(hook !== undefined);
}

/** Whether nobody needs to be told of a thread that ended so. */
function isQuiet(ending: Ending): boolean {
  if (ending.kind !== "ended") return ending.kind === "returned";
  const { reason, exitCode } = ending;
  return reason === "terminated" || reason === "exit" && (exitCode ?? 0) === 0 || reason === "closed" && exitCode === 0;
}

/** In a thread that ends so, before anybody can see it: tells at once, if it is to. */
export function tellOwnEnd(core: ThreadCore, ending: Ending, error: unknown): void {
  const { record } = core;
  if (isQuiet(ending) || record.asked || record.starting) return;
  if (record.claimTelling()) tellOrPass(core, error);
}

/** In a starter whose thread has ended. */
export function noteEnd(core: ThreadCore): void {
  const { record } = core;
  if (isQuiet(record.ending!) || record.told || record.taken) return;
  if (record.asked) agent.untold.set(recordKey(record.words), core);
  else if (record.claimTelling()) tellOrPass(core, errorOf(core));
}

/** Tells of the failed threads of this agent that nobody has joined by now: it ends. */
export function tellUntold(): void {
  for (const core of agent.untold.values() as Iterable<ThreadCore>) {
    if (!core.record.taken && core.record.claimTelling()) tellOrPass(core, errorOf(core));
  }
  agent.untold.clear();
}

/** What a starter does with an error that was passed to it. */
export function passedUp(thread: FullHandle, error: Uint8Array): void {
  const core = ThreadCore.attach(thread);
  if (!core.record.taken) tellOrPass(core, decodeOutcome(error)); // it may have been joined meanwhile
}

/** Tells of a thread's error here, unless a starter has a hook and this agent has none. */
function tellOrPass(core: ThreadCore, error: unknown): void {
  if (agent.exceptHook !== undefined || !agent.started || !core.roster.hooked) return tell(core, error);
  const message: ThreadMessage = { lockstep: "uncaught", thread: core.handle, error: encodeThrown(error).slice() };
  agent.host!.post(message);
}

function tell(core: ThreadCore, error: unknown): void {
  const host = agent.host as Host;
  const hook = agent.exceptHook;
  if (hook === undefined) return host.printError(report(core.name, error));
  const failed = (failure: unknown): void =>
    host.printError(`Exception in the except hook:\n${picture(failure)}\n${report(core.name, error)}`);
  try {
    Promise.resolve(hook(error, faces.of(core)) as unknown).catch(failed); // it may be async
  } catch (failure) {
    failed(failure);
  }
}

/** What the default hook prints. */
function report(name: string, error: unknown): string {
  return `Exception in thread ${name}:\n${picture(error)}\n`;
}

/** An error with its stack and its causes, alike on every engine. Never throws, whatever the error is. */
export function picture(error: unknown): string {
  const parts = [one(error)];
  let cause = causeOf(error);
  for (; cause !== undefined && parts.length < 8; cause = causeOf(cause)) parts.push(`Caused by: ${one(cause)}`);
  return parts.join("\n");
}

function causeOf(error: unknown): unknown {
  return isError(error) ? read(error, "cause") : undefined;
}

function one(error: unknown): string {
  if (!isError(error)) return `Uncaught value: ${textOf(error)}`;
  const head = `${textOf(read(error, "name") ?? "Error")}: ${textOf(read(error, "message") ?? "")}`;
  const found = read(error, "stack");
  const stack = typeof found === "string" ? found : "";
  if (stack.startsWith(head)) return stack.trimEnd();
  // V8 keeps the head of the time when the error was made, which a name set later is not in; other engines have none.
  const lines = stack.split("\n").map((line) => line.trim());
  const own = lines.filter((line) => line.startsWith("at "));
  const frames = own.length > 0 ? own : lines.filter((line) => line.includes("@"));
  return [head, ...frames.map((line) => line.startsWith("at ") ? `    ${line}` : `    at ${line}`)].join("\n");
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false; // a Proxy that lets nobody look
  }
}

/** A property; `undefined` for a getter that throws. */
function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** A value as text, a plain object or an array as JSON; also one that refuses, as an object without a prototype does. */
export function textOf(value: unknown): string {
  try {
    const text = String(value);
    const plain = typeof value === "object" && value !== null && (text === "[object Object]" || Array.isArray(value));
    return plain ? JSON.stringify(value)?.slice(0, 1000) ?? text : text;
  } catch {
    return typeof value === "function" ? "a function" : "an object";
  }
}

/** What an error says, or whatever else was thrown. */
export function messageOf(error: unknown): string {
  return textOf(isError(error) ? read(error, "message") : error);
}
