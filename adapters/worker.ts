/**
 * serve: functions of bundled code for threads.
 *
 * @module
 */

import "./detect.ts";
import { served } from "../primitives/_thread_run.ts";

/** Makes functions known by name to threads that are started with `{ worker, target }`. */
export function serve(targets: Readonly<Record<string, (...args: any[]) => unknown>>): void {
  for (const [name, target] of Object.entries(targets)) served.set(name, target);
}
