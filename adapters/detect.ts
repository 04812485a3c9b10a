// Installs the host of the runtime that this is, once and without waiting for anything.

import { serverHost } from "./_server.ts";
import { browserHost } from "./browser.ts";
import { unsupportedHost } from "./unsupported.ts";
import { installHost } from "../primitives/host.ts";

const realm = globalThis as { Worker?: unknown; location?: { href?: string } };

installHost(
  serverHost() ??
    (typeof realm.Worker === "function" && realm.location?.href !== undefined
      ? browserHost()
      : unsupportedHost("there is no process.getBuiltinModule() and no Worker")),
);
