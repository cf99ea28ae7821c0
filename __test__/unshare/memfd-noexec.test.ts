/** Where `vm.memfd_noexec=2` forbids executable memory, the helper finds another way. The setting is a pid namespace's. */
import { NamespaceSet } from 'nsset'
import { expect } from 'vitest'
import { asRoot } from '../setup/sets/privilege.ts'

const API = new URL('../../dist/index.js', import.meta.url).href

const SCRIPT = `
  import { readFileSync } from 'node:fs'
  import { NamespaceSet } from ${JSON.stringify(API)}
  const set = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root', hostname: 'still-works' })
  const { stdout } = await set.execFile('hostname')
  console.log(readFileSync('/proc/sys/vm/memfd_noexec', 'latin1').trim(), stdout.trim())
`

asRoot('works without executable memory', 'the setting is root’s to change', async () => {
  using set = await NamespaceSet.unshare(['pid', 'mnt'], { mounts: [{ type: 'proc', target: '/proc' }] })
  const forbid = 'echo 2 > /proc/sys/vm/memfd_noexec && exec "$0" --input-type=module -e "$1"'
  const { stdout } = await set.execFile('sh', ['-c', forbid, process.execPath, SCRIPT])
  expect(stdout).toBe('2 still-works\n')
})
