/**
 * A step of a build, as an ordinary user: it sees the system and the project, whose changes go to a layer in memory, and only what it
 * leaves in `out` is kept. `npx tsx examples/build-step.ts PROJECT OUT COMMAND [ARGUMENT]…`.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { type MountSpec, NamespaceSet, sandboxSystemCalls } from 'nsset'

const [project, out, command, ...args] = process.argv.slice(2)
if (project === undefined || out === undefined || command === undefined)
  throw new Error('PROJECT OUT COMMAND are required')

const system = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc/alternatives'].filter((path) => existsSync(path))
const mounts = system.map((path): MountSpec => {
  if (lstatSync(path).isSymbolicLink()) return { type: 'symlink', target: path, to: readlinkSync(path) }
  return { type: 'bind', source: path, target: path, readOnly: true, noSuid: true, noDev: true }
})
await using set = await NamespaceSet.unshare(['user', 'mnt', 'pid', 'net', 'ipc', 'uts'], {
  mapUser: 'current',
  hostname: 'build',
  root: { type: 'tmpfs', readOnly: true },
  mounts: [
    ...mounts,
    { type: 'proc', target: '/proc' },
    { type: 'dev', target: '/dev' },
    { type: 'tmpfs', target: '/tmp', options: { mode: '1777' } },
    {
      type: 'file',
      target: '/etc/passwd',
      content: `build:x:${process.getuid?.()}:${process.getgid?.()}::/tmp:/bin/sh\n`,
    },
    // What the step changes in the project, or deletes, is gone with the set.
    { type: 'overlay', target: '/build', lower: [resolve(project)], upper: { type: 'tmpfs', size: 256 * 2 ** 20 } },
    { type: 'bind', source: resolve(out), target: '/build/out' },
  ],
})
const step = set.spawn(command, args, {
  cwd: '/build',
  env: { PATH: '/usr/bin:/bin', HOME: '/tmp', SOURCE_DATE_EPOCH: '0' },
  stdio: 'inherit',
  timeout: 10 * 60_000,
  killSignal: 'SIGKILL',
  capabilities: [],
  noNewPrivileges: true,
  seccomp: sandboxSystemCalls(),
  limits: { coreSize: 0 },
})
process.exitCode = await new Promise((done, fail) => step.once('error', fail).once('exit', (code) => done(code ?? 1)))
