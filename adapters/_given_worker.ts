// Workers that are made by `new Worker`: the user's own on every runtime, all of them
// in browsers. They are greeted by a message. Their end is told by an event where there
// is one, else by the Web Lock that they hold for life.

import { onDeath, onStop, tellsLives } from "./_life.ts";
import type { ToMaker } from "./_maker.ts";
import { process, threads } from "./_node_api.ts";
import { passedOn } from "./_output.ts";
import type { Greeting } from "./_port.ts";
import { listen } from "./_port.ts";
import { describe } from "../primitives/_arguments.ts";
import type { HostEnd, HostSpawn, HostWorker, HostWorkerEvents } from "../primitives/host.ts";

/** A worker of the web or of node:worker_threads. */
export interface AnyWorker {
  postMessage(message: unknown, transfer: readonly unknown[]): void;
  terminate(): unknown;
  ref?(): void;
  unref?(): void;
  readonly threadId?: number;
  on?(type: string, listener: (value: any) => void): void;
  addEventListener?(type: string, listener: (event: any) => void): void;
}

let lives = 0;

/** A name for a sign of life that no other page or worker of this origin uses. */
export function lifeName(): string {
  return `lockstep-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${lives++}`;
}

/** Calls back, once, when the worker has stopped, and before with what it tells its maker. Returns how to stop it. */
export function watchWorker(
  worker: AnyWorker,
  life: string,
  ended: (end: HostEnd) => void,
  told: (message: ToMaker) => void = () => {},
): () => void {
  let over = false;
  let alive = false;
  let thrown: HostEnd["thrown"];
  const end = (exitCode?: number): void => {
    if (over) return;
    over = true;
    ended({ reason: thrown !== undefined ? "error" : exitCode === undefined ? "unknown" : "exit", exitCode, thrown });
  };
  const hear = (data: unknown): void => {
    const message = (data as { lockstep?: ToMaker } | null | undefined)?.lockstep;
    if (typeof message !== "object" || message === null) return;
    if (message.alive === true && tellsLives && !alive) {
      alive = true;
      onDeath(life, end);
    }
    told(message);
  };
  if (worker.addEventListener === undefined) { // node:worker_threads
    worker.on!("message", hear);
    worker.on!("error", (error) => thrown = { error });
    worker.on!("exit", end);
  } else {
    worker.addEventListener("message", (event) => hear(event.data));
    worker.addEventListener("close", (event) => end(event.code)); // Bun
    worker.addEventListener("error", (event) => {
      event.preventDefault?.(); // or it ends its maker, in Deno
      thrown ??= { error: event.error ?? new Error(event.message || "the worker's module could not be loaded") };
      if (!alive && tellsLives) end(); // it never came up
    });
  }
  return () => {
    worker.terminate();
    if (tellsLives && !alive) onStop(life, end);
    alive = true;
  };
}

const given = new WeakSet<object>();

/** What the user's function has made. Throws where that is no new worker: it would never become the thread's. */
export function checkMade(value: unknown): AnyWorker {
  const made = value as Partial<AnyWorker> | null | undefined;
  if (typeof made?.postMessage !== "function" || typeof made.terminate !== "function") {
    throw new TypeError(
      `the worker option must be a function that returns a new Worker: it returned ${describe(made)}`,
    );
  }
  if (given.has(made) || made.threadId === -1) {
    const why = given.has(made) ? "that of another thread" : "one that has ended";
    throw new Error(`the worker option must make a new Worker for each thread: it returned ${why}`);
  }
  given.add(made);
  return made as AnyWorker;
}

/** Greets a worker and makes it a thread's. */
export function spawnGiven(
  start: HostSpawn,
  events: HostWorkerEvents,
  worker: AnyWorker = checkMade(start.worker!()),
  told?: (message: ToMaker) => void,
): HostWorker {
  const { port1, port2 } = new MessageChannel();
  const life = lifeName();
  const output = process === undefined ? [] : passedOn(worker);
  const greeting: Greeting = { start: start.data, port: port2, life, output };
  const terminate = watchWorker(worker, life, (end) => {
    events.end(end);
    port1.close();
  }, told);
  try {
    worker.postMessage({ lockstep: greeting }, [port2]);
  } catch (error) { // something in it cannot be cloned
    worker.terminate(); // or it would wait for ever, and the program for it
    port1.close();
    throw error;
  }
  if (!start.ref) worker.unref?.();
  listen(port1, events.message);
  return {
    post: (message) => port1.postMessage(message),
    take: () => process === undefined ? undefined : threads().receiveMessageOnPort(port1),
    terminate,
    setRef: (ref) => ref ? worker.ref?.() : worker.unref?.(),
  };
}
