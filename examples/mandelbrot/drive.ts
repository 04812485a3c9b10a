// Uses the page as a person would, when it is opened with ?drive=token: the browsers'
// drivers share no commands but "open". Each step is reported to the server.

const token = new URL(location.href).searchParams.get("drive");
const text = (id: string): string => document.getElementById(id)!.textContent ?? "";

async function report(kind: "pass" | "fail" | "done", name: string, message = ""): Promise<void> {
  const body = JSON.stringify({ kind, name, text: message, count: 0 });
  await fetch(`/__report?token=${token}`, { method: "POST", body });
}

/** Waits until an element says that. */
async function says(id: string, what: RegExp): Promise<void> {
  while (!what.test(text(id))) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A number that tells one picture from another. */
function picture(): number {
  const { width, height } = document.querySelector("canvas")!;
  const { data } = document.querySelector("canvas")!.getContext("2d")!.getImageData(0, 0, width, height);
  return data.reduce((sum, value, index) => (sum + value * (index % 1021)) % 1_000_000_007, 0);
}

function press(key: string): void {
  dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
}

async function drive(): Promise<void> {
  await says("status", /^Painted by .* zoom 1\.0 ×$/);
  const first = picture();
  if (first === 0) throw new Error("the picture is empty");
  await says("locks", /^Queue strips: waited for by painter 1, painter 2/);
  await report("pass", "painted");
  press("+");
  await says("status", /^Painted by .* zoom 1\.5 ×$/);
  const second = picture();
  if (second === first) throw new Error("zooming changed nothing");
  await report("pass", "zoomed");
  document.querySelector<HTMLElement>('[data-key="ArrowLeft"]')!.click();
  while (picture() === second || !text("status").startsWith("Painted")) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await report("pass", "moved");
  document.getElementById("deadlock")!.click();
  await says("report", /DeadlockError in (transfer|check):[^]*holds Lock "(accounts|audit)"[^]*went on/);
  await report("pass", "deadlock");
  await report("done", "");
}

if (token !== null) drive().catch((error) => report("fail", "drive", String(error)));
