// P9 D3 D4: a thread that sends, receives, closes or attaches dies at any of its steps. Whoever is left finds the messages
// as they were before or after, can go on, and sees an end of file where the dead thread was the last holder.

import { ClosedError } from "../../primitives/errors.ts";
import { Connection, pipe } from "../../primitives/pipe.ts";
import { assert, test } from "../_harness.ts";
import { dies } from "./_deaths.ts";

type Any = Connection<any, any>;

/** One thing to die of. */
interface Scene {
  readonly name: string;
  readonly maxBytes: number;
  /** The end at which somebody dies, 1 by default. */
  readonly dying?: 0 | 1;
  /** What is in the pipe before. */
  prepare(ends: readonly [Any, Any]): void;
  /** What the one who dies does, and what it does first. */
  act(end: Any): void;
  first?(end: Any): void;
  /** Whether a message that was begun may be gone: its receiver took it along. */
  readonly takes?: boolean;
}

const object = { text: "an object of some length", list: [1, 2, 3] };
const long = new Uint8Array(700).map((_, i) => i * 7); // in parts, in a pipe of 1000 bytes
const longer = new Uint8Array(5000).map((_, i) => i * 3); // longer than it

const MANY: readonly Scene[] = [
  { name: "send of a number", maxBytes: 1000, prepare: ([, b]) => b.send(1), act: (end) => end.send(2) },
  { name: "send of an object", maxBytes: 1000, prepare: () => {}, act: (end) => end.send(object) },
  { name: "send in parts", maxBytes: 1000, prepare: () => {}, act: (end) => end.send(long) },
  {
    name: "two sends, one of them bytes",
    maxBytes: 1000,
    prepare: () => {},
    act: (end) => (end.sendBytes(long), end.send(3)),
  },
  {
    name: "send that has no room",
    maxBytes: 1000,
    prepare: ([, b]) => b.sendBytes(longer.subarray(0, 900)),
    act: (end) => void end.trySend(long),
  },
  {
    name: "send that gives up in the middle",
    maxBytes: 1000,
    prepare: () => {},
    act: (end) => void end.trySend(longer, { timeout: 0.01 }),
  },
  {
    name: "recv of a number",
    maxBytes: 1000,
    prepare: ([a]) => (a.send(1), a.send(2)),
    act: (end) => void end.recv(),
    takes: true,
  },
  {
    name: "recv of an object",
    maxBytes: 1000,
    prepare: ([a]) => (a.send(object), a.send(2)),
    act: (end) => void end.recv(),
    takes: true,
  },
  {
    name: "recv of parts",
    maxBytes: 1000,
    prepare: ([a]) => (a.send(long), a.send(2)),
    act: (end) => void end.recv(),
    takes: true,
  },
  {
    name: "recvBytesInto of parts",
    maxBytes: 1000,
    prepare: ([a]) => (a.sendBytes(long), a.send(2)),
    act: (end) => void end.recvBytesInto(new Uint8Array(900)),
    takes: true,
  },
  { name: "poll", maxBytes: 1000, prepare: ([a]) => a.send(1), act: (end) => void end.poll() },
  {
    name: "poll at the remains of a message that was given up",
    maxBytes: 1000,
    prepare: ([a]) => void a.trySend(longer, { timeout: 0.01 }),
    act: (end) => void end.poll(),
  },
  {
    name: "recv at the remains of one of the other sort",
    maxBytes: 1000,
    prepare: ([a]) => void a.trySendBytes(longer, { timeout: 0.01 }),
    act: (end) => void end.tryRecv(),
  },
  { name: "close", maxBytes: 1000, prepare: ([a]) => a.send(1), act: (end) => end.close() },
  {
    name: "close in the middle of a message in parts",
    maxBytes: 1000,
    prepare: ([a]) => a.send(long),
    first: (end) => void end.sendAsync(longer).catch(() => {}),
    act: (end) => end.close(),
  },
  {
    name: "attach once more",
    maxBytes: 1000,
    prepare: ([a]) => a.send(1),
    act: (end) => Connection.attach(end.handle).close(),
  },
];

/** All that comes, and whether the end of file followed. */
function drained(end: Any): { values: unknown[]; over: boolean } {
  const values: unknown[] = [];
  for (;;) {
    try {
      const box = end.tryRecv();
      if (box === undefined) return { values, over: false };
      values.push(box.value);
    } catch (error) {
      if (error instanceof ClosedError) return { values, over: true };
      assert(error instanceof TypeError, String(error));
      values.push(end.tryRecvBytes());
    }
  }
}

for (const scene of MANY) {
  for (const alone of [false, true]) {
    test(`a thread dies at any step of ${scene.name}${alone ? ", the last one at its end" : ""}`, () => {
      const run = (steps: number) => {
        const ends = pipe<any>({ maxBytes: scene.maxBytes, threads: 4 }) as [Any, Any];
        scene.prepare(ends);
        const dying = ends[scene.dying ?? 1];
        const { handle } = dying;
        const done = dies(handle, steps, () => {
          const end = Connection.attach<any>(handle);
          scene.first?.(end);
          if (alone) dying.close(); // the agent that runs now holds it once less: the other one's hold is gone below
          return end;
        }, scene.act);
        return { ends, dying, done };
      };
      const expect = (ends: readonly [Any, Any]) => [drained(ends[0]).values, drained(ends[1]).values];
      const after = run(Infinity);
      const [whole0, whole1] = alone ? [drained(after.ends[0]).values, []] : expect(after.ends);
      const before = pipe<any>({ maxBytes: scene.maxBytes }) as [Any, Any];
      scene.prepare(before);
      const [none0, none1] = expect(before);
      for (let steps = 0;; steps++) {
        const { ends: [a, b], done } = run(steps);
        const got = drained(a);
        const options = [none0, whole0, whole0!.slice(0, -1)].map((it) => JSON.stringify(it));
        assert(
          options.includes(JSON.stringify(got.values)),
          `step ${steps}: ${JSON.stringify(got.values).slice(0, 200)}`,
        );
        if (!alone) {
          const left = drained(b).values;
          const fair = [none1, whole1].map((it) => JSON.stringify(it));
          assert(fair.includes(JSON.stringify(left)), `step ${steps}: ${JSON.stringify(left).slice(0, 200)}`);
          assert.deepEqual([got.over, a.poll(), b.poll()], [false, false, false]);
          for (const [from, to] of [[a, b], [b, a]] as const) {
            from.send("on it goes");
            assert.equal(to.recv(), "on it goes");
            assert.equal(from.trySend(long), true);
            assert.equal((to.recv() as Uint8Array).length, long.length);
          }
          b.close();
        }
        assert.equal(drained(a).over, true);
        assert.throws(() => a.send(1), ClosedError);
        a.close();
        if (done) break;
        assert(steps < 2000);
      }
    }, { limit: 60_000 });
  }
}

test("a thread dies at any step of pipe(): nothing is left behind", () => {
  const [, b] = pipe();
  for (let steps = 0;; steps++) {
    if (dies(b.handle, steps, () => {}, () => void pipe({ maxBytes: 100 }))) break;
    assert(steps < 1000);
  }
});

test("one thread more than the option threads says gets a RangeError, until one of them has died", () => {
  const [a, b] = pipe<number>({ threads: 2 });
  const { handle } = b;
  const attach = () => Connection.attach<number>(handle);
  dies(handle, Infinity, attach, (first) => {
    dies(handle, Infinity, () => assert.throws(attach, /threads/), () => {});
    first.send(1);
  });
  dies(handle, Infinity, attach, (second) => second.send(2));
  assert.deepEqual([a.recv(), a.recv()], [1, 2]);
});
