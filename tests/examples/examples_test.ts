// Every program of examples/ runs as it stands and prints what it should.

import { assert, test } from "../_harness.ts";

const FOLDER = new URL("../../examples/", import.meta.url);

const EXPECTED: Record<string, string> = {
  "pipe.ts": `
1 + 2 + 3 = 6
10 + 20 = 30
0.5 + 0.25 = 0.75
answered 3 questions
reader: readable true, writable false
raw bytes
end of file: true
`,
  "queue.ts": `
empty: true, full: false, size: 0
empty: false, full: true, size: 3
one more at once: false
one more in 20 ms: false
taken at once: soup
from an empty one in 20 ms: undefined
served 102 dishes
Queue "counter" (size=0/3, closed)
`,
  "value.ts": `
money: 6000
0.5 b 9223372036854775808n
250 + 10 in a u8: 4
TypeError
`,
  "array.ts": `
1 4 9 16 25 36
last: 36, slice: 4 9
4 zeros: 0 0 0 0
HELLO 5
RangeError
`,
  "semaphore.ts": `
never more than three: true
value afterwards: 3
all taken: 0, one more: undefined
with one more: 4
`,
  "thread_basic.ts": `
player plays the first song
player plays the second song
it has ended
the music is over
alive: false
`,
  "thread_args.ts": `
Alex slept 1 times 0.01 s
Levi slept 2 times 0.01 s
Tom slept 3 times 0.01 s
`,
  "thread_attributes.ts": `
named Thread-1 (stay), state initial, alive false
named stayer, alive true, daemon false
MainThread, stayer
joined stayer, alive false
MainThread goes, the daemon does not hold it
`,
  "custom_thread.ts": `
sum of 1 to 100: 5050
sum of 101 to 1000: 495450
`,
  "event.ts": `
set: false, within 5 ms: false
friend, come in
cleared: true
`,
  "lock.ts": `
different: 0 times
pair: 1000 1000
Lock "pair" (unlocked)
`,
};

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`example ${name} prints what it should`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", new URL(name, FOLDER).pathname],
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(new TextDecoder().decode(stdout).trim(), expected.trim());
    assert.equal(code, 0);
  }, { limit: 60_000 });
}
