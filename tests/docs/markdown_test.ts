// Every TypeScript block of README.md and docs/ is a program and runs as pasted.
// A block runs alone; `// file: name.ts` in its first line names its file, and
// blocks with a name that follow each other lie in one folder, the last one runs.
// Where a line ends in `// text`, console.log printed that text, or its beginning before "…".

import { assert, test } from "../_harness.ts";

const ROOT = new URL("../../", import.meta.url);
const FENCE = /^```ts\n(.*?)^```$/gms;
const NAMED = /^\/\/ file: (\S+)\n/;
const PRINTS = /^\s*console\.log\(.*\); \/\/ (.+)$/gm;

interface Program {
  readonly files: Map<string, string>;
  readonly main: string;
  readonly line: number;
}

function programs(text: string): Program[] {
  const found: Program[] = [];
  let files = new Map<string, string>();
  for (const match of text.matchAll(FENCE)) {
    const code = match[1]!;
    const name = NAMED.exec(code)?.[1];
    const line = text.slice(0, match.index).split("\n").length;
    files = name === undefined || files.has(name) ? new Map() : new Map(files);
    files.set(name ?? "block.ts", code);
    found.push({ files, main: name ?? "block.ts", line });
    if (name === undefined) files = new Map();
  }
  return found;
}

async function run({ files, main }: Program): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, code] of files) await Deno.writeTextFile(`${folder}/${name}`, code);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", new URL("deno.json", ROOT).pathname, `${folder}/${main}`],
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const printed = new TextDecoder().decode(stdout);
    for (const [, comment] of files.get(main)!.matchAll(PRINTS)) {
      const [start = ""] = comment!.split("…");
      assert(printed.includes(start.trim()), `Not printed: ${start}\n${printed}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const pages = ["README.md", ...[...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md")).sort();
const all = pages.flatMap((page) =>
  programs(Deno.readTextFileSync(new URL(page, ROOT))).map((program) => ({ page, program }))
);

for (const { page, program } of all) {
  test(`${page}:${program.line} runs as pasted`, () => run(program), { limit: 60_000 });
}

test("every block of README.md and docs/ has right types", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const { page, program: { files, line } } of all) {
      const place = `${folder}/${page.replaceAll("/", "_")}_${line}`;
      await Deno.mkdir(place);
      for (const [name, code] of files) await Deno.writeTextFile(`${place}/${name}`, code);
    }
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", new URL("deno.json", ROOT).pathname, folder],
      env: { NO_COLOR: "1" },
      stderr: "piped",
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, { limit: 120_000 });
