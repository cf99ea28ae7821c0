/** New networks for samples, and programs of iproute2 in them. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pass } from 'node:timers/promises'
import { NamespaceSet } from 'nsset'
import type { Sample } from './measure.ts'

/** In a new network, which the kernel has freed before the next one. */
export function inFresh(measure: (set: NamespaceSet) => number | Promise<number>): Sample {
  return async () => {
    const set = await NamespaceSet.unshare('net')
    const took = await measure(set)
    await closeAll([set])
    return took
  }
}

/** Closes them, and waits until the kernel has removed their links: otherwise other requests would wait for that. */
export async function closeAll(sets: readonly NamespaceSet[]): Promise<void> {
  using beside = await NamespaceSet.unshare('net')
  // All links of a network are deleted at once, and these delete their other ends, too.
  for (const [index, set] of sets.entries()) {
    await set.network.links.add({ kind: 'veth', name: 'last', peer: { name: `last${index}`, set: beside } })
    set.close()
  }
  while ((await beside.network.links.list()).length > 1) await pass(10)
  await pass(100)
}

/** Runs `ip -batch`, `bridge -batch` or `tc -batch` inside. */
export async function runBatch(
  set: NamespaceSet,
  program: 'ip' | 'bridge' | 'tc',
  lines: readonly string[],
): Promise<void> {
  const child = set.spawn(program, ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(lines.join(''))
  await endOf(child)
}

export async function endOf(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${child.spawnfile} ended with code ${code}`)
}
