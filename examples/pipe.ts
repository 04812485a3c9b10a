// Two threads talk through a pipe, both ways. Python: multiprocessing.Pipe.

import { type Connection, isMainThread, pipe, Thread } from "@lockstep/lockstep";

interface Question {
  readonly numbers: number[];
}

/** The child's side: answers each question with a sum; no numbers mean goodbye. */
export function adder(end: Connection<number, Question>): string {
  for (let answered = 0;; answered++) {
    const { numbers } = end.recv();
    if (numbers.length === 0) return `answered ${answered} questions`;
    end.send(numbers.reduce((a, b) => a + b, 0));
  }
}

if (isMainThread) {
  const [fd1, fd2] = pipe<Question, number>(); // duplex, as in Python
  const child = new Thread({ target: adder, module: import.meta.url, args: [fd2] }).start();

  for (const numbers of [[1, 2, 3], [10, 20], [0.5, 0.25]]) {
    fd1.send({ numbers });
    console.log(`${numbers.join(" + ")} = ${fd1.recv()}`);
  }
  fd1.send({ numbers: [] });
  console.log(child.join());

  // One way: the first end only receives, the second only sends. Bytes need no codec.
  const [reader, writer] = pipe<string>({ duplex: false });
  console.log(`reader: readable ${reader.readable}, writable ${reader.writable}`);
  writer.sendBytes(new TextEncoder().encode("raw bytes"));
  console.log(new TextDecoder().decode(reader.recvBytes()));
  writer.close();
  console.log(`end of file: ${reader.poll()}`);
}
