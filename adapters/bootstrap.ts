// The first module of every worker that Lockstep itself makes on Deno, Node and Bun. Parsing is most of what starting
// a thread costs, so it imports only what every thread needs; what else the target's module needs, that imports.

import { threads } from "./_node_api.ts";
import { greetingIn } from "./_port.ts";
import { serverHost } from "./_server.ts";
import { writeAtOnce } from "./_output.ts";
import { loadCodecBy } from "../primitives/_codec_late.ts";
import { installHost } from "../primitives/host.ts";
import type { ThreadStart } from "../primitives/_thread_messages.ts";
import { runThread } from "../primitives/_thread_run.ts";

/** Every class that an argument may hold. By its URL: what Deno sees in an import it looks up and reads ahead for every thread. */
const ALL = new URL("../primitives/mod.ts", import.meta.url).href;

/** What a result may need, likewise. */
const CODEC = new URL("../primitives/_codec_here.ts", import.meta.url).href;

installHost(serverHost()!);
writeAtOnce();
loadCodecBy(() => import(CODEC));
const { start } = greetingIn(threads().workerData)!;
void runThread(start as ThreadStart, () => import(ALL));
