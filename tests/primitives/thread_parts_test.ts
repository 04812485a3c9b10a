// What the threads of a program tell each other, without threads: each is an agent of its own, with a host that the test plays.

import { Agent, agent } from "../../primitives/_agent.ts";
import "../../primitives/_codec_here.ts";
import { encodeError } from "../../primitives/_codec_error.ts";
import { Roster } from "../../primitives/_roster.ts";
import { ThreadCore } from "../../primitives/_thread_core.ts";
import { noteEnd, passedUp, picture, tellOwnEnd, tellUntold } from "../../primitives/_thread_hook.ts";
import { arrival, errorOf, takePosted } from "../../primitives/_thread_outcome.ts";
import type { Ending } from "../../primitives/_thread_record.ts";
import { endOrphan, hearChildren, receive, startThread } from "../../primitives/_thread_start.ts";
import type { Host, HostEnd, HostSpawn, HostWorkerEvents } from "../../primitives/host.ts";
import { asAgent } from "../_as_agent.ts";
import "../../primitives/_codec_here.ts";
import { assert, test } from "../_harness.ts";
import { notified } from "../_notified.ts";

const boom = new RangeError("boom");
const bytes = encodeError(boom).slice();
const DAEMON = true;

/** A worker that the test plays: what it sends is heard when the event loop turns, or taken before. */
class Worker {
  readonly inbox: unknown[] = [];
  readonly got: unknown[] = [];
  readonly events: HostWorkerEvents;
  readonly start: HostSpawn;
  readonly calls: string[] = [];
  constructor(start: HostSpawn, events: HostWorkerEvents) {
    this.start = start;
    this.events = events;
  }
  post(message: unknown): void {
    this.got.push(message);
  }
  take(): { message: unknown } | undefined {
    return this.inbox.length === 0 ? undefined : { message: this.inbox.shift() };
  }
  terminate(): void {
    this.calls.push("terminate");
  }
  hush(): void {
    this.calls.push("hush");
  }
  setRef(ref: boolean): void {
    this.calls.push(`setRef ${ref}`);
  }
}

/** A thread of a program, with what it has printed and posted. */
class Player {
  readonly agent = new Agent();
  readonly printed: string[] = [];
  readonly posted: any[] = [];
  readonly workers: Worker[] = [];
  readonly ends: ((end: HostEnd) => void)[] = [];
  fails: Error | undefined = undefined;
  onSpawn: () => void = () => {};
  /** The thread that it started last, or wanted to. */
  last!: ThreadCore;

  constructor(started: boolean) {
    this.agent.mayBlock = true;
    this.agent.started = started;
    this.agent.host = {
      ...{ name: "a test", isMainThread: !started, stopsRunningCode: true, stopsNested: true, startsBlocked: true },
      spawn: (start: HostSpawn, events: HostWorkerEvents) => {
        const worker = new Worker(start, events);
        this.workers.push(worker);
        this.onSpawn();
        if (this.fails !== undefined) throw this.fails;
        return worker;
      },
      post: (message: unknown) => this.posted.push(message),
      onEnd: (listener: (end: HostEnd) => void) => this.ends.push(listener),
      printError: (text: string) => this.printed.push(text),
      joined: () => {},
    } as unknown as Host;
  }

  run<T>(act: () => T): T {
    return asAgent(this.agent, act);
  }

  /** Starts a thread, which is somebody who is played likewise. */
  start(name = "one", daemon = false): { core: ThreadCore; worker: Worker; thread: Player; theirs: ThreadCore } {
    const core = this.last = this.run(() => ThreadCore.create(name, daemon, 100));
    const plan = { call: {}, args: undefined, fields: undefined, given: [], worker: undefined };
    this.run(() => startThread(core, plan as unknown as Parameters<typeof startThread>[1]));
    const thread = new Player(true);
    const handle = this.run(() => core.handle);
    const theirs = thread.run(() => {
      Roster.attach(handle.roster, handle.rosterOffset).adopt(core.record.id);
      return ThreadCore.attach(handle);
    });
    return { core, worker: this.workers[this.workers.length - 1]!, thread, theirs };
  }

  /** What it has printed since. */
  get said(): number {
    return this.printed.splice(0).length;
  }
}

const ABRUPT: readonly (readonly [Ending, quiet: boolean])[] = [
  [{ kind: "returned", bytes: "posted" }, true],
  [{ kind: "threw", bytes }, false],
  [{ kind: "ended", reason: "terminated" }, true],
  [{ kind: "ended", reason: "terminated", exitCode: 1 }, true],
  [{ kind: "ended", reason: "exit" }, true],
  [{ kind: "ended", reason: "exit", exitCode: 0 }, true],
  [{ kind: "ended", reason: "exit", exitCode: 7 }, false],
  [{ kind: "ended", reason: "closed", exitCode: 0 }, true],
  [{ kind: "ended", reason: "closed" }, false],
  [{ kind: "ended", reason: "closed", exitCode: 13 }, false],
  [{ kind: "ended", reason: "error", bytes }, false],
  [{ kind: "ended", reason: "unknown" }, false],
];

test("T21 a failed thread is told of once, unless somebody has joined it, or may yet", () => {
  for (const [ending, quiet] of ABRUPT) {
    const once = Number(!quiet);
    const main = new Player(false);
    const fails = (): ReturnType<Player["start"]> => {
      const started = main.start();
      started.core.record.end(ending);
      return started;
    };
    const note = (core: ThreadCore): number => (main.run(() => noteEnd(core)), main.said);
    const untold = (): number => (main.run(tellUntold), main.said);

    let { core, thread, theirs } = fails();
    assert.equal(note(core), once);
    assert.deepEqual([note(core), untold()], [0, 0]);

    ({ core } = fails());
    core.record.markAsked(); // by a join that gave up
    assert.equal(note(core), 0);
    assert.equal(untold(), once);
    assert.deepEqual([note(core), untold()], [0, 0]);

    ({ core } = fails());
    core.record.markAsked();
    assert.equal(note(core), 0);
    core.record.markTaken(); // by one in another thread
    assert.deepEqual([untold(), note(core)], [0, 0]);
    assert.equal(main.agent.untold.size, 0); // or those that are joined here before their end is heard of would stay

    ({ core, thread, theirs } = fails());
    const own = (): number => (thread.run(() => tellOwnEnd(theirs, ending, boom)), thread.said);
    core.record.start(core.record.id, core.record.starter); // start() has not returned
    assert.equal(own(), 0);
    core.record.startReturns();
    assert.equal(own(), once);
    core.record.markAsked();
    assert.deepEqual([own(), note(core), main.agent.untold.size], [0, 0, 0]);

    ({ core, thread, theirs } = fails());
    core.record.markAsked();
    assert.equal(own(), 0);
  }
});

test("T21 an error goes from starter to starter up to the first that has a hook", () => {
  const main = new Player(false);
  const { core, thread, theirs } = main.start();
  core.record.end({ kind: "threw", bytes });
  const told: [unknown, object][] = [];
  const roster = main.run(() => core.roster);
  main.agent.exceptHook = (error, of) => void told.push([error, of]);
  thread.run(() => tellOwnEnd(theirs, core.record.ending!, boom));
  assert.deepEqual([thread.said, thread.posted.length], [1, 0]); // nobody is known to have one
  main.run(() => roster.markHook(true));

  const second = main.start("two");
  second.core.record.end({ kind: "threw", bytes });
  second.thread.run(() => tellOwnEnd(second.theirs, second.core.record.ending!, boom));
  assert.deepEqual([second.thread.said, second.thread.posted.length], [0, 1]);
  const [message] = second.thread.posted;
  assert.equal(message.error.buffer.byteLength, message.error.length); // what it is a part of would be cloned with it
  main.run(() => receive(message));
  assert.equal(told.length, 1);
  assert.equal((told[0]![0] as Error).message, "boom");
  assert.equal((told[0]![1] as ThreadCore).name, "two");
  second.core.record.markTaken();
  main.run(() => passedUp(message.thread, message.error)); // it was joined meanwhile
  assert.equal(told.length, 1);

  const third = main.start("three"); // has a hook of its own
  third.core.record.end({ kind: "threw", bytes });
  third.thread.agent.exceptHook = main.agent.exceptHook;
  third.thread.run(() => tellOwnEnd(third.theirs, third.core.record.ending!, boom));
  assert.deepEqual([told.length, third.thread.said, third.thread.posted.length], [2, 0, 0]);
  main.agent.exceptHook = undefined;
  const fourth = main.start("four"); // nobody is above its starter
  fourth.core.record.end({ kind: "threw", bytes });
  main.run(() => noteEnd(fourth.core));
  assert.deepEqual([main.said, main.posted.length], [1, 0]);
  main.run(() => roster.markHook(false));
});

test("T21 a hook that fails, at once or later, is told of beside the error", async () => {
  for (
    const hook of [() => Promise.reject(new Error("late")), () => {
      throw new Error("late");
    }]
  ) {
    const main = new Player(false);
    const { core } = main.start();
    main.agent.exceptHook = hook as () => void;
    core.record.end({ kind: "threw", bytes });
    main.run(() => noteEnd(core));
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(main.printed.length, 1);
    assert.match(
      main.printed[0]!,
      /^Exception in the except hook:\nError: late[^]*\nException in thread one:\nRangeError: boom/,
    );
  }
});

test("T4 a worker that could not be made is told of by start(), and by nothing else", () => {
  const main = new Player(false);
  main.fails = new Error("no room");
  assert.throws(() => main.start(), /^Cannot start thread "one" as its worker could not be made: no room/);
  assert.deepEqual([main.run(() => agent.children.size), main.last.state], [0, "dead"]);
  const [worker] = main.workers;
  main.run(() => worker!.events.end({ reason: "error" })); // some runtimes tell of it, too
  main.run(tellUntold);
  assert.equal(main.said, 0);
});

test("what a thread had sent before its end comes first", () => {
  const main = new Player(false);
  const { core, worker } = main.start();
  worker.inbox.push({ lockstep: "of a later version" }, { lockstep: "outcome", value: 7 }, 8);
  let stopped = 0;
  core.local.stopListeners.add(() => stopped++);
  core.words[3] = 9; // DONE: it has returned and posted; then it stopped, and woke nobody
  const woken = notified(core.words.buffer, () => main.run(() => worker.events.end({ reason: "exit", exitCode: 0 })));
  assert.deepEqual([woken.includes(3), stopped], [true, 1]);
  assert.deepEqual(core.local.posted, { value: 7 });
  assert.deepEqual([worker.inbox.length, main.said, main.run(() => agent.children.size)], [0, 0, 0]);

  const other = main.start();
  other.worker.inbox.push(1, { lockstep: "outcome", value: 7 });
  main.run(hearChildren);
  assert.deepEqual([core.local.posted, other.worker.inbox.length], [{ value: 7 }, 0]);
  assert.equal(other.core.alive, true);

  const third = main.start(); // its joiner is blocked
  third.worker.inbox.push(1, { lockstep: "outcome", value: 9 }, { lockstep: "outcome", value: 10 });
  assert.equal(main.run(() => takePosted(third.core)), true);
  assert.deepEqual([third.core.local.posted, third.worker.inbox.length], [{ value: 9 }, 1]);
  third.core.record.end({ kind: "returned", bytes: "posted" });
  assert.deepEqual(main.run(() => third.core.join(Infinity)), { value: 9 });
  const fourth = main.start();
  fourth.worker.inbox.push({ lockstep: "outcome", value: 11 });
  fourth.core.record.end({ kind: "returned", bytes: "posted" });
  assert.deepEqual(main.run(() => fourth.core.join(Infinity)), { value: 11 });
  for (let i = 0; i < 300; i++) main.run(() => fourth.worker.events.message({ lockstep: "outcome", value: i }));
  assert.deepEqual([main.agent.posted.length, main.agent.posted.at(-1)], [256, fourth.core.local]);
  assert.equal(main.run(() => takePosted(other.core)), true);
  assert.equal(main.run(() => takePosted(main.start().core)), false);
});

test("a thread that ends without a word has ended as its worker says, or was terminated", () => {
  for (const kills of [false, true]) {
    const main = new Player(false);
    const { core, worker } = main.start();
    const nested = main.run(() => core.roster.take("nested", core.id, 0));
    if (kills) core.record.tell(2); // KILL_BIT
    main.run(() => worker.events.end({ reason: "exit", exitCode: 3, thrown: { error: boom } }));
    const ending = core.record.ending as { reason: string; exitCode?: number };
    assert.deepEqual([ending.reason, ending.exitCode], kills ? ["terminated", undefined] : ["exit", 3]);
    assert.equal(core.roster.alive(nested), false); // its worker's end is theirs
    assert.equal(main.said, kills ? 0 : 1);
    const error = main.run(() => errorOf(core)) as Error;
    assert.match(error.message, kills ? /as it was terminated$/ : /as it called exit\(3\): boom$/);
    assert.equal(error.cause instanceof RangeError, !kills);
    const bare = main.start();
    main.run(() => bare.worker.events.end({ reason: "closed" }));
    assert("cause" in (main.run(() => errorOf(bare.core)) as Error) === false);
  }
  // The same, known by who made the worker for another thread.
  for (const done of [0, 1]) {
    const main = new Player(false);
    const { core } = main.start();
    const start = { record: main.run(() => core.handle) } as unknown as Parameters<typeof endOrphan>[0];
    core.words[3] = done;
    const woken = notified(
      core.words.buffer,
      () => main.run(() => endOrphan(start, { reason: "error", thrown: { error: boom } })),
    );
    assert.equal(core.roster.alive(core.id), false);
    assert(woken.includes(3));
    assert.equal(core.record.ending!.kind, done === 0 ? "ended" : "returned");
  }
});

test("a thread that is told to go at once is stopped where the runtime can", () => {
  for (const can of [true, false]) {
    const main = new Player(false);
    (main.agent.host as { stopsRunningCode: boolean }).stopsRunningCode = can;
    main.onSpawn = () => main.last.record.tell(2); // KILL_BIT
    const { worker } = main.start();
    assert.deepEqual(worker.calls, can ? ["terminate"] : []);
    worker.calls.length = 0;
    main.run(() => main.ends[0]!({ reason: "exit" }));
    assert.deepEqual(worker.calls, can ? ["terminate"] : []);
  }
});

test("the program's end stops what still runs, and is told of once for each agent", () => {
  const main = new Player(false);
  const [first, second] = [main.start("first"), main.start("second")];
  const third = main.start("third");
  assert.equal(main.ends.length, 1);
  third.core.record.end({ kind: "threw", bytes });
  third.core.record.markAsked(); // by a join that gave up: told of only now
  second.worker.inbox.push({ lockstep: "outcome", value: 7 });
  main.run(() => main.ends[0]!({ reason: "exit" }));
  assert.deepEqual([first.worker.calls, second.core.local.posted], [["terminate"], { value: 7 }]);
  assert.deepEqual([main.said, main.agent.untold.size], [1, 0]);
  for (const { worker } of [first, second, third]) main.run(() => worker.events.end({ reason: "terminated" }));
  main.start();
  assert.equal(main.ends.length, 1);
});

test("the outcome of a thread is asked for along the starters, and comes back the same way", () => {
  const main = new Player(false);
  const [giver, middle] = [main.start("giver"), main.start("middle")];
  const joiner = middle.thread.start("joiner");
  assert.equal(middle.thread.ends.length, 0); // it is told to end by main
  // Asked by a grandchild of main, which started the giver.
  const handle = main.run(() => giver.core.handle);
  const ask = { lockstep: "ask", to: giver.core.record.starter, from: joiner.core.id, thread: handle };
  middle.thread.run(() => receive(ask));
  assert.deepEqual(middle.thread.posted, [ask]); // sent on
  main.run(() => receive(ask));
  assert.deepEqual([middle.worker.got.length, giver.core.local.listeners.size], [0, 1]); // it has yet to come
  main.run(() => giver.worker.events.message({ lockstep: "outcome", value: 7 }));
  assert.equal(giver.core.local.listeners.size, 0);
  main.run(() => receive(ask));
  const [answer] = middle.worker.got as any[];
  assert.deepEqual([answer.lockstep, answer.to, answer.posted], ["answer", joiner.core.id, { value: 7 }]);
  middle.thread.run(() => receive(answer));
  assert.deepEqual(joiner.worker.got, [answer]);
  joiner.thread.run(() => receive(answer));
  const heard = joiner.thread.run(() => ThreadCore.attach(handle).local.posted);
  assert.deepEqual(heard, { value: 7 });

  // As a joiner asks, which waits without blocking, and may give up.
  const other = main.start("other");
  const theirs = joiner.thread.run(() => ThreadCore.attach(main.run(() => other.core.handle)));
  for (const gives of [false, true]) {
    const { signal, listening, abort } = countedSignal();
    void joiner.thread.run(() => arrival(theirs, signal)).catch(() => {});
    const waits = (): number[] => [
      ...[theirs.local.listeners.size, joiner.thread.agent.sleepers.size, joiner.thread.agent.pending, listening()],
    ];
    assert.deepEqual(waits(), [1, 1, 1, 1]);
    const question = joiner.thread.posted.pop();
    assert.deepEqual([question.lockstep, question.to], ["ask", other.core.record.starter]);
    if (gives) {
      joiner.thread.run(() => receive({ ...question, lockstep: "answer", to: question.from, posted: { value: 5 } }));
    } else joiner.thread.run(abort);
    assert.deepEqual(waits(), [0, 0, 0, 0]);
  }

  // One that nobody has any more, and one that nobody can be asked for.
  const lost = main.run(() => ThreadCore.create("lost", DAEMON, 100));
  const thread = main.run(() => lost.handle);
  main.run(() => receive({ ...ask, thread }));
  const none = middle.worker.got.pop() as any;
  assert.deepEqual([none.to, none.posted], [joiner.core.id, undefined]);
  joiner.thread.run(() => receive(none));
  assert.equal(joiner.thread.run(() => ThreadCore.attach(thread).local.posted), "lost");
  main.run(() => receive({ ...ask, to: 0x3fff0001, thread }));
  assert.equal((middle.worker.got.pop() as any).posted, undefined);
  const unknown = main.run(() => ThreadCore.attach(main.run(() => ThreadCore.create("unknown", DAEMON, 100).handle)));
  void main.run(() => arrival(unknown, undefined));
  assert.equal(unknown.local.posted, "lost");
});

/** A signal, and how many listen to it. */
function countedSignal(): { signal: AbortSignal; listening: () => number; abort: () => void } {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: any[]) => (count++, (add as any)(...args));
  signal.removeEventListener = (...args: any[]) => (count--, (remove as any)(...args));
  return { signal, listening: () => count, abort: () => controller.abort() };
}

test("a thread that has ended keeps its worker for the threads that it has started", () => {
  for (
    const [daemon, calls] of [[undefined, ["setRef false", "hush"]], [true, ["setRef false"]], [false, []]] as const
  ) {
    const main = new Player(false);
    (main.agent.host as { stopsRunningCode: boolean }).stopsRunningCode = false;
    const { core, worker, thread } = main.start();
    if (daemon !== undefined) thread.start("nested", daemon);
    worker.inbox.push({ lockstep: "outcome", value: 7 });
    core.record.end({ kind: "returned", bytes: "posted" });
    main.run(() => core.local.letGo());
    assert.deepEqual(worker.calls, calls);
    assert.equal(worker.inbox.length, daemon === undefined ? 0 : 1);
  }
  const main = new Player(false); // where running code can be stopped, its end is waited for anyhow
  const { core, worker } = main.start();
  core.record.end({ kind: "returned", bytes: "posted" });
  main.run(() => core.local.letGo());
  assert.deepEqual(worker.calls, []);
});

test("what is printed of an error: its name, message and stack, and up to seven causes", () => {
  const made = (stack: string, cause?: unknown): Error =>
    Object.defineProperty(new RangeError("odd", { cause }), "stack", { value: stack });
  assert.equal(picture(made("RangeError: odd\n    at f (x.ts:1:2)\n")), "RangeError: odd\n    at f (x.ts:1:2)");
  assert.equal(picture(made("Error: old\n    at f (x.ts:1:2)")), "RangeError: odd\n    at f (x.ts:1:2)");
  assert.equal(picture(made("f@x.ts:1:2\n\ng@y.ts:3:4\n")), "RangeError: odd\n    at f@x.ts:1:2\n    at g@y.ts:3:4");
  assert.equal(picture(made("", "why")), "RangeError: odd\nCaused by: Uncaught value: why");
  const ring: unknown[] = [];
  ring.push({ ring });
  for (
    const [thrown, text] of [
      [{ a: [1, "x"] }, '{"a":[1,"x"]}'],
      [[], "[]"],
      [undefined, "undefined"],
      [new Date(NaN), "Invalid Date"],
      [ring, "an object"],
    ] as const
  ) assert.equal(picture(thrown), `Uncaught value: ${text}`);
  const named = (stack: string, name: string): Error =>
    Object.defineProperties(new Error("from a@b"), { stack: { value: stack }, name: { value: name } });
  const stack = "Error: from a@b\n    at f (x.ts:1:2)";
  assert.equal(picture(named(stack, "Error")), stack);
  assert.equal(picture(named(stack, "Later")), "Later: from a@b\n    at f (x.ts:1:2)");
  let nested: Error | undefined;
  for (let i = 0; i < 12; i++) nested = made("", nested);
  assert.equal(picture(nested).split("\n").length, 8);
});
