/** How deep namespaces can be nested, and what the kernel says where it ends: unshare(1) is the oracle. */
import { execFileSync } from 'node:child_process'
import { NamespaceSet, type UnshareOptions } from 'nsset'
import { expect, test } from 'vitest'
import { failureOf } from '../setup/sets/failure.ts'

/** How often unshare(1) makes one inside of the one before, in a user namespace. */
function levelsOfUnshare(flags: string): number {
  const nest = `echo level; exec unshare ${flags} sh -c "$NEST"`
  const args = ['--user', '--map-root-user', 'sh', '-c', `${nest} || true`]
  const env = { ...process.env, NEST: nest }
  // The last one fails, and with it all that wait for it.
  const script = '"$@" 2>/dev/null || true'
  const said = execFileSync('sh', ['-c', script, 'sh', 'unshare', ...args], { encoding: 'utf8', env, timeout: 60_000 })
  return said.trim().split('\n').length - 1
}

const CASES: [kind: 'user' | 'pid', flags: string, options: UnshareOptions][] = [
  ['user', '--user --map-root-user', { mapUser: 'root' }],
  ['pid', '--pid --fork', {}],
]

for (const [kind, flags, options] of CASES) {
  test(`${kind} namespaces end with ENOSPC, where unshare(1) ends`, async () => {
    const sets = [await NamespaceSet.unshare('user', { mapUser: 'root' })]
    const failure = await failureOf(async () => {
      for (let above = sets[0]; above !== undefined; above = sets.at(-1)) sets.push(await above.unshare(kind, options))
    })
    for (const set of sets) set.close()
    expect(sets.length - 1).toBe(levelsOfUnshare(flags))
    expect(failure).toMatchObject({ code: 'ENOSPC', syscall: 'unshare' })
    expect(failure.message).toContain('33 and 32')
  })
}
