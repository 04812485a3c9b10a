// A worker of one's own that serves its functions late: it awaits something first, as its configuration. By then its greeting
// has long been there.

import { serve } from "../../adapters/worker.ts";

await new Promise((resolve) => setTimeout(resolve, 1200));
serve({ add: (a: number, b: number) => a + b });
