export * from "./errors.ts";
export * from "./lock.ts";
