/** The first import of the package, in a fresh Node each time. */
import type { Operation } from './operation.ts'

export const LOAD: Record<string, Operation> = {
  load: {
    isFresh: true,
    // Node's loader, which looks whether there is such a module.
    nodesOwn: ['main/statx'],
    prepare: () => {
      let times = 0
      return {
        // A module that has thrown stays so: another attempt needs another name.
        run: async () => {
          times += 1
          const { NamespaceSet }: typeof import('nsset') = await import(
            `${process.env['NSSET_FAULTS_ENTRY']}${times === 1 ? '' : `?${times}`}`
          )
          NamespaceSet.unshareSync('user', { mapUser: 'root' }).close()
        },
      }
    },
  },
}
