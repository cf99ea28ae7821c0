/** Programs inside. */
import { join } from 'node:path'
import type { NamespaceChildProcess, NamespaceSet, SpawnOptions } from 'nsset'
import type { Operation } from './operation.ts'

const FORKED = join(process.env['NSSET_FAULTS_SOURCES'] ?? import.meta.dirname, 'operations/forked.cjs')

/** Everything that a program may do less: each of these is a step of the child. */
function confined(set: NamespaceSet, { landlockAbi, sandboxSystemCalls }: typeof import('nsset')) {
  const options: SpawnOptions = {
    stdio: 'ignore',
    limits: { openFiles: 20, coreSize: 0 },
    umask: 0o77,
    nice: 1,
    capabilities: ['CAP_CHOWN'],
    ...(landlockAbi() >= 4 ? { landlock: { execute: ['/'], write: ['/tmp'], connectTcp: [80] } } : {}),
    seccomp: sandboxSystemCalls(),
  }
  return { run: () => ended(set.spawn('true', options as SpawnOptions & { stdio: 'ignore' })) }
}

export const PROCESSES: Record<string, Operation> = {
  spawn: {
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
      return { run: () => ended(set.spawn('true', { stdio: 'pipe' })) }
    },
  },
  'spawn-net': {
    isRoots: true,
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const set = await NamespaceSet.unshare(['net', 'uts'])
      return { run: () => ended(set.spawn('true', { stdio: 'ignore' })) }
    },
  },
  'spawn-confined': {
    prepare: async ({ nsset }) =>
      confined(await nsset.NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' }), nsset),
  },
  'spawn-confined-net': {
    isRoots: true,
    prepare: async ({ nsset }) => confined(await nsset.NamespaceSet.unshare('net'), nsset),
  },
  'spawn-named': {
    isRoots: true,
    prepare: async ({ nsset: { netns } }) => {
      const set = await netns.create('nsset-faults-view', { temporary: true })
      return { run: () => ended(set.spawn('true', { stdio: 'ignore' })) }
    },
  },
  'exec-file': {
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const set = await NamespaceSet.unshare(['user', 'mnt', 'net'], { mapUser: 'root' })
      return { run: () => set.execFile('echo', ['inside'], { cwd: '/', timeout: 5_000 }) }
    },
  },
  fork: {
    prepare: async ({ nsset: { NamespaceSet } }) => {
      const set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root' })
      return { run: () => ended(set.fork(FORKED, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })) }
    },
  },
}

/** Rejects with the child's error, once its streams are closed. */
async function ended(child: NamespaceChildProcess | ReturnType<typeof Object.create>): Promise<void> {
  let failure: Error | undefined
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error: Error) => {
      failure = error
      // A child that failed to start has no exit.
      if (child.pid === undefined) resolve()
    })
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', () => undefined)
    child.stdin?.end()
    child.stdout?.resume()
    child.stderr?.resume()
  })
  if (failure !== undefined) throw failure
}
