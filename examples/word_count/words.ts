// What the demo counts: words, and the text files below a folder.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** How often each word was seen. */
export type Counts = Map<string, number>;

const WORD = /[\p{L}\p{N}_]+/gu;
const SKIPPED = new Set([".git", "node_modules"]);

/** Adds the words of a text; returns how many there were. Bytes with a NUL are no text: none. */
export function countWords(bytes: Uint8Array, counts: Counts): number {
  if (bytes.includes(0)) return 0;
  let found = 0;
  for (const [word] of new TextDecoder().decode(bytes).toLowerCase().matchAll(WORD)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    found++;
  }
  return found;
}

/** The same for a file; what cannot be read or is too large to count is told to `leftOut`, and has none. */
export function countFile(path: string, counts: Counts, leftOut: (line: string) => void): number {
  try {
    return countWords(readFileSync(path), counts);
  } catch (error) {
    leftOut(`Left out ${path}: ${reason(error)}`);
    return 0;
  }
}

/** Adds one table to another. */
export function addCounts(from: Iterable<readonly [string, number]>, to: Counts): void {
  for (const [word, count] of from) to.set(word, (to.get(word) ?? 0) + count);
}

/** Which of so many threads merges a word. */
export function partOf(word: string, parts: number): number {
  let hash = 0;
  for (let i = 0; i < word.length; i++) hash = (hash * 31 + word.charCodeAt(i)) | 0;
  return (hash >>> 0) % parts;
}

/** Every file below a folder, the largest first. Throws an Error that says what is wrong with the folder. */
export function listFiles(folder: string): string[] {
  if (folder === "") throw new Error("Cannot count words as the folder's name is empty");
  let stats;
  try {
    stats = statSync(folder);
  } catch (error) {
    throw new Error(`Cannot count words in ${folder}: ${reason(error)}`);
  }
  if (!stats.isDirectory()) throw new Error(`Cannot count words in ${folder}: it is no folder`);
  const files: { path: string; size: number }[] = [];
  collect(folder, files, true);
  if (files.length === 0) throw new Error(`Cannot count words in ${folder}: there is no file in it`);
  return files.sort((a, b) => b.size - a.size).map(({ path }) => path);
}

function collect(folder: string, files: { path: string; size: number }[], top: boolean): void {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (top) throw new Error(`Cannot count words in ${folder}: ${reason(error)}`);
    console.error(`Left out ${folder}: ${reason(error)}`);
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) collect(path, files, false);
    } else if (entry.isFile()) {
      try {
        files.push({ path, size: statSync(path).size });
      } catch (error) {
        console.error(`Left out ${path}: ${reason(error)}`);
      }
    }
  }
}

/** Why a file operation failed, in words. */
export function reason(error: unknown): string {
  switch ((error as { code?: string }).code) {
    case "ENOENT":
      return "it does not exist";
    case "EACCES":
    case "EPERM":
      return "it may not be read";
    default:
      return (error as Error).message;
  }
}
