// How an agent of Deno, Node or Bun notices that it is about to end.

import { process } from "./_node_api.ts";
import type { HostEnd } from "../primitives/host.ts";

interface ErrorLike {
  readonly error?: unknown;
  readonly message?: string;
}

/** Calls back once, at the last moment before this agent ends; `uncaught` makes errors that nobody catches an end. */
export function onProcessEnd(listener: (end: HostEnd) => void, uncaught: boolean): void {
  const realm = process!;
  const exit = realm.exit.bind(realm);
  let told = false;
  let end: HostEnd | undefined;
  const tell = (exitCode: number): void => {
    if (told) return;
    told = true;
    listener(end ?? { reason: "closed", exitCode });
  };
  realm.on("exit", tell);
  wrap(realm, "exit", (exitCode) => {
    end = { reason: "exit", exitCode };
    realm.off("exit", tell); // exit listeners run in order, and ours is to be the last
    realm.on("exit", tell);
  });
  const { Deno } = globalThis as { Deno?: object };
  if (Deno !== undefined) { // these two run no exit listener
    wrap(Deno, "exit", (exitCode) => {
      end = { reason: "exit", exitCode };
      tell(exitCode);
    });
    wrap(globalThis, "close", () => tell(0));
  }
  if (!uncaught) return;
  // Under its own test runner Bun tells this listener only, and then ends the worker as if nothing were.
  const target = globalThis as { addEventListener?(type: string, listener: (event: ErrorLike) => void): void };
  target.addEventListener?.("error", (event) => {
    end ??= { reason: "error", exitCode: 1, thrown: { error: event.error ?? new Error(event.message) } };
  });
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    realm.on(event, (error: unknown) => {
      if (realm.listenerCount(event) > 1) return; // the program sees to it itself
      end = { reason: "error", exitCode: 1, thrown: { error } };
      tell(1);
      exit(1);
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
