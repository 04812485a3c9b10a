// The starter's side of a thread: making its worker, watching it, stopping it.

import { agent } from "./_agent.ts";
import { passOn } from "./_handle.ts";
import { memory } from "./_memory.ts";
import { DAEMON_BIT } from "./_roster_record.ts";
import type { ThreadLocal } from "./_thread_core.ts";
import { ThreadCore } from "./_thread_core.ts";
import { messageOf, noteEnd, passedUp, tellUntold } from "./_thread_hook.ts";
import type { RoutedMessage, ThreadCall, ThreadStart } from "./_thread_messages.ts";
import { isThreadMessage } from "./_thread_messages.ts";
import { bytesOf, takePosted, whenPosted } from "./_thread_outcome.ts";
import { route } from "./_thread_route.ts";
import { CONTROL, HEARD_BIT, KILL_BIT, STOP_BIT, STUCK_BIT, UP_BIT } from "./_thread_record.ts";
import type { ThreadRecord } from "./_thread_record.ts";
import { SLICE } from "./_wait.ts";
import type { Host, HostEnd, HostWorker } from "./host.ts";
import { ThreadError, UnsupportedError } from "./errors.ts";

/** How long a watch sleeps when nothing wakes it, in ms. */
const WATCH = 1000;
/** How long a thread that nobody can kill gets to show that its event loop turns, in ms. */
const LAST_CALL = 1000;
/** How often it is looked at meanwhile, in ms. */
const GLANCE = 100;
/** How long one gets that is not up yet, whose event loop turns, or that waits, in ms. */
const PATIENCE = 10_000;

/** How many outcomes that came by message are kept when nobody here has the thread any more. */
const POSTED_KEPT = 256;

/** What start() needs to know beside the core. */
export interface ThreadPlan {
  readonly call: ThreadCall;
  /** The arguments and fields, as toMessage() gives them. */
  readonly args: unknown;
  readonly fields: unknown;
  /** The primitives in both. */
  readonly given: readonly object[];
  readonly worker: (() => unknown) | undefined;
}

/** The host, which every thread needs. */
export function requireHost(): Host {
  if (agent.host !== undefined) return agent.host;
  throw new UnsupportedError("Cannot start threads as no adapter is installed: import @lockstep/lockstep itself", {
    hint: "import @lockstep/lockstep, or its adapter of this runtime",
  });
}

/** Starts a thread: takes its place in the roster, then makes its worker. */
export function startThread(core: ThreadCore, plan: ThreadPlan): void {
  const host = requireHost();
  const { record, roster, local, name } = core;
  const id = roster.take(name, roster.me, core.daemon ? DAEMON_BIT : 0);
  record.start(id, roster.me);
  const data: ThreadStart = {
    lockstep: "start",
    id,
    record: core.handle,
    memory: memory().module,
    call: plan.call,
    args: plan.args,
    fields: plan.fields,
    generation: agent.generation + 1,
    primitives: plan.given.length > 0,
  };
  local.hear = (message) => receive(message, core);
  if (!agent.started) tellAtEnd(host);
  agent.children.add(core);
  try {
    passOn(plan.given, roster, id);
    const worker = local.worker = host.spawn({ name, data, worker: plan.worker, ref: !core.daemon }, {
      message: local.hear,
      end: (end) => ended(core, end),
    });
    if (!host.stopsRunningCode) local.letGo = () => letGo(core, worker);
    watch(record, () => {
      if ((record.control & KILL_BIT) !== 0 && host.stopsRunningCode) worker.terminate();
    }, () => local.letGo());
    record.startReturns();
  } catch (cause) {
    agent.children.delete(core);
    record.end({ kind: "ended", reason: "error", bytes: bytesOf(core, cause) });
    record.claimTelling(); // start() itself says so
    throw new ThreadError(`Cannot start ${core.title} as its worker could not be made: ${messageOf(cause)}`, {
      reason: "error",
      threadName: name,
      cause,
    });
  }
}

/**
 * It has ended, and its worker is not waited for; nor heard, as Deno's test sanitizers miss a port that is still open when
 * the thread was joined. But it stays for threads that it has started, and passes on what those say.
 */
function letGo(core: ThreadCore, worker: HostWorker): void {
  const { roster, id } = core;
  const children = roster.list().filter(({ parent }) => parent === id);
  if (!children.some(({ flags }) => (flags & DAEMON_BIT) === 0)) worker.setRef(false);
  if (children.length > 0) return;
  drain(core);
  worker.hush?.();
}

/** What is said by a thread that this agent has started, or by its own starter. */
export function receive(message: unknown, core?: ThreadCore): void {
  if (!isThreadMessage(message)) return;
  switch (message.lockstep) {
    case "uncaught":
      return passedUp(message.thread, message.error);
    case "outcome":
      return arrived(core!, { value: message.value });
    case "ask":
    case "answer":
      return pass(message);
  }
}

function arrived({ local }: ThreadCore, posted: ThreadLocal["posted"]): void {
  local.posted = posted;
  if (agent.posted.push(local) > POSTED_KEPT) agent.posted.shift();
  for (const listener of [...local.listeners]) listener();
}

/** A message that is routed: for this agent, or to be sent on. */
function pass(message: RoutedMessage): void {
  const core = ThreadCore.attach(message.thread);
  const { roster, local } = core;
  if (message.to !== roster.me) {
    const lost: RoutedMessage = { lockstep: "answer", to: roster.me, thread: message.thread, posted: undefined };
    if (!route(roster, message) && message.lockstep === "ask") route(roster, { ...lost, to: message.from });
    return;
  }
  if (message.lockstep === "answer") return arrived(core, message.posted ?? "lost");
  const answer = (): void => {
    const posted = local.posted === "lost" ? undefined : local.posted;
    route(roster, { lockstep: "answer", to: message.from, thread: message.thread, posted });
  };
  if (local.worker === undefined || takePosted(core)) answer();
  else void whenPosted(core).then(answer);
}

const telling = new WeakSet<object>();

/** Once for each agent that no starter waits for. */
function tellAtEnd(host: Host): void {
  if (telling.has(agent)) return;
  telling.add(agent);
  host.onEnd(() => {
    for (const child of [...agent.children] as ThreadCore[]) {
      if (host.stopsRunningCode) child.local.worker?.terminate(); // all at once, or the last spin until their turn
    }
    hearChildren();
    tellUntold();
  });
}

/** Takes up, at the end of this agent, what its threads have said and how those ended that have. */
export function hearChildren(): void {
  for (const child of [...agent.children] as ThreadCore[]) {
    drain(child);
    if (child.record.done) noteEnd(child);
  }
}

/** Takes the messages of a worker that have arrived and not been heard yet. */
function drain({ local }: ThreadCore): void {
  const { worker, hear } = local;
  for (let taken = worker?.take(); taken !== undefined; taken = worker?.take()) hear(taken.message);
}

/** The worker is known to have stopped. */
function ended(core: ThreadCore, end: HostEnd): void {
  const { record, roster, local } = core;
  const { reason, exitCode, thrown }: HostEnd = (record.control & KILL_BIT) !== 0 ? { reason: "terminated" } : end;
  drain(core); // what it had sent before comes first
  agent.children.delete(core);
  for (const listener of [...local.stopListeners]) listener();
  const bytes = thrown === undefined ? undefined : bytesOf(core, thrown.error);
  record.end({ kind: "ended", reason, exitCode, bytes });
  record.wakeAll();
  noteEnd(core);
  if (agent.host!.stopsNested) roster.markDescendantsDead(record.id);
}

/** The worker of a thread that some other agent started has stopped, as its maker knows. */
export function endOrphan(start: ThreadStart, end: HostEnd): void {
  const core = ThreadCore.attach(start.record);
  const { record } = core;
  const { reason, exitCode, thrown } = end;
  record.end({
    kind: "ended",
    reason,
    exitCode,
    bytes: thrown === undefined ? undefined : bytesOf(core, thrown.error),
  });
  record.wakeAll();
}

/** Calls back at every change of a thread's orders, and once it has ended. Keeps nothing alive. */
export function watch(record: ThreadRecord, react: () => void, done: () => unknown = () => {}): void {
  const { words, roster } = record;
  const owner = agent;
  const step = (): void => {
    if (owner !== agent) return;
    const seen = record.control;
    if (record.done) {
      done();
      return;
    }
    react();
    roster.parker.parkAsync(words, CONTROL, seen, WATCH).promise.then(step, () => {});
  };
  step();
}

/** Has every wait of a thread throw, present and later ones. */
export function askToStop({ roster, record }: ThreadCore): void {
  roster.tellToStop(record.id);
  record.tell(STOP_BIT);
}

/** Stops a thread: asks, waits for `grace` ms, then makes it, where the host can. */
export async function terminateThread(core: ThreadCore, grace: number): Promise<void> {
  core.checkOwn("terminate");
  if (!core.started) {
    throw new ThreadError(`Cannot terminate ${core.title} as it has not been started: call start() before`, {
      threadName: core.name,
    });
  }
  const { record, roster, id } = core;
  if (!core.alive) return;
  const host = requireHost();
  askToStop(core);
  if (await core.ended({ timeout: grace, unstoppable: true })) return;
  // It is in a wait of ours, and will notice at its next look around.
  if (roster.waits(id) && await core.ended({ timeout: 2 * SLICE, unstoppable: true })) return;
  record.tell(KILL_BIT);
  if (host.stopsRunningCode) await core.ended({ unstoppable: true });
  else await lastCall(core);
}

/** Waits for the end of a thread that nobody can kill, as long as there is hope. */
async function lastCall(core: ThreadCore): Promise<void> {
  const { record, roster, id } = core;
  for (let ms = 0; ms < PATIENCE; ms += GLANCE) {
    if (await core.ended({ timeout: GLANCE, unstoppable: true })) return;
    const { control } = record;
    const hope = (control & UP_BIT) === 0 || (control & HEARD_BIT) !== 0 || roster.waits(id);
    if (!hope && ms >= LAST_CALL) break;
  }
  record.tell(STUCK_BIT);
  throw core.stuck("terminate");
}
