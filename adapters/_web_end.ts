// How a page or web worker of a browser notices that it is about to end.

import { starter, whenDelivered } from "./_port.ts";
import type { HostEnd } from "../primitives/host.ts";

interface Realm {
  close(): void;
  addEventListener(type: string, listener: (event: any) => void): void;
}

const realm = globalThis as unknown as Realm;

/** Whether this is a page, not a worker of one. */
export const isPage: boolean = (globalThis as { WorkerGlobalScope?: unknown }).WorkerGlobalScope === undefined;

const close: () => void = isPage ? () => {} : realm.close.bind(realm);

/** Ends this worker, once its present code has run to its end. */
export function exitWorker(): void {
  queueMicrotask(close);
}

/** Calls back once, at the last moment before this agent ends; in a thread errors that nobody catches are an end. */
export function onWebEnd(listener: (end: HostEnd) => void): void {
  let told = false;
  const tell = (end: HostEnd): void => {
    if (told) return;
    told = true;
    listener(end);
  };
  if (isPage) return realm.addEventListener("pagehide", () => tell({ reason: "closed", exitCode: 0 }));
  const before = realm.close;
  realm.close = () => {
    tell({ reason: "closed", exitCode: 0 });
    before.call(realm);
  };
  if (starter.port === undefined) return;
  const uncaught = (event: { preventDefault(): void }, error: unknown): void => {
    event.preventDefault();
    tell({ reason: "error", thrown: { error } });
    whenDelivered(close); // that it is told of, where a starter has a hook
  };
  realm.addEventListener("error", (event) => uncaught(event, event.error ?? new Error(event.message)));
  realm.addEventListener("unhandledrejection", (event) => uncaught(event, event.reason));
}
