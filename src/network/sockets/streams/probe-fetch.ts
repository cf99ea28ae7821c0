import { misuse } from '../../../errors.ts'

type Fetch = typeof globalThis.fetch

/** TCP refuses a broadcast address at once, and sends nothing (tcp(7)): a `fetch` that goes by itself gets nowhere. */
const NOWHERE = 'http://255.255.255.255/'

/** In milliseconds. */
const PATIENCE = 1000

const obedient = new WeakSet<Fetch>()

/**
 * @internal Rejects for a `fetch` that does not go by the dispatcher that it is given, and so would connect outside: the global one
 * may have been replaced by a polyfill, a mock, or a wrapper that copies the request and loses the dispatcher.
 */
export async function ensureObedient(fetch: Fetch, Request: typeof globalThis.Request): Promise<void> {
  if (obedient.has(fetch)) return
  const inputs = [NOWHERE, new Request(NOWHERE)]
  const areHeeded = await Promise.all(inputs.map((input) => isHeeded(fetch, input)))
  if (areHeeded.includes(false)) {
    throw misuse(
      'ERR_NSSET_UNSUPPORTED_PLATFORM',
      'network.fetch cannot use the global fetch, which was replaced: it ignores the option "dispatcher" and would connect outside. Install undici beside nsset',
    )
  }
  obedient.add(fetch)
}

function isHeeded(fetch: Fetch, input: string | globalThis.Request): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE, false)
    const settle = (isHeeded: boolean) => {
      clearTimeout(timer)
      resolve(isHeeded)
    }
    const dispatch = () => {
      settle(true)
      throw new Error('the dispatcher was asked')
    }
    const asked = (async () => fetch(input, { dispatcher: { dispatch } } as unknown as RequestInit))()
    asked.then(
      () => settle(false),
      () => settle(false),
    )
  })
}
