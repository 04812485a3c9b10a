// Errors as plain data and back. Structured clone loses an error's class unless
// it is one of seven built-ins, and its own properties always; here they stay.
//
// The class travels as a `kind`: the name of a built-in, or the stable code of
// one of Lockstep's own (a class name changes when a bundler shortens it). An
// error of any other class arrives as the nearest class that is known, with its
// `name` kept. Constructors do not run on arrival: the instance is made by Error
// itself, so that engines take it for a true error, and then given its properties.

import {
  BlockingUnavailableError,
  BrokenBarrierError,
  ClosedError,
  DeadlockError,
  LayoutError,
  LockOrderError,
  LockstepError,
  NotHeldError,
  OwnerDiedError,
  ThreadError,
  ThreadStoppedError,
  UnsupportedError,
} from "./errors.ts";

type ErrorClass = abstract new (...args: never[]) => Error;

const classes = new Map<string, ErrorClass>([
  ["lockstep", LockstepError],
  ["not-held", NotHeldError],
  ["deadlock", DeadlockError],
  ["lock-order", LockOrderError],
  ["owner-died", OwnerDiedError],
  ["blocking-unavailable", BlockingUnavailableError],
  ["closed", ClosedError],
  ["broken-barrier", BrokenBarrierError],
  ["thread-failed", ThreadError],
  ["thread-stopped", ThreadStoppedError],
  ["unsupported", UnsupportedError],
  ["layout", LayoutError],
]);
for (
  const name of [
    "Error",
    "EvalError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
    "AggregateError",
    "SuppressedError",
  ]
) {
  const found = (globalThis as Record<string, unknown>)[name];
  if (typeof found === "function") {
    classes.set(name, found as unknown as ErrorClass);
  }
}
const kinds = new Map<unknown, string>([...classes].map(([kind, found]) => [found.prototype, kind]));

const DOM_EXCEPTION = "DOMException";
const domException = (globalThis as { DOMException?: typeof DOMException }).DOMException;

/** Own properties that errors hide from enumeration and that still belong to what they say. */
const HIDDEN = ["cause", "errors", "error", "suppressed"] as const;

/** All that travels of an error; property values are the error's own, not copies. */
export interface ErrorParts {
  readonly kind: string;
  readonly name: string;
  readonly message: string | undefined;
  readonly stack: string | undefined;
  /** How many of the properties, counted from the first, are not enumerable. */
  readonly hidden: number;
  /** Names and values by turns. */
  readonly properties: unknown[];
}

/** What a reader of properties gives for one that throws, if it does not throw itself. */
export const LOST: unique symbol = Symbol("lost");

function readPlainly(error: Error, key: string): unknown {
  return (error as unknown as Record<string, unknown>)[key];
}

/** Reads all that travels of an error. */
export function takeApart(error: Error, read: (error: Error, key: string) => unknown = readPlainly): ErrorParts {
  const kind = kindOf(error, read);
  const properties: unknown[] = [];
  for (const key of HIDDEN) {
    if (hiddenOwn(error, key)) properties.push(key, read(error, key));
  }
  const code = hiddenCode(error, kind, read);
  if (code !== undefined) properties.push("code", code);
  const hidden = properties.length / 2;
  for (const key of Object.keys(error)) {
    if (key !== "message" && key !== "stack") properties.push(key, read(error, key));
  }
  const [name, message, stack] = [read(error, "name"), read(error, "message"), read(error, "stack")];
  return {
    kind,
    name: name === LOST ? kind : String(name),
    message: message === LOST || (message === "" && !Object.hasOwn(error, "message")) ? undefined : String(message),
    stack: typeof stack === "string" ? stack : undefined,
    hidden,
    properties,
  };
}

/** Makes an error of its class, still without the properties, which may refer to it. */
export function putTogether(kind: string, name: string, message: string | undefined, stack: string | undefined): Error {
  let error: Error;
  if (kind === DOM_EXCEPTION && domException !== undefined) {
    error = new domException(message, name);
  } else {
    const found = classes.get(kind) ?? Error;
    error = Reflect.construct(Error, message === undefined ? [] : [message], found) as Error;
    if (error.name !== name) setProperty(error, "name", name, false);
  }
  setProperty(error, "stack", stack, false);
  return error;
}

/** Defines a property, `__proto__` too, without running a setter. */
export function setProperty(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, {
    value,
    enumerable,
    writable: true,
    configurable: true,
  });
}

/**
 * Whether a value is an error. The tag of Object.prototype.toString tells errors of other realms, unless the object gives
 * itself that tag.
 */
export function isError(value: object, tag: string): value is Error {
  if (value instanceof Error || (domException !== undefined && value instanceof domException)) return true;
  return tag === "Error" && !(Symbol.toStringTag in value);
}

/** What Object.prototype.toString calls a value. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The nearest known class; the name decides for an error of another realm. */
function kindOf(error: Error, read: (error: Error, key: string) => unknown): string {
  if (domException !== undefined && error instanceof domException) {
    return DOM_EXCEPTION;
  }
  for (let proto: unknown = Object.getPrototypeOf(error); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const kind = kinds.get(proto);
    if (kind !== undefined) return kind;
  }
  if (tagOf(error) === DOM_EXCEPTION) return DOM_EXCEPTION;
  const name = String(read(error, "name"));
  return /^[A-Z]/.test(name) && classes.has(name) ? name : "Error";
}

/** A `code` that is no enumerable property of the error, nor what its class gives it on arrival. */
function hiddenCode(error: Error, kind: string, read: (error: Error, key: string) => unknown): unknown {
  if (kind === DOM_EXCEPTION || (Object.hasOwn(error, "code") && !hiddenOwn(error, "code"))) return undefined;
  let code: unknown;
  try {
    code = read(error, "code");
  } catch {
    return undefined; // a getter of its class
  }
  const given = (classes.get(kind)?.prototype as { code?: unknown } | undefined)?.code;
  return (typeof code === "string" || typeof code === "number") && code !== given ? code : undefined;
}

function hiddenOwn(error: Error, key: string): boolean {
  const found = Object.getOwnPropertyDescriptor(error, key);
  return found !== undefined && found.enumerable !== true;
}
