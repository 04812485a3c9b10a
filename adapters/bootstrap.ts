// The first module of every worker that Lockstep itself makes on Deno, Node and Bun.

import { threads } from "./_node_api.ts";
import { greetingIn } from "./_port.ts";
import { serverHost } from "./_server.ts";
import { writeAtOnce } from "./_output.ts";
import { installHost } from "../primitives/host.ts";
import "../primitives/mod.ts"; // every class that an argument may hold
import type { ThreadStart } from "../primitives/_thread_messages.ts";
import { runThread } from "../primitives/_thread_run.ts";

installHost(serverHost()!);
writeAtOnce();
void runThread(greetingIn(threads().workerData)!.start as ThreadStart);
