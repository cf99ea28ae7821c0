/**
 * A shell in a sandbox, as an ordinary user: with its own processes, mounts, host name and network, the system's
 * programs read-only, and without access to the user's files. `npx tsx examples/sandbox.ts [ARGUMENTS OF SH]`.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { type MountSpec, NamespaceSet } from 'nsset'

/** What the shell sees of the host. If /bin and similar directories are links into /usr, they stay links. */
const shared = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc'].filter((path) => existsSync(path))
const system = shared.map((path): MountSpec => {
  if (lstatSync(path).isSymbolicLink()) return { type: 'symlink', target: path, to: readlinkSync(path) }
  return { type: 'bind', source: path, target: path, readOnly: true }
})

await using set = await NamespaceSet.unshare(['user', 'pid', 'mnt', 'uts', 'ipc', 'net'], {
  mapUser: 'root',
  hostname: 'sandbox',
  loopback: true,
  root: { type: 'tmpfs' },
  mounts: [
    ...system,
    { type: 'proc', target: '/proc', noSuid: true, noDev: true, noExec: true },
    { type: 'dev', target: '/dev' },
    { type: 'tmpfs', target: '/tmp', noSuid: true, noDev: true, options: { mode: '1777' } },
    { type: 'tmpfs', target: '/home', noSuid: true, noDev: true },
  ],
})
const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: '/home', TERM: process.env['TERM'], PS1: '(sandbox) # ' }
const options = { cwd: '/home', env, stdio: 'inherit', noNewPrivileges: true, deathSignal: 'SIGKILL' } as const
const shell = set.spawn('sh', process.argv.slice(2), options)
process.exitCode = await new Promise((resolve, reject) =>
  shell.once('error', reject).once('exit', (code) => resolve(code ?? 1)),
)
// The block ends, the set closes, and its pid namespace ends with all remaining processes.
