// A pending Atomics.waitAsync keeps no process alive, on any runtime. So while
// at least one async wait of this agent is pending, one timer of its own does. Where
// waits time out only as timers turn the event loop, that timer turns it.

import { agent } from "./_agent.ts";

const A_LONG_TIME = 0x7fffffff; // ms; the longest a timer takes

type Timers = {
  setInterval(callback: () => void, ms: number): unknown;
  clearInterval(timer: unknown): void;
};

/** One more async wait is pending. */
export function keepAlive(): void {
  if (agent.pending++ === 0) {
    agent.pendingTimer = (globalThis as unknown as Timers).setInterval(() => {}, agent.host?.tick ?? A_LONG_TIME);
  }
}

/** One of them has settled. */
export function letGo(): void {
  if (--agent.pending === 0) {
    (globalThis as unknown as Timers).clearInterval(agent.pendingTimer);
    agent.pendingTimer = undefined;
  }
}
