import { createError } from '../errors.ts'
import { expectAnswer, forgetAnswer } from './answers.ts'
import { hold, release } from './event-loop.ts'

/** @internal What became of a request. */
export interface Outcome {
  results: unknown[]
  /** Why there are no more of them. */
  failure: Error | undefined
}

/** @internal Has the native side do what it is asked by this number. The event loop goes on until it has answered. */
export function ask(request: (id: number) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const id = expectAnswer(({ results, failure }) => {
      release()
      resolve({ results: parseResults(results), failure: failure && createError(failure) })
    })
    hold()
    try {
      request(id)
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
