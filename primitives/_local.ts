// What this agent knows of a record and shares among all its objects for that
// record: attaching twice in one thread gives two objects and one local state.

import { agent } from "./_agent.ts";
import type { Words } from "./_atomics.ts";
import { load } from "./_atomics.ts";
import { recordKey, TAG } from "./_layout.ts";
import { LayoutError } from "./errors.ts";

/** Of what kind of record each is the state: identities are random, and damaged memory may repeat one. */
const tags = new WeakMap<object, number>();

const forget = new FinalizationRegistry<{ locals: Map<number, WeakRef<object>>; key: number; ref: WeakRef<object> }>(
  ({ locals, key, ref }) => {
    if (locals.get(key) === ref) locals.delete(key);
  },
);

/** The agent's state for a record, made by `make` the first time. Throws LayoutError for a damaged identity. */
export function localOf<T extends object>(words: Words, make: () => T): T {
  const { locals } = agent;
  const key = recordKey(words);
  const known = locals.get(key)?.deref();
  if (known !== undefined) {
    if (tags.get(known) === load(words, TAG)) return known as T;
    throw new LayoutError("Cannot attach as the record is damaged: it has the identity of another one");
  }
  const local = make();
  tags.set(local, load(words, TAG));
  const ref = new WeakRef<object>(local);
  locals.set(key, ref);
  forget.register(local, { locals, key, ref });
  return local;
}
