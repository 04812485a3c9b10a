/**
 * The adapter for places where no thread can be started: it says so, and why.
 *
 * @module
 */

import type { Host } from "../primitives/host.ts";
import { UnsupportedError } from "../primitives/errors.ts";

/** A host that can do nothing but say what is missing. */
export function unsupportedHost(missing: string): Host {
  const refuse = (): never => {
    throw new UnsupportedError(`Cannot start threads as this is no runtime that Lockstep knows: ${missing}`, {
      hint: "Deno, Node 20.16 or later, Bun, or a browser's window or worker",
    });
  };
  return {
    name: "unsupported",
    isMainThread: true,
    stopsRunningCode: false,
    stopsNested: false,
    startsBlocked: true,
    workerNumber: 0,
    hardwareConcurrency: 1,
    spawn: refuse,
    post: refuse,
    onMessage() {},
    onEnd() {},
    joined() {},
    exit: refuse,
    printError: (text) => console.error(text),
  };
}
