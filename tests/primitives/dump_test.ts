// What dumps show, how they are drawn, and the warning for a program that sleeps as a whole.

import { agent } from "../../primitives/_agent.ts";
import { makeHandle } from "../../primitives/_handle.ts";
import type { Host } from "../../primitives/host.ts";
import { createRecord } from "../../primitives/_memory.ts";
import { Roster } from "../../primitives/_roster.ts";
import { BlockedWait, waitAsync } from "../../primitives/_wait.ts";
import type { Dump, DumpThread, DumpWait } from "../../mod.ts";
import {
  currentThread,
  Event,
  findDeadlocks,
  Latch,
  Lock,
  Thread,
  threadDump,
  toDot,
  toMermaid,
  trackHeld,
} from "../../mod.ts";
import { until } from "../_until.ts";
import { assert, runtime, test } from "../_harness.ts";
import { holdUntil, want, wantAsync } from "../testdata/dump_threads.ts";

const module = new URL("../testdata/dump_threads.ts", import.meta.url);

function of(dump: Dump, name: string): DumpThread {
  const thread = dump.threads.find((thread) => thread.name === name);
  assert(thread, `no ${name} in ${dump}`);
  return thread;
}

/** This thread, which in a browser is not the main one. */
function mine(dump: Dump): DumpThread {
  return dump.threads.find(({ id }) => id === currentThread().id)!;
}

/** Runs one thread that holds a lock and three that want it, each in its own way. */
async function scene(body: (lock: Lock) => unknown): Promise<void> {
  const lock = new Lock({ name: "table" });
  const done = new Event({ name: "done" });
  const ready = new Latch(1);
  const names = ["holder", "waiter", "patient", "tasker"];
  const threads: Thread<void | Promise<void>>[] = [];
  threads.push(new Thread({ target: holdUntil, module, args: [lock, ready, done], name: names[0]! }).start());
  await ready.waitAsync();
  const all = new Latch(3);
  threads.push(
    new Thread({ target: want, module, args: [lock, all, Infinity], name: names[1]!, daemon: true }).start(),
  );
  threads.push(new Thread({ target: want, module, args: [lock, all, 60_000], name: names[2]! }).start());
  threads.push(new Thread({ target: wantAsync, module, args: [lock, all], name: names[3]! }).start());
  await all.waitAsync();
  try {
    await until(() => names.every((name) => of(threadDump(), name).waits.length === 1));
    await body(lock);
  } finally {
    done.set();
    for (const thread of threads) await thread.joinAsync();
  }
}

test("threadDump() shows states, waits with and without a time limit, waits of tasks, and owners", () =>
  scene(() => {
    const dump = threadDump();
    const holder = of(dump, "holder");
    const owners = [{ id: holder.id, name: "holder" }];
    assert.deepEqual({ state: holder.state, daemon: holder.daemon, main: holder.main }, {
      ...{ state: "blocked", daemon: false, main: false },
    });
    const waits = (name: string): unknown => {
      const [{ elapsed, record: _, ...wait }] = of(dump, name).waits as [DumpThread["waits"][number]];
      assert.between(elapsed, 0, 10_000);
      return wait;
    };
    assert.deepEqual(waits("holder"), {
      ...{ kind: "Event", name: "done", verb: "wait", timed: false, task: false, owners: [] },
    });
    const lock = { kind: "Lock", name: "table", verb: "acquire", timed: false, task: false, owners };
    assert.deepEqual(waits("waiter"), lock);
    assert.deepEqual(waits("patient"), { ...lock, timed: true });
    assert.deepEqual(waits("tasker"), { ...lock, task: true });
    assert.equal(of(dump, "tasker").state, "running");
    assert(of(dump, "waiter").daemon);
    assert(dump.threads.some(({ main, state }) => main && state === "running"));
  }));

test("A wait is shown once it has looked for whom it waits, and never with others than these", () => {
  const { words, roster } = createRecord("Lock", 64, undefined);
  const dumps: DumpThread[] = [];
  const owners = (): number[] => {
    dumps.push(mine(threadDump()));
    return [roster.me];
  };
  const wait = BlockedWait.begin(
    { kind: "Lock", name: "", words, roster, verb: "acquire", owners },
    Infinity,
  );
  try {
    dumps.push(mine(threadDump()));
  } finally {
    wait.end();
  }
  dumps.push(mine(threadDump()));
  assert.deepEqual(dumps.map(({ state }) => state), ["running", "blocked", "running"]);
  assert.deepEqual(dumps.map(({ waits }) => waits.map(({ owners }) => owners.map(({ id }) => id))), [
    [],
    [[roster.me]],
    [],
  ]);
}, { skip: runtime === "browser" ? "a page never blocks" : undefined });

test("A task's wait is shown as old as it is, whomever it has waited for meanwhile", async () => {
  const { words, roster } = createRecord("Lock", 64, undefined);
  const end = new AbortController();
  let owner = roster.me;
  const begun = performance.now();
  const never = { done: false, sleep: { words, index: 10, expected: 0 } } as const;
  const wanted = { kind: "Lock", name: "", words, roster, verb: "acquire", owners: () => [owner] };
  const wait = waitAsync(wanted, () => never, { signal: end.signal });
  await until(() => mine(threadDump()).waits.length === 1);
  owner = 12345;
  let shown: readonly DumpWait[] = [];
  let waited = 0;
  await until(() => {
    waited = performance.now() - begun;
    shown = mine(threadDump()).waits;
    assert.equal(shown.length, 1);
    return shown[0]!.owners[0]!.id === owner;
  });
  assert.between(shown[0]!.elapsed, waited - 5, waited + 1000);
  end.abort();
  await assert.rejects(wait);
  assert.equal(mine(threadDump()).waits.length, 0);
});

test("A dump prints as a table, crosses threads as data, and is drawn", () =>
  scene((lock) => {
    const dump = threadDump();
    const lines = `${dump}`.split("\n");
    const line = (name: string): string => lines.find((line) => line.startsWith(name)) ?? "";
    assert.match(lines[0]!, /^thread +state +what +since +by$/);
    assert.match(
      line("waiter"),
      /^waiter +blocked, daemon +waits for +Lock "table" acquire\(\) +(?:\d+ ms|\d+\.\d s) +held by holder$/,
    );
    assert.match(line("patient"), /acquire\(\) \(timed\)/);
    assert.match(line("tasker"), /acquire\(\) \(task\)/);
    const copy = structuredClone(dump);
    assert.deepEqual(JSON.stringify(copy), JSON.stringify(dump));
    assert.equal(toMermaid(copy), toMermaid(dump));
    const [waiter, holder] = [of(dump, "waiter").id, of(dump, "holder").id];
    const record = of(dump, "waiter").waits[0]!.record;
    for (const part of [`t${waiter}("waiter, blocked")`, `t${waiter} -->|"waits, acquire#40;#41;"| r${record}`]) {
      assert(toMermaid(dump).includes(part), `${toMermaid(dump)} lacks ${part}`);
    }
    assert(toMermaid(dump).includes(`r${record} -->|"held by"| t${holder}`));
    assert(toDot(dump).includes(`r${record} -> t${holder} [label="held by"];`));
    assert(toDot(dump).includes(`r${record} [label="Lock \\"${lock.name}\\"", shape=box];`));
    assert.deepEqual(findDeadlocks(), []);
  }));

test("toMermaid() and toDot() refuse what is no dump", () => {
  const expected = {
    name: "TypeError",
    message: /^Cannot draw a dump as it must be what threadDump\(\) returned: it is /,
  };
  for (const dump of [undefined, null, 5, "x", {}, { threads: 5 }, { threads: [5] }, { threads: [{ id: 1 }] }]) {
    assert.throws(() => toMermaid(dump as never), expected);
    assert.throws(() => toDot(dump as never), expected);
  }
});

test("With trackHeld(true) dumps show every lock held, by any thread, and where it was taken", async () => {
  trackHeld(true);
  try {
    await scene(() => {
      const guard = new Lock({ name: "mine" }).acquire();
      const dump = threadDump();
      assert(dump.tracked);
      const [held] = of(dump, "holder").holds;
      assert.deepEqual({ kind: held!.kind, name: held!.name, task: held!.task }, {
        ...{ kind: "Lock", name: "table", task: false },
      });
      assert.match(held!.place, /dump_threads\.\w+:\d+:\d+/);
      assert.match(mine(dump).holds[0]!.place, /dump_test\.\w+:\d+:\d+/);
      assert.match(`${dump}`, /holder .*\n.* holds +Lock "table" .* at .*dump_threads/);
      assert.equal(of(dump, "waiter").holds.length, 0);
      guard.release();
      assert.equal(mine(threadDump()).holds.length, 0);
    });
  } finally {
    trackHeld(false);
  }
  const guard = new Lock().acquire();
  assert.equal(threadDump().threads.flatMap(({ holds }) => holds).length, 0);
  guard.release();
});

test("A dump says when a thread holds more than it has room for, and forgets none of them", () => {
  trackHeld(true);
  try {
    const locks = Array.from({ length: 20 }, (_, i) => new Lock({ name: `${i}` }));
    const guards = locks.map((lock) => lock.acquire());
    assert.equal(mine(threadDump()).holds.length, 15);
    assert.equal(mine(threadDump()).more, 5);
    assert.match(`${threadDump()}`, /and 5 more/);
    for (const guard of guards) guard.release();
    assert.equal(mine(threadDump()).holds.length, 0);
    assert.equal(mine(threadDump()).more, 0);
  } finally {
    trackHeld(false);
  }
});

test("A hold that another object for the lock, or a bare release(), has ended is not shown", () => {
  trackHeld(true);
  try {
    const lock = new Lock({ name: "a" });
    lock.acquire();
    Lock.attach(lock.handle).release();
    const task = new Lock({ name: "b" }).acquire();
    assert.deepEqual(mine(threadDump()).holds.map(({ name }) => name), ["b"]);
    task.release();
  } finally {
    trackHeld(false);
  }
  assert.throws(() => trackHeld(1 as never), TypeError);
});

test("Locks of a program that tracks nothing, met meanwhile, leave the tracking of this one alone", () => {
  const { words } = createRecord("Lock", 64, undefined);
  const handle = makeHandle("Lock", words, Roster.create(), "foreign");
  trackHeld(true);
  try {
    const guard = new Lock({ name: "a" }).acquire();
    const foreign = Lock.attach(handle);
    foreign.acquire().release();
    const both = [new Lock({ name: "b" }).acquire(), foreign.acquire(), new Lock({ name: "c" }).acquire()];
    assert.deepEqual(mine(threadDump()).holds.map(({ name }) => name).sort(), ["a", "b", "c"]);
    for (const each of [guard, ...both]) each.release();
    assert.deepEqual([mine(threadDump()).holds, agent.ranked], [[], []]);
  } finally {
    trackHeld(false);
  }
  const untold = new Lock().acquire();
  assert.deepEqual([mine(threadDump()).holds, agent.ranked], [[], []]);
  untold.release();
});

test("Names of any kind neither break the table nor the charts", () => {
  trackHeld(true);
  try {
    const guard = new Lock({ name: 'a"]; b --> c\n<script>`#{|}\\' }).acquire();
    const dump = threadDump();
    assert(`${dump}`.split("\n").some((line) => line.includes("holds") && line.includes("<script>")));
    assert(!toMermaid(dump).includes("<script>"));
    assert.equal(toMermaid(dump).split("\n").filter((line) => line.includes("-->")).length, 1);
    assert.match(toDot(dump), /label="Lock \\"a\\\\\\"\]; b --> c/);
    guard.release();
  } finally {
    trackHeld(false);
  }
});

/** What is printed to standard error by this thread while it waits; `wake` is called when that happens. */
function printed(wake: () => void, body: () => void): string {
  const host = agent.host!;
  let text = "";
  agent.host = Object.create(host, {
    printError: {
      value: (more: string) => {
        text += more;
        wake();
      },
    },
  }) as Host;
  try {
    body();
  } finally {
    agent.host = host;
  }
  return text;
}

test(
  "A program whose threads all sleep without a time limit prints one warning with the dump, and goes on when it can",
  async () => {
    const done = new Event({ name: "never" });
    const threads = ["one", "two"].map((name) =>
      new Thread({ target: holdUntil, module, args: [new Lock(), new Latch(1), done], name }).start()
    );
    // The thread whose wait began last is the one that warns: this one.
    await until(() => ["one", "two"].every((name) => of(threadDump(), name).state === "blocked"));
    // One of an earlier test that was killed counts as running until this event loop has turned.
    await until(() => threadDump().threads.length === 3);
    const text = printed(() => done.set(), () => done.wait());
    for (const thread of threads) thread.join();
    assert.match(text, /^Lockstep: all 3 threads are asleep in waits without a time limit, and nobody is left/);
    assert.match(text, /\none +blocked +waits for +Event "never" wait\(\)/);
    assert.equal(text.match(/Lockstep:/g)?.length, 1);
  },
  { skip: runtime === "browser" ? "a page never blocks, so its program is never stuck as a whole" : undefined },
);

test("No warning while one thread runs, starts, or sleeps with a time limit", () => {
  const done = new Event();
  const lock = new Lock();
  const ready = new Latch(1);
  const sleeper = new Thread({ target: holdUntil, module, args: [lock, ready, done] }).start();
  ready.wait();
  const timed = new Latch(1);
  const waiter = new Thread({ target: want, module, args: [lock, timed, 1800] }).start();
  timed.wait();
  const text = printed(() => done.set(), () => waiter.join());
  assert.equal(text, "");
  done.set();
  sleeper.join();
});
