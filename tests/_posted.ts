/**
 * What arrives of a handle where it is posted, without a second thread.
 *
 * @module
 */

const memory = new Int32Array(new SharedArrayBuffer(4));
structuredClone(memory)[0] = 1;
/** In WebKit structuredClone() copies shared memory, against its specification; postMessage() does not. */
const shares = memory[0] === 1;

/** A copy of the handle, which stands for the same shared memory. */
export function posted<T extends object>(handle: T): T {
  return shares ? structuredClone(handle) : { ...handle };
}
