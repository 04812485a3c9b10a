// The port between a thread and its starter, on every runtime: a MessagePort that
// keeps nothing alive, and what a worker is greeted with.

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
  /** For startThread() of the primitives. */
  readonly start: unknown;
  /** To the starter. */
  readonly port: Port;
  /** A Web Lock that it is to hold for life, where its starter learns of its end by that. */
  readonly life?: string;
}

/** Hears what comes through a port. */
export function listen(port: Port, listener: (message: unknown) => void): void {
  port.addEventListener("message", (event) => listener(event.data));
  port.start?.();
  port.unref?.();
}

/** The greeting in a message or in workerData, if it is one. */
export function greetingIn(data: unknown): Greeting | undefined {
  return (data as { lockstep?: Greeting } | null | undefined)?.lockstep;
}

/** The port to this thread's starter; set once it has been greeted. */
export const starter: { port: Port | undefined } = { port: undefined };

/** Takes up a greeting. */
export function greeted(greeting: Greeting): Greeting {
  starter.port = greeting.port;
  return greeting;
}
