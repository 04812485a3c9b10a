/**
 * Stands in for `Atomics`, the clock and the timers while an exploration runs. Whoever handles at the moment, a thread
 * that is being replayed or a check that looks at a state, gets every call; with nobody there, the real ones do.
 *
 * @module
 */

import { NOT_EQUAL, OK, type OpKind, PENDING } from "./_ops.ts";

type View = Int32Array<SharedArrayBuffer>;

/** Who answers. */
export interface Handler {
  op(kind: OpKind, view: View, index: number, a: number, b: number, ms: number): number;
  /** The promise of the waitAsync that has just answered PENDING. */
  sleep(): Promise<"ok" | "timed-out">;
  now(): number;
  /** Reads, or writes, an element of shared memory without Atomics. */
  plain(view: Doubles, index: number, value: number | undefined): number;
}

/** Doubles in shared memory: the one kind of plain access that models follow. */
export type Doubles = Float64Array<SharedArrayBuffer>;

let handler: Handler | undefined;

/** Makes it the one that answers; returns who did so far. */
export function handle(next: Handler | undefined): Handler | undefined {
  const last = handler;
  handler = next;
  return last;
}

const WAIT_RESULTS = ["ok", "not-equal", "timed-out"] as const;

function waiting(expected: number, ms: number): [number, number, number] {
  return [expected | 0, 0, Number.isNaN(ms) ? Infinity : ms];
}

function standIn(real: typeof Atomics): Record<string, unknown> {
  const plain = (kind: OpKind) => (view: View, index: number, a = 0, b = 0): number =>
    handler === undefined
      ? (real[kind === "cas" ? "compareExchange" : kind as "load"] as (...args: unknown[]) => number)(view, index, a, b)
      : handler.op(kind, view, index, a, b, 0);
  return {
    load: plain("load"),
    store: plain("store"),
    add: plain("add"),
    sub: plain("sub"),
    and: plain("and"),
    or: plain("or"),
    xor: plain("xor"),
    exchange: plain("exchange"),
    compareExchange: plain("cas"),
    notify: (view: View, index: number, count = Infinity): number =>
      handler === undefined ? real.notify(view, index, count) : handler.op("notify", view, index, count, 0, 0),
    wait(view: View, index: number, expected: number, ms = Infinity): unknown {
      if (handler === undefined) return real.wait(view, index, expected, ms);
      return WAIT_RESULTS[handler.op("wait", view, index, ...waiting(expected, ms))];
    },
    waitAsync(view: View, index: number, expected: number, ms = Infinity): unknown {
      if (handler === undefined) return real.waitAsync(view, index, expected, ms);
      const result = handler.op("waitAsync", view, index, ...waiting(expected, ms));
      if (result === PENDING) return { async: true, value: handler.sleep() };
      return { async: false, value: WAIT_RESULTS[result === OK ? NOT_EQUAL : result] };
    },
    isLockFree: (bytes: number): boolean => real.isLockFree(bytes),
    pause(): void {},
  };
}

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

/** A view of doubles whose elements are read and written by the handler. */
const followed: ProxyHandler<Doubles> = {
  get(view, key) {
    if (typeof key === "string" && /^\d+$/.test(key)) return handler!.plain(view, Number(key), undefined);
    return Reflect.get(view, key, view);
  },
  set(view, key, value) {
    handler!.plain(view, Number(key), value);
    return true;
  },
};

function doubles(real: typeof Float64Array): typeof Float64Array {
  return new Proxy(real, {
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget);
      return handler !== undefined && made.buffer instanceof SharedArrayBuffer ? new Proxy(made, followed) : made;
    },
  });
}

/** Thrown to stop a thread of a model. */
export const TOKEN = { toString: (): string => "a thread of a model is being stopped" };

/**
 * A promise of a thread that was stopped may reject with nobody there to see it, and a listener of a signal may be
 * stopped, which the runtime reports: that is nothing to report. Runtimes tell of it once all microtasks are done, so
 * the function returned waits for that.
 */
export function hush(): () => Promise<void> {
  const { process, Deno } = realm;
  const undo = Deno || process === undefined
    ? ["unhandledrejection", "error"].map(hushEvent)
    : ["unhandledRejection", "uncaughtException"].map(hushProcess);
  return async () => {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    for (const end of undo) end();
  };
}

function hushEvent(type: string): () => void {
  const swallow = (event: { reason?: unknown; error?: unknown; preventDefault(): void }): void => {
    if ((event.reason ?? event.error) === TOKEN) event.preventDefault();
  };
  realm.addEventListener(type, swallow);
  return () => realm.removeEventListener(type, swallow);
}

function hushProcess(type: string): () => void {
  const { process } = realm;
  const listeners: ((...args: unknown[]) => void)[] = process.listeners(type);
  process.removeAllListeners(type).on(type, (reason: unknown, ...more: unknown[]) => {
    if (reason !== TOKEN) { for (const listener of listeners) listener(reason, ...more); }
  });
  return () => {
    process.removeAllListeners(type);
    for (const listener of listeners) process.on(type, listener);
  };
}

/** Puts the stand-ins in place; the function returned puts the real ones back. */
export function install(): () => void {
  const { Atomics: atomics, setInterval, clearInterval, Float64Array: floats } = realm;
  const now = performance.now;
  const date = Date.now;
  const random = Math.random;
  realm.Atomics = standIn(atomics);
  realm.Float64Array = doubles(floats);
  realm.setInterval = (...args: unknown[]) => handler === undefined ? setInterval(...args) : 0;
  realm.clearInterval = (timer: unknown) => handler === undefined ? clearInterval(timer) : undefined;
  performance.now = () => handler === undefined ? now.call(performance) : handler.now();
  Date.now = () => handler === undefined ? date() : 0; // no more than a stamp for dumps
  return () => {
    handler = undefined;
    Object.assign(realm, { Atomics: atomics, Float64Array: floats, setInterval, clearInterval });
    performance.now = now;
    Date.now = date;
    Math.random = random;
  };
}
