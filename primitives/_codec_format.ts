// How a message looks in bytes. The first byte says which of five forms follows.
//
//   first byte          then
//   0                   nothing: never written, so that zeroed memory is no message
//   PACKED              msgpack of one tree
//   ESCAPED             msgpack of [tree, ...further trees], holding escapes (below)
//   NULL … TRUE         nothing
//   INT                 4 bytes, little-endian int32
//   FLOAT               8 bytes, a double in the machine's order
//   PLAIN               an error that a thread could not say in another way, see _codec_plain.ts
//   BINARY + kind       7 bytes of nothing, then the raw bytes of a typed array, DataView or ArrayBuffer;
//                       kind = index in VIEWS
//
// Why 7 bytes of nothing: engines copy from and to shared memory in words only
// where both sides stand on the same place of a word, and else byte by byte, five
// to eight times slower. So a message should start at a multiple of 8.
//
// Why msgpack gets a tree of our own: msgpackr alters -0, lone surrogates, a
// byte order mark that starts a long string, `__proto__` keys and errors, calls
// toJSON, reads every getter itself, and knows shared references only with the
// record types that make a hostile message expensive. So _codec_lower.ts copies
// the value into plain objects, arrays, strings, numbers, bigints, booleans,
// null, undefined and Uint8Arrays, which msgpackr carries exactly. All else
// becomes an escape, an array that starts with MARK, and _codec_raise.ts turns it
// back. A message without escapes, the common case, needs no second look.
//
//   escape                                        stands for
//   [MARK, MINUS_ZERO]                            -0
//   [MARK, TEXT, bytes]                           a string, two bytes a code unit, low byte first
//   [MARK, REF, n]                                the nth object of the message, counted as they are first met
//   [MARK, LATER, i]                              an object too deep to stand here; further tree i holds it
//   [MARK, OBJECT, key, value, …]                 an object with a key that an object literal cannot have
//   [MARK, ARRAY, length, key, value, …]          an array with holes or named properties
//   [MARK, LITERAL, …items]                       an array whose first item is MARK
//   [MARK, MAP, key, value, …]  [MARK, SET, …items]  [MARK, DATE, time]  [MARK, REGEXP, source, flags]
//   [MARK, BOXED, primitive]                      new Number(), new String() and so on
//   [MARK, BUFFER, bytes, maxByteLength?]         an ArrayBuffer, resizable if a fourth item is there
//   [MARK, VIEW, kind, bytes]                     a typed array or DataView, on memory of its own
//   [MARK, ERROR, kind, name, message, stack, hidden, key, value, …]
//                                                 an error; its first `hidden` properties are not enumerable
//
// Each message decodes on its own: no state is shared between encoder and decoder.

/** First byte: one msgpack tree. */
export const PACKED = 1;
/** First byte: msgpack trees with escapes. */
export const ESCAPED = 2;
/** First bytes that are a whole message. */
export const NULL = 3;
/** The message `undefined`. */
export const UNDEFINED = 4;
/** The message `false`. */
export const FALSE = 5;
/** The message `true`. */
export const TRUE = 6;
/** First byte: an int32 follows. */
export const INT = 7;
/** First byte: a double follows. */
export const FLOAT = 8;
/** First byte: JSON of _codec_plain.ts follows. */
export const PLAIN = 9;
/** First byte: BINARY + the index in VIEWS. */
export const BINARY = 32;
/** Where the raw bytes of binary data begin. */
export const BINARY_START = 8;

/** Kinds of binary data. The order is part of the format. */
export const VIEWS = [
  "ArrayBuffer",
  "DataView",
  "Uint8Array",
  "Int8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
] as const;
/** Index in VIEWS. */
export const ARRAY_BUFFER = 0;
/** Index in VIEWS. */
export const DATA_VIEW = 1;
/** Index in VIEWS. */
export const UINT8_ARRAY = 2;

/** First item of every escape; an array of the user's own that starts with it is escaped itself. */
export const MARK = "\u0001";

export const MINUS_ZERO = 0;
export const TEXT = 1;
export const REF = 2;
export const LATER = 3;
export const OBJECT = 4;
export const ARRAY = 5;
export const LITERAL = 6;
export const MAP = 7;
export const SET = 8;
export const DATE = 9;
export const REGEXP = 10;
export const BOXED = 11;
export const BUFFER = 12;
export const VIEW = 13;
export const ERROR = 14;

/** What a message looks like on its way to msgpack. */
export type Tree = unknown;
