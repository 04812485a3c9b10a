// How far a shared counter has come: a bar on a terminal, plain lines otherwise.

import process from "node:process";
import { Presets, SingleBar } from "cli-progress";
import type { SharedValue } from "../../mod.ts";

const REFRESH = 100; // ms
const STEPS = 4; // plain lines, at most

/** Shows a SharedValue growing to a total, until end(). */
export class Progress {
  readonly #done: SharedValue<"i32">;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #show: (done: number) => void;
  #finish: () => void = () => {};

  constructor(label: string, total: number, done: SharedValue<"i32">) {
    this.#done = done;
    this.#show = process.stderr.isTTY ? this.#bar(label, total) : this.#lines(label, total);
    this.#timer = setInterval(() => this.#show(done.value), REFRESH);
  }

  #bar(label: string, total: number): (done: number) => void {
    const bar = new SingleBar({ format: `${label} {bar} {value}/{total} files`, hideCursor: true }, Presets.rect);
    bar.start(total, 0);
    this.#finish = () => bar.stop();
    return (done) => bar.update(done);
  }

  #lines(label: string, total: number): (done: number) => void {
    let said = 0;
    return (done) => {
      const step = Math.floor(STEPS * done / total);
      if (step <= said) return;
      said = step;
      console.error(`${label}: ${done}/${total} files`);
    };
  }

  /** Shows the last state and lets go of the event loop. */
  end(): void {
    clearInterval(this.#timer);
    this.#show(this.#done.value);
    this.#finish();
  }
}
