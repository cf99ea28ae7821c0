/** A set for each way in which a program is started in it. */
import { NamespaceSet } from 'nsset'
import { isRoot } from './privilege.ts'

type Way = readonly [name: string, create: () => NamespaceSet]

const ANYONES: readonly Way[] = [
  ['where nothing has to be entered', () => NamespaceSet.current(['net', 'uts'])],
  ['in a user namespace', () => NamespaceSet.unshareSync('user', { mapUser: 'root' })],
  ['as a mapped user', () => NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 1000 })],
  [
    'with its own processes and files',
    () =>
      NamespaceSet.unshareSync(['user', 'pid', 'mnt', 'time'], {
        mapUser: 'root',
        mounts: [{ type: 'proc', target: '/proc' }],
      }),
  ],
]

/** In these, the child enters by itself, or the helper enters for root. */
const ROOTS: readonly Way[] = [
  ['in a network', () => NamespaceSet.unshareSync(['net', 'uts'])],
  ['with its own processes, for root', () => NamespaceSet.unshareSync('pid')],
]

export const WAYS: readonly Way[] = isRoot ? [...ANYONES, ...ROOTS] : ANYONES
