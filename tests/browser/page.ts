// What the driver's page runs: it imports the test modules, runs their tests one after the other, and reports each to
// the server that the page came from. With `realm=worker` all of that happens in a dedicated worker, which may block.

/** What the page tells the driver. */
export type Report =
  | { readonly kind: "start" | "skip" | "pass"; readonly name: string; readonly text?: string | undefined }
  | { readonly kind: "fail"; readonly name: string; readonly text: string }
  | { readonly kind: "done"; readonly count: number };

/** As in _harness.ts, whose pages find the list under this name. */
interface PageTest {
  readonly name: string;
  readonly run: () => Promise<void>;
  readonly skip: string | undefined;
}

const query = new URL(globalThis.location.href).searchParams;
// deno-lint-ignore no-explicit-any
const realm: any = globalThis;

if (query.get("realm") === "worker" && typeof document !== "undefined") {
  const worker = new Worker(new URL(`./__page.js${globalThis.location.search}`, import.meta.url), { type: "module" });
  worker.onerror = (event) => void report({ kind: "fail", name: "(worker)", text: event.message });
} else {
  await main();
}

async function main(): Promise<void> {
  const tests: PageTest[] = realm.lockstepTests = [];
  realm.LOCKSTEP_SEED = Number(query.get("seed"));
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

async function run({ name, run, skip }: PageTest): Promise<void> {
  if (skip !== undefined) return await report({ kind: "skip", name, text: skip });
  await report({ kind: "start", name });
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
  await fetch(`/__report?token=${token}`, { method: "POST", body: JSON.stringify(message) });
}
