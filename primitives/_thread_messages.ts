// What threads and their starters tell each other by postMessage. All that has to
// arrive at a blocked thread goes through shared memory instead (_thread_record.ts).

import type { FullHandle } from "./_handle.ts";

/** Where the thread's code is found. */
export interface ThreadCall {
  /** The module to import; `undefined` for what was given to serve(). */
  readonly module: string | undefined;
  /** The export to call; `undefined` if a subclass needs none. */
  readonly target: string | undefined;
  /** The export that is the subclass of Thread whose run() is to be called. */
  readonly subclass: string | undefined;
  /** A Timer waits so long first, in ms. */
  readonly interval?: number | undefined;
}

/** What a worker is started with. */
export interface ThreadStart {
  readonly lockstep: "start";
  /** The thread's id in the roster, taken by its starter. */
  readonly id: number;
  /** Its record, and with it the roster. */
  readonly record: FullHandle;
  /** A module to import before anything else, for memory that needs its own. */
  readonly memory: string | undefined;
  readonly call: ThreadCall;
  /** The arguments, as toMessage() gives them. */
  readonly args: unknown;
  /** The public fields of a subclass's instance, the same way. */
  readonly fields: unknown;
  /** How many threads have started one another, from the first thread of the program to this one. */
  readonly generation: number;
  /** Whether there are primitives in these, so that their classes must be there first. */
  readonly primitives: boolean;
}

/** From a thread to its starter: what does not fit into bytes, or an error that nobody joins. */
export type ThreadMessage =
  | { readonly lockstep: "outcome"; readonly value: unknown }
  | { readonly lockstep: "uncaught"; readonly thread: FullHandle; readonly error: Uint8Array }
  | RoutedMessage;

/** Between any two threads; see _thread_route.ts. */
export type RoutedMessage = RoutedQuestion | RoutedAnswer;

/** From a joiner to the starter of a thread: what did it post? */
export interface RoutedQuestion {
  readonly lockstep: "ask";
  /** The starter's id. */
  readonly to: number;
  /** The joiner's. */
  readonly from: number;
  readonly thread: FullHandle;
}

/** Back to the joiner; without a value where it is lost. */
export interface RoutedAnswer {
  readonly lockstep: "answer";
  /** The joiner's id. */
  readonly to: number;
  readonly thread: FullHandle;
  readonly posted: { readonly value: unknown } | undefined;
}

/** Whether a message is one of ours. */
export function isThreadMessage(message: unknown): message is ThreadMessage {
  return typeof message === "object" && message !== null &&
    typeof (message as { lockstep?: unknown }).lockstep === "string";
}
