import { misuse } from '../../../errors.ts'

type Fetch = typeof globalThis.fetch

/** TCP rejects a broadcast address at once and sends nothing (tcp(7)), so that a `fetch` without the dispatcher fails. */
const NOWHERE = 'http://255.255.255.255/'

/** In milliseconds. */
const TIME_LIMIT = 1000

const verified = new WeakSet<Fetch>()

/**
 * @internal Rejects if a `fetch` ignores its option `dispatcher`, because it would connect outside. The global one may have been
 * replaced by a polyfill, a mock, or a wrapper that copies the request without the dispatcher.
 */
export async function ensureUsesDispatcher(fetch: Fetch, Request: typeof globalThis.Request): Promise<void> {
  if (verified.has(fetch)) return
  const inputs = [NOWHERE, new Request(NOWHERE)]
  const answers = await Promise.all(inputs.map((input) => usesDispatcher(fetch, input)))
  if (answers.includes(false)) {
    throw misuse(
      'ERR_NSSET_UNSUPPORTED_PLATFORM',
      'network.fetch cannot use the global fetch, which was replaced: it ignores the option "dispatcher" and would connect outside. Install undici beside nsset',
    )
  }
  verified.add(fetch)
}

function usesDispatcher(fetch: Fetch, input: string | globalThis.Request): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TIME_LIMIT, false)
    const settle = (isUsed: boolean) => {
      clearTimeout(timer)
      resolve(isUsed)
    }
    const dispatch = () => {
      settle(true)
      throw new Error('the dispatcher was used')
    }
    const asked = (async () => fetch(input, { dispatcher: { dispatch } } as unknown as RequestInit))()
    asked.then(
      () => settle(false),
      () => settle(false),
    )
  })
}
