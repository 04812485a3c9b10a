/**
 * How a model is written, and registered as tests: the model itself, and each of its broken twins.
 *
 * ```ts
 * model("Lock admits one thread at a time (invariants 1 to 4)", { threads: 3 }, () => {
 *   const { handle } = new Lock();
 *   return {
 *     records: [lockRecord(handle)],
 *     attach: () => Lock.attach(handle),
 *     thread(lock, self) { // run again for each step, so it keeps no state outside
 *       const guard = lock.acquire();
 *       self.inside();
 *       guard.release();
 *     },
 *     after: (look) => expectFree(look, "Lock"),
 *   };
 * }, [
 *   twin("a retake that forgets WAITERS_BIT", /nobody can move/, (op) => …),
 * ]);
 * ```
 *
 * `deno task model` runs everything with more preemptions; `LOCKSTEP_TRACE="1*12 2*3 …"` with `--filter` replays one
 * schedule of one model and tells it.
 *
 * @module
 */

import { Agent, agent, setAgent } from "../../primitives/_agent.ts";
import { Roster } from "../../primitives/_roster.ts";
import { test } from "../_harness.ts";
import { Prng } from "../_prng.ts";
import { explore, make, type Report, start } from "./_explore.ts";
import { grown, type System, worldOf } from "./_moves.ts";
import { compute, type Program, type Self, ThreadTree } from "./_thread.ts";
import { NOT_EQUAL, type Op, type OpKind, type World } from "./_ops.ts";
import { makeRoster, rosterRegion, type RosterUse } from "./_roster_words.ts";
import { handle, type Handler, hush, install, type Plain } from "./_seam.ts";
import { type Budget, CALM, type State } from "./_state.ts";
import { decode, tell } from "./_trace.ts";
import { type Region, WordTable } from "./_words.ts";

/** Bounds of a model; whatever is left out does not happen. */
export interface ModelOptions extends Partial<Budget> {
  /** How many threads run `thread`; by default as many as `threads` has. */
  readonly threads?: number;
  /** In the long run, where it is not 4. */
  readonly longPreemptions?: number;
  /** Threads with a time limit of their own, from 0. */
  readonly timed?: readonly number[];
  /** Threads that may die; all by default. */
  readonly mortal?: readonly number[];
  /** Threads are told to stop by one of the threads or helpers. */
  readonly stops?: boolean;
  /** Sleeps of at most that many ms may end by themselves when nobody can move. */
  readonly polls?: number;
  /** How far time goes on with a tick, in ms. */
  readonly tick?: number;
  /** Whether the end of a slice may rescue a waiter though nobody has died. */
  readonly slices?: boolean;
  /** Whether bodies that are bytes are followed, too. */
  readonly bytes?: boolean;
  /** Look-ups in a row after which a wait counts as endless. */
  readonly lookUps?: number;
  /** What other threads read of a thread's wait: nothing, whether there is one, or all. */
  readonly watched?: RosterUse["watched"];
  readonly maxSteps?: number;
  readonly maxStates?: number;
}

/** What a check sees of a state. */
export type Look = World;

/** A thread of a model. */
export type Body<T> = (attached: T, self: Self) => unknown;

/** What a model consists of, over records that were made just before. */
export interface Model<T> {
  /** Names of the words, and which of them are constant. */
  readonly records: readonly Region[];
  /** Run by each thread before its first step. */
  attach(self: Self): T;
  /** What every thread does. */
  thread?: Body<T>;
  /** What each thread does. */
  threads?: readonly Body<T>[];
  /** Surroundings: their steps cost no preemption, and nobody waits for their end. */
  helpers?: readonly Body<T>[];
  /** Must hold in each state: fails by `look.fail`. */
  always?(look: Look): void;
  /** Must hold at the end; may run the library, on a copy of the memory. */
  after?(look: Look, attached: T): void;
  /** Whether those who wait may wait for ever here. */
  rests?(look: Look): boolean;
  /** Whether that thread may die here, if it may at all. */
  mayDie?(look: Look, thread: number): boolean;
}

/** The same code with one step of the algorithm left out or altered. */
export interface Twin {
  readonly name: string;
  /** What the explorer must say of it. */
  readonly caught: RegExp;
  /** What becomes of an operation; undefined leaves it as it is. */
  mutate(op: Op, thread: number): Op | undefined;
  /** Bounds that differ from the model's. */
  readonly options: ModelOptions;
}

/** Describes a broken twin. */
export function twin(name: string, caught: RegExp, mutate: Twin["mutate"], options: ModelOptions = {}): Twin {
  return { name, caught, mutate, options };
}

// deno-lint-ignore no-explicit-any
const env: Record<string, string | undefined> = (globalThis as any).process?.env ?? {};
/** Whether this is the long run. */
export const LONG: boolean = env.LOCKSTEP_MODEL === "long";
const LIMIT = LONG ? 3_600_000 : 120_000;

type Make<T> = (ids: readonly number[]) => Model<T>;

/** Registers a model and its twins as tests. */
export function model<T>(name: string, options: ModelOptions, make: Make<T>, twins: readonly Twin[] = []): void {
  test(name, () => check(name, options, make), { limit: LIMIT });
  for (const broken of twins) {
    test(`${name}: caught is ${broken.name}`, () => checkTwin(name, options, make, broken), { limit: LIMIT });
  }
}

async function check<T>(name: string, options: ModelOptions, make: Make<T>): Promise<void> {
  if (env.LOCKSTEP_TRACE !== undefined) return await replay(name, options, make, env.LOCKSTEP_TRACE);
  const preemptions = LONG ? options.longPreemptions ?? 4 : options.preemptions ?? 2;
  const began = performance.now();
  const report = await run({ ...options, preemptions }, make);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${name}: ${preemptions} preemptions, ${describe(report)}, ${seconds} s`);
  if (report.violation === undefined && report.schedules === 0) throw new Error("No schedule came to its end");
  if (report.violation !== undefined) {
    // The same with as few preemptions as it takes is easier to read.
    const least = await leastOf(options, make, preemptions) ?? report;
    throw new Error(complaint(name, least));
  }
}

async function checkTwin<T>(name: string, options: ModelOptions, make: Make<T>, broken: Twin): Promise<void> {
  if (env.LOCKSTEP_TRACE !== undefined) return;
  const all = { ...options, ...broken.options };
  const report = await leastOf(all, make, all.preemptions ?? 2, broken);
  const { violation } = report ?? {};
  if (violation === undefined) throw new Error(`The explorer does not catch ${broken.name}`);
  console.log(`caught on schedule ${violation.schedule}: ${violation.message.split("\n")[0]}`);
  if (!broken.caught.test(violation.message)) throw new Error(complaint(`${name}, ${broken.name}`, report!));
}

async function leastOf<T>(
  options: ModelOptions,
  make: Make<T>,
  most: number,
  broken?: Twin,
): Promise<Report | undefined> {
  for (let preemptions = 0; preemptions <= most; preemptions++) {
    const report = await run({ ...options, preemptions }, make, broken);
    if (report.violation !== undefined) return report;
  }
  return undefined;
}

function describe({ states, steps, schedules, replays }: Report): string {
  const [a, b, c, d] = [schedules, states, steps, replays].map((count) => count.toLocaleString("en-US"));
  return `${a} schedules, ${b} states, ${c} steps, ${d} replays`;
}

function complaint(name: string, report: Report): string {
  const { message, trace, story } = report.violation!;
  return `${message}\n${story}\n  on schedule ${report.violation!.schedule} of "${name}"; ` +
    `replay it with LOCKSTEP_TRACE=${JSON.stringify(trace)}`;
}

async function replay<T>(name: string, options: ModelOptions, build: Make<T>, trace: string): Promise<void> {
  await within(options, build, undefined, async ({ system, budget, always, after }) => {
    const root = await start(system, budget);
    const path = decode(trace);
    let state = root;
    for (const move of path) state = await make(system, state, move);
    console.log(`${name}\n${await tell(system, root, path)}`);
    const violation = state.violation ?? always(state) ?? after(state);
    if (violation !== undefined) throw new Error(violation);
  });
}

function run<T>(options: ModelOptions, make: Make<T>, broken?: Twin): Promise<Report> {
  return within(options, make, broken, ({ system, ...bounds }) => explore(system, bounds));
}

interface Prepared {
  readonly system: System;
  readonly budget: Budget;
  readonly maxSteps: number;
  readonly maxStates: number;
  always(state: State): string | undefined;
  after(state: State): string | undefined;
}

/** Makes the records, puts the seam in place, and explores. */
async function within<T, R>(
  options: ModelOptions,
  make: Make<T>,
  broken: Twin | undefined,
  explore: (prepared: Prepared) => Promise<R>,
): Promise<R> {
  const before = agent;
  const restore = install(options.bytes === true);
  const unhush = hush();
  const random = new Prng(1);
  Math.random = () => random.next() / 2 ** 32;
  try {
    const { roster, ids, helperId } = makeRoster(options.threads ?? 3, fresh);
    const model = make(ids);
    const { deaths = 0, stops = false, watched = "not" } = options;
    const region = rosterRegion(roster, ids, { deaths: deaths > 0, stops, watched }, fresh);
    const words = new WordTable([...model.records, region]);
    const { system, checker } = assemble(options, model, { roster, ids, helperId, words }, broken);
    const prints = model.records.map(({ buffer }) => new Int32Array(buffer).join());
    const result = await explore({
      system,
      budget: { ...CALM, preemptions: 2, ...budgetOf(options) },
      maxSteps: options.maxSteps ?? 1500,
      maxStates: options.maxStates ?? (LONG ? 60_000_000 : 10_000_000),
      always: (state) => look(system, state, (world) => model.always?.(world)),
      after(state) {
        const copy = state.copy();
        return look(system, copy, (world) => checker(copy, world));
      },
    });
    if (model.records.some(({ buffer }, i) => new Int32Array(buffer).join() !== prints[i])) {
      throw new Error("The library wrote to shared memory behind the back of the explorer");
    }
    return result;
  } finally {
    restore();
    setAgent(before);
    await unhush();
  }
}

function budgetOf(options: ModelOptions): Partial<Budget> {
  const { preemptions = 2, timeouts = 0, ticks = 0, spurious = 0, deaths = 0, aborts = 0 } = options;
  return { preemptions, timeouts, ticks, spurious, deaths, aborts };
}

function fresh(): void {
  const made = new Agent();
  made.mayBlock = true;
  made.spins = false;
  setAgent(made);
}

interface Place {
  readonly roster: Roster;
  readonly ids: readonly number[];
  readonly helperId: number;
  readonly words: WordTable;
}

function assemble<T>(
  options: ModelOptions,
  model: Model<T>,
  place: Place,
  broken: Twin | undefined,
): { system: System; checker: (state: State, look: Look) => void } {
  const { roster, ids, helperId, words } = place;
  const join = (id: number): void => Roster.attach(roster.words.buffer, roster.words.byteOffset).adopt(id);
  const bodies = model.threads ?? Array.from({ length: ids.length }, () => model.thread!);
  const program = (body: Body<T>, index: number, id: number, name: string, helper: boolean): Program => ({
    ...{ name, index, id, helper, swift: false },
    attach(self) {
      join(id);
      return model.attach(self);
    },
    body: (attached, self) => body(attached as T, self),
  });
  const programs = bodies.map((body, i) => program(body, i, ids[i]!, `T${i + 1}`, false));
  for (const body of model.helpers ?? []) programs.push(program(body, programs.length, helperId, "H", true));
  for (let i = 0; i < (options.deaths ?? 0); i++) programs.push(undertaker(place, programs.length, i));
  const mutate = broken?.mutate.bind(broken);
  const system: System = {
    words,
    trees: programs.map((program) => new ThreadTree(program, words, mutate)),
    timed: (thread) => options.timed?.includes(thread) === true,
    mortal: (thread, world) => options.mortal?.includes(thread) !== false && model.mayDie?.(world, thread) !== false,
    polls: options.polls ?? 2,
    tick: options.tick ?? 11,
    slices: options.slices === true,
    lookUps: options.lookUps ?? 12,
    rests: (world) => model.rests?.(world) === true,
  };
  const checker = (state: State, world: Look): void => {
    if (model.after === undefined) return;
    const last = handle(new Direct(system, state));
    fresh();
    try {
      join(helperId);
      model.after(world, model.attach({ index: -1, id: helperId } as Self));
    } finally {
      handle(last);
    }
  };
  return { system, checker };
}

/** Marks a dead thread dead, as the thread that started it does: its slot first, then DEATHS. */
function undertaker({ roster, ids, helperId }: Place, index: number, earlier: number): Program {
  return {
    ...{ name: "U", index, id: helperId, helper: true, swift: true },
    attach: () => Roster.attach(roster.words.buffer, roster.words.byteOffset),
    body(table, self) {
      const next = (world: World): number => ids.findIndex((_, i) => world.dead(i) && world.get(`buried ${i}`) === 0);
      self.until("somebody has died", (world) => ids.filter((_, i) => world.dead(i)).length > earlier);
      const dead = self.step("finds a thread dead", (world) => {
        const found = next(world);
        world.set(`buried ${found}`, 1);
        return found;
      });
      (table as Roster).markDead(ids[dead]!);
    },
  };
}

/** Runs the library on a copy of a state, at once: for checks at the end. */
class Direct implements Handler {
  readonly #system: System;
  readonly #state: State;

  constructor(system: System, state: State) {
    this.#system = system;
    this.#state = state;
  }

  op(kind: OpKind, view: Int32Array<SharedArrayBuffer>, index: number, a: number, b: number, _ms: number): number {
    const word = this.#system.words.of(view, index);
    const { memory } = grown(this.#system, this.#state);
    const seen = memory[word.cell]!;
    if (kind === "load") return seen;
    if (kind === "notify") return 0;
    if (kind === "wait" || kind === "waitAsync") {
      if (seen !== a) return NOT_EQUAL;
      throw new Error(`after() would have to wait on ${word.name}`);
    }
    memory[word.cell] = compute(kind, seen, a, b)!;
    return kind === "store" ? a : seen;
  }

  plain(view: Plain, index: number, value: number | undefined): number {
    if (view instanceof Int32Array) {
      return this.op(value === undefined ? "load" : "store", view, index, value ?? 0, 0, 0);
    }
    const cells = new Int32Array(view.buffer, view.byteOffset, 2 * view.length);
    const places = [0, 1].map((half) => this.#system.words.of(cells, 2 * index + half).cell);
    const { memory } = grown(this.#system, this.#state);
    const halves = Int32Array.from(places, (cell) => memory[cell]!);
    const double = new Float64Array(halves.buffer);
    if (value === undefined) return double[0]!;
    double[0] = value;
    for (const [i, cell] of places.entries()) memory[cell] = halves[i]!;
    return value;
  }

  sleep(): Promise<"ok"> {
    return Promise.resolve("ok");
  }

  now(): number {
    return this.#state.clock;
  }
}

function look(system: System, state: State, check: (world: Look) => void): string | undefined {
  let found: string | undefined;
  const world: Look = { ...worldOf(system, state), fail: (message) => void (found ??= message) };
  try {
    check(world);
  } catch (error) {
    return error instanceof Error ? error.stack ?? error.message : String(error);
  }
  return found;
}
