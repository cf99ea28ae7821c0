import type { NativeAnswer, NativeNetwork } from '../../index.js'
import { createError } from '../errors.ts'
import { binding } from '../native.ts'

/** @internal What became of a request. */
export interface Outcome {
  results: unknown[]
  /** Why there are no more of them. */
  failure: Error | undefined
}

type OnOutcome = (outcome: Outcome) => void

/** Shared by every copy of this module in an environment: the native side has one line to it. */
interface Requests {
  waiting: Map<number, OnOutcome>
  last: number
}

const KEY = Symbol.for('nsset.requests')
const shared = globalThis as { [KEY]?: Requests }

const requests: Requests = shared[KEY] ?? { waiting: new Map(), last: 0 }
shared[KEY] = requests

/** @internal Has the native side carry out operations. The event loop goes on until it has answered. */
export function request(network: NativeNetwork, operations: string, others: NativeNetwork[]): Promise<Outcome> {
  requests.last = (requests.last + 1) % 0xffffffff
  const id = requests.last
  return new Promise((resolve, reject) => {
    requests.waiting.set(id, resolve)
    try {
      network.request(id, operations, others)
      if (requests.waiting.size === 1) binding().keepAliveForAnswers(true)
    } catch (error) {
      requests.waiting.delete(id)
      reject(error)
    }
  })
}

/** @internal Called by the native side, once for each request. */
export function reportAnswer({ id, results, failure }: NativeAnswer): void {
  const resolve = requests.waiting.get(id)
  requests.waiting.delete(id)
  if (requests.waiting.size === 0) binding().keepAliveForAnswers(false)
  resolve?.({
    results: JSON.parse(results).map((result: unknown) => result ?? undefined),
    failure: failure === undefined || failure === null ? undefined : createError(failure),
  })
}
