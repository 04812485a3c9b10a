// Node runs the sources themselves here; their one dependency lies with the peers.

import { registerHooks } from "node:module";

const parentURL = new URL("./peers/", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    return next(specifier, specifier.startsWith("msgpackr") ? { ...context, parentURL } : context);
  },
});
