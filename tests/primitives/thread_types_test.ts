// What the types of Thread promise; the checker is the test.

import { assert, test } from "../_harness.ts";
import { Lock, Thread, Timer } from "../../mod.ts";

const module = import.meta.url;
const crunch = (a: number, _b: string, _lock: Lock): Promise<boolean> => Promise.resolve(a > 0);
const optional = (a = 1): number => a;
const none = (): string => "";
const rest = (...all: number[]): number => all.length;

test("Thread's arguments and result have the target's types", () => {
  const lock = new Lock();
  const thread = new Thread({ target: crunch, module, args: [1, "x", lock] });
  const typed: Thread<Promise<boolean>, [number, string, Lock]> = thread;
  const joins: () => boolean = () => typed.join();
  const tries: () => { value: boolean } | undefined = () => typed.tryJoin();
  const awaits: () => Promise<boolean> = () => typed.joinAsync();
  new Thread({ target: optional, module });
  new Thread({ target: optional, module, args: [2] });
  new Thread({ target: none, module });
  new Thread({ target: optional, module, args: [2] as const });
  new Thread({ target: rest, module, args: [1, 2, 3] });
  new Timer({ interval: 1, target: none, module });
  const wrong = () => {
    // @ts-expect-error: args are missing
    new Thread({ target: crunch, module });
    // @ts-expect-error: one argument is of another type
    new Thread({ target: crunch, module, args: [1, 2, lock] });
    // @ts-expect-error: one argument too many
    new Thread({ target: none, module, args: [1] });
    // @ts-expect-error: no module
    new Thread({ target: none });
    // @ts-expect-error: join gives a boolean
    const text: string = typed.join();
    // @ts-expect-error: no interval
    new Timer({ target: none, module });
    return text;
  };
  assert([joins, tries, awaits, wrong].every((call) => typeof call === "function"));
});
