/** Taken at load: tests replace the global one. */
const soon = setImmediate

/**
 * @internal Calls a listener when the native side has reported an end. What a program had written, and closed, is told first, as
 * libuv has it: two immediates have a whole round of reading between them.
 */
export function onEnd<T>(ended: Promise<T>, listener: (report: T) => void): void {
  ended.then((report) => soon(() => soon(() => listener(report))))
}
