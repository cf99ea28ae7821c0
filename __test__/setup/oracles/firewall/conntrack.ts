/** conntrack(8) inside a set, as an oracle. */
import type { NamespaceSet } from 'nsset'

/** The PATH of an ordinary user may lack the directory of `conntrack`. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }

/** Runs `conntrack` and returns what it prints. */
export async function conntrack(set: NamespaceSet, ...args: string[]): Promise<string> {
  const { stdout } = await set.execFile('conntrack', args, { env, encoding: 'utf8', timeout: 20_000 })
  return stdout
}

/** A connection as `conntrack -L` prints it: the ends of both directions, and their packets. */
export interface ListedConnection {
  protocol: string
  state: string | undefined
  original: string
  reply: string
  assured: boolean
  mark: number
  id: number
}

/** Reads `tcp 6 300 ESTABLISHED src=… dst=… sport=… dport=… packets=… bytes=… src=… … [ASSURED] mark=7 use=1 id=5`. */
function read(line: string): ListedConnection {
  const all = (key: string) => [...line.matchAll(new RegExp(`\\b${key}=(\\S+)`, 'g'))].map(([, value]) => value)
  const direction = (number: number) => {
    const [source, destination, from, to, packets] = ['src', 'dst', 'sport', 'dport', 'packets'].map(
      (key) => all(key)[number],
    )
    return `${source}:${from} ${destination}:${to} ${packets}`
  }
  return {
    protocol: line.split(/\s+/)[0] ?? '',
    state: / ([A-Z_]+) src=/.exec(line)?.[1],
    original: direction(0),
    reply: direction(1),
    assured: line.includes('[ASSURED]'),
    mark: Number(all('mark')[0]),
    id: Number(all('id')[0]),
  }
}

/** The connections that `conntrack -L` lists. */
export async function listedByConntrack(set: NamespaceSet): Promise<ListedConnection[]> {
  const lines = (await conntrack(set, '-L', '-o', 'id')).split('\n')
  return lines.filter((line) => line !== '').map(read)
}
