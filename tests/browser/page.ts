// What the driver's page runs: it imports the test modules, runs their tests one after the other, and reports each to
// the server that the page came from. With `realm=worker` all of that happens in a thread of the page, which may block.

/** What the page tells the driver. */
export type Report =
  | { readonly kind: "start"; readonly name: string; readonly limit: number }
  | { readonly kind: "skip" | "pass"; readonly name: string; readonly text?: string | undefined }
  | { readonly kind: "fail"; readonly name: string; readonly text: string }
  | { readonly kind: "done"; readonly count: number };

/** As in _harness.ts, whose pages find the list under this name. */
interface PageTest {
  readonly name: string;
  readonly run: () => Promise<void>;
  readonly limit: number;
  readonly skip: string | undefined;
}

// deno-lint-ignore no-explicit-any
const realm: any = globalThis;
let query = new URLSearchParams(globalThis.location.search);

if (typeof document !== "undefined") {
  if (query.get("realm") === "worker") await inThread();
  else await main(globalThis.location.search);
}

/** The page makes and watches the threads of its threads, so it is Lockstep's as well. */
async function inThread(): Promise<void> {
  // V8 does not count shared memory as a reason to collect garbage, and a page has little else: memory that has passed
  // through it to threads would stay until there is none left to be had.
  setInterval(() => realm.gc?.(), 1000);
  try {
    const { Thread } = await import(query.get("lockstep")!);
    await new Thread({ target: main, module: import.meta.url, args: [globalThis.location.search] }).start().joinAsync();
  } catch (error) {
    await report({ kind: "fail", name: "(thread)", text: describe(error) });
  }
}

/** Runs all tests; the target of that thread, too. */
export async function main(search: string): Promise<void> {
  query = new URLSearchParams(search);
  const tests: PageTest[] = realm.lockstepTests = [];
  realm.LOCKSTEP_SEED = Number(query.get("seed"));
  realm.LOCKSTEP_PATIENCE = Number(query.get("patience"));
  for (const file of query.getAll("file")) {
    try {
      await import(new URL(file, globalThis.location.origin).href);
    } catch (error) {
      await report({ kind: "fail", name: file, text: `Cannot load: ${describe(error)}` });
    }
  }
  for (const test of tests) await run(test);
  await report({ kind: "done", count: tests.length });
}

async function run({ name, run, limit, skip }: PageTest): Promise<void> {
  if (skip !== undefined) return await report({ kind: "skip", name, text: skip });
  await report({ kind: "start", name, limit });
  try {
    await run();
    await report({ kind: "pass", name });
  } catch (error) {
    await report({ kind: "fail", name, text: describe(error) });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? "";
  return stack.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack}`;
}

async function report(message: Report): Promise<void> {
  const token = query.get("token");
  const answer = await fetch(`/__report?token=${token}`, { method: "POST", body: JSON.stringify(message) });
  if (!answer.ok) throw new Error(`The driver cannot take a report: ${await answer.text()}`);
}
