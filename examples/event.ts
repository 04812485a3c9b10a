// One thread waits for another's sign. Python: threading.Event.

import { Event, isMainThread, SharedArray, Thread } from "@lockstep/lockstep";

/** Leaves a password, then gives the sign. */
export function friend(sign: Event, password: SharedArray<"c">): void {
  password.value = "open sesame";
  sign.set();
}

if (isMainThread) {
  const sign = new Event({ name: "sign" });
  const password = new SharedArray("c", 32);
  console.log(`set: ${sign.isSet}, within 5 ms: ${sign.tryWait({ timeout: 5 })}`);

  const thread = new Thread({ target: friend, module: import.meta.url, args: [sign, password] }).start();
  sign.wait(); // what the friend wrote before set() is visible after wait()
  console.log(password.value === "open sesame" ? "friend, come in" : "foe, stay out");
  thread.join();

  sign.clear();
  console.log(`cleared: ${!sign.isSet}`);
}
