/**
 * Seeded pseudo-random numbers. One seed a process: `LOCKSTEP_SEED`, or a fresh one, which a failing test prints.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

/** The seed of this run, an unsigned 32-bit integer. */
export const SEED: number = Number(realm.process?.env?.LOCKSTEP_SEED ?? realm.LOCKSTEP_SEED ?? fresh()) >>> 0;

function fresh(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** FNV-1a over UTF-16 code units. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A splitmix32 generator: small, and good enough to choose schedules and sizes. */
export class Prng {
  #state: number;

  /** Starts from `seed`, of which the low 32 bits count. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The next unsigned 32-bit integer. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** An integer from 0 to `n - 1`. */
  below(n: number): number {
    return Math.floor((this.next() / 2 ** 32) * n);
  }

  /** Whether an event of the given probability happens. */
  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** A copy in random order. */
  shuffle<T>(items: readonly T[]): T[] {
    const copy = items.slice();
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  }

  /** Fills a view with random bytes. */
  fill(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.next();
    return bytes;
  }
}
