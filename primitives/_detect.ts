// Finding circles of waits; see deadlock.ts for the whole story.

import type { BlockedWait, Wanted } from "./_wait.ts";

/** Looks for a circle that this wait closes; throws DeadlockError in the one member that is to break it. */
export function detect(_wanted: Wanted, _wait: BlockedWait, _untimed: boolean): void {}
