// Process scope, as a proof that the seam carries it: two Deno processes map one
// file and run the primitives unchanged. Linux on x86-64 with glibc only; nothing
// here is published.
//
//   memory    a shared WebAssembly.Memory whose pages are replaced by the file's: still a SharedArrayBuffer
//   sleeping  libc's futex, shared between processes, by FFI; async waiters poll
//   death     the LIFE word of the thread's roster slot is on the kernel's robust list: the kernel itself
//             marks it when the process is killed
//
//   byte 0               the roster
//   ROSTER_END           one word: the next free byte, in cache lines
//   ROSTER_END + 64 …    records; handles travel as offsets

import type { Memory } from "../../primitives/_memory.ts";
import { bindMemory, openScope, useRoster } from "../../primitives/_memory.ts";
import type { FullHandle, Handle } from "../../primitives/_handle.ts";
import { padded } from "../../primitives/_layout.ts";
import type { Parker } from "../../primitives/_park.ts";
import { Roster } from "../../primitives/_roster.ts";
import { ROSTER_BYTES } from "../../primitives/_roster_record.ts";
import type { Words } from "../../primitives/_atomics.ts";
import { add, load, store } from "../../primitives/_atomics.ts";

const PROCESS_SCOPE = 14;
const PAGE = 65536;
const SEGMENT_PAGES = 1024; // 64 MiB
const SEGMENT_BYTES = SEGMENT_PAGES * PAGE;
const ROSTER_END = padded(ROSTER_BYTES);
const FIRST_RECORD = ROSTER_END + 64;

const SYS_MMAP = 9;
const SYS_GETTID = 186;
const SYS_FUTEX = 202;
const SYS_GET_ROBUST_LIST = 274;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED_FIXED = 0x11;
const O_RDWR = 2;
const LINK_OFFSET = 32; // from a futex word to its link, as glibc has registered it

const libc = Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {
  syscall: { parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], result: "i64" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  memcpy: { parameters: ["pointer", "buffer", "usize"], result: "pointer" },
});

function syscall(number: number, ...args: (number | bigint)[]): number {
  const six = [...args, 0, 0, 0, 0, 0, 0].slice(0, 6).map(BigInt) as [bigint, bigint, bigint, bigint, bigint, bigint];
  return Number(libc.symbols.syscall(BigInt(number), ...six));
}

function addressOf(bytes: Uint8Array<ArrayBufferLike>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>));
}

/** Maps the file over fresh shared memory. Kept for ever: unmapped, the kernel could not mark its words. */
const mapped: WebAssembly.Memory[] = [];

function mapFile(path: string): { buffer: SharedArrayBuffer; address: bigint } {
  const memory = new WebAssembly.Memory({ initial: SEGMENT_PAGES, maximum: SEGMENT_PAGES, shared: true });
  mapped.push(memory);
  const buffer = memory.buffer as unknown as SharedArrayBuffer;
  const address = addressOf(new Uint8Array(buffer));
  const file = libc.symbols.open(new TextEncoder().encode(`${path}\0`), O_RDWR);
  if (file < 0) throw new Error(`Cannot open ${path}`);
  const got = syscall(SYS_MMAP, address, SEGMENT_BYTES, PROT_READ_WRITE, MAP_SHARED_FIXED, file, 0);
  if (BigInt(got) !== address) throw new Error(`Cannot map ${path}: ${got}`);
  return { buffer, address };
}

function futexParker(address: bigint): Parker {
  const at = (words: Words, index: number): bigint => address + BigInt(words.byteOffset + 4 * index);
  const time = new BigInt64Array(2);
  const timeAddress = addressOf(new Uint8Array(time.buffer));
  return {
    shared: true,
    park(words, index, expected, ms): boolean {
      const some = Math.min(ms, 1000);
      time[0] = BigInt(Math.floor(some / 1000));
      time[1] = BigInt(Math.floor((some % 1000) * 1e6));
      syscall(SYS_FUTEX, at(words, index), FUTEX_WAIT, expected >>> 0, timeAddress);
      return false; // it may have been a signal
    },
    parkAny(sleepers, ms): void {
      const end = performance.now() + ms;
      while (performance.now() < end && sleepers.every(([words, index, value]) => load(words, index) === value)) {
        const [words, index, value] = sleepers[0]!;
        this.park(words, index, value, Math.min(2, ms));
      }
    },
    parkAsync(words, index, expected, ms) {
      let cancelled = false;
      const end = performance.now() + ms;
      const promise = (async () => {
        while (!cancelled && load(words, index) === expected && performance.now() < end) {
          await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, 1))); // keeps nothing alive
        }
      })();
      return { promise, cancel: () => cancelled = true };
    },
    unpark(words, index, count): void {
      syscall(SYS_FUTEX, at(words, index), FUTEX_WAKE, Math.min(count, 0x7fffffff));
    },
  };
}

/** Puts the LIFE word of this process's slot on the robust list of its main thread. */
function linkLife(roster: Roster, address: bigint): void {
  const life = roster.lifeWord();
  const out = new BigInt64Array(2);
  const outAddress = addressOf(new Uint8Array(out.buffer));
  if (syscall(SYS_GET_ROBUST_LIST, 0, outAddress, outAddress + 8n) !== 0) throw new Error("No robust list");
  const head = Deno.UnsafePointer.create(out[0]!)!;
  const view = new Deno.UnsafePointerView(head);
  if (view.getBigInt64(8) !== BigInt(-LINK_OFFSET)) throw new Error("Not glibc's robust list");
  const link = address + BigInt(roster.words.byteOffset + 4 * life + LINK_OFFSET);
  store(roster.words, life, syscall(SYS_GETTID));
  const bytes = (value: bigint) => new Uint8Array(new BigInt64Array([value]).buffer);
  libc.symbols.memcpy(Deno.UnsafePointer.create(link), bytes(view.getBigInt64(0)), 8n);
  libc.symbols.memcpy(head, bytes(link), 8n);
}

/** Joins the processes that share this file; the first one, with an empty file, founds the roster. */
export function openSegment(path: string, found: boolean): SharedArrayBuffer {
  if (found) {
    using file = Deno.openSync(path, { write: true, create: true, truncate: true });
    file.truncateSync(SEGMENT_BYTES);
  }
  const { buffer, address } = mapFile(path);
  const parker = futexParker(address);
  openScope(PROCESS_SCOPE, {
    parker,
    memory: (roster): Memory => ({
      roster,
      resultBytes: 64 << 10,
      allocate(byteLength) {
        const next = new Int32Array(buffer, ROSTER_END, 1);
        return { buffer, byteOffset: FIRST_RECORD + add(next, 0, padded(byteLength) / 64) * 64 };
      },
    }),
  });
  const words = new Int32Array(buffer, 0, ROSTER_BYTES >> 2);
  const roster = found ? Roster.create({ words, scope: PROCESS_SCOPE, parker }) : Roster.attach(buffer, 0);
  bindMemory(buffer, roster);
  useRoster(roster);
  linkLife(roster, address);
  return buffer;
}

/** A handle without its memory, which the other process has at another address. */
export function pack(handle: Handle): string {
  return JSON.stringify(handle, (_, value) => value instanceof SharedArrayBuffer ? "segment" : value);
}

/** The handle again, in this process's mapping. */
export function unpack(text: string, buffer: SharedArrayBuffer): FullHandle {
  return JSON.parse(text, (_, value) => value === "segment" ? buffer : value);
}

/** Says a word to the parent, at once. */
export function say(word: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${word}\n`));
}
