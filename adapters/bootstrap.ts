// The first module of every worker that Lockstep itself makes on Deno, Node and Bun.

import { builtin } from "./_node_api.ts";
import type { NodeThreads } from "./_node_api.ts";
import { greetingOf } from "./_worker_threads.ts";
import { serverHost } from "./_server.ts";
import { writeAtOnce } from "./_output.ts";
import { installHost } from "../primitives/host.ts";
import "../primitives/mod.ts"; // every class that an argument may hold
import type { ThreadStart } from "../primitives/_thread_messages.ts";
import { runThread } from "../primitives/_thread_run.ts";

installHost(serverHost()!);
writeAtOnce();
void runThread(greetingOf(builtin<NodeThreads>("node:worker_threads").workerData)!.start as ThreadStart);
