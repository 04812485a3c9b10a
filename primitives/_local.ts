// What this agent knows of a record and shares among all its objects for that
// record: attaching twice in one thread gives two objects and one local state.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { recordKey } from "./_layout.ts";

const forget = new FinalizationRegistry<{ locals: Map<number, WeakRef<object>>; key: number; ref: WeakRef<object> }>(
  ({ locals, key, ref }) => {
    if (locals.get(key) === ref) locals.delete(key);
  },
);

/** The agent's state for a record, made by `make` the first time. */
export function localOf<T extends object>(words: Words, make: () => T): T {
  const { locals } = agent;
  const key = recordKey(words);
  const known = locals.get(key)?.deref();
  if (known !== undefined) return known as T;
  const local = make();
  const ref = new WeakRef<object>(local);
  locals.set(key, ref);
  forget.register(local, { locals, key, ref });
  return local;
}
