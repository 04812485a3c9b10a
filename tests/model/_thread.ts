/**
 * Virtual threads. JavaScript cannot stop a function in its midst, so a thread is a tree that grows as it is needed:
 * a node stands for all that a thread did up to its next operation, an edge for a result that this operation can
 * have. To grow a node, the function is run again from its start, is fed the results on the way down to the node, and
 * is stopped at the next operation by a private token that it throws. Whatever is stopped runs its `finally` blocks:
 * their operations have no effect and throw the token again.
 *
 * Each path of results is run once, however many schedules lead through it. So exploring costs the size of the tree,
 * which is small, and the interleavings cost no JavaScript of the library at all.
 *
 * An async thread is replayed with its microtasks drained at each point where it would return to its event loop: the
 * node is `quiet`, and its edges are events, a settled waitAsync or an abort.
 *
 * @module
 */

import { Agent, setAgent } from "../../primitives/_agent.ts";
import { ABORT, isEvent, OK, type Op, type OpKind, settled, TIMED_OUT, type World } from "./_ops.ts";
import type { Handler, Plain } from "./_seam.ts";
import { handle, TOKEN } from "./_seam.ts";
import type { Word, WordTable } from "./_words.ts";

/** All that a thread did, up to its next operation. */
export interface Node {
  readonly id: number;
  readonly parent: Node | undefined;
  /** What the operation of the parent gave, and the time then. */
  readonly result: number;
  readonly clock: number;
  readonly kind: "op" | "quiet" | "done" | "error";
  readonly op: Op | undefined;
  /** The same before a twin has altered it. */
  readonly asked: Op | undefined;
  readonly error: unknown;
  /** How often the thread has called waitAsync. */
  readonly waits: number;
  /** Whether somebody listens to its signal. */
  readonly abortable: boolean;
  readonly children: Map<number, Branch>;
}

/** What follows one result; where the thread then reads the clock, there is a node for each time. */
interface Branch {
  readonly clocked: boolean;
  readonly nodes: Map<number, Node>;
}

/** What a thread of a model is given. */
export interface Self {
  /** From 0. */
  readonly index: number;
  /** Its id in the roster. */
  readonly id: number;
  /** For async threads: the signal that the scheduler aborts. */
  readonly signal: AbortSignal;
  /** A step of the model: runs atomically, on the model's variables. Its result must be a number, if any. */
  step(label: string, run: (world: World) => number | void): number;
  /** Waits until the condition holds; nothing that the library knows of. */
  until(label: string, when: (world: World) => boolean): void;
  /** Two steps, between which no other living thread may be: the critical section of the model. */
  inside(section?: string): void;
}

/** How a thread of a model runs: `attach` is no step, as nothing changes yet. */
export interface Program {
  readonly name: string;
  readonly index: number;
  readonly id: number;
  attach(self: Self): unknown;
  body(attached: unknown, self: Self): unknown;
  /** Stands for the surroundings: its steps cost no preemption, and nobody waits for its end. */
  readonly helper: boolean;
  /** A step of it goes on up to its next cas: what it does before concerns nobody else. */
  readonly swift: boolean;
}

/** Turns of the microtask queue after which a thread has surely settled down. */
const DRAIN = 120;

type Signal = { aborted: boolean; reason: unknown };

/** Runs a thread up to one node. */
class Replay implements Handler, Self {
  readonly #tree: ThreadTree;
  readonly #results: number[] = [];
  readonly #clocks: number[] = [];
  readonly #nodes: Node[] = [];
  readonly #own = new Map<Word, number>();
  readonly #pending = new Map<number, (result: "ok" | "timed-out") => void>();
  readonly #listeners = new Set<() => void>();
  readonly #signal: Signal;
  #cursor = 0;
  #ready = false;
  #async = false;
  #stopped: Op | undefined;
  #waits = 0;
  usesClock = false;

  constructor(tree: ThreadTree, parent: Node | undefined, result: number, clock: number) {
    this.#tree = tree;
    if (parent !== undefined) [this.#results[0], this.#clocks[0], this.#nodes[0]] = [result, clock, parent];
    for (let node = parent; node?.parent !== undefined; node = node.parent) {
      this.#results.push(node.result);
      this.#clocks.push(node.clock);
      this.#nodes.push(node.parent);
    }
    this.#results.reverse();
    this.#clocks.reverse();
    this.#nodes.reverse();
    const listeners = this.#listeners;
    this.#signal = Object.assign({ aborted: false, reason: undefined }, {
      addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => void listeners.delete(listener),
      throwIfAborted(this: Signal): void {
        if (this.aborted) throw this.reason;
      },
    });
  }

  /** Runs, and tells where the thread stopped; a promise for an async thread. */
  run(): Partial<Node> | Promise<Partial<Node>> {
    const { program } = this.#tree;
    const agent = new Agent();
    agent.mayBlock = true;
    agent.spins = false;
    setAgent(agent);
    handle(this);
    try {
      const attached = program.attach(this);
      this.#ready = true;
      const result = program.body(attached, this);
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === "function") {
        this.#async = true;
        return this.#drive(result as PromiseLike<unknown>);
      }
      return this.#end({ kind: "done" });
    } catch (error) {
      return this.#end({ kind: "error", error });
    } finally {
      if (!this.#async) handle(undefined);
    }
  }

  async #drive(promise: PromiseLike<unknown>): Promise<Partial<Node>> {
    let end: Partial<Node> | undefined;
    promise.then(() => end = { kind: "done" }, (error) => end = { kind: "error", error });
    for (;;) {
      for (let i = 0; i < DRAIN; i++) await undefined;
      if (this.#stopped !== undefined || end !== undefined || this.#cursor === this.#results.length) break;
      this.#deliver(this.#results[this.#cursor++]!);
    }
    handle(undefined);
    return this.#end(end ?? { kind: "quiet" });
  }

  #deliver(event: number): void {
    if (event === ABORT) {
      this.#signal.aborted = true;
      this.#signal.reason = new Error("aborted by the model");
      try {
        for (const listener of [...this.#listeners]) listener();
      } catch (error) {
        if (error !== TOKEN) throw error;
      }
      return;
    }
    if (!isEvent(event)) throw new Error(`Bug in the model: ${this.#tree.program.name} is quiet where it had a step`);
    for (const [wait, resolve] of this.#pending) {
      if (settled(wait, OK) === event) resolve("ok");
      if (settled(wait, TIMED_OUT) === event) resolve("timed-out");
    }
  }

  #end(how: Partial<Node>): Partial<Node> {
    const op = this.#stopped;
    if (op === undefined && this.#cursor < this.#results.length) {
      throw new Error(`Bug in the model: ${this.#tree.program.name} did not repeat itself: ${String(how.error)}`);
    }
    const state = { waits: this.#waits, abortable: !this.#signal.aborted && this.#listeners.size > 0 };
    return op !== undefined ? { kind: "op", op, ...state } : { ...how, ...state };
  }

  // The seam.

  /** The time of the operation done last. */
  now(): number {
    if (this.#cursor === this.#results.length) this.usesClock = true;
    return this.#cursor === 0 ? 0 : this.#clocks[this.#cursor - 1]!;
  }

  /** One operation on a shared word: tells what it gave in this path, or stops the thread. */
  op(kind: OpKind, view: Int32Array<SharedArrayBuffer>, index: number, a: number, b: number, ms: number): number {
    const word = this.#tree.words.of(view, index);
    if (word.access !== "shared" || !this.#ready) return this.#aside(kind, word, a, b);
    const op = { kind, word, a, b, ms, label: "", run: undefined, when: undefined };
    return this.#visible(op);
  }

  /** The promise of a waitAsync that sleeps. */
  sleep(): Promise<"ok" | "timed-out"> {
    const wait = this.#waits - 1;
    return new Promise((resolve) => this.#pending.set(wait, resolve));
  }

  /** A plain access to a word or a double: one step, since who else may see it is what the model checks. */
  plain(view: Plain, index: number, value: number | undefined): number {
    if (view instanceof Int32Array) return this.#plainWord(view, index, value);
    const cells = new Int32Array(view.buffer, view.byteOffset, 2 * view.length);
    const [low, high] = [this.#tree.words.of(cells, 2 * index), this.#tree.words.of(cells, 2 * index + 1)];
    const halves = new Int32Array(2);
    const double = new Float64Array(halves.buffer);
    const run = (world: World): number => {
      if (value === undefined) halves.set([world.word(low.name), world.word(high.name)]);
      else {
        double[0] = value;
        world.poke(low.name, halves[0]!);
        world.poke(high.name, halves[1]!);
      }
      return double[0]!;
    };
    return this.step(value === undefined ? `reads a double at ${low.name}` : `writes ${value} at ${low.name}`, run);
  }

  #plainWord(view: Int32Array<SharedArrayBuffer>, index: number, value: number | undefined): number {
    const { name } = this.#tree.words.of(view, index);
    if (value === undefined) return this.step(`reads ${name}`, (world) => world.word(name));
    return this.step(`writes ${value} at ${name}`, (world) => world.poke(name, value | 0));
  }

  #visible(op: Op): number {
    if (this.#stopped !== undefined) {
      throw TOKEN; // a `finally` block, in vain
    }
    if (this.#cursor < this.#results.length) {
      const result = this.#results[this.#cursor]!;
      const recorded = this.#nodes[this.#cursor]!.asked;
      if (recorded?.word !== op.word || isEvent(result)) {
        throw new Error(`Bug in the model: ${this.#tree.program.name} did not repeat itself at ${op.word?.name}`);
      }
      this.#cursor++;
      if (op.kind === "waitAsync") this.#waits++;
      return result;
    }
    this.#stopped = this.#tree.traced ? { ...op, stack: new Error().stack ?? "" } : op;
    throw TOKEN;
  }

  /** An access that nobody else can notice. */
  #aside(kind: OpKind, word: Word, a: number, b: number): number {
    const { program } = this.#tree;
    const seen = this.#own.get(word) ?? word.initial;
    if (kind === "load" && (word.access === "constant" || !this.#ready)) return seen;
    if (word.access === "constant" || (!this.#ready && word.access === "shared")) {
      throw new Error(`Bug in the model: ${program.name} does ${kind} on ${word.name}, which is held to be constant`);
    }
    if (word.owner >= 0 && word.owner !== program.index) {
      throw new Error(
        `Bug in the model: ${program.name} does ${kind} on ${word.name}, which belongs to another thread`,
      );
    }
    if (kind === "load") return seen;
    const next = compute(kind, seen, a, b);
    if (next === undefined) throw new Error(`Bug in the model: ${program.name} does ${kind} on ${word.name}`);
    this.#own.set(word, next);
    return kind === "store" ? a : seen;
  }

  // What the body is given.

  get index(): number {
    return this.#tree.program.index;
  }

  get id(): number {
    return this.#tree.program.id;
  }

  get signal(): AbortSignal {
    return this.#signal as unknown as AbortSignal;
  }

  step(label: string, run: (world: World) => number | void): number {
    return this.#visible({ kind: "step", word: undefined, a: 0, b: 0, ms: 0, label, run, when: undefined });
  }

  until(label: string, when: (world: World) => boolean): void {
    this.#visible({ kind: "until", word: undefined, a: 0, b: 0, ms: 0, label, run: undefined, when });
  }

  inside(section = "inside"): void {
    const me = this.index + 1;
    this.step("go inside", (world) => {
      const other = world.get(section);
      if (other !== 0 && !world.dead(other - 1)) world.fail(`T${me} and T${other} are inside at once`);
      world.set(section, me);
    });
    this.step("go outside", (world) => world.set(section, 0));
  }
}

/** What a write leaves behind; undefined for what is no plain write. */
export function compute(kind: OpKind, seen: number, a: number, b: number): number | undefined {
  switch (kind) {
    case "store":
    case "exchange":
      return a | 0;
    case "add":
      return (seen + a) | 0;
    case "sub":
      return (seen - a) | 0;
    case "and":
      return seen & a;
    case "or":
      return seen | a;
    case "xor":
      return seen ^ a;
    case "cas":
      return seen === (a | 0) ? b | 0 : seen;
    default:
      return undefined;
  }
}

/** One thread as a tree of all that it may do. */
export class ThreadTree {
  readonly program: Program;
  readonly words: WordTable;
  /** Whether operations say where they are done. */
  readonly traced: boolean;
  readonly #mutate: ((op: Op, thread: number) => Op | undefined) | undefined;
  #size = 0;

  constructor(program: Program, words: WordTable, mutate?: (op: Op, thread: number) => Op | undefined) {
    this.program = program;
    this.words = words;
    this.traced = mutate !== undefined;
    this.#mutate = mutate;
  }

  /** How many nodes there are: how often the thread's code was run. */
  get size(): number {
    return this.#size;
  }

  /** The node at which the thread begins; a promise for an async thread. */
  root(): Node | Promise<Node> {
    return this.#grow(undefined, 0, 0);
  }

  /** The node that follows when the operation of this one gives that result at that time. */
  child(parent: Node, result: number, clock: number): Node | Promise<Node> {
    const branch = parent.children.get(result);
    const known = branch?.nodes.get(branch.clocked ? clock : 0);
    return known ?? this.#grow(parent, result, clock);
  }

  #grow(parent: Node | undefined, result: number, clock: number): Node | Promise<Node> {
    const replay = new Replay(this, parent, result, clock);
    const add = (found: Partial<Node>): Node => {
      const { kind, error, waits = 0, abortable = false } = found;
      const op = found.op && (this.#mutate?.(found.op, this.program.index) ?? found.op);
      const id = ++this.#size;
      const node: Node = {
        ...{ id, parent, result, clock, kind: kind!, op, asked: found.op, error, waits, abortable },
        children: new Map<number, Branch>(),
      };
      if (parent !== undefined) {
        const branch = parent.children.get(result) ?? { clocked: replay.usesClock, nodes: new Map<number, Node>() };
        branch.nodes.set(branch.clocked ? clock : 0, node);
        parent.children.set(result, branch);
      }
      return node;
    };
    const found = replay.run();
    return found instanceof Promise ? found.then(add) : add(found);
  }
}
