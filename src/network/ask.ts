import type { NativeNetwork } from '../../index.js'
import { createError } from '../errors.ts'
import { hold, release } from '../event-loop.ts'
import { expectAnswer, forgetAnswer } from './answers.ts'

/** @internal What became of a request. */
export interface Outcome {
  results: unknown[]
  /** Why there are no more of them. */
  failure: Error | undefined
}

/** @internal Has the native side carry out operations. The event loop goes on until it has answered. */
export function ask(network: NativeNetwork, operations: string, others: NativeNetwork[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const id = expectAnswer(({ results, failure }) => {
      release()
      resolve({ results: parseResults(results), failure: failure && createError(failure) })
    })
    hold()
    try {
      network.request(id, operations, others)
    } catch (error) {
      release()
      forgetAnswer(id)
      reject(error)
    }
  })
}

/** JSON has no undefined. */
function parseResults(results: string): unknown[] {
  return JSON.parse(results).map((result: unknown) => result ?? undefined)
}
