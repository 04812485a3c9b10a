// Programs that tests/conformance/programs.ts runs in processes of their own: their output, their end and their exit code
// are what is tested. The argument says which one.

import { currentThread, Event, isMainThread, setExceptHook, SharedValue, Thread } from "../../mod.ts";
import { nodeWorker, ownWorker } from "./own_worker.ts";

const module = import.meta.url;
// deno-lint-ignore no-explicit-any
const { process } = globalThis as any;

export function say(text: string): string {
  console.log(text);
  return text;
}

export function sayLate(text: string, ms: number): Promise<void> {
  return new Promise((resolve) =>
    setTimeout(() => {
      console.log(text);
      resolve();
    }, ms)
  );
}

export function sayAll(texts: readonly string[]): void {
  for (const text of texts) process.stdout.write(`${text}\n`);
  console.error("and an error");
}

export function startSayLate(text: string): void {
  new Thread({ target: sayLate, module, args: [text, 300] }).start();
}

export async function startForMain(text: string, started: Event): Promise<void> {
  new Thread({ target: sayLate, module, args: [text, 300], daemon: false }).start();
  started.set();
  await sayLate("never", 60_000);
}

export function spinThenSay(text: string, up: SharedValue<"i32">): void {
  up.add(1);
  for (const end = performance.now() + 4000; performance.now() < end;);
  console.log(text);
}

export async function startSpinThenSay(text: string, up: SharedValue<"i32">): Promise<void> {
  new Thread({ target: spinThenSay, module, args: [text, up] }).start();
  await sayLate("never", 60_000);
}

export function busy(up: SharedValue<"i32">, go: Event, talks: boolean): never {
  up.add(1);
  go.wait();
  for (let i = 0;; i++) if (talks && i % 50_000_000 === 0) console.log("busy");
}

export function fail(text: string): never {
  throw new RangeError(text);
}

/** What it throws has a cause that is no text: an object without a prototype. */
export function failStrangely(): never {
  throw new RangeError("it failed", { cause: Object.assign(Object.create(null), { port: 1 }) });
}

export function exitAfterFailed(asks: boolean): void {
  const thread = new Thread({ target: fail, module, args: ["it failed"], name: "worker-5" }).start();
  if (asks) thread.tryJoin();
  while (thread.alive);
  process.exit(0);
}

export function setHook(): void {
  setExceptHook(() => {});
}

export function exit(code: number): void {
  process.exit(code);
}

export function block(text: string, value: SharedValue<"i32">): void {
  console.log(text);
  for (const end = performance.now() + 200; performance.now() < end;);
  value.add(1);
}

const programs: Record<string, () => unknown> = {
  joined() {
    console.log(new Thread({ target: say, module, args: ["from the thread"] }).start().join());
  },

  async joinedAsync() {
    console.log(await new Thread({ target: say, module, args: ["from the thread"] }).start().joinAsync());
  },

  unjoined() {
    new Thread({ target: sayLate, module, args: ["late", 300] }).start();
    console.log("main is done");
  },

  grandchild() {
    new Thread({ target: startSayLate, module, args: ["from the grandchild"] }).start();
    console.log("main is done");
  },

  /** Its thread is terminated while one that it started spins. */
  async spinningGrandchild() {
    const up = new SharedValue("i32");
    const thread = new Thread({ target: startSpinThenSay, module, args: ["from the grandchild", up] }).start();
    while (up.value === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await thread.terminate({ grace: 20 });
    console.log("main is done");
  },

  async daemons() {
    const [up, go] = [new SharedValue("i32"), new Event()];
    for (let i = 0; i < 40; i++) {
      new Thread({ target: busy, module, args: [up, go, i % 8 === 0], daemon: true }).start();
    }
    while (up.value < 40) await new Promise((resolve) => setTimeout(resolve, 10));
    go.set();
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log("main is done");
  },

  async childOfDaemon() {
    const started = new Event();
    new Thread({ target: startForMain, module, args: ["from the grandchild", started], daemon: true }).start();
    await started.waitAsync();
    console.log("main is done");
  },

  waitingDaemon() {
    new Thread({ target: sayLate, module, args: ["never", 60_000], daemon: true }).start();
    console.log("main is done");
  },

  fails() {
    new Thread({ target: fail, module, args: ["it failed"], name: "worker-7" }).start();
    console.log("main is done");
  },

  failsJoined() {
    const thread = new Thread({ target: fail, module, args: ["it failed"] }).start();
    try {
      thread.join();
    } catch (error) {
      console.log("joined", (error as Error).message);
    }
  },

  /** Asked for in vain, and never again. */
  failsAfterTry() {
    const thread = new Thread({ target: fail, module, args: ["it failed"], name: "worker-8" });
    thread.start();
    thread.tryJoin();
    while (thread.alive);
    console.log("main is done");
  },

  /** Joined once it has been told of. */
  async failsStrangely() {
    const thread = new Thread({ target: failStrangely, module, name: "worker-6" }).start();
    while (thread.alive) await new Promise((resolve) => setTimeout(resolve, 10));
    await thread.joinAsync().catch(({ name, message, cause }) => console.log(name, message, cause.port));
  },

  hookThrows() {
    setExceptHook(() => {
      throw new TypeError("the hook failed");
    });
    new Thread({ target: fail, module, args: ["it failed"], name: "worker-9" }).start();
  },

  hookRejects() {
    setExceptHook(async () => {
      await Promise.resolve();
      throw new TypeError("the hook failed");
    });
    new Thread({ target: fail, module, args: ["it failed"], name: "worker-9" }).start();
  },

  /** A thread had a hook, and is gone: no error is to wait for its event loop, or main's. */
  hookGone() {
    new Thread({ target: setHook, module }).start().join();
    const thread = new Thread({ target: fail, module, args: ["it failed"], name: "worker-4" }).start();
    while (thread.alive);
    console.error("main goes on");
  },

  /** A thread that exits while it is busy, and has not heard yet of its own thread's end. */
  async exitsAfterFailed() {
    await new Thread({ target: exitAfterFailed, module, args: [true] }).start().joinAsync().catch(() => {});
    console.log("main is done");
  },

  async exitsAfterFailedHook() {
    const told = new Promise<string>((resolve) => setExceptHook((error, { name }) => resolve(`${name} ${error}`)));
    await new Thread({ target: exitAfterFailed, module, args: [false] }).start().joinAsync().catch(() => {});
    console.log(await Promise.race([told, sayLate("main is done", 5000)]));
    process.exit(0);
  },

  exit0() {
    new Thread({ target: exit, module, args: [0] }).start();
    console.log("main is done");
  },

  exit3() {
    new Thread({ target: exit, module, args: [3], name: "worker-3" }).start();
    console.log("main is done");
  },

  mainFails() {
    new Thread({ target: sayLate, module, args: ["never", 60_000] }).start();
    throw new RangeError("main failed");
  },

  /** With an error of a thread that was asked for in vain. */
  mainFailsAfterTry() {
    const thread = new Thread({ target: fail, module, args: ["it failed"], name: "worker-2" }).start();
    thread.tryJoin();
    while (thread.alive);
    throw new RangeError("main failed");
  },

  mainExits() {
    new Thread({ target: sayLate, module, args: ["never", 60_000] }).start();
    process.exit(5);
  },

  /** What a thread prints is there before this thread, which is blocked, goes on. */
  outputAtOnce() {
    const done = new SharedValue("i32");
    new Thread({ target: block, module, args: ["from the thread", done] }).start();
    while (done.value === 0);
    process.stdout.write("from main\n");
  },

  /** So is what is printed in a worker of one's own, in each kind of worker; nothing is lost as the program exits. */
  servedOutput() {
    const url = new URL("./serve_worker.ts", import.meta.url);
    for (const worker of [() => ownWorker(url), () => nodeWorker(url)]) {
      new Thread<void, [string]>({ worker, target: "say", args: ["from the thread"] }).start().join();
      process.stdout.write("from main\n");
    }
    process.exit(0);
  },

  /** Who made the worker so that its output comes there gets it there. */
  async servedOutputAsked() {
    const url = new URL("./serve_worker.ts", import.meta.url);
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    const made = new Worker(url, { stdout: true });
    made.stdout.on("data", (text: Uint8Array) => process.stdout.write(`asked for: ${new TextDecoder().decode(text)}`));
    await new Thread<void, [string]>({ worker: () => made, target: "say", args: ["hi"] }).start().joinAsync();
  },

  outputOrder() {
    const texts = Array.from({ length: 3000 }, (_, i) => `line ${i} ${"x".repeat(40)}`);
    new Thread({ target: sayAll, module, args: [texts] }).start().join();
    console.log("from main", currentThread().name);
  },
};

if (isMainThread) await programs[process.argv[2]]!();
