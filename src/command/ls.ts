import { type FoundNamespace, type NamespaceList, namespaces } from 'nsset'
import { treesOf } from '../discovery/tree.ts'
import type { ListCommand } from './arguments.ts'
import type { Streams } from './streams.ts'

/** Writes the namespaces, and what could not be seen. Resolves with the exit code. */
export async function list({ kinds, form, pids }: ListCommand, { stdout, stderr }: Streams): Promise<number> {
  const all = await namespaces({ kinds: kinds.length === 0 ? 0 : [...new Set(kinds)] })
  const shown = pids.length === 0 ? [...all] : all.filter((each) => isHeldBy(each, pids))
  const text = form === 'json' ? jsonOf(shown, all) : linesOf(shown, form === 'tree')
  stdout.write(text)
  if (form !== 'json') for (const { message } of all.incomplete) stderr.write(`nsset: incomplete: ${message}\n`)
  const missing = pids.filter((pid) => !all.some((each) => isHeldBy(each, [pid])))
  for (const pid of missing) stderr.write(`nsset: there is no process ${pid}, or its namespaces cannot be seen\n`)
  return missing.length === 0 ? 0 : 1
}

function isHeldBy({ holders }: FoundNamespace, pids: readonly number[]): boolean {
  return holders.some((holder) => 'pid' in holder && pids.includes(holder.pid))
}

function linesOf(shown: readonly FoundNamespace[], isTree: boolean): string {
  const texts = isTree ? treesOf(shown) : shown
  return texts.map((each) => `${each}\n`).join('')
}

function jsonOf(shown: readonly FoundNamespace[], { incomplete }: NamespaceList): string {
  return `${JSON.stringify({ namespaces: shown, incomplete }, null, 2)}\n`
}
