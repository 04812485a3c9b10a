/**
 * RWLock: many readers or one writer, among all threads of a program.
 *
 * The record and the proof of why it works are in the header of `_rwlock_state.ts`.
 *
 * @module
 */

import { checkInteger, checkName, optionsObject, signalOf } from "./_arguments.ts";
import { checkThreads } from "./_cells.ts";
import { deadlineOf } from "./_deadline.ts";
import { guarding } from "./_dispose.ts";
import type { Handle } from "./_handle.ts";
import { makeHandle, openHandle, shareable } from "./_handle.ts";
import { inspectable } from "./_inspect.ts";
import type { Placement } from "./_layout.ts";
import { createRecord } from "./_memory.ts";
import { RWLockCore } from "./_rwlock_core.ts";
import { fillRWLock, LEAST_BYTES, rwLockBytes } from "./_rwlock_state.ts";
import type { Guard } from "./guard.ts";

/** Options of `new RWLock()`. */
export interface RWLockOptions {
  /** Shown in errors and dumps. */
  name?: string;
  /** A whole number of 32 bits: while holding it, only locks of a higher rank may be taken. */
  rank?: number;
  /** How many threads may read or wait at a time: 64 by default. One more gets a `RangeError`. */
  threads?: number;
  /** A place for the record, `80 + 16 × threads` bytes; by default it has memory of its own. */
  at?: Placement;
}

class ReadGuard implements Guard {
  declare readonly [Symbol.dispose]: () => void;
  #core: RWLockCore | undefined;
  readonly #task: boolean;

  constructor(core: RWLockCore, task: boolean) {
    this.#core = core;
    this.#task = task;
  }

  release(): void {
    const core = this.#core;
    this.#core = undefined; // a second call finds nothing to release
    core?.endRead(this.#task);
  }
}
guarding(ReadGuard.prototype);

class WriteGuard implements Guard {
  declare readonly [Symbol.dispose]: () => void;
  #core: RWLockCore | undefined;
  readonly #serial: number;

  constructor(core: RWLockCore, serial: number) {
    this.#core = core;
    this.#serial = serial;
  }

  release(): void {
    const core = this.#core;
    this.#core = undefined; // a second call finds nothing to release
    core?.endWrite(this.#serial);
  }
}
guarding(WriteGuard.prototype);

let coreOfRWLock: (lock: RWLock) => RWLockCore;

/** The record and the slow paths of an RWLock, for acquireAll(). */
export function rwlockCore(lock: RWLock): RWLockCore {
  return coreOfRWLock(lock);
}

/**
 * A lock that many threads may hold for reading, or one for writing.
 *
 * - **Memory:** 80 bytes, and 16 for each of the `threads` that may use it.
 * - **Cost:** four atomic operations to take either side and four to let go, when nobody waits.
 * - **Fairness:** while a writer waits no thread begins to read; the readers that wait when a writer leaves go before
 *   the next one. So neither side is starved.
 * - **Re-entrant** for readers: a thread that reads may read again, also while a writer waits. Asking for the other side of what
 *   one holds is a `DeadlockError`, as is writing twice.
 * - **Death:** a reader that dies vanishes. After a writer died everything throws `OwnerDiedError`, until `recover()`.
 * - **Algorithm:** phase-fair, after B. Brandenburg and J. Anderson.
 *
 * @example Read together, write alone
 * ```ts
 * import { RWLock } from "@lockstep/lockstep";
 * import assert from "node:assert/strict";
 * const lock = new RWLock({ name: "table" });
 * const readers = [lock.read(), lock.read()];
 * assert.equal(lock.tryWrite(), undefined);
 * for (const reader of readers) reader.release();
 * lock.write().release();
 * ```
 */
export class RWLock {
  readonly #core: RWLockCore;

  /**
   * Makes a free lock.
   *
   * @param options Its name, rank, how many threads may use it, and its place.
   * @throws {UnsupportedError} Where memory cannot be shared.
   */
  constructor(options?: RWLockOptions) {
    if (options instanceof RWLockCore) {
      this.#core = options; // attach
      return;
    }
    const { name = "", rank, threads, at } = optionsObject<RWLockOptions>(options);
    checkName("an RWLock", name);
    if (rank !== undefined) checkInteger("rank", rank, -0x80000000, 0x7fffffff);
    const count = checkThreads(threads);
    const { words, roster } = createRecord(
      "RWLock",
      rwLockBytes(count),
      at,
      (words) => fillRWLock(words, count, rank),
    );
    this.#core = new RWLockCore(words, roster, name);
  }

  /**
   * The lock that a handle stands for.
   *
   * @throws {LayoutError} If it is no handle of an RWLock, or damaged.
   */
  static attach(handle: Handle): RWLock {
    const { words, roster, name } = openHandle("RWLock", handle, LEAST_BYTES);
    return new RWLock(new RWLockCore(words, roster, name) as RWLockOptions);
  }

  /** What crosses threads in its place: post it, and `RWLock.attach()` it there. */
  get handle(): Handle {
    const { words, roster, name } = this.#core;
    return makeHandle("RWLock", words, roster, name);
  }

  /** The name given to it, `""` for none. */
  get name(): string {
    return this.#core.name;
  }

  /** How many read holds there are, at this moment. */
  get readers(): number {
    return this.#core.readers;
  }

  /** The id of the thread that writes, at this moment. */
  get writer(): number | undefined {
    return this.#core.writer || undefined;
  }

  /**
   * Takes it for reading.
   *
   * - **Waits for:** the writer, and for writers that wait already unless this thread reads; blocking the thread.
   * - **Woken by:** a writer's release, all readers at once.
   * - **Returns early:** never.
   *
   * @returns A guard for this hold; its `release()` lets go.
   * @throws {DeadlockError} If this thread writes, or a closed circle of waits is found.
   * @throws {OwnerDiedError} If a thread died writing.
   * @throws {LockOrderError} If a lock of the same or a higher rank is held, and this thread does not read it already.
   * @throws {RangeError} If more threads use the lock than its option `threads` says.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example Read for the rest of the block
   * ```ts
   * import { RWLock } from "@lockstep/lockstep";
   * const lock = new RWLock();
   * {
   *   using _guard = lock.read();
   *   // … nobody writes …
   * }
   * ```
   */
  read(): Guard {
    this.#core.read(Infinity);
    return new ReadGuard(this.#core, false);
  }

  /**
   * Takes it for reading if that can be had in time.
   *
   * - **Waits for:** what `read()` waits for, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a writer's release.
   * - **Returns early:** `undefined` when the time is over.
   *
   * @param options `timeout` in milliseconds, 0 or more; `Infinity` counts as `read()`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All else that `read()` throws; `DeadlockError` only if the timeout is `Infinity`.
   *
   * @example Somebody writes
   * ```ts
   * import { RWLock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const lock = new RWLock();
   * const writer = lock.write();
   * assert.equal(lock.tryRead(), undefined);
   * writer.release();
   * ```
   */
  tryRead(options?: { timeout?: number }): Guard | undefined {
    return this.#core.read(deadlineOf(options)) ? new ReadGuard(this.#core, false) : undefined;
  }

  /**
   * Takes it for reading without blocking the thread.
   *
   * - **Waits for:** the writer, and for writers that wait already; for these at most 10 ms if this thread reads.
   * - **Woken by:** a writer's release.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws {OwnerDiedError} If a thread died writing.
   * @throws {LockOrderError} If the thread itself, not a task, holds a lock of the same or a higher rank, also if it reads
   * already: this task may have to wait all the same.
   * @throws {RangeError} If more threads use the lock than its option `threads` says.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Read across an await
   * ```ts
   * import { RWLock } from "@lockstep/lockstep";
   * const lock = new RWLock();
   * const guard = await lock.readAsync();
   * await Promise.resolve();
   * guard.release();
   * ```
   */
  async readAsync(options?: { signal?: AbortSignal }): Promise<Guard> {
    await this.#core.readAsync(signalOf(options));
    return new ReadGuard(this.#core, true);
  }

  /**
   * Takes it for writing.
   *
   * - **Waits for:** the writer and all readers, blocking the thread; and for readers that waited when the last writer left.
   * - **Woken by:** the release of the writer or of the last reader, one waiting writer for each.
   * - **Returns early:** never.
   *
   * @returns A guard for this hold; its `release()` lets go.
   * @throws {DeadlockError} If this thread reads or writes, or a closed circle of waits is found.
   * @throws {OwnerDiedError} If a thread died writing.
   * @throws {LockOrderError} If a lock of the same or a higher rank is held.
   * @throws {RangeError} If more threads use the lock than its option `threads` says.
   * @throws {BlockingUnavailableError} If it would have to wait in a thread that may not block.
   * @throws {ThreadStoppedError} If this thread was told to stop while it waits.
   *
   * @example From reading to writing one has to let go in between
   * ```ts
   * import { RWLock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const lock = new RWLock();
   * const reader = lock.read();
   * assert.throws(() => lock.write(), { code: "deadlock" });
   * reader.release();
   * lock.write().release();
   * ```
   */
  write(): Guard {
    return new WriteGuard(this.#core, this.#core.write(Infinity));
  }

  /**
   * Takes it for writing if that can be had in time.
   *
   * - **Waits for:** what `write()` waits for, at most `timeout` ms (by default not at all), blocking the thread.
   * - **Woken by:** a release.
   * - **Returns early:** `undefined` when the time is over; also when this thread itself holds it all the while.
   *
   * @param options `timeout` in milliseconds, 0 or more; `Infinity` counts as `write()`.
   * @throws {RangeError} If the timeout is negative or NaN.
   * @throws All else that `write()` throws; `DeadlockError` only if the timeout is `Infinity`.
   *
   * @example Somebody reads
   * ```ts
   * import { RWLock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * const lock = new RWLock();
   * lock.read();
   * assert.equal(lock.tryWrite({ timeout: 5 }), undefined);
   * ```
   */
  tryWrite(options?: { timeout?: number }): Guard | undefined {
    const serial = this.#core.write(deadlineOf(options));
    return serial === 0 ? undefined : new WriteGuard(this.#core, serial);
  }

  /**
   * Takes it for writing without blocking the thread. Tasks of one thread are served in the order in which they asked.
   *
   * - **Waits for:** the writer and all readers, those of this thread's other tasks too.
   * - **Woken by:** a release.
   * - **Returns early:** rejects with `signal.reason`, having taken nothing.
   *
   * @param options `signal` gives up the wait.
   * @throws {OwnerDiedError} If a thread died writing.
   * @throws {LockOrderError} If the thread itself, not a task, holds a lock of the same or a higher rank.
   * @throws {RangeError} If more threads use the lock than its option `threads` says.
   * @throws {ThreadStoppedError} If this thread was told to stop.
   *
   * @example Write across an await
   * ```ts
   * import { RWLock } from "@lockstep/lockstep";
   * const lock = new RWLock();
   * const guard = await lock.writeAsync({ signal: AbortSignal.timeout(1000) });
   * await Promise.resolve();
   * guard.release();
   * ```
   */
  async writeAsync(options?: { signal?: AbortSignal }): Promise<Guard> {
    return new WriteGuard(this.#core, await this.#core.writeAsync(signalOf(options)));
  }

  /**
   * Takes over, for writing, a lock whose writer died, and clears the mark. Repair what it protects, then release the
   * guard.
   *
   * @returns A guard, or `undefined` when nobody died writing, or somebody was faster.
   *
   * @example Nothing to recover
   * ```ts
   * import { RWLock } from "@lockstep/lockstep";
   * import assert from "node:assert/strict";
   * assert.equal(new RWLock().recover(), undefined);
   * ```
   */
  recover(): Guard | undefined {
    const serial = this.#core.recover();
    return serial === 0 ? undefined : new WriteGuard(this.#core, serial);
  }

  /** What printing it shows: class, name and state. */
  toString(): string {
    return this.#core.toString();
  }

  static {
    coreOfRWLock = (lock) => lock.#core;
  }
}
shareable("RWLock", RWLock.prototype, RWLock.attach);
inspectable(RWLock.prototype);
