// What a Thread is made from: options of three shapes and their checks, and what stands in for them inside the library.

import { checkInteger, describe, optionsObject } from "./_arguments.ts";
import type { ThreadCore } from "./_thread_core.ts";
import type { ThreadCall } from "./_thread_messages.ts";

/** What every thread may be given. */
export interface ThreadSettings {
  /** Its name; `Thread-N (target)` by default. */
  name?: string;
  /** Whether the program ends without waiting for it; by default as the thread that makes it. */
  daemon?: boolean;
  /** Room for an encoded result or error, reserved and not used up: 16 MiB by default. */
  maxResultBytes?: number;
}

/** The arguments of a target: required unless it can do without. */
export type ThreadArguments<A extends readonly unknown[]> = [] extends A ? { args?: Readonly<NoInfer<A>> }
  : { args: Readonly<NoInfer<A>> };

/** A thread that calls an exported function. */
export type TargetOptions<R, A extends readonly unknown[]> =
  & ThreadSettings
  & ThreadArguments<A>
  & {
    /** The function to call; it must be exported by `module`. */
    target: (...args: A) => R;
    /** The URL of the module that exports it: `import.meta.url` there. */
    module: string | URL;
    /** The name it is exported by, where that differs from its own: renamed, or shortened by a bundler. */
    exportName?: string;
  };

/** A thread whose class overrides `run()`. */
export interface SubclassOptions extends ThreadSettings {
  /** The URL of the module that exports the class: `import.meta.url` there. */
  module: string | URL;
  /** The name the class is exported by, where that differs from its own. */
  exportName?: string;
  /** None: `run()` says what to do. */
  target?: undefined;
  /** None. */
  args?: undefined;
  /** None. */
  worker?: undefined;
}

/** A thread in a worker of bundled code, which calls `serve()`. */
export interface ServedOptions<A extends readonly unknown[]> extends ThreadSettings {
  /** Makes the worker: `() => new Worker(new URL("./my_worker.ts", import.meta.url), { type: "module" })`. */
  worker: () => WorkerLike;
  /** The name under which the worker gave the function to `serve()`. */
  target: string;
  /** The arguments of the call. */
  args?: A;
}

/** What a worker has on every runtime. */
export interface WorkerLike {
  /** Sends a message. */
  postMessage(message: any, transfer: any): void;
  /** Ends it. */
  terminate(): unknown;
}

/** What makes a Thread, one way or another. */
export type ThreadOptions<R, A extends readonly unknown[]> = TargetOptions<R, A> | SubclassOptions | ServedOptions<A>;

/** What is passed to the constructor instead of options, by this library. */
export class Given {
  readonly core: ThreadCore;
  readonly target: ((...args: any[]) => unknown) | undefined;
  readonly args: readonly unknown[];

  constructor(core: ThreadCore, target?: (...args: any[]) => unknown, args: readonly unknown[] = []) {
    this.core = core;
    this.target = target;
    this.args = args;
  }
}

/** The options of all three shapes, checked. */
export interface CheckedOptions extends ThreadSettings {
  target?: ((...args: any[]) => unknown) | string;
  worker?: () => unknown;
  args?: readonly unknown[];
}

/** What a Thread is to be made from; throws TypeError or RangeError for what is none of it. */
export function checkOptions(options: unknown): CheckedOptions {
  if (options === undefined) throw new TypeError("Cannot make a thread as it has no options: give a target and module");
  const { target, worker, args, name, daemon, maxResultBytes } = optionsObject<CheckedOptions>(options);
  const check = (what: string, value: unknown, type: string): void => {
    if (value === undefined || typeof value === type) return;
    throw new TypeError(`Cannot make a thread as ${what} must be a ${type}: it is ${describe(value)}`);
  };
  check("name", name, "string");
  check("daemon", daemon, "boolean");
  check("worker", worker, "function");
  check("target", target, worker === undefined ? "function" : "string");
  if (args !== undefined && !Array.isArray(args)) {
    throw new TypeError(`Cannot make a thread as args must be an array: it is ${describe(args)}`);
  }
  if (maxResultBytes !== undefined) checkInteger("maxResultBytes", maxResultBytes, 1, 0x7fff0000);
  return { target, worker, args, name, daemon, maxResultBytes } as CheckedOptions;
}

/** What its worker is to call: a target, or `run()` of the subclass exported by that name. */
export function callOf(options: object, subclass: string | undefined): ThreadCall {
  const { target, worker, module, exportName, interval } = options as {
    target?: ((...args: any[]) => unknown) | string;
    worker?: unknown;
    module?: string | URL;
    exportName?: string;
    interval?: number; // a Timer's
  };
  if (worker !== undefined) {
    if (typeof target === "string") return { module: undefined, target, subclass: undefined, interval };
    throw new TypeError("Cannot make a thread as target must be the name of what the worker serves: it is missing");
  }
  if (target === undefined && subclass === undefined) {
    throw new TypeError(
      "Cannot make a thread as there is nothing to run: give a target, or override run() in a subclass",
    );
  }
  if (exportName !== undefined && typeof exportName !== "string") {
    throw new TypeError(`Cannot make a thread as exportName must be a string: it is ${describe(exportName)}`);
  }
  const ownName = typeof target === "function" ? target.name : undefined;
  if (ownName === "" && exportName === undefined && subclass === undefined) {
    throw new TypeError("Cannot make a thread as its target has no name: name the function, or give exportName");
  }
  if (subclass === "" && exportName === undefined) {
    throw new TypeError("Cannot make a thread as its class has no name: name the class, or give exportName");
  }
  return {
    module: checkModule(module),
    target: ownName === undefined ? undefined : subclass === undefined ? exportName ?? ownName : ownName,
    subclass: subclass === undefined ? undefined : exportName ?? subclass,
    interval,
  };
}

/** What options say of a thread. */
const SET_BY_OPTIONS: readonly string[] = ["name", "daemon"];

/** Refuses fields that hide what every thread has: a class field does not set `daemon`, it is another one. */
export function checkFields(thread: object, everyThread: object, title: string): void {
  for (const field of Object.keys(thread)) {
    if (Object.getOwnPropertyDescriptor(everyThread, field)?.get === undefined) continue;
    const remedy = SET_BY_OPTIONS.includes(field) ? `pass ${field} to super()` : "give the field another name";
    throw new TypeError(`Cannot start ${title} as its field ${field} hides what every thread has: ${remedy}`);
  }
}

function checkModule(module: unknown): string {
  try {
    if (typeof module === "string" || module instanceof URL) return new URL(module).href;
  } catch {
    // Not absolute.
  }
  throw new TypeError(
    `Cannot make a thread as module must be the URL of the module that exports its target: it is ${
      describe(module)
    }, ` +
      "give import.meta.url there, or pathToFileURL(__filename) in a CommonJS module",
  );
}
