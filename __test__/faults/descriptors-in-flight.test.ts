/**
 * A user may have as many descriptors in flight over unix sockets as it may have open; above that the kernel lets its
 * processes send none (ETOOMANYREFS, unix(7)). The root user of a rootless set can cause that for the user outside.
 */
import { expect } from 'vitest'
import { compileC } from '../setup/c-programs/c-program.ts'
import { OWN_RESOURCES } from '../setup/programs/own-resources.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'

/** A user without other processes, so that nothing else needs to send descriptors. */
const USER = ['setpriv', '--reuid=23456', '--regid=23456', '--clear-groups']

const PROGRAM = `
  import { spawn } from 'node:child_process'
  import { NamespaceSet } from 'nsset'
  ${OWN_RESOURCES}
  const pids = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
  const net = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  const operations = {
    unshare: () => NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' }).then((set) => set.close()),
    'unshare below': () => pids.unshare('pid').then((set) => set.close()),
    'a socket': () => net.network.links.list(),
    execFile: () => pids.execFile('true'),
  }
  await pids.execFile('true')
  const many = spawn(process.env.IN_FLIGHT, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => many.stdout.once('data', resolve))
  await new Promise((resolve) => setTimeout(resolve, 200))
  const before = { children: children().length, descriptors: descriptors() }
  const outcomes = {}
  for (const [name, operation] of Object.entries(operations)) {
    const begun = performance.now()
    const { code = 'ok', message = '' } = (await operation().then(() => undefined, (error) => error)) ?? {}
    outcomes[name] = { code, isQuick: performance.now() - begun < 1_000, isExplained: message.includes('in flight') }
  }
  await new Promise((resolve) => setTimeout(resolve, 300))
  const left = { children: children().length - before.children, descriptors: descriptors() - before.descriptors }
  many.kill('SIGKILL')
  await new Promise((resolve) => many.once('exit', resolve))
  // The kernel frees what was in flight asynchronously.
  for (let turn = 0; turn < 100; turn++) {
    const failed = await operations.unshare().then(() => false, () => true)
    if (!failed) break
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await operations.unshare()
  console.log(JSON.stringify({ outcomes, left }))`

asRoot(
  'with too many descriptors in flight, calls that send none work, and the others fail immediately',
  'it changes to a user of its own',
  async (context) => {
    using program = compileC('in-flight')
    if (program === undefined) return context.skip('needs a C compiler, cc')
    const prefix = [...USER, 'prlimit', '--nofile=256:256']
    const env = { IN_FLIGHT: program.path }
    const { outcomes, left } = await askPlainNode<{ outcomes: object; left: object }>(PROGRAM, { prefix, env })
    const refused = { code: 'ETOOMANYREFS', isQuick: true, isExplained: true }
    expect(outcomes).toEqual({
      unshare: refused,
      'unshare below': refused,
      'a socket': refused,
      execFile: { code: 'ok', isQuick: true, isExplained: false },
    })
    expect(left).toEqual({ children: 0, descriptors: 0 })
  },
)
