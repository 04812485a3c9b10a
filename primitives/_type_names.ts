// The element types of SharedValue and SharedArray: names, Python's codes, and
// how a value becomes an integer of its cell and back.
//
//   number  type  cell            reads as   takes
//   1       i8    Int8Array       number     whole numbers, wrapping
//   2       u8    Uint8Array      number     the same
//   3       i16   Int16Array      number     the same
//   4       u16   Uint16Array     number     the same
//   5       i32   Int32Array      number     the same
//   6       u32   Uint32Array     number     the same
//   7       i64   BigInt64Array   bigint     bigints and safe integers, wrapping
//   8       u64   BigUint64Array  bigint     the same
//   9       f32   Int32Array      number     numbers, rounded
//   10      f64   BigInt64Array   number     numbers
//   11      bool  Uint8Array      boolean    booleans
//   12      char  Uint8Array      string     one character up to code 255, or that code
//
// A cell is always accessed through its integers, so by one Atomics operation:
// no value is ever seen half-written. Numbers are never used again.

import { describe } from "./_arguments.ts";
import type { Integers } from "./_atomics.ts";

/** The full names of the element types. */
export type TypeName = "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | "i64" | "u64" | "f32" | "f64" | "bool" | "char";

/** What Python's type codes stand for. `l` and `L` are 64 bits wide, as on Linux and macOS. */
export interface TypeCodes {
  /** signed char */
  b: "i8";
  /** unsigned char */
  B: "u8";
  /** short */
  h: "i16";
  /** unsigned short */
  H: "u16";
  /** int */
  i: "i32";
  /** unsigned int */
  I: "u32";
  /** long */
  l: "i64";
  /** unsigned long */
  L: "u64";
  /** long long */
  q: "i64";
  /** unsigned long long */
  Q: "u64";
  /** float */
  f: "f32";
  /** double */
  d: "f64";
  /** char */
  c: "char";
}

/** A type by its name or by Python's code. */
export type AnyTypeName = TypeName | keyof TypeCodes;

/** The full name of a type. */
export type FullName<T extends AnyTypeName> = T extends keyof TypeCodes ? TypeCodes[T] : T;

/** For each type: what it reads as, what may be written to it, and the typed array that shows it. */
export interface Elements {
  /** 8 bits, signed */
  i8: { value: number; input: number; view: Int8Array<SharedArrayBuffer> };
  /** 8 bits */
  u8: { value: number; input: number; view: Uint8Array<SharedArrayBuffer> };
  /** 16 bits, signed */
  i16: { value: number; input: number; view: Int16Array<SharedArrayBuffer> };
  /** 16 bits */
  u16: { value: number; input: number; view: Uint16Array<SharedArrayBuffer> };
  /** 32 bits, signed */
  i32: { value: number; input: number; view: Int32Array<SharedArrayBuffer> };
  /** 32 bits */
  u32: { value: number; input: number; view: Uint32Array<SharedArrayBuffer> };
  /** 64 bits, signed */
  i64: { value: bigint; input: bigint | number; view: BigInt64Array<SharedArrayBuffer> };
  /** 64 bits */
  u64: { value: bigint; input: bigint | number; view: BigUint64Array<SharedArrayBuffer> };
  /** single precision */
  f32: { value: number; input: number; view: Float32Array<SharedArrayBuffer> };
  /** double precision */
  f64: { value: number; input: number; view: Float64Array<SharedArrayBuffer> };
  /** true or false */
  bool: { value: boolean; input: boolean; view: Uint8Array<SharedArrayBuffer> };
  /** one byte, as a character */
  char: { value: string; input: string | number; view: Uint8Array<SharedArrayBuffer> };
}

/** What a value of that type reads as. */
export type ValueOf<T extends AnyTypeName> = Elements[FullName<T>]["value"];

/** What may be written to a value of that type. */
export type InputOf<T extends AnyTypeName> = Elements[FullName<T>]["input"];

/** The typed array that shows such values. */
export type ViewOf<T extends AnyTypeName> = Elements[FullName<T>]["view"];

/** What a `char` array has and others do not. */
export type OfChar<T extends AnyTypeName, V> = "char" extends FullName<T> ? V : never;

/** A value as it is written or read, of any type. */
export type Plain = number | bigint | boolean | string;

type Constructor<A> = { new (buffer: SharedArrayBuffer, byteOffset: number, length: number): A };

/** What there is to know of an element type. */
export interface ElementType {
  readonly name: TypeName;
  /** Its number in records. */
  readonly number: number;
  /** Bytes of a cell. */
  readonly size: number;
  /** Whether it takes part in arithmetic. */
  readonly integer: boolean;
  /** The integers that are the cells. */
  readonly cells: Constructor<Integers>;
  /** The typed array for users. */
  readonly view: Constructor<ArrayBufferView>;
  /** From what was written to the integer. Throws TypeError or RangeError for what the type does not take. */
  encode(value: unknown): number | bigint;
  /** What is left of an integer in a cell. */
  wrap(bits: number | bigint): number | bigint;
  /** From the integer to what is read. */
  decode(bits: number | bigint): Plain;
}

const floats = new Float64Array(1);
const float64 = new BigInt64Array(floats.buffer);
const singles = new Float32Array(1);
const float32 = new Int32Array(singles.buffer);

function refuse(name: TypeName, takes: string, value: unknown): never {
  throw new TypeError(`Cannot write ${name} as it takes ${takes}: it is ${describe(value)}`);
}

function same(bits: number | bigint): Plain {
  return bits;
}

type Codec = Pick<ElementType, "encode" | "decode">;

function whole(name: TypeName): Codec {
  return {
    encode: (value) => Number.isInteger(value) ? value as number : refuse(name, "whole numbers", value),
    decode: same,
  };
}

function big(name: TypeName): Codec {
  return {
    encode: (value) =>
      typeof value === "bigint"
        ? value
        : Number.isSafeInteger(value)
        ? BigInt(value as number)
        : refuse(name, "bigints and safe integers", value),
    decode: same,
  };
}

function checkNumber(name: TypeName, value: unknown): number {
  return typeof value === "number" ? value : refuse(name, "numbers", value);
}

const f32: Codec = {
  encode(value) {
    singles[0] = checkNumber("f32", value);
    return float32[0]!;
  },
  decode(bits) {
    float32[0] = bits as number;
    return singles[0]!;
  },
};

const f64: Codec = {
  encode(value) {
    floats[0] = checkNumber("f64", value);
    return float64[0]!;
  },
  decode(bits) {
    float64[0] = bits as bigint;
    return floats[0]!;
  },
};

const bool: Codec = {
  encode: (value) => typeof value === "boolean" ? Number(value) : refuse("bool", "booleans", value),
  decode: (bits) => bits !== 0,
};

const char: Codec = {
  encode(value) {
    const takes = "one character up to code 255, or that code";
    const code = typeof value === "string" ? value.charCodeAt(0) : value;
    if (typeof value !== "string" && !Number.isInteger(value)) refuse("char", takes, value);
    if ((typeof value === "string" && value.length !== 1) || (code as number) < 0 || (code as number) > 255) {
      throw new RangeError(`Cannot write char as it takes ${takes}: it is ${describe(value)}`);
    }
    return code as number;
  },
  decode: (bits) => String.fromCharCode(bits as number),
};

function type(
  number: number,
  name: TypeName,
  cells: Constructor<Integers> & { new (length: number): unknown; readonly BYTES_PER_ELEMENT: number },
  codec: Codec,
  view: Constructor<ArrayBufferView> = cells,
): ElementType {
  const cell = new cells(1) as unknown as [number | bigint];
  const wrap = (bits: number | bigint): number | bigint => {
    cell[0] = bits;
    return cell[0];
  };
  return { number, name, cells, view, size: cells.BYTES_PER_ELEMENT, integer: number <= 8, wrap, ...codec };
}

const TYPES: readonly ElementType[] = [
  type(1, "i8", Int8Array, whole("i8")),
  type(2, "u8", Uint8Array, whole("u8")),
  type(3, "i16", Int16Array, whole("i16")),
  type(4, "u16", Uint16Array, whole("u16")),
  type(5, "i32", Int32Array, whole("i32")),
  type(6, "u32", Uint32Array, whole("u32")),
  type(7, "i64", BigInt64Array, big("i64")),
  type(8, "u64", BigUint64Array, big("u64")),
  type(9, "f32", Int32Array, f32, Float32Array),
  type(10, "f64", BigInt64Array, f64, Float64Array),
  type(11, "bool", Uint8Array, bool),
  type(12, "char", Uint8Array, char),
];

const CODES: Readonly<TypeCodes> = {
  ...{ b: "i8", B: "u8", h: "i16", H: "u16", i: "i32", I: "u32" },
  ...{ l: "i64", L: "u64", q: "i64", Q: "u64", f: "f32", d: "f64", c: "char" },
};

/** The type of that name or code. Throws TypeError for anything else. */
export function typeNamed(what: string, name: unknown): ElementType {
  const full = typeof name === "string" && Object.hasOwn(CODES, name) ? CODES[name as keyof TypeCodes] : name;
  const found = TYPES.find((type) => type.name === full);
  if (found !== undefined) return found;
  throw new TypeError(
    `Cannot make ${what} as its type must be one of ${TYPES.map((type) => type.name).join(" ")}, ` +
      `or one of Python's codes ${Object.keys(CODES).join(" ")}: it is ${describe(name)}`,
  );
}

/** The type of that number, undefined for any other. */
export function typeNumbered(number: number): ElementType | undefined {
  return TYPES[number - 1];
}
