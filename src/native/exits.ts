/** Read when this module is loaded, because tests replace the global one. */
const soon = setImmediate

/**
 * @internal Calls a listener after the native side has reported the end of a child. Two immediates leave a whole turn of the event
 * loop for reading, so that the child's output and the end of its streams are reported first, as with libuv.
 */
export function onEnd<T>(ended: Promise<T>, listener: (report: T) => void): void {
  ended.then((report) => soon(() => soon(() => listener(report))))
}
