// The mark that every Lockstep primitive carries on its prototype.

/** Set on the prototype of every shareable class; its value is the kind. */
export const BRAND: unique symbol = Symbol.for("lockstep.primitive") as never;
