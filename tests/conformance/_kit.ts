/**
 * What the cases of this folder share: starting threads, and crews of waiters of every kind.
 *
 * @module
 */

import { type SharedValue, Thread, threadDump } from "../../mod.ts";
import { until } from "../_until.ts";

/** Makes `go(target, ...args)`, which starts a thread on an exported function of that module. */
export function starter(
  module: string,
): <R, A extends readonly unknown[]>(target: (...args: A) => R, ...args: A) => Thread<R, A> {
  return <R, A extends readonly unknown[]>(target: (...args: A) => R, ...args: A) =>
    new Thread<R, A>({ target, module, args } as unknown as ConstructorParameters<typeof Thread<R, A>>[0]).start();
}

/** Joins threads, and throws what the first of them threw. */
export async function joined<R>(threads: readonly { joinAsync(): Promise<R> }[]): Promise<R[]> {
  return await Promise.all(threads.map((thread) => thread.joinAsync()));
}

/** How one thread of a crew waits: so many tasks, and then maybe the thread itself, blocked. */
export interface Role {
  readonly tasks: number;
  readonly blocks: boolean;
}

const BLOCKED: Role = { tasks: 0, blocks: true };
const ASYNC: Role = { tasks: 1, blocks: false };

/** Waiters: a name for the test, and a role for each thread. */
export interface Crew {
  readonly name: string;
  readonly roles: readonly Role[];
  /** How many waiters it has in all. */
  readonly size: number;
  /** How many of them block. */
  readonly blocked: number;
}

function crew(name: string, ...roles: Role[]): Crew {
  const blocked = roles.filter((role) => role.blocks).length;
  return { name, roles, blocked, size: roles.reduce((sum, role) => sum + role.tasks, blocked) };
}

/** Every kind of waiter: over several threads, several in one thread, and all at once. */
export const CREWS: readonly Crew[] = [
  crew("five blocked threads", BLOCKED, BLOCKED, BLOCKED, BLOCKED, BLOCKED),
  crew("an async waiter in each of five threads", ASYNC, ASYNC, ASYNC, ASYNC, ASYNC),
  crew("five async waiters in one thread", { tasks: 5, blocks: false }),
  crew("async waiters in a thread that blocks too", { tasks: 4, blocks: true }),
  crew("all kinds at once", BLOCKED, ASYNC, { tasks: 2, blocks: false }, { tasks: 1, blocks: true }, BLOCKED),
];

/** Plays a role, in its thread; `arrived` counts the waiters before they wait, blocked ones a moment before. */
export async function play(
  role: Role,
  arrived: SharedValue<"i32">,
  task: () => Promise<unknown>,
  block: () => unknown,
): Promise<void> {
  const tasks: Promise<unknown>[] = [];
  for (let i = 0; i < role.tasks; i++) {
    tasks.push(task());
    arrived.add(1);
  }
  if (role.blocks) {
    arrived.add(1);
    await block();
  }
  await Promise.all(tasks);
}

/** How many threads are blocked in waiting for something of that class and name. */
export function blockedOn(kind: string, name: string): number {
  return threadDump().threads.filter(({ waits }) => {
    const [first] = waits;
    return first !== undefined && !first.task && first.kind === kind && first.name === name;
  }).length;
}

/** Resolves once all of a crew have arrived, and those that block are blocked. */
export async function assembled(crew: Crew, arrived: SharedValue<"i32">, kind: string, name: string): Promise<void> {
  await until(() => arrived.value === crew.size && blockedOn(kind, name) === crew.blocked, 8_000);
}
