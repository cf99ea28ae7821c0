/**
 * Secrets stay private: every user can read the argument vector of every process, so no part of a mount's options, of
 * a value or of an environment may appear in one, neither in the helper's nor in PID 1's.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'

const ONLOOKER = fileURLToPath(new URL('../setup/programs/onlooker.mjs', import.meta.url))
const SECRET = `correct-horse-${process.pid}`

const as = (uid: number) => ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']

/** Each of these calls of a helper is delayed, so that the test reliably sees the helper. */
const HELD_UP = [
  ...['strace', '-f', '-q', '-o', '/dev/null', '-e', 'trace=close_range,exit_group'],
  ...['-e', 'inject=close_range,exit_group:delay_enter=15ms'],
]

const PROGRAM = `
  import { NamespaceSet } from 'nsset'
  const secret = process.env.SECRET
  const net = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  const below = await NamespaceSet.unshare(['user', 'pid', 'mnt'], { mapUser: 'root' })
  const mounts = (fields) => [{ type: 'tmpfs', target: '/tmp', ...fields }]
  const outcomes = []
  const settle = (promise) => promise.then(() => outcomes.push('done'), ({ code }) => outcomes.push(code))
  for (let turn = 0; turn < 5; turn++) {
    const options = [
      { mounts: mounts({ options: { password: secret } }) },
      { mounts: mounts({ source: secret }) },
      { mounts: [{ type: 'bind', source: '/etc/' + secret, target: '/tmp' }] },
    ]
    for (const each of options) {
      await settle(NamespaceSet.unshare(['user', 'mnt'], { mapUser: 'root', ...each }).then((set) => set.close()))
      await settle(NamespaceSet.unshare(['user', 'mnt', 'pid'], { mapUser: 'root', ...each }).then((set) => set.close()))
    }
    await settle(net.network.sysctls.set('net.ipv4.tcp_congestion_control', secret))
    await settle(below.execFile('true', [], { env: { PATH: process.env.PATH, PASSWORD: secret } }))
    await settle(below.execFile('true', [secret], { env: { PASSWORD: secret }, cwd: '/nonexistent/' + secret }))
  }
  console.log(JSON.stringify(outcomes))`

/** What a user sees of the helpers of another user's Node.js. */
async function lookOn(onlooker: number, owner: readonly string[]) {
  const [, ...user] = as(onlooker)
  const child = spawn('setpriv', [...user, process.execPath, ONLOOKER], {
    cwd: '/',
    env: { SECRET },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'readable')
  const outcomes = await askPlainNode<string[]>(PROGRAM, { prefix: [...owner, ...HELD_UP], env: { SECRET } })
  child.stdin.end()
  const [, seen = ''] = (await text(child.stdout)).trim().split('\n')
  return { outcomes: new Set(outcomes), seen: JSON.parse(seen) as { helpers: number; secrets: object } }
}

for (const [name, onlooker, owner] of [
  ['an ordinary user sees nothing of root’s', 1234, []],
  ['an ordinary user sees nothing of another user’s', 1235, as(1234)],
] as const) {
  asRoot(
    name,
    'it changes to two other users',
    async () => {
      const { outcomes, seen } = await lookOn(onlooker, owner)
      // All were running: the mount with a wrong option, the one without a source, the value, the program.
      expect(outcomes).toEqual(new Set(['EINVAL', 'done', 'ENOENT']))
      expect(seen.secrets).toEqual({})
      expect(seen.helpers).toBeGreaterThan(50)
    },
    60_000,
  )
}
