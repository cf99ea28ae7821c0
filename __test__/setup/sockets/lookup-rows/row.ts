/** What a row of the tables of lookups says, and what many of them say alike. */
import type { Question } from '../../c-programs/getaddrinfo.ts'
import type { LookupFiles } from '../lookup-place.ts'
import { a, aaaa, type Said, type Script } from '../scripted-server.ts'

export interface Row extends LookupFiles, Question {
  /** What the test expects to see. */
  what: string
  /** What both come to, where a reader may wonder. */
  comes?: string
  /** glibc asks otherwise: again where it has too little room, and for names that no host has. */
  asksAgain?: boolean
}

export const NXDOMAIN: Said = { code: 3 }
export const SERVFAIL: Said = { code: 2 }
export const NOTHING: Said = { records: [] }

/** Knows these names, at 10.1.2.3 and fd01::3, and that there are no others. */
export const knows =
  (...names: string[]): Script =>
  ({ name, type }) => {
    if (!names.includes(name.toLowerCase())) return NXDOMAIN
    return { records: [type === 'A' ? a(name, '10.1.2.3') : aaaa(name, 'fd01::3')] }
  }

/** Says this to one name; of the others it knows `web.test` and what else is told. */
export const says =
  (said: Said, to: string, ...known: string[]): Script =>
  (asked) =>
    asked.name === to ? said : knows(...known)(asked)

export const always =
  (said: Said): Script =>
  () =>
    said

export const QUICK = 'options timeout:1 attempts:1\n'
export const ONE = 'nameserver 127.0.0.1\n'
export const TWO = 'nameserver 127.0.0.1\nnameserver 127.0.0.2\n'

export const web = knows('web.test')

export const nameOf = (said: Said) =>
  said === undefined ? 'silence' : said.recursive === false ? 'a referral' : `code ${said.code ?? 0}`

export const ofFamily =
  (four: Said, six: Said): Script =>
  ({ name, type }) => {
    const said = type === 'A' ? four : six
    return said?.records === undefined || said.records.length > 0
      ? said
      : { ...said, records: [type === 'A' ? a(name, '10.1.2.3') : aaaa(name, 'fd01::3')] }
  }

export const FOUND: Said = { records: [] }
