// The port between a thread and its starter, on every runtime: a MessagePort that
// keeps nothing alive, and what a worker is greeted with.

import type { OutputName } from "./_output.ts";

/** A MessagePort, of the web or of node:worker_threads. */
export interface Port {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  start?(): void;
  unref?(): void;
  close(): void;
}

/** What a worker gets from its starter before anything else. */
export interface Greeting {
  /** For runThread() of the primitives. */
  readonly start: unknown;
  /** To the starter. */
  readonly port: Port;
  /** A Web Lock that it is to hold for life, where its starter learns of its end by that. */
  readonly life?: string;
  /** What it is to write by itself, where its runtime would have its starter do so, as soon as that turns its event loop. */
  readonly output?: readonly OutputName[];
}

/** Asks the other side to answer DELIVERED. */
const DELIVER = "lockstep:deliver";
const DELIVERED = "lockstep:delivered";

/** Hears what comes through a port. */
export function listen(port: Port, listener: (message: unknown) => void): void {
  port.addEventListener("message", ({ data }) => {
    if (data === DELIVER) port.postMessage(DELIVERED);
    else listener(data);
  });
  port.start?.();
  port.unref?.();
}

/** The greeting in a message or in workerData, if it is one. */
export function greetingIn(data: unknown): Greeting | undefined {
  return (data as { lockstep?: Greeting } | null | undefined)?.lockstep;
}

/** The port to this thread's starter; set once it has been greeted. */
export const starter: { port: Port | undefined } = { port: undefined };

let posted = false;

/** In a thread: sends a message to its starter. */
export function postToStarter(message: unknown): void {
  posted = true;
  starter.port?.postMessage(message);
}

/** Goes on once what was posted has arrived: Firefox, and at times WebKit, drop what a worker posts just before it closes. */
export function whenDelivered(then: () => void): void {
  const { port } = starter;
  if (!posted || port === undefined) return then();
  port.addEventListener("message", ({ data }) => data === DELIVERED && then());
  port.start?.();
  port.postMessage(DELIVER);
}

/** Takes up a greeting. */
export function greeted(greeting: Greeting): Greeting {
  starter.port = greeting.port;
  return greeting;
}
