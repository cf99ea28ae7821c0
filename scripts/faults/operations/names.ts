/** Names in the file system. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Operation } from './operation.ts'

const NAME = 'faults'

export const NAMES: Record<string, Operation> = {
  'netns-create': {
    isRoots: true,
    prepare: ({ nsset: { netns } }) => ({
      run: async () => (await netns.create(NAME, { loopback: true })).close(),
      after: () => netns.remove(NAME, { force: true }),
    }),
  },
  'netns-temporary': {
    isRoots: true,
    prepare: ({ nsset: { netns } }) => ({
      run: async () => (await netns.create(NAME, { temporary: true })).close(),
    }),
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
      return {
        before: () => writeFileSync(target, ''),
        run: () => set.mount({ net: target }),
        after: async () => {
          await NamespaceSet.unmount(target).catch(() => undefined)
          rmSync(target, { force: true })
        },
      }
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
