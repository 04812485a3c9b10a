// What the threads of tests/conformance/threads.ts and thread_ends.ts run.

import * as lockstep from "../../mod.ts";
import { Lock, type SharedValue, Thread, Timer } from "../../mod.ts";

const module = import.meta.url;
// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

let counter = 0;

/** A variable of the module is each thread's own. */
export function count(): number {
  return ++counter;
}

export function add(a: number, b: number): number {
  return a + b;
}

/** Starts a thread where the library's own files seem to be missing, as beside a bundle, or copied by other names. */
export function startInBundle(copied = false): unknown {
  if (copied) {
    realm.URL = class extends URL {
      constructor(url: string, base?: string) {
        super(url.includes("bootstrap") ? module : url, base);
      }
    };
  } else realm.process.getBuiltinModule("node:fs").existsSync = () => false;
  const thread = new Thread({ target: add, module, args: [1, 2] });
  try {
    thread.start();
  } catch (error) {
    return { error, state: thread.state, listed: lockstep.enumerateThreads().some(({ name }) => name === thread.name) };
  }
  return "started";
}

export async function addLater(a: number, b: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return a + b;
}

/** A timer that says what it does itself. */
export class Alarm extends Timer<string> {
  text: string;

  constructor(interval: number, text: string) {
    super({ module, interval });
    this.text = text;
  }

  override run(): string {
    return this.text;
  }
}

export function cancelTimer(timer: Timer): string {
  timer.cancel();
  return timer.constructor.name;
}

/** Fails outside of its target as the thread that it starts has failed, that as its own has, and so on. */
export function failDeep(depth: number): Promise<never> {
  const failWith = (error: unknown) =>
    setTimeout(() => {
      throw error;
    });
  if (depth === 0) failWith(new RangeError("too far"));
  else new Thread({ target: failDeep, module, args: [depth - 1] }).start().joinAsync().catch(failWith);
  return new Promise(() => {});
}

export function rename(name: string): void {
  lockstep.currentThread().name = name;
}

function inner(): string {
  return "renamed";
}
export { inner as outer };

export default function unnamedExport(): string {
  return "default";
}

export function fail(): never {
  const error = new RangeError("too far", { cause: new TypeError("the cause") });
  throw Object.assign(error, { code: "E_FAR", more: { deep: [1, 2] } });
}

export function failWithOwnClass(): never {
  throw new lockstep.NotHeldError("not yours", { owner: 7 });
}

export function throwValue(value: unknown): never {
  throw value;
}

/** Runs out of stack. */
export function overflow(): number {
  return overflow() + 1;
}

export function returnFunction(): unknown {
  return { list: [1, { bad: () => 1 }] };
}

export function returnBytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(7);
}

/** What arrives is the same lock: it is held here while the other side looks. */
export function useShared(
  shared: { deep: [Lock, SharedValue<"i32">]; same: Lock },
): { held: boolean; same: boolean; name: string } {
  const [lock, value] = shared.deep;
  const guard = lock.acquire();
  value.add(1);
  const { locked } = shared.same;
  guard.release();
  return { held: locked, same: shared.same === lock, name: lock.name };
}

/** Gives back a lock that it was given and one that it made. */
export function giveLocks(given: Lock): { given: Lock; made: Map<string, Lock> } {
  return { given, made: new Map([["made", new Lock({ name: "made in a thread" })]]) };
}

/** Gives bytes, and with a lock the same by message. */
export function giveBytes(lock?: Lock): { lock: Lock | undefined; bytes: Uint8Array; tail: Uint8Array } {
  const bytes = new Uint8Array([1, 2, 3]);
  return { lock, bytes, tail: bytes.subarray(1) };
}

/** A thread's own starts, each of which blocks at once. */
export function chain(depth: number, lock: Lock, value: SharedValue<"i32">): string {
  lock.withLock(() => value.value++);
  if (depth === 0) return "end";
  return `${depth} ${new Thread({ target: chain, module, args: [depth - 1, lock, value] }).start().join()}`;
}

/** Says who it is, from inside. */
export function introduce(): Record<string, unknown> {
  const self = lockstep.currentThread();
  const main = lockstep.mainThread();
  return {
    ...{ name: self.name, id: self.id, daemon: self.daemon, alive: self.alive, state: self.state },
    ...{ same: lockstep.currentThread() === self, isMain: main.id === self.id, mainName: main.name },
    ...{ mainDaemon: main.daemon, isMainThread: lockstep.isMainThread },
    listed: lockstep.enumerateThreads().map(({ name }) => name),
    inherited: new Thread({ target: add, module, args: [1, 2] }).daemon,
  };
}

export function joinMyself(): unknown {
  return codeOf(() => lockstep.currentThread().join());
}

export function joinMain(): unknown {
  return codeOf(() => lockstep.mainThread().join());
}

/** Joins the thread that started it, which waits for this one. */
export function joinStarter(handle: lockstep.Handle): unknown {
  return codeOf(() => Thread.attach(handle).join());
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return "nothing thrown";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

export function startsOneThatJoinsMe(): unknown {
  const { handle } = lockstep.currentThread();
  return new Thread({ target: joinStarter, module, args: [handle] }).start().join();
}

/** Joins somebody else's thread by its handle. */
export async function joinByHandle(handle: lockstep.Handle, block: boolean): Promise<unknown> {
  const thread = Thread.attach(handle);
  try {
    return { value: block ? thread.join() : await thread.joinAsync() };
  } catch (error) {
    return { error };
  }
}

export function waitFor(event: lockstep.Event): string {
  event.wait();
  return "set";
}

export function setEvent(event: lockstep.Event): void {
  event.set();
}

/** Shows its turns, and ends when they are below zero: where nobody can stop it, it would slow down all that follows. */
export function spin(turns: SharedValue<"i32">): void {
  while (turns.add(1) >= 0);
}

/** Starts a thread that idles, as this one does then. */
export async function idleWithThread(here: lockstep.Event): Promise<void> {
  new Thread({ target: idle, module, args: [here], name: "idle below", daemon: false }).start();
  await idle();
}

/** Has a thread that spins end. */
export function stopSpinning(turns: SharedValue<"i32">): void {
  turns.value = -(2 ** 31);
}

/** Idles in its event loop, without any wait of Lockstep's. */
export function idle(here?: lockstep.Event): Promise<void> {
  here?.set();
  return new Promise((resolve) => setTimeout(resolve, 100_000));
}

/** Starts a thread that takes its time, joins it not, and returns. */
export function leaveBehind(done: SharedValue<"i32">, daemon: boolean): string {
  new Thread({ target: daemon ? spin : finishLater, module, args: [done], daemon }).start();
  return "left";
}

export async function finishLater(done: SharedValue<"i32">, ms = 200): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  done.add(1);
}

/** The second thread is started when this one has returned, and waits for the first. */
export function leaveTwo(done: SharedValue<"i32">): string {
  const leave = (ms: number) => new Thread({ target: finishLater, module, args: [done, ms], daemon: false }).start();
  setTimeout(leave, 50, 1000);
  leave(200);
  return "left";
}

/** Leaves a thread that takes its time beside one that was told to stop and spins on, where the runtime cannot stop it. */
export async function leaveBesideStuck(turns: SharedValue<"i32">, done: SharedValue<"i32">): Promise<string> {
  const spinning = new Thread({ target: spin, module, args: [turns], daemon: false }).start();
  while (turns.value === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await spinning.terminate({ grace: 20 }).catch(() => {});
  new Thread({ target: finishLater, module, args: [done], daemon: false }).start();
  return "left";
}

/** How it ends is the argument. */
export async function endBy(how: string): Promise<void> {
  switch (how) {
    case "exit":
      realm.process.exit(3);
      break;
    case "exit 0":
      realm.process.exit(0);
      break;
    case "runtime exit":
      (realm.Deno ?? realm.process).exit(4);
      break;
    case "close":
      realm.close();
      break;
    case "late error":
      setTimeout(() => {
        throw new TypeError("late");
      }, 1);
      break;
    case "late rejection":
      Promise.reject(new TypeError("late"));
      break;
    case "nothing left":
      break;
  }
  await new Promise(() => {});
}

/** Ends with an exit listener that takes its time and a lock; both are said in `how`. */
export function endListening(how: string, lock: Lock, at: SharedValue<"i32">): string | Promise<void> {
  realm.process.on("exit", () => {
    const guard = lock.acquire();
    at.value = 1;
    for (const end = performance.now() + 200; performance.now() < end;);
    at.value = 2;
    guard.release();
    if (how.includes("listener throws")) throw new TypeError("from the listener");
    if (how.includes("listener exits")) realm.process.exit(3);
  });
  if (how.startsWith("throw")) throw new RangeError("from the target");
  return how.startsWith("return") ? "returned" : endBy(how.split(",")[0]!);
}

/** Returns an object; its exit listener puts another one. */
export function endPutting(queue: lockstep.Queue<unknown>): { kept: string; numbers: number[] } {
  realm.process.on("exit", () => queue.put({ late: "message", numbers: [9, 9, 9] }));
  return { kept: "result", numbers: [1, 2, 3] };
}

/** Returns something, in a process where nobody's wrapper of `emit` is left. */
export function endUnwrapped(): string {
  delete realm.process.emit;
  const { emit } = realm.process;
  realm.process.emit = (...args: unknown[]) => emit.apply(realm.process, args);
  return "returned";
}

/** Ends while it holds a lock. */
export function dieHolding(lock: Lock, how: string): Promise<void> {
  lock.acquire();
  return endBy(how);
}

/** Waits in every way there is until it is told to stop; what it does on its way out is seen. */
export async function waitIn(how: string, lock: Lock, event: lockstep.Event, out: SharedValue<"i32">): Promise<void> {
  const mine = new Lock();
  const guard = mine.acquire();
  try {
    out.add(10);
    if (how === "lock") lock.acquire();
    else if (how === "lock async") await lock.acquireAsync();
    else if (how === "event") event.wait();
    else if (how === "event async") await event.waitAsync();
    else if (how === "timed") event.tryWait({ timeout: 100_000 });
    else if (how === "join") new Thread({ target: waitFor, module, args: [event] }).start().join();
    else if (how === "again") {
      for (;;) {
        try {
          event.wait();
        } catch {
          await Promise.resolve(); // deaf to the first
          event.wait();
        }
      }
    }
  } finally {
    guard.release();
    out.add(1);
  }
}

/** What a Doubler gives. */
export interface Doubled {
  doubled: number;
  name: string;
  hidden: boolean;
  built: number;
  lock: boolean;
}

/** Fields travel, the constructor does not run again, and private ones are not there. */
export class Doubler extends Thread<Doubled> {
  static built = 0;
  number: number;
  lock: Lock = new Lock();
  #hidden = 1;

  constructor(number: number) {
    super({ module, name: "doubler" });
    Doubler.built++;
    this.number = number;
  }

  override run(): Doubled {
    return {
      doubled: 2 * this.number,
      name: this.name,
      hidden: #hidden in this,
      built: Doubler.built,
      lock: this.lock instanceof Lock && lockstep.currentThread() === this,
    };
  }
}

/** Wraps what its target does. */
export class Wrapping extends Thread<number, [number, number]> {
  constructor(a: number, b: number) {
    super({ target: add, module, args: [a, b] });
  }

  override run(): number {
    return -(super.run() as number);
  }
}

/** A field that cannot be carried. */
export class Unstartable extends Thread {
  callback: () => number = () => 1;
  constructor() {
    super({ module });
  }
  override run(): void {}
}

/** Fields of JavaScript, which its classes define whatever they hide; TypeScript refuses them. */
export function hiding(field: string): Thread {
  class Hiding extends Thread {
    constructor() {
      super({ module });
      Object.defineProperty(this, field, { value: true, configurable: true, enumerable: true, writable: true });
    }
    override run(): void {}
  }
  return new Hiding();
}

/** Has a setter, which runs in the constructor only. */
export class Setting extends Thread<unknown> {
  set by(by: string) {
    throw new Error(`set by ${by}`);
  }
  constructor() {
    super({ module });
    Object.defineProperty(this, "by", { value: "a field", configurable: true, enumerable: true, writable: true });
  }
  override run(): unknown {
    return Object.getOwnPropertyDescriptor(this, "by")?.value;
  }
}

export function ring(sign: SharedValue<"i32">, by = 1): number {
  return sign.add(by);
}

/** Starts a thread that fails, and joins it not. */
export function leaveFailing(): void {
  new Thread({ target: fail, module, name: "inner", daemon: false }).start();
}

/** Spins while it holds a lock, until an event is set. */
export function holdAndSpin(lock: Lock, turns: SharedValue<"i32">, stop: lockstep.Event): void {
  const guard = lock.acquire();
  while (!stop.isSet) turns.add(1);
  guard.release();
}

export async function terminateByHandle(handle: lockstep.Handle): Promise<void> {
  await Thread.attach(handle).terminate();
}

/** Exits while threads of its own are at work, one of which waits. */
export async function exitWithThreads(first: SharedValue<"i32">, second: SharedValue<"i32">): Promise<void> {
  new Thread({ target: sleepLong, module, args: [first], name: "sleeper" }).start();
  new Thread({ target: spin, module, args: [second], name: "spinner", daemon: true }).start();
  while (first.value === 0 || second.value === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  realm.process.exit(3);
}

export function sleepLong(here: SharedValue<"i32">): void {
  here.add(1);
  new lockstep.Event().wait();
}

/** Joins, in a thread so far down, a thread that gives a lock. */
export async function joinDeep(handle: lockstep.Handle, depth: number): Promise<string> {
  if (depth > 1) return await new Thread({ target: joinDeep, module, args: [handle, depth - 1] }).start().joinAsync();
  const { made } = await Thread.attach<ReturnType<typeof giveLocks>>(handle).joinAsync();
  return made.get("made")!.name;
}

/** Starts one that gives a lock, and one that joins it: neither is the other's starter. */
export async function startGiver(): Promise<string> {
  const giver = new Thread({ target: giveLocks, module, args: [new Lock()] }).start();
  return await new Thread({ target: joinDeep, module, args: [giver.handle, 2] }).start().joinAsync();
}
