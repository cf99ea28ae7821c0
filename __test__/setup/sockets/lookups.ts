/** What tests of lookups share: the records of a name server, and the two forms of a lookup. */
import type dns from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Network } from 'nsset'
import { untyped } from '../sets/failure.ts'

export const RECORDS = [
  '--host-record=web.test,10.9.0.7,fd09::7',
  '--host-record=four.test,10.9.0.4',
  '--host-record=six.test,fd09::6',
  '--host-record=twice.test,10.9.0.8',
  '--host-record=twice.test,10.9.0.9',
  '--cname=alias.test,web.test',
  '--host-record=xn--bcher-kva.test,10.9.0.10',
  '--host-record=deep.lab.test,10.9.0.11',
  '--host-record=here.test,10.9.0.1',
  '--host-record=there.test,10.9.0.2',
]

/** A program's output arrives a little later. */

export type Options = dns.LookupOptions & { order?: string }

/** The arguments of the callback, as a list. */
export function callbackOf(lookup: LookupFunction, name: string, options?: Options | number): Promise<unknown[]> {
  return new Promise((resolve) => {
    const callback = (...args: unknown[]) => resolve(args)
    if (options === undefined) untyped<(...args: unknown[]) => void>(lookup)(name, callback)
    else lookup(name, options as dns.LookupOptions, callback)
  })
}

/** The addresses of a name; throws the error of the callback. */
export async function found(network: Network, name: string, options: Options = {}): Promise<string[]> {
  const [error, addresses] = await callbackOf(network.lookup, name, { ...options, all: true })
  if (error !== null) throw error
  return (addresses as dns.LookupAddress[]).map(({ address }) => address)
}
