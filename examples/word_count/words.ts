// What the demo counts: words, and the text files below a folder.

import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** How often each word was seen. */
export type Counts = Map<string, number>;

const WORD = /[\p{L}\p{N}_]+/gu;
const OF_WORD = /[\p{L}\p{N}_\p{Cs}]/u; // half of a surrogate pair may be half of a letter
const SKIPPED = new Set([".git", "node_modules"]);
const part = new Uint8Array(1 << 20); // files are read in parts of that size

/** Adds the words of a text; returns how many there were. */
export function countWords(text: string, counts: Counts): number {
  let found = 0;
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    found++;
  }
  return found;
}

/**
 * Adds the words of a file once it is read to its end, and returns how many there were; yields after each part, so that
 * it can be given up. A file with a NUL is no text: none. What cannot be read is told to `leftOut`, and has none.
 */
export function* countFile(path: string, counts: Counts, leftOut: (line: string) => void): Generator<void, number> {
  const found: Counts = new Map();
  const decoder = new TextDecoder();
  let words = 0;
  let rest = ""; // the last word may go on in the next part
  try {
    const file = openSync(path, "r");
    try {
      for (let read; (read = readSync(file, part, 0, part.length, null)) > 0;) {
        const bytes = part.subarray(0, read);
        if (bytes.includes(0)) return 0;
        const text = decoder.decode(bytes, { stream: true });
        let end = text.length;
        while (end > 0 && OF_WORD.test(text[end - 1]!)) end--;
        if (end > 0) {
          words += countWords(rest + text.slice(0, end), found);
          rest = "";
        }
        rest += text.slice(end);
        yield;
      }
    } finally {
      closeSync(file);
    }
    words += countWords(rest + decoder.decode(), found);
  } catch (error) {
    leftOut(`Left out ${path}: ${reason(error, path)}`);
    return 0;
  }
  addCounts(found, counts);
  return words;
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
    throw new Error(`Cannot count words in ${folder}: ${reason(error, folder)}`);
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
    if (top) throw new Error(`Cannot count words in ${folder}: ${reason(error, folder)}`);
    console.error(`Left out ${folder}: ${reason(error, folder)}`);
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
        console.error(`Left out ${path}: ${reason(error, path)}`);
      }
    }
  }
}

/** Why a file operation failed, in words. */
export function reason(error: unknown, path: string): string {
  switch ((error as { code?: string }).code) {
    case "ENOENT": // the runtime puts that character where it cannot read a name
      return path.includes("\ufffd") ? "its name is not UTF-8" : "it does not exist";
    case "EACCES":
    case "EPERM":
      return "it may not be read";
    default:
      return (error as Error).message;
  }
}
