/**
 * The primitives without an adapter: all but starting threads, on any engine that has `SharedArrayBuffer` and `Atomics`.
 *
 * It names no runtime, and detects none: `new Thread().start()` throws `UnsupportedError`, and this agent counts as a worker
 * that Lockstep did not start. Who starts threads imports `@lockstep/lockstep`, which is this and the runtime's adapter.
 *
 * @example A lock for two tasks of one thread
 * ```ts
 * import { Lock } from "@lockstep/lockstep/primitives";
 * import assert from "node:assert/strict";
 * const lock = new Lock({ name: "log" });
 * const guard = await lock.acquireAsync();
 * assert(lock.locked);
 * guard.release();
 * ```
 *
 * @module
 */

import "./_codec_here.ts";

export * from "./errors.ts";
export type { Handle } from "./_handle.ts";
export type { Placement } from "./_layout.ts";
export type { Guard } from "./guard.ts";
export { Lock, type LockOptions } from "./lock.ts";
export { RLock, type RLockOptions } from "./rlock.ts";
export { Condition, type ConditionOptions, type ConditionWaitOptions } from "./condition.ts";
export { Event, type EventOptions } from "./event.ts";
export { Latch, type LatchOptions } from "./latch.ts";
export { BoundedSemaphore, Semaphore, type SemaphoreOptions } from "./semaphore.ts";
export { RWLock, type RWLockOptions } from "./rwlock.ts";
export { Barrier, type BarrierAttachOptions, type BarrierOptions, type BarrierWaitOptions } from "./barrier.ts";
export { SharedValue } from "./shared_value.ts";
export { SharedArray } from "./shared_array.ts";
export type { SharedOptions } from "./_typed_record.ts";
export type {
  AnyTypeName,
  Elements,
  FullName,
  InputOf,
  OfChar,
  TypeCodes,
  TypeName,
  ValueOf,
  ViewOf,
} from "./_type_names.ts";
export * from "./deadlock.ts";
export { type Acquirable, acquireAll, acquireAllAsync, type AcquireAllOptions } from "./acquire_all.ts";
export { fromMessage, toMessage } from "./message.ts";
export { isMainThread } from "./host.ts";
export {
  type ServedOptions,
  type SubclassOptions,
  type TargetOptions,
  Thread,
  type ThreadArguments,
  type ThreadOptions,
  type ThreadSettings,
  type ThreadState,
  type WorkerLike,
} from "./thread.ts";
export * from "./queue.ts";
export { type Bytes, Connection, pipe, type PipeOptions, type PipeWaitOptions } from "./pipe.ts";
export * from "./current.ts";
export { Timer, type TimerOptions } from "./timer.ts";
export * from "./lifo_queue.ts";
export * from "./priority_queue.ts";
