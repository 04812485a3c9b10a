/**
 * Stands in for `Atomics`, the clock and the timers while an exploration runs. Whoever handles at the moment, a thread
 * that is being replayed or a check that looks at a state, gets every call; with nobody there, the real ones do.
 *
 * @module
 */

import { NOT_EQUAL, OK, type OpKind, PENDING } from "./_ops.ts";

type Words = Int32Array<SharedArrayBuffer>;

/** Who answers. */
export interface Handler {
  op(kind: OpKind, view: Words, index: number, a: number, b: number, ms: number): number;
  /** The promise of the waitAsync that has just answered PENDING. */
  sleep(): Promise<"ok" | "timed-out">;
  now(): number;
  /** Reads, or writes, an element of shared memory without Atomics. */
  plain(view: Plain, index: number, value: number | undefined): number;
}

/** Views of shared memory of which models follow the plain accesses. */
export type Plain = Float64Array<SharedArrayBuffer> | Words;

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
  const plain = (kind: OpKind) => (view: Words, index: number, a = 0, b = 0): number =>
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
    notify: (view: Words, index: number, count = Infinity): number =>
      handler === undefined ? real.notify(view, index, count) : handler.op("notify", view, index, count, 0, 0),
    wait(view: Words, index: number, expected: number, ms = Infinity): unknown {
      if (handler === undefined) return real.wait(view, index, expected, ms);
      return WAIT_RESULTS[handler.op("wait", view, index, ...waiting(expected, ms))];
    },
    waitAsync(view: Words, index: number, expected: number, ms = Infinity): unknown {
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

/** A view whose elements are read and written by the handler. */
const followedElements: ProxyHandler<Plain> = {
  get(view, key) {
    if (typeof key === "string" && /^\d+$/.test(key)) return handler!.plain(view, Number(key), undefined);
    return Reflect.get(view, key, view);
  },
  set(view, key, value) {
    handler!.plain(view, Number(key), value);
    return true;
  },
};

type Bytes = Uint8Array<SharedArrayBuffer>;

/** A view of bytes that are written by set() and read by subarray(), from multiples of 8 on: as doubles, by the handler. */
const followedBytes: ProxyHandler<Bytes> = {
  get(view, key) {
    if (key !== "set" && key !== "subarray") return Reflect.get(view, key, view);
    const all = new Float64Array(view.buffer, view.byteOffset, view.length >> 3);
    const one = new Float64Array(1);
    const its = new Uint8Array(one.buffer);
    if (key === "set") {
      return (source: Uint8Array, at: number): void => {
        for (let i = 0; i < source.length; i += 8) {
          its.fill(0);
          its.set(source.subarray(i, i + 8));
          handler!.plain(all, (at + i) >> 3, one[0]);
        }
      };
    }
    return (from: number, to: number): Uint8Array => {
      const copy = new Uint8Array((to - from + 7) & ~7);
      for (let i = 0; i < copy.length; i += 8) {
        one[0] = handler!.plain(all, (from + i) >> 3, undefined);
        copy.set(its, i);
      }
      return copy.subarray(0, to - from);
    };
  },
};

/** A class of views of which those in shared memory are followed. */
function following<T extends Plain | Bytes>(real: new (...args: never[]) => T, followed: ProxyHandler<T>): unknown {
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

/**
 * Puts the stand-ins in place; the function returned puts the real ones back. Doubles are followed always, other plain
 * accesses if `bytes` says so.
 */
export function install(bytes: boolean): () => void {
  const { Atomics, setInterval, clearInterval, Float64Array, Int32Array, Uint8Array } = realm;
  const now = performance.now;
  const date = Date.now;
  const random = Math.random;
  realm.Atomics = standIn(Atomics);
  realm.Float64Array = following(Float64Array, followedElements);
  if (bytes) {
    realm.Int32Array = following(Int32Array, followedElements);
    realm.Uint8Array = following(Uint8Array, followedBytes);
  }
  realm.setInterval = (...args: unknown[]) => handler === undefined ? setInterval(...args) : 0;
  realm.clearInterval = (timer: unknown) => handler === undefined ? clearInterval(timer) : undefined;
  performance.now = () => handler === undefined ? now.call(performance) : handler.now();
  Date.now = () => handler === undefined ? date() : 0; // no more than a stamp for dumps
  return () => {
    handler = undefined;
    Object.assign(realm, { Atomics, Float64Array, Int32Array, Uint8Array, setInterval, clearInterval });
    performance.now = now;
    Date.now = date;
    Math.random = random;
  };
}
