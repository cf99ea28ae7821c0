import type { NativeAnswer } from '../../index.js'

type OnAnswer = (answer: NativeAnswer) => void

/** Shared by every copy of this module in an environment: the native side has one line to it. */
interface Requests {
  waiting: Map<number, OnAnswer>
  last: number
}

const KEY = Symbol.for('nsset.requests')
const shared = globalThis as { [KEY]?: Requests }

const requests: Requests = shared[KEY] ?? { waiting: new Map(), last: 0 }
shared[KEY] = requests

/** @internal A number for a request, and who hears of its answer. */
export function expectAnswer(onAnswer: OnAnswer): number {
  requests.last = (requests.last + 1) % 0xffffffff
  requests.waiting.set(requests.last, onAnswer)
  return requests.last
}

/** @internal The request was never made. */
export function forgetAnswer(id: number): void {
  requests.waiting.delete(id)
}

/** @internal Called by the native side, once for each request. */
export function reportAnswer(answer: NativeAnswer): void {
  const onAnswer = requests.waiting.get(answer.id)
  requests.waiting.delete(answer.id)
  onAnswer?.(answer)
}
