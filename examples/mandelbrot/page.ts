// The page: it never blocks. It starts the painters, hands out strips, draws the
// shared pixels, and shows what threadDump() says.

import { Barrier, DeadlockError, Lock, Queue, SharedArray, SharedValue, Thread, threadDump } from "../../mod.ts";
import { type Canvas, clash, paint, type Strip } from "./painter.ts";

const module = new URL("./painter.ts", import.meta.url);
const STRIP = 12; // rows
const START = { x: -0.65, y: 0, scale: 3.4 };
const ZOOM = 1.5;
const MOVE = 0.12; // of the width
const REFRESH = 250; // ms

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
    const began = performance.now();
    const strips: Strip[] = [];
    for (let top = 0; top < height; top += STRIP) {
      strips.push({ picture, top, rows: Math.min(STRIP, height - top), ...view });
    }
    await canvas.strips.putManyAsync(strips);
    let done = false;
    const watch = (): void => {
      if (done) return;
      draw();
      status.textContent = `${canvas.strips.size} of ${strips.length} strips are waiting`;
      requestAnimationFrame(watch);
    };
    watch();
    await canvas.strips.joinAsync();
    done = true;
    draw();
    const zoom = (START.scale / view.scale).toFixed(1);
    status.textContent = `Painted by ${painters} threads in ${
      (performance.now() - began).toFixed(0)
    } ms, zoom ${zoom} ×`;
  }

  function fail(error: unknown): void {
    status.textContent = String(error);
  }

  function act(key: string): boolean {
    const step = view.scale * MOVE;
    if (key === "+" || key === "=") view.scale /= ZOOM;
    else if (key === "-") view.scale *= ZOOM;
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
    if (!event.ctrlKey && !event.metaKey && !event.altKey && act(event.key)) event.preventDefault();
  });
  for (const button of document.querySelectorAll<HTMLElement>("[data-key]")) {
    button.addEventListener("click", () => void act(button.dataset.key!));
  }

  setInterval(() => showThreads(canvas), REFRESH);
  element("deadlock").addEventListener("click", (event) => void makeDeadlock(event.target as HTMLButtonElement));
  show().catch(fail);
  showThreads(canvas);
}

function showThreads(canvas: Canvas): void {
  const rows = threadDump().threads.map(({ name, state, waits }) => {
    const [wait] = waits;
    const owners = wait?.owners.map((owner) => owner.name).join(", ") ?? "";
    const what = wait === undefined ? "" : `${wait.kind} ${wait.name}${owners === "" ? "" : `, held by ${owners}`}`;
    const [, number] = /^painter (\d+)$/.exec(name) ?? [];
    const strips = number === undefined ? "" : String(canvas.shares.at(Number(number) - 1));
    return row([name, state, what, strips]);
  });
  element("threads").replaceChildren(...rows);
  element("queue").textContent = String(canvas.strips);
}

function row(texts: readonly string[]): HTMLTableRowElement {
  const tr = document.createElement("tr");
  for (const text of texts) tr.insertCell().textContent = text;
  return tr;
}

async function makeDeadlock(button: HTMLButtonElement): Promise<void> {
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
  const lines: string[] = [];
  const outcomes = await Promise.allSettled(threads.map((thread) => thread.joinAsync()));
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
