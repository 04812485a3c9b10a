// A thread that does what it is asked to, one thing after another, until it is sent away: see ../conformance/_hands.ts.

import { serve } from "../../adapters/worker.ts";
import { fromMessage, toMessage } from "../../mod.ts";
import type { Answer, Job } from "../conformance/_hands.ts";
import { listenToOwner } from "./own_worker.ts";

let begin: () => void;
let leave: () => void;
/** Resolves once this is a thread: what it is given cannot be attached before. */
const begun = new Promise<void>((resolve) => begin = resolve);

serve({
  standBy(): Promise<void> {
    begin();
    setInterval(() => {}, 2 ** 31 - 1); // or it has nothing left to do
    return new Promise((resolve) => leave = resolve);
  },
});

const answer = listenToOwner(async (data) => {
  const { job } = data as { job?: Job | "leave" };
  if (job === undefined) return; // Lockstep's own
  await begun;
  if (job === "leave") leave();
  else answer({ answer: await done(job) });
});

async function done({ module, target, args }: Job): Promise<Answer> {
  try {
    const { [target]: work } = await import(module);
    return { value: toMessage(await work(...fromMessage<unknown[]>(args))) };
  } catch (error) {
    return { error: toMessage(error) };
  }
}
