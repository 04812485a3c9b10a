// A module that starts a thread whenever it is imported, as somebody would write it who has not read the manual.

import { Thread } from "../../mod.ts";

export function work(): number {
  return 1;
}

const thread = new Thread({ target: work, module: import.meta.url }).start();
try {
  console.log(await thread.joinAsync());
} catch (error) {
  console.log((error as Error).name, (error as Error).message);
}
