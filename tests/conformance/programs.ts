// PYTHON.md section 11, T14 to T22 and T27: how programs end, what they print, and with which code.

import { assert, runtime, test } from "../_harness.ts";
import type { Capabilities, OtherMemory } from "../adapters/conformance.ts";

const program = new URL("../testdata/program.ts", import.meta.url);
const unguarded = new URL("../testdata/unguarded.ts", import.meta.url);
// deno-lint-ignore no-explicit-any
const { process } = globalThis as any;

const LIMIT = 60_000;

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** From the end of main's code to that of the process. */
  readonly ms: number;
}

/** Runs a module on this very runtime. */
function run(memory: OtherMemory | undefined, module: URL, ...args: string[]): Promise<Outcome> {
  const { fileURLToPath } = process.getBuiltinModule("node:url");
  return runCode(memory, [fileURLToPath(module), ...args]);
}

/** Runs what such arguments say, a module's path first or Node's options. */
function runCode(memory: OtherMemory | undefined, args: readonly string[]): Promise<Outcome> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const config = process.env.LOCKSTEP_DENO_CONFIG;
  const options = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  if (runtime === "deno" && config !== undefined && args[0]!.endsWith(".ts")) options.push("--config", config);
  if (memory !== undefined) options.push("--preload", memory.preload); // as Deno and Bun call it
  const env = { ...process.env, NO_COLOR: "1" };
  delete env.NODE_TEST_CONTEXT; // or Node's child believes that it is a test
  return new Promise((resolve, reject) => {
    let last = 0;
    const child = spawn(process.execPath, [...options, ...args], { env });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (text.includes("main is done")) last = performance.now();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => err += text);
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT - 2_000);
    child.on("error", reject);
    child.on("close", (code: number | null) => {
      clearTimeout(timer);
      resolve({ code, out, err, ms: performance.now() - last });
    });
  });
}

export function programsCases({ memory }: Capabilities): void {
  const skip = runtime === "browser" ? "no process in a browser" : undefined;

  /** A program, and what it prints and ends with; `err` is all of standard error, or a pattern in it. */
  function ends(title: string, name: string, out: string, err: string | RegExp = "", code: number = 0): void {
    test(title, async () => {
      const outcome = await run(memory, program, name);
      const { out: printed, err: said, code: ended } = outcome;
      assert.deepEqual([printed, ended], [out, code], JSON.stringify(outcome));
      if (typeof err === "string") assert.equal(said, err);
      else assert.match(said, err);
    }, { skip, limit: LIMIT });
  }

  ends("a program that has joined its threads exits by itself", "joined", "from the thread\nfrom the thread\n");
  test("a program on Node's command line starts threads", async () => {
    const code = `await import(${JSON.stringify(program.href)})`;
    const { out, err } = await runCode(memory, ["--input-type=module", "-e", code, "program", "joined"]);
    assert.deepEqual([out, err], ["from the thread\nfrom the thread\n", ""]);
  }, { skip: runtime === "node" ? undefined : "the option is Node's", limit: LIMIT });
  ends("a program that has joined its threads async does", "joinedAsync", "from the thread\nfrom the thread\n");
  ends("T15 the program ends after its threads, which end after main's code", "unjoined", "main is done\nlate\n");
  ends("T14 also after one that a thread started", "grandchild", "main is done\nfrom the grandchild\n");
  ends("T14 also after one that a daemon started", "childOfDaemon", "main is done\nfrom the grandchild\n");
  const outlives = runtime === "deno" ? "from the grandchild\n" : ""; // elsewhere it is killed with its starter
  ends("T14 also after one that outlives its starter", "spinningGrandchild", `main is done\n${outlives}`);
  ends("T16 daemons do not keep it, waiting", "waitingDaemon", "main is done\n");

  test("T16 D31 40 busy daemons, some of which print, neither delay nor break the exit", async () => {
    const { code, out, err, ms } = await run(memory, program, "daemons");
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /main is done\n/);
    assert(ms < 3000, `the end took ${ms} ms`);
  }, { skip, limit: LIMIT });

  const failed = /^Exception in thread worker-\d:\nRangeError: it failed\n {4}at .*fail.*\n/;
  ends("T19 T20 the error of a thread that nobody joins is printed", "fails", "main is done\n", failed);
  ends(
    "T19 also one whose cause is no text, and a late join gets it",
    "failsStrangely",
    "RangeError it failed 1\n",
    failed,
  );
  ends("T19 also when its starter exits before it can", "exitsAfterFailed", "main is done\n", failed);
  ends("T19 T21 then the hook is told, too", "exitsAfterFailedHook", "worker-5 RangeError: it failed\n");
  ends("T19 one that is joined is not", "failsJoined", "joined it failed\n");
  ends("T19 one that was asked for in vain is, when the program ends", "failsAfterTry", "main is done\n", failed);
  const both =
    /^Exception in the except hook:\nTypeError: the hook failed\n[^]*Exception in thread worker-9:\nRangeError/;
  ends("T21 a hook that throws is printed with the error", "hookThrows", "", both);
  ends("T21 an async hook that rejects is too", "hookRejects", "", both);
  const atOnce = /^Exception in thread worker-4:\nRangeError[^]*\nmain goes on\n$/;
  ends("T21 the hook of a thread that has ended counts no more", "hookGone", "", atOnce);
  ends("T22 exit(0) in a thread prints nothing", "exit0", "main is done\n");
  ends(
    "T22 exit(3) in a thread ends that thread, and is printed when nobody joins",
    "exit3",
    "main is done\n",
    /^Exception in thread worker-3:\nThreadError: .*exit\(3\)/,
  );
  ends("T18 an uncaught error in main ends the program as the runtime does", "mainFails", "", /main failed/, 1);
  const failedToo = /^(?=[^]*main failed)(?=[^]*Exception in thread worker-2:\nRangeError: it failed\n)/;
  ends("T18 T19 and then the errors of threads are printed, too", "mainFailsAfterTry", "", failedToo, 1);
  ends("T18 so does an exit call in main", "mainExits", "", "", 5);
  ends("what a thread prints appears at once, also while main is busy", "outputAtOnce", "from the thread\nfrom main\n");
  ends("so it does in a worker of one's own", "servedOutput", "from the thread\nfrom main\n".repeat(2));
  if (runtime === "node" || runtime === "bun") { // Deno has no such option
    ends("one's own worker may be made to give its output to its maker", "servedOutputAsked", "asked for: hi\n");
  }

  test("what a thread prints comes out whole and in order", async () => {
    const { code, out, err } = await run(memory, program, "outputOrder");
    const lines = out.split("\n");
    assert.deepEqual([code, err, lines.length], [0, "and an error\n", 3002]);
    assert(lines.slice(0, 3000).every((line, i) => line === `line ${i} ${"x".repeat(40)}`));
    assert.equal(lines[3000], "from main MainThread");
  }, { skip, limit: LIMIT });

  test(
    "T27 D29 a module that starts threads while it is imported gets one ThreadError that names the guard",
    async () => {
      const { code, out, err } = await run(memory, unguarded);
      assert.equal(code, 0, err);
      assert.match(out, /^ThreadError Cannot start thread .* isMainThread\n$/);
      assert.equal(err, "");
    },
    { skip, limit: LIMIT },
  );
}
