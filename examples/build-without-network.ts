/**
 * A build step without access to the network, which leaves no process behind, as an ordinary user:
 * `npx tsx examples/build-without-network.ts [COMMAND [ARGUMENT]…]`, in the working directory.
 */
import { once } from 'node:events'
import { NamespaceSet } from 'nsset'

/** Prints whether the network is reachable. */
const PROBE = `
  require('node:net').connect(80, '192.0.2.1')
    .on('connect', () => console.log('there is a network'))
    .on('error', (error) => console.log('no way out: ' + error.code))
`
const [command = process.execPath, ...args] = process.argv.slice(2)
const step = process.argv.length > 2 ? args : ['--eval', PROBE]

// mapUser: 'current', so that files of the build step belong to the caller.
await using set = await NamespaceSet.unshare(['user', 'net', 'pid', 'mnt'], {
  mapUser: 'current',
  loopback: true,
  mounts: [{ type: 'proc', target: '/proc' }],
})
const limits = { timeout: 10 * 60_000, killSignal: 'SIGKILL', noNewPrivileges: true, deathSignal: 'SIGKILL' } as const
const build = set.spawn(command, step, { stdio: 'inherit', ...limits })
const [code, signal] = await once(build, 'exit')
if (signal !== null) console.error(`${command} was killed by ${signal}`)
process.exitCode = code ?? 1
