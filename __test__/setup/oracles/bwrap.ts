/** bubblewrap, as the twin of a set: the same root directory and mounts, and the same script inside. */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { type MountSpec, NamespaceSet, type UnshareOptions } from 'nsset'

/** What a script printed, and how it ended. */
export interface Outcome {
  stdout: string
  exitCode: number | null
}

const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

const SYSTEM = ['bin', 'lib', 'lib32', 'lib64', 'sbin', 'usr'].filter((name) => existsSync(`/${name}`))

/** The programs of the host in a root directory of its own, as options of bwrap. */
const SYSTEM_OF_BWRAP = SYSTEM.flatMap((name) => {
  const path = `/${name}`
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
})

/** The same as mounts. bwrap binds without set-user-ID programs and devices. */
export const SYSTEM_MOUNTS: readonly MountSpec[] = SYSTEM.map((name) => {
  const path = `/${name}`
  if (lstatSync(path).isSymbolicLink()) return { type: 'symlink', to: readlinkSync(path), target: path }
  return { type: 'bind', source: path, target: path, readOnly: true, noSuid: true, noDev: true }
})

/** Runs a script below bwrap, as root of a user namespace; `files` are open from descriptor 3 on. */
export function inBwrap(options: readonly string[], script: string, files: readonly number[] = []): Outcome {
  const args = [
    '--unshare-user',
    '--uid',
    '0',
    '--gid',
    '0',
    '--unshare-pid',
    '--unshare-ipc',
    ...SYSTEM_OF_BWRAP,
    '--proc',
    '/proc',
  ]
  const { stdout, status, error, stderr } = spawnSync('bwrap', [...args, ...options, '--', 'sh', '-c', script], {
    env: ENV,
    stdio: ['ignore', 'pipe', 'pipe', ...files],
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  if (error !== undefined) throw error
  if (status !== 0 && stderr.startsWith('bwrap:')) throw new Error(stderr)
  return { stdout, exitCode: status }
}

/** Runs it in a set with these mounts. */
export async function inSet(
  mounts: readonly MountSpec[],
  script: string,
  options: UnshareOptions = {},
): Promise<Outcome> {
  await using set = await NamespaceSet.unshare(['user', 'mnt', 'pid', 'ipc'], {
    mapUser: 'root',
    root: { type: 'tmpfs' },
    mounts: [...SYSTEM_MOUNTS, { type: 'proc', target: '/proc', noSuid: true, noDev: true, noExec: true }, ...mounts],
    ...options,
  })
  const { stdout, exitCode } = await set.execFile('sh', ['-c', script], { env: ENV, reject: false, timeout: 20_000 })
  return { stdout, exitCode }
}
