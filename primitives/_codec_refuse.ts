// Why a value cannot be carried, and how the place inside the value is written:
// `Cannot put value.items[3].callback: a function cannot be carried`.

import { BRAND, GUARD } from "./_brand.ts";
import { tagOf } from "./_errors_wire.ts";

/**
 * One step of a place: a property's name, an index of an array (0 and up), or
 * what a Map or Set holds: `entry()` of its position.
 */
export type Step = string | number;

/** The step to one half of a Map's or Set's nth entry. */
export function entry(flatIndex: number): Step {
  return -1 - flatIndex;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const LONGEST_KEY = 60;
/** Longer places show this many steps from both ends. */
const STEPS_SHOWN = 12;

/** The error that names the place and the reason. */
export function refusal(what: string, root: string, steps: readonly Step[], reason: string): TypeError {
  const shown = steps.map(write);
  if (shown.length > 2 * STEPS_SHOWN) {
    shown.splice(STEPS_SHOWN, shown.length - 2 * STEPS_SHOWN, " … ");
  }
  return new TypeError(`Cannot ${what} ${root}${shown.join("")}: ${reason}`);
}

function write(step: Step): string {
  if (typeof step === "number") {
    if (step >= 0) return `[${step}]`;
    const flat = -1 - step;
    return `.entries()[${flat >> 1}][${flat & 1}]`;
  }
  const key = step.length > LONGEST_KEY ? step.slice(0, LONGEST_KEY) + "…" : step;
  return IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

const HINT = "pass it as a thread argument, or through toMessage() and postMessage";

/** Why this object cannot be carried; undefined when it can, as what its tag says or as a plain object. */
export function whyNot(value: object, tag: string): string | undefined {
  if (BRAND in value) {
    return `${named(nameOf(value))} of Lockstep cannot be carried in a message, ${HINT}`;
  }
  if (isGuard(value)) return "a guard cannot be carried, as it stands for a hold of this thread";
  if (tag === "Object") return undefined;
  if (tag === "SharedArrayBuffer") return SHARED;
  if (CODE_OR_STATE.test(tag)) return `${named(tag)} cannot be carried`;
  if (isHostObject(value, tag)) return `${named(tag.includes(".") ? tag : className(value, tag))} cannot be carried`;
  for (const found of STATEFUL) {
    if (value instanceof found) return `${named(found.name)} cannot be carried`;
  }
  return undefined;
}

/** Whether a value is what an acquire() returned. */
export function isGuard(value: object): boolean {
  return GUARD in value;
}

/** Why a handle cannot be carried. */
export const HANDLE: string = `a handle of Lockstep cannot be carried in a message, ${HINT}`;

/** Why shared memory cannot be carried. */
export const SHARED: string = `shared memory cannot be carried in a message, ${HINT}`;

/** Running code, and iterators: structured clone refuses them too. */
const CODE_OR_STATE = /^(?:Generator|AsyncGenerator|Module|(?:.+ )?Iterator(?: Helper)?|Async-from-Sync Iterator)$/;

/** Instances of these are refused whatever they call themselves. */
const STATEFUL = [Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry] as const;

/**
 * Whether the object belongs to a class of the engine or the host, such as
 * Promise, MessagePort, Blob, URL or WebAssembly.Memory: its tag names a global
 * class, or one in a global namespace, and it is an instance of it. What the
 * codec does carry has been recognised before. A host class without a tag of its
 * own cannot be told from a user's class.
 */
function isHostObject(value: object, tag: string): boolean {
  let found: unknown = globalThis;
  for (const name of tag.split(".")) {
    if ((typeof found !== "object" && typeof found !== "function") || found === null) return false;
    found = (found as Record<string, unknown>)[name];
  }
  return typeof found === "function" && found.prototype !== undefined && value instanceof found;
}

/** What a host object's class is called; Node tags a MessagePort as an EventTarget. */
function className(value: object, tag: string): string {
  const type = (Object.getPrototypeOf(value) as { constructor?: unknown } | null)?.constructor;
  return typeof type === "function" && type.name !== "" ? type.name : tag;
}

function nameOf(value: object): string {
  const kind = (value as { [BRAND]?: unknown })[BRAND];
  return typeof kind === "string" ? kind : tagOf(value);
}

/** A class's name with its article. */
export function named(name: string): string {
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}
