// Installs the host of the runtime that this is, once and without waiting for anything.

import { serverHost } from "./_server.ts";
import { installHost } from "../primitives/host.ts";

const host = serverHost();
if (host !== undefined) installHost(host);
