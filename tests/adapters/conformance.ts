/**
 * The one suite that every adapter passes, on every runtime.
 *
 * How it is run: `deno_test.ts`, `node_test.ts`, `bun_test.ts` and `browser_test.ts` each call `conformance()` with what
 * their runtime can do, and only there. Deno runs it from the sources; Node, Bun, Deno again and the three browsers run
 * it from the packed tarball (`npm/site.ts`), browsers from a bundle of that (`../browser/package_bundle.ts`), once on a page's
 * main thread and once in a worker (`realm=worker`).
 * `../hostile/` runs all of it once more, on a memory that keeps only what the primitives may rely on.
 *
 * How to add cases: a file `../conformance/<topic>.ts` exports a function that takes the capabilities and calls
 * `test()`; it is listed in `TOPICS`. Such a file
 * - imports `test`, `assert` and the like from `../_harness.ts`, and Lockstep from `@lockstep/lockstep` or by a relative
 *   path; no package, no `node:` module and no `Deno`, or it is left out of everything but Deno;
 * - may be the module of its own threads (`module: import.meta.url`), since only main threads register tests; a target
 *   that must not load the suite stands in `../testdata/<name>_worker.ts`;
 * - has the work of threads that neither start nor end for the case's sake done by hands (`../conformance/_hands.ts`):
 *   most of the time would go by in starting them;
 * - tells workers and programs that Lockstep does not start which memory to open, `has.memory`;
 * - has no `using` statement, and blocks the main thread only where `has.blocksMain`;
 * - passes a capability that is missing as `skip`, with the reason, so that it is reported and not forgotten.
 *
 * @module
 */

import { assert, test } from "../_harness.ts";
import { enumerateThreads } from "../../mod.ts";
import { dismissHands } from "../conformance/_hands.ts";
import { barrierCases } from "../conformance/barrier.ts";
import { conditionCases } from "../conformance/condition.ts";
import { eventCases } from "../conformance/event.ts";
import { hangsCases } from "../conformance/hangs.ts";
import { latchCases } from "../conformance/latch.ts";
import { lockCases } from "../conformance/lock.ts";
import { namesCases } from "../conformance/names.ts";
import { pipeCases } from "../conformance/pipe.ts";
import { programsCases } from "../conformance/programs.ts";
import { queueCases } from "../conformance/queue.ts";
import { rlockCases } from "../conformance/rlock.ts";
import { rwLockCases } from "../conformance/rwlock.ts";
import { semaphoreCases } from "../conformance/semaphore.ts";
import { servedCases } from "../conformance/served.ts";
import { threadEndsCases } from "../conformance/thread_ends.ts";
import { threadsCases } from "../conformance/threads.ts";
import { valuesCases } from "../conformance/values.ts";

/** What may be declared missing; everything else has to work everywhere. */
export interface Capabilities {
  /** The main thread may block; not in a page. */
  readonly blocksMain: boolean;
  /** `terminate()` stops a thread that runs or blocks; not in Deno. */
  readonly killsRunningCode: boolean;
  /** A blocked thread can be handed new shared memory; not in browsers. */
  readonly receivesWhileBlocked: boolean;
  /** A worker's `resourceLimits` are enforced; not in Bun and browsers. */
  readonly limitsResources: boolean;
  /** The engine parses `using`; not in Node 20, Node 22 and WebKit. */
  readonly parsesUsing: boolean;
  /** What everything lies in, if not in memory that each agent of a program has anyway. */
  readonly memory?: OtherMemory;
}

/** Memory of a scope of its own. Lockstep's threads open it by themselves; what it does not start has to be told. */
export interface OtherMemory {
  /** A module that opens it; a worker of one's own imports it before it attaches to anything. */
  readonly module: string;
  /** A module that puts into it all that a program makes; imported before the program's own first one. */
  readonly preload: string;
}

/** The cases of one topic. */
export type Topic = (has: Capabilities) => void;

const TOPICS: readonly Topic[] = [
  declarations,
  lockCases,
  rlockCases,
  conditionCases,
  eventCases,
  latchCases,
  semaphoreCases,
  barrierCases,
  rwLockCases,
  valuesCases,
  namesCases,
  queueCases,
  pipeCases,
  hangsCases,
  handsCases, // after the last one that uses them
  threadsCases,
  threadEndsCases,
  servedCases,
  programsCases,
];

/** Registers the whole suite. */
export function conformance(has: Capabilities): void {
  for (const topic of TOPICS) topic(has);
}

/** A capability is declared as it is: claiming one that is missing would fail later, hiding one is a skipped test. */
function declarations(has: Capabilities): void {
  test("declared: whether the main thread may block", () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    if (has.blocksMain) assert.equal(Atomics.wait(words, 0, 1), "not-equal");
    else assert.throws(() => Atomics.wait(words, 0, 1), TypeError);
  });

  test("declared: whether the engine parses using", () => {
    const parse = () => new Function("{ using nothing = null; }");
    if (has.parsesUsing) parse();
    else assert.throws(parse, SyntaxError);
  });
}

function handsCases(): void {
  test("threads that did one piece of work after another end when they are sent away", async () => {
    await dismissHands();
    assert.deepEqual(enumerateThreads().filter(({ name }) => name === "hand"), []);
  });
}
