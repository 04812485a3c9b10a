// All that the library keeps for the agent (the thread of JavaScript) that it
// runs in. One object, so that a model checker can be several agents in turn.

import type { Host } from "./host.ts";

/** What is asked of a thread that this agent has started by those who do not know what a thread is. */
export interface Child {
  readonly state: string;
  /** Its class and name, for messages. */
  readonly title: string;
}

/** What one agent has. Each field belongs to the file named beside it. */
export class Agent {
  /** Installed by an adapter. */
  host: Host | undefined = undefined;
  /** _local.ts: what this agent knows of each record, by recordKey. */
  readonly locals: Map<number, WeakRef<object>> = new Map<number, WeakRef<object>>();
  /** _lock_word.ts: what it knows of the RLocks that it has taken more than once, until it lets go. */
  readonly nested: Set<object> = new Set<object>();
  /** _roster.ts: the rosters this agent has met, by recordKey. */
  readonly rosters: Map<number, object> = new Map<number, object>();
  /** _memory.ts: the scopes of memory that this agent has opened. */
  readonly scopes: Map<number, object> = new Map<number, object>();
  /** _memory.ts: where records go that are given no place. */
  memory: object | undefined = undefined;
  /** _park.ts: whether this agent may block; undefined until it was tried. */
  mayBlock: boolean | undefined = undefined;
  /** _spin.ts: whether waits spin at all; not on a machine of one core. */
  spins: boolean | undefined = undefined;
  /** _spin.ts: how many more spins in vain it takes to stop spinning. */
  spinCredit = 0;
  /** _spin.ts: waits that have not spun since the last spin in vain. */
  spinSkipped = 0;
  /** _spin.ts: how many of them there are before the next try. */
  spinRetry = 0;
  /** _spin.ts: how many tries were in vain since the last one that paid. */
  spinsInVain = 0;
  /** _keep_alive.ts: async waits that are pending. */
  pending = 0;
  /** _keep_alive.ts: what holds the event loop meanwhile. */
  pendingTimer: unknown = undefined;
  /** _monitor.ts: the one that this agent is in, or was in when an exception cut it off. */
  inside: object | undefined = undefined;
  /** _wait.ts: wakes each async wait that is pending, so that it looks up at once. */
  readonly sleepers: Set<() => void> = new Set<() => void>();
  /** _held.ts: the ranked locks this agent holds, in the order taken. */
  readonly ranked: object[] = [];
  /** thread.ts: whether the module of this thread's target is being imported. */
  importing = false;
  /** thread.ts: this thread as an object, by the key of its roster. */
  readonly selves: Map<number, object> = new Map<number, object>();
  /** thread.ts: the threads that this agent has started and that have not ended. */
  readonly children: Set<Child> = new Set<Child>();
  /** thread.ts: whether Lockstep started this thread. */
  started = false;
  /** thread.ts: how many threads have started one another, up to this one. */
  generation = 0;
  /** _permits_state.ts: what has to be told when this thread's target has returned, in contrast to any other end. */
  readonly leaving: Set<{ leave(): void }> = new Set<{ leave(): void }>();
  /** _thread_start.ts: what the latest threads posted as their outcome, for joiners elsewhere that hold but a handle. */
  readonly posted: object[] = [];
  /** _thread_hook.ts: threads that failed and that nobody has joined so far, by recordKey. */
  readonly untold: Map<number, object> = new Map<number, object>();
  /** _thread_hook.ts: what is told of errors that nobody joins. */
  exceptHook: ((error: unknown, thread: object) => void) | undefined = undefined;
  /** acquire_all.ts: the records it has taken so far, among which ranks need not rise. */
  readonly together: number[] = [];
}

/** The agent that runs now. */
export let agent: Agent = new Agent();

/** Makes another one the agent that runs now; only the model checker does. */
export function setAgent(next: Agent): void {
  agent = next;
}
