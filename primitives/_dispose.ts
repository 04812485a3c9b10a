// Symbol.dispose where the engine has it. WebKit does not, and a bare
// `[Symbol.dispose]() {}` member would there become a method named "undefined".

type Disposers = { readonly dispose?: symbol; readonly asyncDispose?: symbol };

const DISPOSE: symbol | undefined = (Symbol as Disposers).dispose;
const ASYNC_DISPOSE: symbol | undefined = (Symbol as Disposers).asyncDispose;

/** Makes `using x = …` call the method of that name, in engines that have the symbol. */
export function disposable(prototype: object, method: string): void {
  define(prototype, method, DISPOSE);
}

/** Makes `await using x = …` call the method of that name, in engines that have the symbol. */
export function asyncDisposable(prototype: object, method: string): void {
  define(prototype, method, ASYNC_DISPOSE);
}

function define(prototype: object, method: string, symbol: symbol | undefined): void {
  if (symbol === undefined) return;
  Object.defineProperty(prototype, symbol, {
    configurable: true,
    writable: true,
    value: function (this: Record<string, () => unknown>): unknown {
      return this[method]!();
    },
  });
}
