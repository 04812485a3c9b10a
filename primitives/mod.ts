export * from "./errors.ts";
export type { Handle } from "./_handle.ts";
export type { Placement } from "./_layout.ts";
export type { Guard } from "./guard.ts";
export { Lock, type LockOptions } from "./lock.ts";
export { RLock, type RLockOptions } from "./rlock.ts";
export { Event, type EventOptions } from "./event.ts";
export { Latch, type LatchOptions } from "./latch.ts";
export * from "./semaphore.ts";
