// The demo as its user meets it: right sums, and a word for every wrong folder.

import { count, type Shared } from "../../examples/word_count/counter.ts";
import { countFile, type Counts } from "../../examples/word_count/words.ts";
import {
  Barrier,
  BrokenBarrierError,
  Event,
  Latch,
  Queue,
  Semaphore,
  SharedArray,
  SharedValue,
  Thread,
} from "../../mod.ts";
import { assert, test } from "../_harness.ts";
import { until } from "../_until.ts";

const MAIN = new URL("../../examples/word_count/main.ts", import.meta.url).pathname;
const options = { limit: 60_000 };

function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", MAIN, ...args], // or it says what it downloads
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await start(...args).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

test("demo: counts every text file once, the same on one thread and on several", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/deep/er`, { recursive: true });
    for (let i = 0; i < 20; i++) {
      await Deno.writeTextFile(`${folder}/deep/er/${i}.txt`, "naïve Straße naïve\n".repeat(i));
    }
    await Deno.writeFile(`${folder}/binary`, new Uint8Array([110, 0, 97]));
    const { code, out, err } = await run(folder);
    assert.equal(code, 0, err);
    assert.match(out, /^21 files below/m);
    assert.match(out, /^ {2}naïve +380$/m);
    assert.match(out, /^ {2}straße +190$/m);
    assert.match(out, /Both results are equal\./);
    assert.match(err, /threads: 21\/21 files/);
  }), options);

test(
  "demo: a folder that is missing, empty or no folder is named, with what is wrong",
  () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file`, "text");
      await Deno.mkdir(`${folder}/empty`);
      for (
        const [place, wrong] of [
          [`${folder}/missing`, "it does not exist"],
          [`${folder}/empty`, "there is no file in it"],
          [`${folder}/file`, "it is no folder"],
        ] as const
      ) {
        const { code, out, err } = await run(place);
        assert.equal(code, 1);
        assert.equal(out, "");
        assert.equal(err.trim(), `Cannot count words in ${place}: ${wrong}`);
      }
    }),
  options,
);

for (const half of ["1 thread", "threads"]) {
  test(`demo: Ctrl-C stops it early and keeps what was counted, ${half}`, () =>
    inFolder(async (folder) => {
      const text = "one two three four five six seven eight nine ten\n".repeat(40_000);
      for (let i = 0; i < 60; i++) await Deno.writeTextFile(`${folder}/${i}.txt`, text);
      const child = start(folder);
      let err = "";
      const listening = child.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
        new WritableStream({ write: (chunk) => void (err += chunk) }),
      );
      const out = new Response(child.stdout).text();
      await until(() => new RegExp(`${half}: \\d+/60`).test(err), 40_000);
      child.kill("SIGINT");
      const { code } = await child.status;
      await listening;
      const [, counted = "none"] = /Stopped early: (\d+) of 60 files/.exec(await out) ?? [];
      assert.equal(code, 130);
      assert(Number(counted) > 0 && Number(counted) < 60, `${counted} files`);
      const [, ones = "0"] = /^ {2}one +(\d+)$/m.exec(await out) ?? [];
      assert.equal(Number(ones), 40_000 * Number(counted)); // nothing lost, nothing half
    }), options);
}

test("demo: a file that cannot be read is named once, and left out by both", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.txt`, "one two");
    await Deno.writeTextFile(`${folder}/b.txt`, "one");
    const counts: Counts = new Map();
    const leftOut: string[] = [];
    for (const name of ["a.txt", "none.txt", "b.txt"]) {
      for (const _part of countFile(`${folder}/${name}`, counts, (line) => leftOut.push(line)));
    }
    assert.deepEqual([...counts], [["one", 2], ["two", 1]]);
    assert.deepEqual(leftOut, [`Left out ${folder}/none.txt: it does not exist`]);
  }), options);

test("demo: a large file is read in parts, which cut no word in two", () =>
  inFolder(async (folder) => {
    const line = "naïve 𐐀𐐁 Straße, ";
    const lines = 100_000; // more than two parts, cut at any byte of a line
    await Deno.writeTextFile(`${folder}/large.txt`, line.repeat(lines) + "naïve");
    await Deno.writeTextFile(`${folder}/late.bin`, line.repeat(lines) + "\0");
    await Deno.writeTextFile(`${folder}/word.txt`, "x".repeat(3 << 20));
    const counts: Counts = new Map();
    const found = ["large.txt", "late.bin", "word.txt"].map((name) => {
      const counting = countFile(`${folder}/${name}`, counts, (line) => assert.equal(line, ""));
      for (let parts = 0;; parts++) {
        const { done, value } = counting.next();
        if (done) return [value, parts > 1];
      }
    });
    assert.deepEqual(found, [[3 * lines + 1, true], [0, true], [1, true]]);
    assert.deepEqual(new Set(counts.values()), new Set([lines + 1, lines, 1]));
    assert.equal(counts.get("𐐨𐐩"), lines);
  }), options);

for (const [half, begun] of [["one thread", /files below/], ["several", /1 thread: 2\/2 files/]] as const) {
  test(`demo: Ctrl-C gets through in the middle of a huge file, on ${half}`, () =>
    inFolder(async (folder) => {
      const text = "one two three four five six seven eight nine ten\n".repeat(20_000);
      await Deno.writeTextFile(`${folder}/small.txt`, "small");
      for (let i = 0; i < 60; i++) await Deno.writeTextFile(`${folder}/huge.txt`, text, { append: true });
      const child = start(folder);
      let printed = "";
      const listening = [child.stdout, child.stderr].map((stream) =>
        stream.pipeThrough(new TextDecoderStream()).pipeTo(
          new WritableStream({ write: (chunk) => void (printed += chunk) }),
        )
      );
      await until(() => begun.test(printed), 40_000);
      child.kill("SIGINT");
      const { code } = await child.status;
      await Promise.all(listening);
      assert.equal(code, 130);
      assert.match(printed, /^Stopped early: [01] of 2 files were counted$/m);
      assert(!/^ {2}one /m.test(printed), "half a file was counted");
    }), options);
}

test("demo: a thread that fails sets free those who wait for it", async () => {
  const shared: Shared = {
    ready: new Latch(1),
    files: new Queue<string>(),
    parts: [], // there is no part for any word: it fails there
    results: new Queue<Counts>(),
    open: new Semaphore(1),
    stop: new Event(),
    leftOut: new Queue<string>(),
    done: new SharedValue("i32"),
    share: new SharedArray("i32", 1),
    counted: new Barrier(2),
  };
  shared.files.put(new URL(import.meta.url).pathname);
  shared.files.close();
  const other = assert.rejects(shared.counted.waitAsync(), BrokenBarrierError);
  const module = new URL("../../examples/word_count/counter.ts", import.meta.url);
  await assert.rejects(new Thread({ target: count, module, args: [0, shared] }).start().joinAsync(), TypeError);
  await other;
}, options);
