/** The calls of each signal. */
const calls = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * @internal Calls a function when a signal is aborted, until the returned function is called. A signal gets one listener, however many
 * calls there are: Node.js 20 warns of a leak at the eleventh.
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const ofSignal = calls.get(signal) ?? listenTo(signal)
  ofSignal.add(call)
  return () => {
    ofSignal.delete(call)
    if (ofSignal.size === 0) forget(signal)
  }
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const ofSignal = new Set<() => void>()
  calls.set(signal, ofSignal)
  signal.addEventListener('abort', onEvent)
  return ofSignal
}

function forget(signal: AbortSignal): void {
  calls.delete(signal)
  signal.removeEventListener('abort', onEvent)
}

function onEvent({ target }: Event): void {
  const signal = target as AbortSignal
  const ofSignal = calls.get(signal) ?? []
  forget(signal)
  for (const call of ofSignal) call()
}
