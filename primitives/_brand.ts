// The marks that Lockstep's classes carry on their prototypes.

/** Set on the prototype of every shareable class; its value is the kind. */
export const BRAND: unique symbol = Symbol.for("lockstep.primitive") as never;

/** Set on the prototype of every guard. */
export const GUARD: unique symbol = Symbol.for("lockstep.guard") as never;
