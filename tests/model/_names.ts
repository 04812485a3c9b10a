/**
 * Names of the words of records, as their headers have them.
 *
 * @module
 */

import { record, type Region } from "./_words.ts";
import type { Look } from "./_model.ts";

const LOCK = ["OWNER", "GATE", "TASKS", "HEIR", "FLAGS", "RANK"];

/** The words of a Lock or RLock. */
export function lockRecord(handle: object): Region {
  return record(handle, LOCK, ["FLAGS", "RANK"]);
}

/** Checks that words are zero. */
export function expectZero(look: Look, ...names: readonly string[]): void {
  for (const name of names) {
    if (look.word(name) !== 0) look.fail(`at the end ${name} is ${look.word(name)}, not 0`);
  }
}

/** Checks that a lock is fully reset. */
export function expectFree(look: Look, name = "Lock"): void {
  expectZero(look, `${name}.OWNER`, `${name}.TASKS`, `${name}.HEIR`);
}
