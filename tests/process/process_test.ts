// Two processes on one mapped file run the primitives unchanged, over futexes.
// The seam's promise that process scope needs no other primitives, kept.

import {
  Barrier,
  BrokenBarrierError,
  Condition,
  Event,
  Lock,
  OwnerDiedError,
  Queue,
  Semaphore,
} from "../../primitives/mod.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

const supported = Deno.build.os === "linux" && Deno.build.arch === "x86_64";
const skip = supported ? undefined : "process scope is proved on Linux x86-64 with glibc only";
const options = { skip, limit: 60_000 };
const COUNTERS = 48 * 1024 * 1024; // bytes: beyond every record
const ROUNDS = 5_000;

/** The other process: what it says, word by word, and its end. */
class Child {
  readonly #process: Deno.ChildProcess;
  readonly #words: ReadableStreamDefaultReader<string>;

  constructor(path: string, task: string, packed: readonly string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", new URL("child.ts", import.meta.url).href, path, task, ...packed],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#words = this.#process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lines()).getReader();
  }

  /** Resolves when it says that word. */
  async says(word: string): Promise<void> {
    assert.equal((await this.#words.read()).value, word);
  }

  async end(): Promise<void> {
    await this.says("done");
    assert.equal((await this.#process.status).code, 0);
    await this.#words.cancel();
  }

  /** Killed by the kernel, wherever it is. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#words.cancel();
  }
}

function lines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop()!;
      for (const part of parts) controller.enqueue(part);
    },
  });
}

let open: Promise<{ path: string; start(task: string, ...packed: string[]): Child; pack(handle: object): string }>;

/** The segment, founded once for this process: its memory cannot be left again. */
function segment(): typeof open {
  return open ??= import("./memory.ts").then(({ openSegment, pack }) => {
    const path = Deno.makeTempFileSync({ dir: "/dev/shm", prefix: "lockstep-" });
    const buffer = openSegment(path, true);
    globalThis.addEventListener("unload", () => Deno.removeSync(path));
    const reset = () => new Int32Array(buffer, COUNTERS, 16).fill(0);
    return {
      path,
      pack: (handle) => pack(handle as never),
      start(task, ...packed) {
        reset();
        return new Child(path, task, packed);
      },
    };
  });
}

async function counters(): Promise<Int32Array<SharedArrayBuffer>> {
  const { buffer } = (new Event().handle) as unknown as { buffer: SharedArrayBuffer };
  await Promise.resolve();
  return new Int32Array(buffer, COUNTERS, 16);
}

test("process scope: a Lock counts exactly between two processes", async () => {
  const { start, pack } = await segment();
  const lock = new Lock({ name: "counter" });
  const child = start("count", pack(lock.handle), `${COUNTERS}`, `${ROUNDS}`);
  await child.says("ready");
  const counter = await counters();
  for (let i = 0; i < ROUNDS; i++) {
    const guard = lock.acquire();
    counter[0]! += 1;
    guard.release();
  }
  await child.end();
  assert.equal(counter[0], 2 * ROUNDS);
  assert.equal(lock.locked, false);
}, options);

test("process scope: a killed process's lock is reported through its LIFE word", async () => {
  const { start, pack } = await segment();
  const lock = new Lock();
  const child = start("hold", pack(lock.handle));
  await child.says("held");
  assert.equal(lock.tryAcquire({ timeout: 20 }), undefined);
  await child.kill();
  const begin = performance.now();
  assert.throws(() => lock.acquire(), OwnerDiedError);
  assert(performance.now() - begin < 500);
  lock.recover()!.release();
  lock.acquire().release();
}, options);

test("process scope: a killed process's permit comes back", async () => {
  const { start, pack } = await segment();
  const semaphore = new Semaphore(1);
  const child = start("permit", pack(semaphore.handle));
  await child.says("held");
  assert.equal(semaphore.tryAcquire({ timeout: 20 }), undefined);
  await child.kill();
  const guard = semaphore.tryAcquire({ timeout: 500 });
  assert(guard !== undefined);
  guard.release();
}, options);

test("process scope: a Semaphore bounds both processes", async () => {
  const { start, pack } = await segment();
  const semaphore = new Semaphore(1);
  const child = start("bounded", pack(semaphore.handle), `${COUNTERS}`, `${ROUNDS}`);
  await child.says("ready");
  const words = await counters();
  for (let i = 0; i < ROUNDS; i++) {
    const guard = semaphore.acquire();
    const inside = Atomics.add(words, 0, 1) + 1;
    if (inside > Atomics.load(words, 1)) Atomics.store(words, 1, inside);
    Atomics.add(words, 2, 1);
    Atomics.sub(words, 0, 1);
    guard.release();
  }
  await child.end();
  assert.deepEqual([...words.subarray(0, 3)], [0, 1, 2 * ROUNDS]);
  assert.equal(semaphore.value, 1);
}, options);

test("process scope: two Events pass a turn to and fro", async () => {
  const { start, pack } = await segment();
  const [ours, theirs] = [new Event(), new Event()];
  const child = start("turns", pack(theirs.handle), pack(ours.handle), `${ROUNDS}`);
  await child.says("ready");
  for (let i = 0; i < ROUNDS; i++) {
    theirs.set();
    ours.wait();
    ours.clear();
  }
  await child.end();
}, options);

test("process scope: a Condition passes a turn to and fro", async () => {
  const { start, pack } = await segment();
  const turn = new Condition();
  const child = start("condition", pack(turn.handle), `${COUNTERS}`, `${ROUNDS}`);
  await child.says("ready");
  const words = await counters();
  for (let i = 0; i < ROUNDS; i++) {
    const guard = turn.acquire();
    turn.waitFor(() => words[0] === 0);
    words[0] = 1;
    turn.notify();
    guard.release();
  }
  await child.end();
  assert.equal(words[0], 0);
}, options);

test("process scope: a Barrier holds both processes together, round by round", async () => {
  const { start, pack } = await segment();
  const barrier = new Barrier(2);
  const child = start("barrier", pack(barrier.handle), `${COUNTERS}`, `${ROUNDS}`);
  await child.says("ready");
  const words = await counters();
  for (let round = 1; round <= ROUNDS; round++) {
    Atomics.add(words, 0, 1);
    Atomics.add(words, 1, barrier.wait());
    assert(Atomics.load(words, 0) >= 2 * round);
  }
  await child.end();
  assert.deepEqual([words[0], words[1]], [2 * ROUNDS, ROUNDS]); // places 0 and 1, once each a round
}, options);

test("process scope: a Barrier breaks when a waiting process is killed", async () => {
  const { start, pack } = await segment();
  const barrier = new Barrier(3);
  const child = start("party", pack(barrier.handle));
  await child.says("ready");
  await until(() => barrier.waiting === 1);
  await child.kill();
  assert.throws(() => barrier.wait(), BrokenBarrierError);
  barrier.reset();
  assert.equal(barrier.broken, false);
}, options);

test("process scope: Queues carry messages both ways, in order", async () => {
  const { start, pack } = await segment();
  const jobs = new Queue<{ n: number }>({ maxSize: 7, maxBytes: 1 << 16 });
  const results = new Queue<{ of: { n: number }; square: number }>({ maxSize: 3, maxBytes: 1 << 16 });
  const child = start("square", pack(jobs.handle), pack(results.handle));
  await child.says("ready");
  const feed = (async () => {
    for (let n = 0; n < 1000; n++) await jobs.putAsync({ n });
    jobs.close();
  })();
  let expected = 0;
  for await (const { of, square } of results) {
    assert.equal(of.n, expected++);
    assert.equal(square, of.n ** 2);
  }
  await feed;
  await child.end();
  assert.equal(expected, 1000);
}, options);
