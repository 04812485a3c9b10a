import { assert, test } from "../_harness.ts";
import { difference } from "../_same.ts";
import { BRAND } from "../../primitives/_brand.ts";
import {
  decode,
  decodeParts,
  encode,
  encodeParts,
  encodeSmall,
  receive,
  SMALL,
  writeParts,
} from "../../primitives/_codec.ts";

/** Sends a value through every way there is and returns what the last one gave. */
function roundTrip<T>(value: T): T {
  const bytes = encode(value, "put").slice();
  const ring = new Uint8Array(new SharedArrayBuffer(bytes.length + 32));
  const end = writeParts(encodeParts(value, "put"), ring, 8);
  const received = receive(ring, 8, end);
  ring.fill(0xff);
  const decoded = decode(bytes);
  const found = difference(received, decoded);
  assert.equal(found, undefined, `receive() and decode() differ at ${found}`);
  bytes.fill(0xff);
  return decoded as T;
}

/** Asserts that a value arrives as it was. */
function carries(value: unknown): void {
  const found = difference(value, roundTrip(value));
  assert.equal(found, undefined, `changed at ${found}`);
}

/** Asserts that a value is refused with this message, and that the codec works on. */
function refuses(value: unknown, message: string): void {
  const error = assert.throws(() => encode(value, "put"), TypeError);
  assert.equal(error.message, message);
  carries({ after: [1] });
}

test("codec carries primitives exactly", () => {
  const numbers = [0, -0, 1, -1, 31, 32, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32];
  const more = [-(2 ** 31) - 1, 2 ** 53, -(2 ** 53), 1.5, 1e300, 5e-324, NaN, Infinity, -Infinity];
  for (const value of [...numbers, ...more, null, undefined, true, false]) {
    carries(value);
    carries([value, { value }]);
  }
});

test("codec carries bigints of any size", () => {
  for (const bits of [0, 1, 31, 32, 62, 63, 64, 65, 127, 128, 1000, 70_000, 600_000]) {
    const power = 1n << BigInt(bits);
    for (const value of [power, -power, power - 1n, 1n - power, -power - 1n]) {
      carries([value]);
    }
  }
});

test("codec carries strings exactly", () => {
  const long = "é".repeat(100);
  for (const text of ["", "a", "\u0001", "\0", "ÿ", "語", "💡", "\ud800", "\udc00a", "x\udfff\ud800", "\ufeffa"]) {
    for (const value of [text, text + long, long + text, text.repeat(100), text + "a".repeat(70)]) {
      carries(value);
      carries({ [value]: [value] });
    }
  }
});

// Each a test of its own: it takes hundreds of MiB of fresh memory, which is a matter of seconds on a busy machine.
for (
  const [what, piece] of [["ASCII", "abcdefgh"], ["other", "é€\ud83d\udca1x"], ["unpaired", "\ud800bcd"]] as const
) {
  test(`codec carries a string of 16 Mi units, ${what}`, () => {
    const value = piece.repeat(2 ** 24 / piece.length);
    assert.ok(roundTrip(value) === value);
  }, { limit: 30_000 });
}

test("codec keeps cycles and shared references", () => {
  const shared = { a: 1 };
  const list: unknown[] = [shared, [shared], new Date(5)];
  list.push(list, list[2]);
  const map = new Map<unknown, unknown>([[shared, list]]);
  map.set(map, new Set<unknown>([map, shared]));
  const bytes = new Uint8Array([1, 2]);
  carries({ shared, list, map, bytes, again: bytes, empty: [{}, {}] });
  carries(list);
  carries(map);
});

test("codec keeps references among hundreds of objects", () => {
  const items = Array.from({ length: 300 }, (_, id) => ({ id, next: undefined as unknown }));
  items.forEach((item, i) => (item.next = items[(i * 7 + 3) % 300]));
  carries(items);
});

test("codec carries Map, Set, Date, RegExp and boxed primitives", () => {
  carries(
    new Map<unknown, unknown>([
      [1, "a"],
      ["1", -0],
      [NaN, new Map()],
      [undefined, null],
    ]),
  );
  carries(new Set([1, "1", undefined, NaN, "\ud800"]));
  carries([new Date(0), new Date(-1), new Date(NaN), new Date(8.64e15), new Date(1.5e12 + 1)]);
  const sticky = /a+(?<x>b)\/\n/giy;
  sticky.lastIndex = 3;
  carries([sticky, /(?:)/, /\ud800/u, new RegExp("\ud800")]);
  assert.equal(sticky.lastIndex, 3);
  carries([Object(1), Object(-0), Object("é\ud800"), Object(false), Object(10n ** 30n)]);
});

test("codec carries every kind of binary data", () => {
  const source = Uint8Array.from({ length: 10_256 }, (_, i) => i * 7);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!/^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/.test(name)) continue;
    const type = (globalThis as unknown as Record<string, Uint8ArrayConstructor>)[name]!;
    for (const length of [0, 1, 3, 8, 600, 1280]) {
      const view = new type(source.buffer, 16, length);
      carries(view);
      carries({ view, list: [view, new type(source.buffer.slice(0, 16))] });
    }
  }
  carries(new DataView(source.buffer, 3, 5));
  for (const value of [source.buffer, source.buffer.slice(0, 5), new ArrayBuffer(0)]) {
    (carries(value), carries([value]));
  }
});

test("codec carries a resizable buffer as one", () => {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: object,
  ) => ArrayBuffer & { resizable: boolean };
  const buffer = new Resizable(3, { maxByteLength: 9 });
  if (buffer.resizable !== true) return;
  carries(buffer);
  const received = roundTrip([buffer])[0]!;
  assert.equal(received.resizable, true);
  assert.equal(received.maxByteLength, 9);
  const tracking = new Uint8Array(buffer);
  assert.deepEqual([...roundTrip(tracking)], [0, 0, 0]);
});

test("codec carries the window of a view, and nothing around it", () => {
  const secret = new Uint8Array(100).fill(7);
  const received = roundTrip([new Uint16Array(secret.buffer, 10, 2)])[0]!;
  assert.equal(received.buffer.byteLength, 4);
  class Sub extends Uint8Array {}
  const plain = roundTrip([new Sub([1, 2])])[0]!;
  assert.equal(Object.getPrototypeOf(plain), Uint8Array.prototype);
  assert.deepEqual([...plain], [1, 2]);
});

test("what arrives shares no memory with what was read, and never changes", () => {
  const ring = new Uint8Array(new SharedArrayBuffer(65_536));
  for (const length of [1, 64, 4095, 4096, 20_000]) {
    for (const value of [new Uint8Array(length).fill(5), [new Uint8Array(length).fill(5)]]) {
      const received = receive(ring, 0, writeParts(encodeParts(value, "put"), ring, 0)) as typeof value;
      const array = Array.isArray(received) ? received[0]! : received;
      ring.fill(9);
      for (let i = 0; i < 50; i++) {
        receive(ring, 0, writeParts(encodeParts([new Uint8Array(64)], "put"), ring, 0));
      }
      assert.equal(array.buffer instanceof ArrayBuffer, true);
      assert.ok(array.length === length && array.every((byte) => byte === 5));
    }
  }
});

test("codec keeps holes and named properties of arrays", () => {
  // deno-lint-ignore no-sparse-arrays
  carries([, 1, , undefined, ,]);
  carries(new Array(5));
  const far: unknown[] = [1, 2];
  far[4_294_967_294] = "last";
  carries(far);
  carries(Object.assign([1, [2]], { name: -0, "01": "x", "\ud800": 1 }));
  carries(Object.assign([1, 2], { "-7": "negative", "0.5": "between", "": "no name", "1e0": 1 }));
  // deno-lint-ignore no-sparse-arrays
  carries(Object.assign([1, , 3], { "-1": "negative", "0.5": "between", "": "no name", "00": 0 }));
  // deno-lint-ignore no-sparse-arrays
  carries(Object.assign([1, 2, ,], { "01": "x" }));
  // deno-lint-ignore no-sparse-arrays
  carries(Object.assign([, "b"], { extra: undefined }));
  carries("aXbX".match(/X/));
  carries(["\u0001", 1]);
  carries(["\u0001"]);
  carries([["\u0001", 2, 0], { a: ["\u0001"] }]);
  carries([-0, ["\u0001", 0], { a: ["\u0001"] }, ["\u0001", ["\u0001", 2, 0]]]);
});

test("codec keeps awkward keys and pollutes nothing", () => {
  const tricky = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":2},"toJSON":3,"hasOwnProperty":4}');
  carries(tricky);
  carries([
    JSON.parse('{"__proto__":null}'),
    {
      "": 1,
      "1": 2,
      "-1": 3,
      "\u0001": 4,
    },
  ]);
  assert.equal((roundTrip(tricky) as { polluted?: unknown }).polluted, undefined);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  const wide = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key${i}`, i]));
  assert.deepEqual(Object.keys(roundTrip(wide)), Object.keys(wide));
});

test("codec looks at a key that stands where another one stood in the message before", () => {
  carries({ a: 1, b: { c: 2 } });
  carries({ "\ud800": 1, b: { "\udc00": 2 } });
  carries(JSON.parse('{"__proto__":1,"b":{"__proto__":2}}'));
  carries({ a: 1, b: { "\ufeffa key as long as a text decoder looks at": 2 } });
  carries({ lockstep: 1, b: { lockstep: 2 } });
  const handle = { lockstep: 1, buffer: new SharedArrayBuffer(8) };
  assert.throws(() => encode({ lockstep: 1, b: handle }, "put"), /Cannot put value\.b: a handle of Lockstep/);
  // More keys than are remembered, and other ones in their places.
  const keys = (prefix: string) => Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`${prefix}${i}`, i]));
  carries([keys("a"), keys("a"), keys("\ud800"), keys("b")]);
});

test("codec carries an object of any width, beside others and inside of them", () => {
  const wide = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, i]));
  for (const count of [65_535, 65_536]) {
    const value = [{ a: 1 }, { inside: wide(count) }, { b: 2 }];
    assert.deepEqual(roundTrip(value), value);
    assert.deepEqual(roundTrip({ a: { b: 1 } }), { a: { b: 1 } });
  }
});

test("codec tells holes from items that are not enumerable, and both from named properties, however many of each", () => {
  const named = (array: unknown[]) => Object.assign(array, { foo: "x" });
  const hide = (array: unknown[], index: number) => Object.defineProperty(array, index, { enumerable: false });
  assert.deepEqual(roundTrip(hide(named([1, 2, 3]), 1)), named([1, , 3]));
  assert.deepEqual(roundTrip(hide(named([1, 2]), 1)), Object.assign(named([1]), { length: 2 }));
  for (const array of [named([1, , 3]), Object.assign([, undefined], { foo: undefined }), [NaN, -0]]) carries(array);
  const filled = Object.assign([0, , 2], { bar: 7 });
  Object.defineProperty(filled, 0, { enumerable: true, get: () => (filled[1] = 9, 5) });
  assert.deepEqual(decode(encode(filled, "put")), Object.assign([5, 9, 2], { bar: 7 }));
  const inherited = Array.prototype as unknown as Record<number, string>;
  inherited[1] = "p";
  try {
    carries(named([1, , 3]));
    carries([1, , 3]);
  } finally {
    delete inherited[1];
  }
});

test("codec keeps properties by names that all objects have, whatever has become of those", () => {
  const named = { hasOwnProperty: 1, toString: "x", constructor: { valueOf: 2 }, z: 3 };
  carries(named);
  const base = Object.prototype as unknown as Record<string, unknown>;
  base["pol"] = 7;
  Object.defineProperty(base, "zz", { get: () => 1, set() {}, configurable: true });
  try {
    assert.deepEqual(Object.keys(roundTrip(named)), Object.keys(named));
    assert.deepEqual(Object.keys(roundTrip({ a: { hasOwnProperty: 1, b: 2 } }).a), ["hasOwnProperty", "b"]);
    const own = Object.defineProperty({ a: 1 }, "zz", { value: 5, enumerable: true });
    assert.deepEqual(Object.entries(roundTrip(own)), [["a", 1], ["zz", 5]]);
  } finally {
    delete base["pol"];
    delete base["zz"];
  }
});

test("codec refuses a DataView on a detached buffer by its place, also at the top", () => {
  const buffer = new ArrayBuffer(8);
  const view = new DataView(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  refuses(view, "Cannot put value: a view of a detached ArrayBuffer cannot be carried");
  refuses({ view }, "Cannot put value.view: a view of a detached ArrayBuffer cannot be carried");
});

test("codec reads a getter at an array's index once", () => {
  let reads = 0;
  const array = Object.defineProperty([1, 2, 3], 1, { get: () => ++reads, enumerable: true });
  assert.deepEqual(decode(encode(array, "put")), [1, 1, 3]);
  assert.equal(reads, 1);
});

test("codec takes own enumerable properties only, also where Object.prototype was extended", () => {
  const extended = Object.prototype as unknown as Record<string, unknown>;
  extended["extra"] = () => 1;
  extended["more"] = { a: 1 };
  extended["text"] = "\ud800";
  extended["zero"] = -0;
  try {
    assert.deepEqual(Object.keys(roundTrip({ a: { b: -0 } })), ["a"]);
    assert.deepEqual(Object.keys(roundTrip({ a: { b: 1 } }).a), ["b"]);
  } finally {
    delete extended["extra"];
    delete extended["more"];
    delete extended["text"];
    delete extended["zero"];
  }
});

test("codec turns instances, null prototypes and symbol keys into plain objects", () => {
  class Point {
    #secret = 1;
    x = 1;
    get y(): number {
      return this.#secret;
    }
    toJSON(): string {
      return "no";
    }
  }
  const value = {
    point: new Point(),
    bare: Object.assign(Object.create(null), { z: 1 }),
    [Symbol("s")]: () => 1,
  };
  Object.defineProperty(value, "hidden", { value: () => 1 });
  assert.equal(difference(roundTrip(value), { point: { x: 1 }, bare: { z: 1 } }), undefined);
  class List extends Array {}
  assert.equal(Object.getPrototypeOf(roundTrip(List.of(1, 2))), Array.prototype);
  class Named {
    a = 1;
    readonly [Symbol.toStringTag] = "Map";
  }
  assert.equal(difference(roundTrip(new Named()), { a: 1 }), undefined);
  class MyMap extends Map<number, number> {
    override readonly [Symbol.toStringTag] = "MyMap";
  }
  assert.equal(difference(roundTrip(new MyMap([[1, 2]])), new Map([[1, 2]])), undefined);
});

test("codec takes an object that calls itself an error for what it is", () => {
  for (const tag of ["Error", "DOMException"]) {
    class Other {
      a = 1;
      get [Symbol.toStringTag](): string {
        return tag;
      }
    }
    assert.deepEqual(decode(encode(new Other(), "put")), { a: 1 });
  }
});

for (const depth of [60, 63, 64, 65, 66, 130, 10_000, 100_000]) {
  test(`codec carries values of any depth: ${depth}`, () => {
    let value: unknown = "bottom";
    for (let i = 0; i < depth; i++) {
      value = i % 3 === 0 ? [value] : i % 3 === 1 ? { value } : new Map([[i, value]]);
    }
    carries(value);
  });
}

test("codec carries cycles of any depth", () => {
  const loop: unknown[] = [];
  let inner = loop;
  for (let i = 0; i < 200; i++) inner = inner[0] = [loop, inner];
  carries(loop);
});

test("codec refuses what cannot be carried and says where it stands", () => {
  refuses(() => 1, "Cannot put value: a function cannot be carried");
  refuses({ items: [1, 2, 3, { callback() {} }] }, "Cannot put value.items[3].callback: a function cannot be carried");
  refuses([{ "a b": Symbol() }], 'Cannot put value[0]["a b"]: a symbol cannot be carried');
  refuses(new Map([["x", { y: Symbol() }]]), "Cannot put value.entries()[0][1].y: a symbol cannot be carried");
  refuses(new Map([[() => 1, 1]]), "Cannot put value.entries()[0][0]: a function cannot be carried");
  refuses({ s: new Set([1, () => 1]) }, "Cannot put value.s.entries()[1][0]: a function cannot be carried");
  refuses(new Error("x", { cause: { f() {} } }), "Cannot put value.cause.f: a function cannot be carried");
  refuses(Object.assign([1], { f() {} }), "Cannot put value.f: a function cannot be carried");
  for (const value of [Promise.resolve(), new WeakMap(), new WeakSet(), new WeakRef({})]) {
    refuses([value], `Cannot put value[0]: a ${value.constructor.name} cannot be carried`);
  }
  refuses({ g: (function* () {})() }, "Cannot put value.g: a Generator cannot be carried");
  refuses({ i: [1].values() }, "Cannot put value.i: an Array Iterator cannot be carried");
  refuses({ i: Object(Symbol.iterator) }, "Cannot put value.i: a symbol cannot be carried");
});

test("codec names the place of what lies deeper than one tree", () => {
  let value: unknown = { bad: () => 1 };
  for (let i = 0; i < 200; i++) value = { [i < 180 ? "a" : "outer"]: value };
  const error = assert.throws(() => encode(value, "send", "message"), TypeError);
  assert.equal(
    error.message,
    `Cannot send message${".outer".repeat(12)} … ${".a".repeat(11)}.bad: a function cannot be carried`,
  );
});

test("codec refuses shared memory, handles and primitives", () => {
  const hint = "pass it as a thread argument, or through toMessage() and postMessage";
  const shared = new SharedArrayBuffer(8);
  const message = (path: string) => `Cannot put value${path}: shared memory cannot be carried in a message, ${hint}`;
  refuses(shared, message(""));
  refuses({ a: shared }, message(".a"));
  refuses([new Int32Array(shared)], message("[0]"));
  refuses(new Uint8Array(shared), message(""));
  refuses(
    { lock: { lockstep: 1, kind: "Lock", buffer: shared } },
    `Cannot put value.lock: a handle of Lockstep cannot be carried in a message, ${hint}`,
  );
  class Fake {}
  Object.defineProperty(Fake.prototype, BRAND, { value: "Lock" });
  refuses([new Fake()], `Cannot put value[0]: a Lock of Lockstep cannot be carried in a message, ${hint}`);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  refuses({ memory }, "Cannot put value.memory: a WebAssembly.Memory cannot be carried");
  carries({ lockstep: 1, kind: "no handle" });
});

test("codec refuses objects of the host", () => {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port2.close();
  refuses({ port1 }, "Cannot put value.port1: a MessagePort cannot be carried");
  refuses([new URL("http://localhost/")], "Cannot put value[0]: a URL cannot be carried");
  refuses([new AbortController().signal], "Cannot put value[0]: an AbortSignal cannot be carried");
});

test("codec refuses a detached buffer", () => {
  const array = new Uint8Array(8);
  structuredClone(array, { transfer: [array.buffer] });
  refuses(array, "Cannot put value: a detached ArrayBuffer cannot be carried");
  refuses(array.buffer, "Cannot put value: a detached ArrayBuffer cannot be carried");
  refuses({ a: array.buffer }, "Cannot put value.a: a detached ArrayBuffer cannot be carried");
});

test("codec refuses a typed array that its shrunk buffer has left outside", () => {
  // deno-lint-ignore no-explicit-any
  const buffer: any = new (ArrayBuffer as any)(16, { maxByteLength: 16 });
  if (buffer.resizable !== true) return; // an engine without such buffers
  const outside = [new Uint8Array(buffer, 8, 8), new Float64Array(buffer, 8)];
  const empty = new Uint8Array(buffer, 0, 0);
  buffer.resize(4);
  refuses(outside, "Cannot put value[0]: a view of what its ArrayBuffer was before it shrank cannot be carried");
  assert.equal((roundTrip(empty) as Uint8Array).length, 0);
});

test("codec reads a Proxy as what it looks like, and refuses one that hides its contents", () => {
  assert.equal(difference(roundTrip(new Proxy({ a: [1] }, {})), { a: [1] }), undefined);
  assert.equal(difference(roundTrip(new Proxy([1, 2], {})), [1, 2]), undefined);
  refuses(
    [new Proxy(new Map(), {})],
    "Cannot put value[0]: a Map that hides its contents, such as a Proxy, cannot be carried",
  );
  refuses(
    new Proxy(new Date(), {}),
    "Cannot put value: a Date that hides its contents, such as a Proxy, cannot be carried",
  );
});

test("codec reads every property once", () => {
  let reads = 0;
  const value = {
    get a(): unknown {
      return ++reads === 1 ? [reads] : () => reads;
    },
    date: new Date(0),
  };
  assert.equal(difference(roundTrip({ ...value }), { a: [1], date: new Date(0) }), undefined);
  reads = 0;
  assert.equal(difference(decode(encode(value, "put")), { a: [1], date: new Date(0) }), undefined);
  assert.equal(reads, 1);
});

test("codec passes through what user code throws, and works on", () => {
  const reason = { odd: "reason" };
  const bad = {
    a: { long: "x".repeat(1000) },
    get b(): never {
      throw reason;
    },
  };
  assert.throws(
    () => encode([bad], "put"),
    (error) => error === reason,
  );
  carries({ after: [1] });
});

test("codec may be used by the getters of a value that it encodes", () => {
  const seen: unknown[] = [];
  const value = {
    before: { x: -0 },
    get inner(): unknown {
      seen.push(decode(encode({ nested: [new Map([[1, "two"]])] }, "put")));
      assert.throws(() => encode({ f() {} }, "put"), TypeError);
      return "inner";
    },
    after: [new Date(1)],
  };
  const received = decode(encode(value, "put"));
  assert.equal(
    difference(received, {
      before: { x: -0 },
      inner: "inner",
      after: [new Date(1)],
    }),
    undefined,
  );
  assert.equal(difference(seen, [{ nested: [new Map([[1, "two"]])] }]), undefined);
});

test("encodeSmall() writes numbers, booleans, null and undefined in place", () => {
  const ring = new Uint8Array(new SharedArrayBuffer(64));
  for (
    const value of [
      0,
      -0,
      5,
      -5,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 31,
      0.1,
      NaN,
      -Infinity,
      true,
      false,
      null,
      undefined,
    ]
  ) {
    ring.fill(0xee);
    const length = encodeSmall(value, ring, 7);
    assert.between(length, 1, SMALL);
    assert.equal(ring[7 + length], 0xee);
    assert.ok(Object.is(receive(ring, 7, 7 + length), value));
  }
  for (const value of ["a", 1n, {}, [], () => 1, Symbol()]) {
    assert.equal(encodeSmall(value, ring, 0), 0);
  }
});

test("decodeParts() takes the body into the value without a copy", () => {
  const array = new Float64Array(1000).fill(Math.PI);
  const { head, body } = encodeParts(array, "put");
  const copy = body!.slice();
  const received = decodeParts(head.slice(), copy) as Float64Array;
  assert.deepEqual(received, array);
  assert.ok(received.buffer === copy.buffer);
  assert.deepEqual(decodeParts(encodeParts([1], "put").head), [1]);
  const shifted = new Uint8Array(8001).subarray(1);
  shifted.set(new Uint8Array(array.buffer));
  assert.deepEqual(decodeParts(encodeParts(array, "put").head, shifted), array);
});

test("decode() of hostile bytes throws a TypeError", () => {
  const seeds = [{ a: [1, "x".repeat(80), -0] }, new Map([[new Date(), new Error("e")]]), [new Uint8Array(9)], 5, 5.5];
  let state = 12345;
  const random = (below: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  for (let round = 0; round < 20_000; round++) {
    const bytes = encode(seeds[round % seeds.length], "put").slice();
    for (let changes = 1 + random(4); changes > 0; changes--) {
      bytes[random(bytes.length)] = random(256);
    }
    const cut = bytes.subarray(0, random(4) === 0 ? random(bytes.length + 1) : bytes.length);
    try {
      decode(cut);
    } catch (error) {
      if (!(error instanceof TypeError) || !/^Cannot decode a message/.test(error.message)) throw error;
    }
  }
  carries({ after: [1] });
});

test("decode() of the empty message and of zeroed memory throws", () => {
  const message = /^Cannot decode a message as it is corrupt: /;
  assert.throws(() => decode(new Uint8Array(0)), message);
  assert.throws(() => decode(new Uint8Array(100)), message);
  assert.throws(() => decode(new Uint8Array([1])), message);
  assert.throws(() => decode(new Uint8Array([33])), message);
  assert.throws(() => receive(new Uint8Array(new SharedArrayBuffer(8)), 4, 4), message);
  // A deep nest, an array that says it has 2^32 - 1 items, a reference to nothing.
  assert.throws(() => decode(new Uint8Array(1_000_000).fill(0x91).fill(1, 0, 1)), message);
  assert.throws(() => decode(new Uint8Array([1, 0xdd, 0xff, 0xff, 0xff, 0xff, 0, 0])), message);
  assert.throws(() => decode(new Uint8Array([2, 0x91, 0x93, 0xa1, 1, 2, 7])), message);
  // A tree that holds itself, a number for a string and for bytes, elements of which one is incomplete.
  assert.throws(() => decode(new Uint8Array([2, 0x91, 0x91, 0x93, 0xa1, 1, 3, 0xff])), message);
  assert.throws(() => decode(new Uint8Array([2, 0x91, 0x94, 0xa1, 1, 10, 5, 0xa0])), message);
  assert.throws(() => decode(new Uint8Array([2, 0x91, 0x93, 0xa1, 1, 1, 5])), message);
  assert.throws(
    () => decode(new Uint8Array([2, 0x91, 0x94, 0xa1, 1, 13, 11, 0xc4, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9])),
    message,
  );
  assert.throws(() => decode(new Uint8Array(8 + 9).fill(32 + 11)), message);
  // One further tree that two places claim.
  const later = [0x93, 0xa1, 1, 3, 0];
  assert.deepEqual(decode(new Uint8Array([2, 0x92, 0x91, ...later, 0x91, 5])), [[5]]);
  assert.throws(() => decode(new Uint8Array([2, 0x92, 0x92, ...later, ...later, 0x91, 5])), message);
});
