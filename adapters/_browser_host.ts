// The host of a page, and of the workers of one. What only agents that make workers
// themselves need is given from outside, so that a thread's first module does not name
// itself: bundlers cannot build a worker that contains its own URL.

import type { AnyWorker } from "./_given_worker.ts";
import { checkMade, lifeName, spawnGiven } from "./_given_worker.ts";
import type { Made } from "./_maker.ts";
import { hearMaker, tellMaker } from "./_maker.ts";
import type { Make, MakeOwn } from "./_page_maker.ts";
import { makeHere, PageMaker } from "./_page_maker.ts";
import { listen, postToStarter, starter, whenDelivered } from "./_port.ts";
import { watchMembers } from "./_raw_workers.ts";
import { exitWorker, isPage, onWebEnd } from "./_web_end.ts";
import type { Host, HostSpawn, HostWorker, HostWorkerEvents } from "../primitives/host.ts";

/** In a worker of WebKit a waitAsync does not time out by itself; no feature tells. */
function isWebKit(): boolean {
  return /AppleWebKit/.test(navigator.userAgent) && !/Chrom/.test(navigator.userAgent);
}

const TICK = 20;

/** The host; `makeOwn` makes a worker on the library's own first module. */
export function webHost(makeOwn: MakeOwn): Host {
  return {
    name: "browser",
    isMainThread: isPage,
    stopsRunningCode: true,
    stopsNested: false, // they are the page's, which stops each by itself
    get startsBlocked() {
      return starter.port !== undefined; // then the page makes the workers
    },
    tick: !isPage && isWebKit() ? TICK : undefined,
    workerNumber: 0,
    hardwareConcurrency: navigator.hardwareConcurrency,
    spawn: (start, events) =>
      starter.port === undefined ? spawnHere(start, events, makeOwn) : spawnByPage(start, events),
    post: postToStarter,
    onMessage: (listener) => starter.port && listen(starter.port, listener),
    onEnd: onWebEnd,
    joined: watchMembers,
    exit: () => whenDelivered(exitWorker),
    printError: (text) => console.error(text.trimEnd()),
  };
}

function spawnHere(start: HostSpawn, events: HostWorkerEvents, makeOwn: MakeOwn): HostWorker {
  const worker = start.worker === undefined ? makeOwn(start.name) : checkMade(start.worker());
  return spawnIn(worker, start, events, makeHere(makeOwn));
}

/** Makes a worker of this agent a thread's; what that asks for is made in the given way. */
function spawnIn(worker: AnyWorker, start: HostSpawn, events: HostWorkerEvents, make: Make): HostWorker {
  const maker = new PageMaker(worker, make);
  const end: HostWorkerEvents["end"] = (how) => {
    maker.ended();
    events.end(how);
  };
  return spawnGiven(start, { message: events.message, end }, worker, (message) => maker.told(message));
}

/** What the page has made for this thread: tells of an end, by number. */
const asked = new Map<number, () => void>();
let made = 0;

/** Makes the workers by the page. */
const makeByPage: Make = (greeting, how, ended) => {
  const number = made++;
  if (number === 0) hearMaker(({ ended: which }) => which !== undefined && asked.get(which)?.());
  asked.set(number, () => {
    asked.delete(number);
    ended();
  });
  tellMaker({ make: { number, greeting, how } }, [greeting.port]);
  return () => tellMaker({ kill: number });
};

function spawnByPage(start: HostSpawn, events: HostWorkerEvents): HostWorker {
  const how = start.worker === undefined ? { name: start.name } : howMade(start.worker);
  if ("postMessage" in how) return spawnIn(how, start, events, makeByPage);
  const { port1, port2 } = new MessageChannel();
  const terminate = makeByPage({ start: start.data, port: port2, life: lifeName() }, how, () => {
    events.end({ reason: "unknown" });
    port1.close();
  });
  listen(port1, events.message);
  return {
    post: (message) => port1.postMessage(message),
    take: () => undefined,
    terminate,
    setRef() {},
  };
}

/** How the user's function makes its worker, so that the page can; the worker itself where that cannot be seen. */
function howMade(make: () => unknown): Made | AnyWorker {
  const realm = globalThis as { Worker: unknown };
  const { Worker } = realm;
  let seen: Made | undefined;
  realm.Worker = class {
    constructor(url: string | URL, options: object = {}) {
      seen = { name: "", url: new URL(url, location.href).href, options };
    }
  };
  try {
    const worker = make();
    return seen ?? checkMade(worker);
  } finally {
    realm.Worker = Worker;
  }
}
