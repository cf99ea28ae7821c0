/**
 * A shell in a sandbox, as an ordinary user: with its own processes, mounts, host name and network, the system's
 * programs read-only, and without access to the user's files. `npx tsx examples/sandbox.ts [ARGUMENTS OF SH]`.
 */
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MountSpec, NamespaceSet } from 'nsset'

/** What the shell sees of the host. If /bin and similar directories are links into /usr, they stay links. */
const SHARED = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc', '/dev'].filter((path) => existsSync(path))

const root = mkdtempSync(join(tmpdir(), 'sandbox-'))
const mounts: MountSpec[] = []
for (const path of SHARED) {
  if (lstatSync(path).isSymbolicLink()) {
    symlinkSync(readlinkSync(path), join(root, path))
    continue
  }
  mkdirSync(join(root, path))
  mounts.push({ type: 'bind', source: path, target: path, recursive: true, readOnly: true })
}
for (const [type, target] of [
  ['proc', '/proc'],
  ['tmpfs', '/tmp'],
  ['tmpfs', '/home'],
] as const) {
  mkdirSync(join(root, target))
  mounts.push({ type, target, noSuid: true, noDev: true })
}

try {
  await using set = await NamespaceSet.unshare(['user', 'pid', 'mnt', 'uts', 'ipc', 'net'], {
    mapUser: 'root',
    hostname: 'sandbox',
    loopback: true,
    root,
    mounts,
  })
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: '/home', TERM: process.env['TERM'], PS1: '(sandbox) # ' }
  const options = { cwd: '/home', env, stdio: 'inherit', noNewPrivileges: true, deathSignal: 'SIGKILL' } as const
  const shell = set.spawn('sh', process.argv.slice(2), options)
  process.exitCode = await new Promise((resolve, reject) =>
    shell.once('error', reject).once('exit', (code) => resolve(code ?? 1)),
  )
  // The block ends, the set closes, and its pid namespace ends with all remaining processes.
} finally {
  rmSync(root, { recursive: true })
}
