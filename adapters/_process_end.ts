// How an agent of Deno, Node or Bun notices that it is about to end.

import { process } from "./_node_api.ts";
import type { HostEnd } from "../primitives/host.ts";

interface ErrorLike {
  readonly error?: unknown;
  readonly message?: string;
  readonly reason?: unknown;
  readonly defaultPrevented?: boolean;
}

/** Marks what is called at the exit, for every call below and every copy of this module in a program. */
const LAST: unique symbol = Symbol.for("lockstep:last") as never;

let leave = (code: number): void => process!.exit(code);

/** Ends this agent: the program's exit listeners run, then those who wait for its end are called back. */
export function exitProcess(): void {
  leave(0);
}

/**
 * Calls back once, at the last moment before this agent ends; in the main thread of Deno also before, at an error that
 * may end it. `uncaught` makes errors that nobody catches an end.
 */
export function onProcessEnd(listener: (end: HostEnd) => void, uncaught: boolean, isMain: boolean): void {
  const realm = process!;
  const exit = realm.exit.bind(realm);
  const { Bun, Deno } = globalThis as { Bun?: object; Deno?: object };
  let told = false;
  let exiting = false;
  let wrapped = false;
  let end: HostEnd | undefined;
  const tell = (exitCode: number): void => {
    if (told) return;
    told = true;
    listener(end ?? { reason: "closed", exitCode });
  };
  const failed = (error: unknown): void => {
    if (exiting && end?.thrown !== undefined) return; // the first error is what matters
    end = { reason: "error", exitCode: 1, thrown: { error } };
  };
  /** Runs the program's exit listeners, which may hold locks, before it tells; also when one of them throws. */
  const tellAfter = (run: () => void, exitCode: number): void => {
    exiting = true;
    try {
      run();
    } catch (error) {
      if (!uncaught) throw error;
      failed(error);
    } finally {
      tell(exitCode);
    }
  };
  const emit = realm.emit;
  realm.emit = function (type: string, ...args: unknown[]): boolean {
    if (type !== "exit") return emit.call(this, type, ...args);
    wrapped = true;
    tellAfter(() => emit.call(this, type, ...args), Number(args[0] ?? 0) | 0);
    return true;
  };
  // Where emit is not called, as on Bun, or was put back by a package that had wrapped it before: signal-exit does.
  const atExit = (exitCode: number): void => {
    if (!wrapped) tell(exitCode);
  };
  Object.assign(atExit, { [LAST]: true });
  const last = (): void => {
    realm.off("exit", atExit);
    realm.on("exit", atExit);
  };
  last();
  if (Bun !== undefined) { // what a listener throws may get lost there, and the next one is called
    realm.on("newListener", (type: string, added: object) => {
      // Not after another of these, or the two would take turns for ever.
      if (type === "exit" && !(LAST in added)) queueMicrotask(last);
    });
  }
  const begin = (exitCode: number): void => {
    if (exiting) tell(exitCode); // a listener exits: none is called after it
    if (Bun === undefined || !uncaught) return last();
    const listeners = realm.listeners("exit").filter((listener) => listener !== atExit);
    realm.removeAllListeners("exit");
    if (!exiting) tellAfter(() => listeners.forEach((listener) => listener.call(realm, exitCode)), exitCode);
  };
  const exits = (exitCode: number): void => {
    if (!exiting || end?.thrown === undefined) end = { reason: "exit", exitCode };
  };
  wrap(realm, "exit", (exitCode) => {
    exits(exitCode);
    begin(exitCode);
  });
  if (Deno !== undefined) { // these two run no exit listener
    wrap(Deno, "exit", (exitCode) => {
      exits(exitCode);
      tell(exitCode);
    });
    wrap(globalThis, "close", () => tell(0));
  }
  const target = globalThis as { addEventListener?(type: string, listener: (event: ErrorLike) => void): void };
  if (isMain && Deno !== undefined) { // no exit listener runs either; the program may see to it later, so this is not the end
    for (const type of ["error", "unhandledrejection"]) {
      target.addEventListener?.(type, ({ error, reason = error, defaultPrevented }) => {
        if (defaultPrevented !== true) listener({ reason: "error", exitCode: 1, thrown: { error: reason } });
      });
    }
  }
  if (!uncaught) return;
  leave = (code) => {
    begin(code);
    exit(code);
  };
  // Under its own test runner Bun tells this listener only, and then ends the worker as if nothing were.
  target.addEventListener?.("error", (event) => {
    end ??= { reason: "error", exitCode: 1, thrown: { error: event.error ?? new Error(event.message) } };
  });
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    realm.on(event, (error: unknown) => {
      if (realm.listenerCount(event) > 1) return; // the program sees to it itself
      failed(error);
      if (!exiting) leave(1);
    });
  }
}

/** Has something happen before a method is called. */
function wrap(owner: object, name: string, before: (code: number) => void): void {
  const methods = owner as Record<string, unknown>;
  const original = methods[name] as (code?: unknown) => unknown;
  methods[name] = function (code?: unknown): unknown {
    before(Number(code ?? methods.exitCode ?? 0) | 0);
    return original.call(owner, code);
  };
}
