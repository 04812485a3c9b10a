// The page: it never blocks. It starts the painters, hands out strips, draws the
// shared pixels, and shows what threadDump() says.

import {
  Barrier,
  DeadlockError,
  type Dump,
  Lock,
  Queue,
  SharedArray,
  SharedValue,
  Thread,
  threadDump,
  trackHeld,
} from "../../mod.ts";
import { type Canvas, clash, paint, type Strip } from "./painter.ts";

const module = new URL("./painter.ts", import.meta.url);
const STRIP = 12; // rows
const START = { x: -0.65, y: 0, scale: 3.4 };
const ZOOM = 1.5;
const FARTHEST = 4 * START.scale;
const NEAREST = 1e-12 * START.scale; // beyond it doubles tell no points apart
const MOVE = 0.12; // of the width
const REFRESH = 250; // ms
const GLANCE = 10; // ms, while a deadlock is being made
const FROZEN = 2000; // ms for which the panel then shows it

let frozen = 0; // until when the panel stays as it is

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const screen = element<HTMLCanvasElement>("canvas");
const context = screen.getContext("2d")!;
const status = element("status");

try {
  run();
} catch (error) { // not isolated: the error names the two headers
  status.textContent = (error as Error).message;
}

function run(): void {
  trackHeld(true); // the panel shows who holds what
  const { width, height } = screen;
  const painters = Math.max(2, Math.min(8, navigator.hardwareConcurrency));
  const canvas: Canvas = {
    width,
    height,
    pixels: new SharedArray("u32", width * height),
    strips: new Queue<Strip>({ name: "strips", maxBytes: 1 << 20 }),
    picture: new SharedValue("i32", 0),
    shares: new SharedArray("i32", painters),
  };
  const threads = Array.from(
    { length: painters },
    (_, index) =>
      new Thread({ target: paint, module, args: [index, canvas], name: `painter ${index + 1}`, daemon: true }).start(),
  );
  for (const thread of threads) thread.joinAsync().catch(fail);

  const view = { ...START };
  const image = new ImageData(width, height);
  const colours = new Uint32Array(image.data.buffer);

  function draw(): void {
    colours.set(canvas.pixels.view); // ImageData must not be shared: one copy a frame
    context.putImageData(image, 0, 0);
  }

  async function show(): Promise<void> {
    const picture = canvas.picture.add(1) + 1;
    await canvas.strips.joinAsync(); // nobody paints the one before any more
    if (picture !== canvas.picture.value) return; // and nobody wants this one
    let began = 0; // when the first strip is taken: threads have to start before
    const strips: Strip[] = [];
    for (let top = 0; top < height; top += STRIP) {
      strips.push({ picture, top, rows: Math.min(STRIP, height - top), ...view });
    }
    await canvas.strips.putManyAsync(strips);
    let done = false;
    const watch = (): void => {
      if (done) return;
      if (began === 0 && canvas.strips.size < strips.length) began = performance.now();
      draw();
      requestAnimationFrame(watch);
    };
    watch();
    await canvas.strips.joinAsync();
    done = true;
    draw();
    const zoom = START.scale / view.scale;
    const times = zoom < 1e5 ? zoom.toFixed(1) : zoom.toExponential(1);
    const ms = began === 0 ? "less than a frame" : `${(performance.now() - began).toFixed(0)} ms`;
    status.textContent = `Painted by ${painters} threads in ${ms}, zoom ${times} ×`;
  }

  function fail(error: unknown): void {
    status.textContent = String(error);
  }

  function act(key: string): boolean {
    const step = view.scale * MOVE;
    if (key === "+" || key === "=") view.scale = Math.max(view.scale / ZOOM, NEAREST);
    else if (key === "-") view.scale = Math.min(view.scale * ZOOM, FARTHEST);
    else if (key === "ArrowLeft") view.x -= step;
    else if (key === "ArrowRight") view.x += step;
    else if (key === "ArrowUp") view.y -= step;
    else if (key === "ArrowDown") view.y += step;
    else if (key === "0") Object.assign(view, START);
    else return false;
    show().catch(fail);
    return true;
  }
  addEventListener("keydown", (event) => {
    // Elsewhere than on the picture arrow keys scroll the page.
    if (event.key.startsWith("Arrow") && document.activeElement !== screen) return;
    if (!event.ctrlKey && !event.metaKey && !event.altKey && act(event.key)) event.preventDefault();
  });
  for (const button of document.querySelectorAll<HTMLElement>("[data-key]")) {
    button.addEventListener("click", () => void act(button.dataset.key!));
  }

  setInterval(() => showThreads(canvas), REFRESH);
  element("deadlock").addEventListener(
    "click",
    (event) => void makeDeadlock(canvas, event.target as HTMLButtonElement),
  );
  show().catch(fail);
  showThreads(canvas);
}

function showThreads(canvas: Canvas): void {
  if (performance.now() < frozen) return;
  const { threads } = threadDump();
  const rows = threads.map(({ name, state, waits }) => {
    const [wait] = waits;
    const what = wait === undefined ? "" : `${wait.task ? "a task: " : ""}${wait.kind} ${wait.name}`;
    const [, number] = /^painter (\d+)$/.exec(name) ?? [];
    const strips = number === undefined ? "" : String(canvas.shares.at(Number(number) - 1));
    return row([name, state, what, strips]);
  });
  element("threads").replaceChildren(...rows);
  element("locks").replaceChildren(
    ...shared(threads).map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
  element("queue").textContent = String(canvas.strips);
}

/** Each lock and queue that somebody holds or waits for, with those who do. */
function shared(threads: Dump["threads"]): string[] {
  const found = new Map<string, { held: string[]; wanted: string[] }>();
  const at = (kind: string, name: string) => {
    const title = `${kind} ${name}`;
    const entry = found.get(title) ?? { held: [], wanted: [] };
    found.set(title, entry);
    return entry;
  };
  for (const { name, holds, waits } of threads) {
    for (const hold of holds) at(hold.kind, hold.name).held.push(name);
    for (const wait of waits) if (/Lock|Queue/.test(wait.kind)) at(wait.kind, wait.name).wanted.push(name);
  }
  return [...found].map(([title, { held, wanted }]) => {
    const parts = [
      held.length > 0 ? `held by ${held.join(", ")}` : "",
      wanted.length > 0 ? `waited for by ${wanted.join(", ")}` : "",
    ];
    return `${title}: ${parts.filter((part) => part !== "").join(", ")}`;
  });
}

function row(texts: readonly string[]): HTMLTableRowElement {
  const tr = document.createElement("tr");
  for (const text of texts) tr.insertCell().textContent = text;
  return tr;
}

async function makeDeadlock(canvas: Canvas, button: HTMLButtonElement): Promise<void> {
  const report = element("report");
  button.disabled = true;
  report.hidden = false;
  report.textContent = "Two threads are about to block each other …";
  const [accounts, audit] = [new Lock({ name: "accounts" }), new Lock({ name: "audit" })];
  const both = new Barrier(2);
  const began = performance.now();
  const threads = [
    new Thread({ target: clash, module, args: [accounts, audit, both], name: "transfer" }).start(),
    new Thread({ target: clash, module, args: [audit, accounts, both], name: "check" }).start(),
  ];
  const looking = setInterval(() => {
    const stuck = threadDump().threads.filter(({ waits }) => waits[0]?.kind === "Lock" && waits[0].owners.length > 0);
    if (stuck.length < 2 || performance.now() < frozen) return;
    showThreads(canvas); // who holds what; it is found and broken before anybody could read it
    frozen = performance.now() + FROZEN;
  }, GLANCE);
  const lines: string[] = [];
  const outcomes = await Promise.allSettled(threads.map((thread) => thread.joinAsync()));
  clearInterval(looking);
  outcomes.forEach((outcome, index) => {
    const { name } = threads[index]!;
    if (outcome.status === "fulfilled") lines.push(`Thread ${JSON.stringify(name)} ${outcome.value}.`);
    else if (outcome.reason instanceof DeadlockError) {
      lines.unshift(`DeadlockError in ${name}:`, outcome.reason.message);
    } else lines.push(`${name}: ${outcome.reason}`);
  });
  report.textContent = `${lines.join("\n")}\n(${
    (performance.now() - began).toFixed(0)
  } ms, starting the threads included)`;
  button.disabled = false;
}
