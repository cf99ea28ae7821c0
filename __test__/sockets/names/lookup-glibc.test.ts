/** `network.lookup` compared with getaddrinfo(3) of glibc: the same files, the same servers, in the same network. */
import type dns from 'node:dns'
import type { Network } from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { compileGetAddrInfo, type Question } from '../../setup/c-programs/getaddrinfo.ts'
import { lookupPlace } from '../../setup/sockets/lookup-place.ts'
import { CONFIGURED, HINTS, ORDER } from '../../setup/sockets/lookup-rows/addresses.ts'
import { CONTENT, SIZES } from '../../setup/sockets/lookup-rows/answers.ts'
import { HOSTS_FILE, NAMES, NUMBERS } from '../../setup/sockets/lookup-rows/hosts.ts'
import { LINES, MORE_LINES, OPTIONS, ZONES } from '../../setup/sockets/lookup-rows/resolv-conf.ts'
import type { Row } from '../../setup/sockets/lookup-rows/row.ts'
import { CONTINUES, SEARCH } from '../../setup/sockets/lookup-rows/search.ts'
import { FAMILIES, NEXT_SERVER } from '../../setup/sockets/lookup-rows/servers.ts'

const glibc = compileGetAddrInfo()
if (glibc === undefined) console.log('skipped: needs getaddrinfo(3) of glibc and a C compiler')
afterAll(() => glibc?.[Symbol.dispose]())

/** Addresses in the form of the network's lookup, or the code of its error. */
function found(network: Network, { name, family = 0, hints = 0 }: Question): Promise<string> {
  return new Promise((resolve) => {
    const options = { family, hints, all: true as const, verbatim: true }
    network.lookup(name, options, (error, addresses) => {
      if (error !== null) return resolve(error.code ?? String(error))
      resolve((addresses as dns.LookupAddress[]).map(({ address }) => address).join(' '))
    })
  })
}

const TABLES: Record<string, Row[]> = {
  'the search list': SEARCH,
  'answers that continue with the search list': CONTINUES,
  'answers that continue with the next server': NEXT_SERVER,
  'one family without the other': FAMILIES,
  'contents of an answer': CONTENT,
  'long answers, and TCP': SIZES,
  'options of resolv.conf(5)': OPTIONS,
  'lines of resolv.conf(5)': [...LINES, ...MORE_LINES],
  'zones of servers': ZONES,
  'lines of hosts(5)': HOSTS_FILE,
  'numbers as in inet_aton(3)': NUMBERS,
  'valid and invalid host names': NAMES,
  hints: HINTS,
  'addresses of the network': CONFIGURED,
  'the order of addresses': ORDER,
}

/** The results of both, and the queries to the servers. */
async function outcomes(row: Row) {
  if (glibc === undefined) throw new Error('glibc must be found first')
  await using place = await lookupPlace(row)
  const addresses = Object.keys(row.servers ?? {})
  const queries = () => {
    const all = Object.fromEntries(addresses.map((address) => [address, [...place.queries(address)]]))
    return row.queriesAgain ? undefined : all
  }
  const theirs = { found: await glibc.ask(place.set, row), queries: queries() }
  place.forget()
  const ours = { found: await found(place.set.network, row), queries: queries() }
  return { ours, theirs }
}

describe.skipIf(glibc === undefined)('finds the same as getaddrinfo(3)', () => {
  describe.each(Object.entries(TABLES))('%s', (_what, rows) => {
    // A busy machine may need more than the second that many rows allow a server.
    test.concurrent.each(rows.map((row) => [row.what, row] as const))(
      '%s',
      { retry: 2, timeout: 120_000 },
      async (_what, row) => {
        const { ours, theirs } = await outcomes(row)
        expect(ours).toEqual(theirs)
        if (row.comes !== undefined) expect(ours.found).toBe(row.comes)
      },
    )
  })
})
