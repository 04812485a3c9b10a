/**
 * What the watchdog says of a test that hangs.
 *
 * @module
 */

/** A record to dump. */
export interface Watched {
  readonly label: string;
  readonly names: readonly string[];
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Names the test, the seed, and every watched record with its words. */
export function describe(name: string, limit: number, seed: number, records: readonly Watched[]): string {
  const head = `watchdog: "${name}" still running after ${Math.round(limit / 1000)} s; ` +
    `rerun with LOCKSTEP_SEED=0x${seed.toString(16)}`;
  return [head, ...records.map(line)].join("\n");
}

function line(record: Watched): string {
  const words = new Int32Array(record.buffer, record.byteOffset, record.byteLength >> 2);
  const shown = [...words.subarray(0, 64)].map((word, i) => {
    const text = word >= -9999 && word <= 9999 ? String(word) : `0x${(word >>> 0).toString(16).padStart(8, "0")}`;
    return `${record.names[i] ?? i}: ${text}`;
  });
  // Words without a name that are zero say nothing.
  const telling = shown.filter((_, i) => record.names[i] !== undefined || words[i] !== 0);
  return `  ${record.label} at byte ${record.byteOffset}   ${telling.join("  ") || "all zero"}`;
}
