import fc from "fast-check";
import { assert, test } from "../_harness.ts";
import { SEED } from "../_prng.ts";
import { difference } from "../_same.ts";
import { decode, encode, encodeParts, receive, writeParts } from "../../primitives/_codec.ts";

/** Any code units at all: fast-check's own strings have no lone surrogates. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 90 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 90 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    "\u0001",
    "__proto__",
    "constructor",
    "toJSON",
    "hasOwnProperty",
    "\ufeff",
    "length",
    "0",
    "lockstep",
  ),
);

const number = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, -0, NaN, Infinity));
const primitive = fc.oneof(
  number,
  text,
  fc.boolean(),
  fc.bigInt(),
  fc.bigInt({ max: 2n ** 200n, min: -(2n ** 200n) }),
  fc.constantFrom(null, undefined),
);

const views = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
];
const moreViews = [...views, Float64Array, BigInt64Array, BigUint64Array];
const binary = fc
  .tuple(fc.uint8Array({ maxLength: 200 }), fc.nat(moreViews.length + 1))
  .map(([bytes, kind]) => {
    const buffer = bytes.slice().buffer;
    const type = moreViews[kind];
    if (type === undefined) {
      return kind === moreViews.length ? buffer : new DataView(buffer, bytes.length >> 1);
    }
    return new type(buffer, 0, Math.floor(buffer.byteLength / type.BYTES_PER_ELEMENT));
  })
  .map((view) => (ArrayBuffer.isView(view) ? windowOf(view) : view));

/** Views are carried as their window: cut the buffer to it, so that what arrives can be compared. */
function windowOf(view: ArrayBufferView): ArrayBufferView {
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return new (view.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView)(buffer);
}

const regExp = fc
  .tuple(fc.constantFrom("", "a", "(?:)", "[^/]\\/", "(?<n>.)", "\ud800"), fc.constantFrom("", "g", "iy", "u", "dgms"))
  .map(([source, flags]) => new RegExp(source, flags));
const leaf = fc.oneof(
  { weight: 8, arbitrary: primitive },
  fc.date({ noInvalidDate: false }),
  regExp,
  binary,
  fc.oneof(number, text, fc.boolean(), fc.bigInt()).map((value) => Object(value)),
);

const errorTypes = [Error, RangeError, TypeError, SyntaxError];

/** A description of a graph: nodes, and edges that may lead to any node. */
const graph = fc
  .array(
    fc.record({
      kind: fc.constantFrom("array", "object", "map", "set", "error", "sparse"),
      edges: fc.array(
        fc.tuple(
          text,
          fc.oneof(
            leaf.map((value) => ({ value })),
            fc.nat(11),
          ),
        ),
        { maxLength: 8 },
      ),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map(build);

type Edge = [string, number | { value: unknown }];

function build(nodes: { kind: string; edges: Edge[] }[]): unknown {
  const made = nodes.map(({ kind }, i): object => {
    if (kind === "map") return new Map();
    if (kind === "set") return new Set();
    if (kind === "error") {
      return new errorTypes[i % errorTypes.length]!(`error ${i}`);
    }
    return kind === "object" ? {} : [];
  });
  nodes.forEach(({ kind, edges }, n) => {
    const node = made[n]!;
    edges.forEach(([key, edge], i) => {
      const target = typeof edge === "number" ? made[edge % made.length] : edge.value;
      if (node instanceof Map) {
        node.set(i % 2 === 0 ? key : target, i % 2 === 0 ? target : key);
      } else if (node instanceof Set) node.add(target);
      else if (kind === "array") (node as unknown[]).push(target);
      else if (kind === "sparse") {
        define(node, i % 3 === 2 ? `${key}!` : String(i * i), target);
      } else if (kind === "error" && ["name", "message", "stack", "cause"].includes(key)) return;
      else define(node, key, target);
    });
  });
  return made[0];
}

function define(node: object, key: string, value: unknown): void {
  Object.defineProperty(node, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

const options = { seed: SEED | 0, numRuns: 1000 };

function carries(value: unknown): void {
  const bytes = encode(value, "put").slice();
  assert.equal(difference(value, decode(bytes)), undefined);
  const ring = new Uint8Array(new SharedArrayBuffer(bytes.length + 8));
  assert.equal(difference(value, receive(ring, 8, writeParts(encodeParts(value, "put"), ring, 8))), undefined);
}

test(
  "any graph arrives as it was",
  () => {
    fc.assert(fc.property(graph, carries), options);
  },
  { limit: 60_000 },
);

test(
  "any plain value arrives as it was",
  () => {
    const plain = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: false,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
      maxDepth: 4,
    });
    fc.assert(fc.property(plain, carries), options);
  },
  { limit: 60_000 },
);

test(
  "any string arrives as it was, alone and as a key",
  () => {
    fc.assert(
      fc.property(text, fc.nat(40), (value, times) => carries([{ [value]: value.repeat(times) }])),
      options,
    );
  },
  { limit: 60_000 },
);

test(
  "what structured clone gives is what the codec gives",
  () => {
    const jsonLike = fc.anything({
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(jsonLike, (value) => {
        assert.equal(difference(structuredClone(value), decode(encode(value, "put"))), undefined);
      }),
      options,
    );
  },
  { limit: 60_000 },
);

test(
  "any bytes give a value or a TypeError",
  () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 60 }))
        .map(([first, rest]) => Uint8Array.of(first, ...rest)),
      fc.tuple(graph, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([value, at, patch]) => {
        const message = encode(value, "put").slice();
        patch.forEach((byte, i) => (message[(at + i) % message.length] = byte));
        return message;
      }),
    );
    fc.assert(
      fc.property(bytes, (message) => {
        try {
          decode(message);
        } catch (error) {
          if (!(error instanceof TypeError) || !error.message.startsWith("Cannot decode a message")) throw error;
        }
      }),
      { ...options, numRuns: 5000 },
    );
  },
  { limit: 60_000 },
);
