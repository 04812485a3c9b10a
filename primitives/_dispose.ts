// Symbol.dispose where the engine has it. WebKit does not, and a bare
// `[Symbol.dispose]() {}` member would there become a method named "undefined".

import { GUARD } from "./_brand.ts";

const DISPOSE: symbol | undefined = (Symbol as { readonly dispose?: symbol }).dispose;

/** Makes `using x = …` call the method of that name, in engines that have the symbol. */
export function disposable(prototype: object, method: string): void {
  if (DISPOSE === undefined) return;
  Object.defineProperty(prototype, DISPOSE, {
    configurable: true,
    writable: true,
    value: function (this: Record<string, () => unknown>): unknown {
      return this[method]!();
    },
  });
}

/** Marks a class of guards: `using` releases them, and no message carries them. */
export function guarding(prototype: object): void {
  disposable(prototype, "release");
  Object.defineProperty(prototype, GUARD, { value: true });
}
