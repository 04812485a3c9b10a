// The built-in classes on their way to a tree: Map, Set, Date, RegExp, errors,
// boxed primitives, binary data. What counts is what an object is, its internal
// slots, not what it calls itself: a class of the user's own that names itself
// "Map" is a plain object here, and a Proxy of a Map, which nobody can read, is refused.

import * as format from "./_codec_format.ts";
import { MARK, type Tree } from "./_codec_format.ts";
import { entry, named, SHARED, type Step } from "./_codec_refuse.ts";
import { isError, tagOf, takeApart } from "./_errors_wire.ts";

/** What lowering a part needs of the whole; a Lowering has it. */
export interface Lower {
  readonly steps: Step[];
  lower(value: unknown, depth: number): Tree;
  text(text: string): Tree;
  escape(tree: Tree[]): Tree[];
  refuse(reason: string, depth: number): TypeError;
}

type Lowerer = (whole: Lower, value: never, depth: number) => Tree;

interface BuiltIn {
  readonly name: string;
  readonly type: abstract new (...args: never[]) => object;
  /** Throws unless the object has the class's internal slots. */
  readonly probe: (value: never) => unknown;
  readonly lower: Lowerer;
}

const BUILT_INS: readonly BuiltIn[] = [
  {
    name: "Map",
    type: Map,
    probe: getter(Map.prototype, "size"),
    lower: lowerMap,
  },
  {
    name: "Set",
    type: Set,
    probe: getter(Set.prototype, "size"),
    lower: lowerSet,
  },
  {
    name: "Date",
    type: Date,
    probe: method(Date.prototype.getTime),
    lower: lowerDate,
  },
  {
    name: "RegExp",
    type: RegExp,
    probe: getter(RegExp.prototype, "source"),
    lower: lowerRegExp,
  },
  {
    name: "ArrayBuffer",
    type: ArrayBuffer,
    probe: getter(ArrayBuffer.prototype, "byteLength"),
    lower: lowerBuffer,
  },
  {
    name: "Number",
    type: Number,
    probe: method(Number.prototype.valueOf),
    lower: lowerBoxed(Number.prototype.valueOf),
  },
  {
    name: "String",
    type: String,
    probe: method(String.prototype.valueOf),
    lower: lowerBoxed(String.prototype.valueOf),
  },
  {
    name: "Boolean",
    type: Boolean,
    probe: method(Boolean.prototype.valueOf),
    lower: lowerBoxed(Boolean.prototype.valueOf),
  },
  {
    name: "BigInt",
    type: BigInt as unknown as BuiltIn["type"],
    probe: method(BigInt.prototype.valueOf),
    lower: lowerBoxed(BigInt.prototype.valueOf),
  },
  {
    name: "Symbol",
    type: Symbol as unknown as BuiltIn["type"],
    probe: method(Symbol.prototype.valueOf),
    lower: lowerBoxed(Symbol.prototype.valueOf),
  },
];

/** The tree of an object of a built-in class, or undefined for any other object. */
export function lowerBuiltIn(whole: Lower, value: object, tag: string, depth: number): Tree {
  if (ArrayBuffer.isView(value)) return lowerView(whole, value, depth);
  if (isError(value, tag)) return lowerError(whole, value, depth);
  for (const { name, type, probe, lower } of BUILT_INS) {
    const instance = value instanceof type;
    if (!instance && tag !== name) continue;
    try {
      probe(value as never);
    } catch {
      if (!instance) continue;
      throw whole.refuse(`${named(name)} that hides its contents, such as a Proxy, cannot be carried`, depth);
    }
    return lower(whole, value as never, depth);
  }
  return undefined;
}

function lowerMap(whole: Lower, map: Map<unknown, unknown>, depth: number): Tree {
  const tree: Tree[] = [MARK, format.MAP];
  // The list is taken first: a getter below may change the map.
  Map.prototype.forEach.call(map, (value, key) => tree.push(key, value));
  return lowerItems(whole, tree, depth, 1);
}

function lowerSet(whole: Lower, set: Set<unknown>, depth: number): Tree {
  const tree: Tree[] = [MARK, format.SET];
  Set.prototype.forEach.call(set, (value) => tree.push(value));
  return lowerItems(whole, tree, depth, 2);
}

/** Lowers an escape's items in place; `scale` 2 turns the nth item of a Set into its nth entry. */
function lowerItems(whole: Lower, tree: Tree[], depth: number, scale: number): Tree {
  for (let i = 2; i < tree.length; i++) {
    whole.steps[depth] = entry((i - 2) * scale);
    tree[i] = whole.lower(tree[i], depth + 1);
  }
  return whole.escape(tree);
}

function lowerDate(whole: Lower, date: Date): Tree {
  return whole.escape([MARK, format.DATE, Date.prototype.getTime.call(date)]);
}

function lowerRegExp(whole: Lower, regExp: RegExp): Tree {
  return whole.escape([MARK, format.REGEXP, whole.text(String(regExp.source)), String(regExp.flags)]);
}

function lowerBoxed(unbox: () => unknown): Lowerer {
  return (whole, value, depth) => whole.escape([MARK, format.BOXED, whole.lower(unbox.call(value), depth)]);
}

function lowerError(whole: Lower, error: Error, depth: number): Tree {
  const { kind, name, message, stack, hidden, properties } = takeApart(error);
  const text = (part: string | undefined): Tree => (part === undefined ? undefined : whole.text(part));
  const tree: Tree[] = [MARK, format.ERROR, kind, whole.text(name), text(message), text(stack), hidden];
  for (let i = 0; i < properties.length; i += 2) {
    const key = String(properties[i]);
    whole.steps[depth] = key;
    tree.push(whole.text(key), whole.lower(properties[i + 1], depth + 1));
  }
  return whole.escape(tree);
}

function lowerBuffer(whole: Lower, buffer: ArrayBuffer, depth: number): Tree {
  const tree: Tree[] = [MARK, format.BUFFER, view(whole, buffer, 0, undefined, depth)];
  if (isResizable(buffer)) tree.push(buffer.maxByteLength);
  return whole.escape(tree);
}

function lowerView(whole: Lower, value: ArrayBufferView, depth: number): Tree {
  const { buffer } = value;
  if (isShared(buffer)) throw whole.refuse(SHARED, depth);
  const [byteOffset, byteLength] = windowOf(whole, value, depth);
  const kind = viewKind(value);
  if (kind < 0) {
    throw whole.refuse(`${named(tagOf(value))} cannot be carried`, depth);
  }
  // An array of the user's own subclass, with a constructor or properties of its own, would mislead msgpack.
  if (kind === format.UINT8_ARRAY && isPlainBytes(value) && byteLength > 0) {
    return value;
  }
  const bytes = view(whole, buffer as ArrayBuffer, byteOffset, byteLength, depth);
  if (byteLength === 0 && kind !== format.DATA_VIEW && isOutside(value)) {
    throw whole.refuse("a view of what its ArrayBuffer was before it shrank cannot be carried", depth);
  }
  return kind === format.UINT8_ARRAY ? bytes : whole.escape([MARK, format.VIEW, kind, bytes]);
}

/** Where a view begins and how long it is. A DataView says so only while its buffer is there. */
function windowOf(whole: Lower, value: ArrayBufferView, depth: number): [number, number] {
  try {
    return [value.byteOffset, value.byteLength];
  } catch {
    throw whole.refuse("a view of a detached ArrayBuffer cannot be carried", depth);
  }
}

/** The bytes of a buffer; a detached one has none, not even zero of them. */
function view(
  whole: Lower,
  buffer: ArrayBuffer,
  byteOffset: number,
  byteLength: number | undefined,
  depth: number,
): Uint8Array {
  try {
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch {
    throw whole.refuse("a detached ArrayBuffer cannot be carried", depth);
  }
}

/** Whether msgpack takes an array for what it is. */
export function isPlainBytes(value: object): value is Uint8Array {
  return Object.getPrototypeOf(value) === Uint8Array.prototype && value.constructor === Uint8Array;
}

const viewKeys = method(Uint8Array.prototype.keys);

/** Whether a typed array lies outside of its buffer, which has become shorter: then it has no length, and no method works. */
function isOutside(value: ArrayBufferView): boolean {
  try {
    viewKeys(value as never);
    return false;
  } catch {
    return true;
  }
}

const viewName = getter(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag);

/** The index in VIEWS of a typed array or DataView, -1 if it is none that we know. */
export function viewKind(value: ArrayBufferView): number {
  const name = viewName(value as never) as string | undefined;
  return name === undefined ? format.DATA_VIEW : (format.VIEWS as readonly string[]).indexOf(name);
}

/** Whether a buffer is shared memory, of this realm or another. */
export function isShared(buffer: ArrayBufferLike): boolean {
  return !(buffer instanceof ArrayBuffer) && tagOf(buffer) === "SharedArrayBuffer";
}

/** Whether a buffer can be resized, where the engine knows such buffers. */
export function isResizable(buffer: ArrayBuffer): boolean {
  return (buffer as { resizable?: boolean }).resizable === true;
}

function getter(prototype: object, key: PropertyKey): (value: never) => unknown {
  const { get } = Object.getOwnPropertyDescriptor(prototype, key)!;
  return (value) => get!.call(value);
}

function method(call: () => unknown): (value: never) => unknown {
  return (value) => call.call(value);
}
