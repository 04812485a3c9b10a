// Whatever was thrown, as JSON: for a thread that an error ends before the codec is there (_codec_late.ts). Errors keep
// class, name, message, stack and their properties; of those and of what was thrown, what JSON can say of numbers, text,
// lists and plain objects is kept, also where it refers to itself, and all else left out.
//
//   first byte PLAIN, then the text of one node:
//   [TEXT, string]  [TRUTH, boolean]  [NUMBER, "-0"]  [BIGINT, "1"]  [NULL]  [UNDEFINED]
//   [LIST, …nodes]  [OBJECT, key, node, …]  [ERROR, kind, name, message or null, stack or null, hidden, key, node, …]
//   [AGAIN, n]      the nth LIST, OBJECT or ERROR, counted as they begin

import { PLAIN } from "./_codec_format.ts";
import { isError, LOST, putTogether, setProperty, tagOf, takeApart } from "./_errors_wire.ts";

const TEXT = 0;
const TRUTH = 1;
const NUMBER = 2;
const BIGINT = 3;
const NULL = 4;
const UNDEFINED = 5;
const LIST = 6;
const OBJECT = 7;
const ERROR = 8;
const AGAIN = 9;

/** Where an ERROR has the number of its hidden properties, which come first. */
const HIDDEN = 5;

/** Deeper down all is left out, as both ways recurse. */
const DEEPEST = 100;
/** How much is kept of the message and of the stack of an error that takes too much room, in characters; the second try. */
const BRIEF = [2000, 200];

/** And so is what comes after so many objects. */
const MOST = 1000;

type Node = readonly unknown[];

/** The bytes of whatever was thrown. Never refuses: what cannot be carried is described by an error. */
export function encodePlainly(thrown: unknown): Uint8Array {
  const text = new TextEncoder().encode(textOf(thrown) ?? textOf(new Error(notCarried(thrown))));
  const bytes = new Uint8Array(1 + text.length);
  bytes[0] = PLAIN;
  bytes.set(text, 1);
  return bytes;
}

function textOf(thrown: unknown): string | undefined {
  try {
    const node = take(thrown, new Map(), 0);
    return node === LOST ? undefined : JSON.stringify(node);
  } catch {
    return undefined; // a Proxy that lets nobody look, or too much
  }
}

/** What such bytes stand for. Throws where they are none. */
export function decodePlainly(bytes: Uint8Array): unknown {
  return give(JSON.parse(new TextDecoder().decode(bytes.slice(1))), []);
}

/**
 * Encodes an error that took more bytes than there is room for: without its properties, save `code`, and with the reason as
 * its cause; the reason itself if even that is too long.
 */
export function encodeBriefly(
  thrown: unknown,
  why: string,
  room: number,
  encode: (error: Error) => Uint8Array,
): Uint8Array {
  const reason = new RangeError(why);
  reason.stack = undefined;
  try {
    if (!isError(thrown as object, tagOf(thrown))) return encode(reason);
    const { kind, name, message, stack, properties } = takeApart(thrown as Error, readIfPossible);
    const at = properties.indexOf("code");
    for (const most of BRIEF) {
      const brief = putTogether(kind, name.slice(0, most), message?.slice(0, most), stack?.slice(0, most));
      if (at >= 0 && /string|number/.test(typeof properties[at + 1])) {
        setProperty(brief, "code", properties[at + 1], true);
      }
      setProperty(brief, "cause", reason, false);
      const bytes = encode(brief);
      if (bytes.length <= room) return bytes;
    }
  } catch {
    // a Proxy that lets nobody look
  }
  return encode(reason);
}

/** The message of the error that stands for something thrown that cannot be carried. */
export function notCarried(thrown: unknown): string {
  return `what was thrown cannot be carried: ${describe(thrown)}`;
}

function describe(value: unknown): string {
  try {
    return typeof value === "object" && value !== null ? `an object of class ${tagOf(value)}` : `a ${typeof value}`;
  } catch {
    return "an object that throws when it is read";
  }
}

/** A property of an error or of what is in it, LOST where reading it throws. */
export function readIfPossible(owner: object, key: string): unknown {
  try {
    return (owner as Record<string, unknown>)[key];
  } catch {
    return LOST;
  }
}

function take(value: unknown, met: Map<object, number>, depth: number): Node | typeof LOST {
  switch (typeof value) {
    case "string":
      return [TEXT, value];
    case "boolean":
      return [TRUTH, value];
    case "number":
      return [NUMBER, Object.is(value, -0) ? "-0" : String(value)];
    case "bigint":
      return [BIGINT, String(value)];
    case "undefined":
      return [UNDEFINED];
    case "object":
      return value === null ? [NULL] : takeObject(value, met, depth);
    default:
      return LOST;
  }
}

function takeObject(value: object, met: Map<object, number>, depth: number): Node | typeof LOST {
  const known = met.get(value);
  if (known !== undefined) return [AGAIN, known];
  if (value === LOST as unknown || depth > DEEPEST || met.size > MOST) return LOST;
  if (isError(value, tagOf(value))) {
    met.set(value, met.size);
    const { kind, name, message, stack, hidden, properties } = takeApart(value, readIfPossible);
    const node: unknown[] = [ERROR, kind, name, message ?? null, stack ?? null, 0];
    for (let i = 0; i < properties.length; i += 2) {
      if (pushPair(node, String(properties[i]), properties[i + 1], met, depth) && i < 2 * hidden) {
        (node[HIDDEN] as number)++;
      }
    }
    return node;
  }
  if (Array.isArray(value)) {
    met.set(value, met.size);
    const node: unknown[] = [LIST];
    for (const item of value) {
      const kept = take(item, met, depth + 1);
      node.push(kept === LOST ? [UNDEFINED] : kept);
    }
    return node;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return LOST;
  met.set(value, met.size);
  const node: unknown[] = [OBJECT];
  for (const key of Object.keys(value)) pushPair(node, key, readIfPossible(value, key), met, depth);
  return node;
}

/** Whether anything of it is kept. */
function pushPair(pairs: unknown[], key: string, value: unknown, met: Map<object, number>, depth: number): boolean {
  const node = take(value, met, depth + 1);
  if (node === LOST) return false;
  pairs.push(key, node);
  return true;
}

function give(node: Node, made: object[]): unknown {
  const [kind, first] = node;
  switch (kind) {
    case NUMBER:
      return Number(first);
    case BIGINT:
      return BigInt(first as string);
    case NULL:
      return null;
    case UNDEFINED:
      return undefined;
    case LIST: {
      const list: unknown[] = [];
      made.push(list);
      for (let i = 1; i < node.length; i++) list.push(give(node[i] as Node, made));
      return list;
    }
    case OBJECT: {
      const object = {};
      made.push(object);
      for (let i = 1; i < node.length; i += 2) {
        setProperty(object, node[i] as string, give(node[i + 1] as Node, made), true);
      }
      return object;
    }
    case ERROR: {
      const [, kind, name, message, stack, hidden] = node as [
        number,
        string,
        string,
        string | null,
        string | null,
        number,
      ];
      const error = putTogether(kind, name, message ?? undefined, stack ?? undefined);
      made.push(error);
      const first = HIDDEN + 1;
      for (let i = first; i < node.length; i += 2) {
        setProperty(error, node[i] as string, give(node[i + 1] as Node, made), i >= first + 2 * hidden);
      }
      return error;
    }
    case AGAIN:
      return made[first as number];
    default: // TEXT, TRUTH
      return first;
  }
}
