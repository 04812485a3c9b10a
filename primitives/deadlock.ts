/**
 * Finding deadlocks, and seeing who holds what.
 *
 * @module
 */

import { findCircles } from "./_detect.ts";
import { takeDump } from "./_dump.ts";
import type { Dump } from "./_dump.ts";
import { memory } from "./_memory.ts";
import type { Cycle } from "./errors.ts";

export function findDeadlocks(): Cycle[] {
  return findCircles(memory().roster);
}

export function threadDump(): Dump {
  return takeDump(memory().roster);
}
