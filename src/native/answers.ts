import type { NativeAnswer } from '../../index.js'
import { expect, take, waitingFor } from './waiting.ts'

const requests = waitingFor<NativeAnswer>('nsset.requests')

/** @internal A number for a request, and who hears of its answer. */
export function expectAnswer(onAnswer: (answer: NativeAnswer) => void): number {
  return expect(requests, onAnswer)
}

/** @internal The request was never made. */
export function forgetAnswer(id: number): void {
  take(requests, id)
}

/** @internal Called by the native side, once for each request. */
export function reportAnswer(answer: NativeAnswer): void {
  take(requests, answer.id)?.(answer)
}
