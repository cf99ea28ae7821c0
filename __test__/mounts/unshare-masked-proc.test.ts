/** A thread in another mount namespace reads its namespaces from the process's own /proc, whatever is mounted there inside. */
import { NamespaceSet } from 'nsset'
import { describe, expect } from 'vitest'
import { inWorker } from '../setup/processes/worker.ts'
import { asRoot } from '../setup/sets/privilege.ts'

const REASON = "an ordinary user's thread may not enter the namespaces it owns (setns(2))"

/** What makes `thread-self/ns/ipc` of the /proc inside: `$MASK` is the directory. */
const MASKS = {
  nothing: 'true',
  'a plain file': 'touch "$MASK/ipc"',
  'a FIFO, which would be waited for': 'mkfifo "$MASK/ipc"',
}

describe('a Worker whose /proc has, for the namespaces of a thread,', () => {
  for (const [what, script] of Object.entries(MASKS)) {
    asRoot(what, REASON, async () => {
      using set = await NamespaceSet.unshare('mnt')
      const mount = 'mount -t tmpfs tmpfs /proc && MASK=/proc/thread-self/ns && mkdir -p "$MASK"'
      await set.execFile('sh', ['-c', `${mount} && ${script}`], { timeout: 10_000 })
      const seen = await inWorker<{ ids: string[]; here: string }>(
        `const set = nsset.NamespaceSet.fromPath(data)
        set.enter()
        const made = nsset.NamespaceSet.unshareSync('ipc')
        const both = nsset.NamespaceSet.unshareSync(['net', 'uts'])
        const asked = await nsset.NamespaceSet.unshare('net')
        return {
          ids: [made.id('ipc'), both.id('net'), both.id('uts'), asked.id('net')],
          here: nsset.NamespaceSet.current('ipc').id(),
        }`,
        set.path('mnt'),
      )
      expect(seen.ids.map((id) => id.replace(/\d+/, 'N'))).toEqual(['ipc:[N]', 'net:[N]', 'uts:[N]', 'net:[N]'])
      using home = NamespaceSet.current(['ipc', 'net', 'uts'])
      expect(seen.here).toBe(home.id('ipc'))
      const others = [...seen.ids, home.id('ipc'), home.id('net'), home.id('uts')]
      expect(new Set(others).size).toBe(others.length)
    })
  }
})
