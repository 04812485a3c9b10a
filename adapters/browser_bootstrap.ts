// The first module of every worker that Lockstep itself makes in browsers. The page
// makes the workers of a thread, so this one needs no URL of its own.

import { beginWhenGreeted } from "./_begin.ts";
import { webHost } from "./_browser_host.ts";
import { installHost } from "../primitives/host.ts";
import "../primitives/mod.ts"; // every class that an argument may hold

installHost(webHost(() => {
  throw new Error("Bug in Lockstep: a thread makes a worker by itself");
}));
beginWhenGreeted();
