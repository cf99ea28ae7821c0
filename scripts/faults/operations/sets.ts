/** Creating sets, keeping them, and running code on a thread inside. */
import { once } from 'node:events'
import type { Operation } from './operation.ts'

export const SETS: Record<string, Operation> = {
  'unshare-net': {
    isRoots: true,
    prepare: ({ nsset: { NamespaceSet } }) => ({
      run: async () => (await NamespaceSet.unshare('net', { loopback: true })).close(),
    }),
  },
  'unshare-user': {
    prepare: ({ nsset: { NamespaceSet } }) => ({
      run: async () => (await NamespaceSet.unshare('user', { mapUser: 'root' })).close(),
    }),
  },
  'unshare-mounts': {
    prepare: ({ nsset: { NamespaceSet } }) => ({
      run: async () => {
        const set = await NamespaceSet.unshare(['user', 'pid', 'mnt', 'net'], {
          mapUser: 'root',
          mounts: [
            { type: 'proc', target: '/proc' },
            { type: 'tmpfs', target: '/mnt', options: { size: '1m' } },
            { type: 'bind', source: '/etc', target: '/mnt', readOnly: true },
          ],
        })
        set.close()
      },
    }),
  },
  'unshare-root': {
    prepare: ({ nsset: { NamespaceSet } }) => ({
      run: async () => {
        const set = await NamespaceSet.unshare(['user', 'pid', 'mnt', 'net'], {
          mapUser: 'root',
          root: { type: 'tmpfs', size: 1_000_000 },
          mounts: [
            { type: 'bind', source: '/usr', target: '/usr', readOnly: true, recursive: true, create: true },
            { type: 'proc', target: '/proc', create: true },
            { type: 'dev', target: '/dev', create: true },
            {
              type: 'overlay',
              target: '/etc',
              lower: ['/etc'],
              upper: { type: 'tmpfs', size: 1_000_000 },
              create: true,
            },
            { type: 'file', target: '/run/token', content: 'x'.repeat(10_000), create: true },
            { type: 'symlink', target: '/bin', to: 'usr/bin' },
            { type: 'directory', target: '/tmp', mode: 0o1777 },
            { type: 'mask', target: '/proc/kcore' },
          ],
        })
        set.close()
      },
    }),
  },
  'unshare-below': {
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const base = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
      return { run: async () => (await base.unshare(['net', 'uts'], { hostname: 'inside' })).close() }
    },
  },
  'unshare-time': {
    prepare: ({ nsset: { NamespaceSet } }) => ({
      run: async () => {
        const kinds = ['user', 'time', 'ipc', 'cgroup'] as const
        ;(await NamespaceSet.unshare(kinds, { mapUser: 'root', timeOffsets: { monotonic: 60 } })).close()
      },
    }),
  },
  'unshare-sync': {
    prepare: ({ nsset: { NamespaceSet } }) => ({
      run: async () => NamespaceSet.unshareSync(['user', 'pid', 'uts'], { mapUser: 'root' }).close(),
    }),
  },
  open: {
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
      return {
        run: async () => {
          using here = NamespaceSet.fromPid(process.pid, ['net', 'uts'])
          using copy = here.dup('net')
          using fds = set.fds('net')
          using again = NamespaceSet.fromFd([...fds][0]?.[1] ?? -1, 'net')
          using owner = again.owner('net')
          using path = NamespaceSet.fromPath(set.path('user'), 'user')
          return [copy, owner, path].map(String)
        },
      }
    },
  },
  pool: {
    prepare: ({ nsset: { NamespacePool } }) => ({
      run: async () => {
        const pool = new NamespacePool(['user', 'net'], { size: 1, unshare: { mapUser: 'root' } })
        try {
          const set = await pool.get()
          set.close()
        } finally {
          await pool.close()
        }
      },
    }),
  },
  do: {
    isRoots: true,
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const set = await NamespaceSet.unshare(['net', 'uts'])
      return { run: async () => set.do(() => undefined) }
    },
  },
  worker: {
    isRoots: true,
    // A Worker whose event loop cannot be created leaks the descriptor of its epoll.
    nodesOwn: ['node/pipe2', 'node/eventfd2'],
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const set = await NamespaceSet.unshare(['net', 'uts'])
      return {
        run: async () => {
          const worker = set.worker('require("node:worker_threads").parentPort.postMessage("inside")', { eval: true })
          await once(worker, 'exit')
        },
      }
    },
  },
}
