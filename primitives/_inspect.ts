// Printing: console.log shows what toString() gives, on every runtime that lets
// an object say so. Browsers' consoles draw objects themselves.

/** Makes console.log print `toString()` of instances. */
export function inspectable(prototype: object): void {
  for (const hook of ["Deno.customInspect", "nodejs.util.inspect.custom"]) {
    Object.defineProperty(prototype, Symbol.for(hook), {
      configurable: true,
      value: function (this: object): string {
        try {
          return this.toString();
        } catch { // the prototype itself, and what inherits from it without having been constructed
          return Object.prototype.toString.call(this);
        }
      },
    });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, {
    configurable: true,
    get(this: object): string {
      return this.constructor.name;
    },
  });
}

/** Has a class go by its name, in stacks, logs and tags, where a minifier has shortened what the code calls it. */
export function keepName(of: object, name: string): void {
  Object.defineProperty(of, "name", { value: name, configurable: true });
}
