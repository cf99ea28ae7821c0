/** A row of the lookup tables, and what many of them share. */
import type { Question } from '../../c-programs/getaddrinfo.ts'
import type { LookupFiles } from '../lookup-place.ts'
import { a, aaaa, type Reply, type Script } from '../scripted-server.ts'

export interface Row extends LookupFiles, Question {
  /** The expected result. */
  what: string
  /** The result of both, for the reader. */
  comes?: string
  /** glibc queries differently: again if its buffer is too small, and for invalid names. */
  queriesAgain?: boolean
}

export const NXDOMAIN: Reply = { code: 3 }
export const SERVFAIL: Reply = { code: 2 }
export const NOTHING: Reply = { records: [] }

/** Knows these names, with 10.1.2.3 and fd01::3, and answers that others do not exist. */
export const knows =
  (...names: string[]): Script =>
  ({ name, type }) => {
    if (!names.includes(name.toLowerCase())) return NXDOMAIN
    return { records: [type === 'A' ? a(name, '10.1.2.3') : aaaa(name, 'fd01::3')] }
  }

/** Answers this for one name; of the others it knows `web.test` and the given ones. */
export const repliesTo =
  (reply: Reply, to: string, ...known: string[]): Script =>
  (query) =>
    query.name === to ? reply : knows(...known)(query)

export const always =
  (reply: Reply): Script =>
  () =>
    reply

export const QUICK = 'options timeout:1 attempts:1\n'
export const ONE = 'nameserver 127.0.0.1\n'
export const TWO = 'nameserver 127.0.0.1\nnameserver 127.0.0.2\n'

export const web = knows('web.test')

export const nameOf = (reply: Reply) =>
  reply === undefined ? 'silence' : reply.recursive === false ? 'a referral' : `code ${reply.code ?? 0}`

export const ofFamily =
  (four: Reply, six: Reply): Script =>
  ({ name, type }) => {
    const reply = type === 'A' ? four : six
    return reply?.records === undefined || reply.records.length > 0
      ? reply
      : { ...reply, records: [type === 'A' ? a(name, '10.1.2.3') : aaaa(name, 'fd01::3')] }
  }

export const FOUND: Reply = { records: [] }
