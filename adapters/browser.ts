/**
 * The adapter for browsers.
 *
 * @module
 */

import { unsupportedHost } from "./unsupported.ts";
import type { Host } from "../primitives/host.ts";

/** The host of a page or worker. */
export function browserHost(): Host {
  return unsupportedHost("the adapter for browsers is being written");
}
