/** Names in the file system. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Operation, undoneWhenMade } from './operation.ts'

const NAME = 'faults'

export const NAMES: Record<string, Operation> = {
  'netns-create': {
    isRoots: true,
    prepare: ({ nsset: { netns } }) =>
      undoneWhenMade(
        async () => (await netns.create(NAME, { loopback: true })).close(),
        () => netns.remove(NAME),
      ),
  },
  'netns-temporary': {
    isRoots: true,
    prepare: ({ nsset: { netns } }) => {
      let isReported = false
      return {
        run: async () => {
          const set = await netns.create(NAME, { temporary: true })
          try {
            set.close()
          } catch (error) {
            isReported = true
            throw error
          }
        },
        // What `close` reports that it could not remove.
        after: async () => {
          if (isReported) await netns.remove(NAME, { force: true })
          isReported = false
        },
      }
    },
  },
  'netns-open': {
    isRoots: true,
    prepare: async ({ nsset: { netns } }) => {
      ;(await netns.create('opened')).close()
      return {
        run: async () => {
          netns.open('opened').close()
          return netns.list()
        },
      }
    },
  },
  'netns-remove': {
    isRoots: true,
    prepare: ({ nsset: { netns } }) => ({
      before: async () => (await netns.create(NAME)).close(),
      run: () => netns.remove(NAME),
      after: () => netns.remove(NAME, { force: true }),
    }),
  },
  mount: {
    isRoots: true,
    prepare: async ({ nsset: { NamespaceSet }, scratch }) => {
      const set = await NamespaceSet.unshare(['net', 'uts'])
      const target = join(scratch, 'mounted')
      writeFileSync(target, '')
      return undoneWhenMade(
        () => set.mount({ net: target }),
        () => NamespaceSet.unmount(target),
      )
    },
  },
  unmount: {
    isRoots: true,
    prepare: async ({ nsset: { NamespaceSet }, scratch }) => {
      const set = await NamespaceSet.unshare('uts')
      const target = join(scratch, 'unmounted')
      return {
        before: async () => {
          writeFileSync(target, '')
          await set.mount({ uts: target })
        },
        run: () => NamespaceSet.unmount(target),
        after: async () => {
          await NamespaceSet.unmount(target).catch(() => undefined)
          rmSync(target, { force: true })
        },
      }
    },
  },
}
