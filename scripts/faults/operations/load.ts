/** The first import of the package, each time in a new Node.js process. */
import type { Operation } from './operation.ts'

export const LOAD: Record<string, Operation> = {
  load: {
    isFresh: true,
    // Node's loader, which checks whether the module exists.
    nodesOwn: ['main/statx'],
    prepare: () => {
      let times = 0
      return {
        // A module that failed stays failed: another attempt needs another name.
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
