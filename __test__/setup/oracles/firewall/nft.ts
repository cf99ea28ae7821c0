/** nft(8) inside a set, as an oracle: it reads what nsset writes, and nsset reads what it writes. */
import type { NamespaceSet } from 'nsset'

/** The PATH of an ordinary user may lack the directory of `nft`. It shows hours in the local time zone. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, TZ: 'UTC' }

/** Runs `nft` and returns what it prints. */
export async function nft(set: NamespaceSet, ...args: string[]): Promise<string> {
  const { stdout } = await set.execFile('nft', args, { env, encoding: 'utf8', timeout: 20_000, maxBuffer: 1 << 26 })
  return stdout
}

/** Runs the commands of a text, as with `nft -f`. */
export async function nftFile(set: NamespaceSet, text: string): Promise<void> {
  const child = set.spawn('nft', ['-f', '-'], { env, stdio: ['pipe', 'ignore', 'pipe'] })
  child.stdin.end(text)
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    words += data
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`nft -f failed: ${words}`)
}

/** The rules of a chain, as nft writes them, without the state of counters. */
export async function nftRules(set: NamespaceSet, family: string, table: string, chain: string): Promise<string[]> {
  const text = await nft(set, '-s', 'list', 'chain', family, table, chain)
  const lines = text.split('\n').map((line) => line.trim())
  const first = lines.findIndex((line) => line.startsWith(`chain ${chain} {`)) + 1
  const rules = lines.slice(first, lines.indexOf('}', first))
  return rules.filter((line) => line !== '' && !line.startsWith('type '))
}
