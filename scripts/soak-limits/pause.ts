/** Blocks the thread for 20 ms. A process that exits, or that is limited, cannot wait for the event loop. */
export function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
}
