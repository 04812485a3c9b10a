// What the threads of the page do.

import type { Barrier, Lock, Queue, SharedArray, SharedValue } from "../../mod.ts";

/** A strip of the picture that somebody has to paint. */
export interface Strip {
  /** Which picture it belongs to; strips of an older one are given up. */
  readonly picture: number;
  readonly top: number;
  readonly rows: number;
  /** The complex number in the middle, and the width of the picture. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** What painters share. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** One 32-bit colour for each pixel, row by row. */
  readonly pixels: SharedArray<"u32">;
  readonly strips: Queue<Strip>;
  /** The picture that is being painted. */
  readonly picture: SharedValue<"i32">;
  /** Strips painted so far by each thread. */
  readonly shares: SharedArray<"i32">;
}

const MOST_TURNS = 600;

/** Paints strips until the queue is closed. */
export function paint(index: number, canvas: Canvas): void {
  const { strips, shares } = canvas;
  for (const strip of strips) {
    if (paintStrip(strip, canvas)) shares.set(index, shares.at(index) + 1);
    strips.taskDone();
  }
}

/** Whether it was painted whole: nobody wants the rest of a picture that has been given up. */
function paintStrip(strip: Strip, { width, height, pixels: { view }, picture }: Canvas): boolean {
  const { top, rows, x, y, scale } = strip;
  const step = scale / width;
  for (let row = top; row < top + rows; row++) {
    if (strip.picture !== picture.value) return false;
    const imaginary = y + (row - height / 2) * step;
    for (let column = 0; column < width; column++) {
      view[row * width + column] = colour(turns(x + (column - width / 2) * step, imaginary));
    }
  }
  return true;
}

function turns(a: number, b: number): number {
  let [x, y] = [0, 0];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const [xx, yy] = [x * x, y * y];
    if (xx + yy > 256) return turn + 1 - Math.log2(Math.log2(xx + yy) / 2);
    y = 2 * x * y + b;
    x = xx - yy + a;
  }
  return -1;
}

/** Red, green, blue and opacity from the lowest byte on, as ImageData has them. */
function colour(turn: number): number {
  if (turn < 0) return 0xff000000;
  const part = (shift: number) => Math.round(127.5 - 127.5 * Math.cos(0.3 * Math.sqrt(turn + 1) * 2.2 + shift));
  return (0xff000000 | (part(2.4) << 16) | (part(1.2) << 8) | part(0)) >>> 0;
}

/** Takes two locks one after the other, once both threads hold their first: the classic circle. */
export function clash(first: Lock, second: Lock, both: Barrier): string {
  const one = first.acquire();
  try {
    both.wait();
    const two = second.acquire();
    two.release();
    return "went on";
  } finally {
    one.release();
  }
}
