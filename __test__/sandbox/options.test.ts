/** The options of a box: they are taken when `create` is called, and messages name them as the caller wrote them. */
import { NamespaceSet } from 'nsset'
import { Sandbox, type SandboxOptions } from 'nsset/sandbox'
import { describe, expect, test } from 'vitest'
import { refuses, type, untyped, value } from '../setup/sets/failure.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object | undefined ? Mutable<T[K]> : T[K] }

describe('options are taken at the call', () => {
  test('what the caller changes later has no effect', async () => {
    const options = {
      env: { PATH: process.env['PATH'], GIVEN: 'first' },
      limits: { openFiles: { soft: 100, hard: 200 } },
      capabilities: [],
      network: { allow: ['allowed.example:443'] },
      seccomp: { default: 'allow', deny: [{ name: 'uname', errno: 'ENOSYS' }] },
    } satisfies SandboxOptions
    const creation = Sandbox.create(options)
    const { env, limits, capabilities, network, seccomp } = options as Mutable<SandboxOptions> & typeof options
    network.allow.push('1.2.3.0/24')
    await using box = await creation
    env.GIVEN = 'second'
    limits.openFiles.soft = 150
    capabilities.push('CAP_SYS_ADMIN' as never)
    seccomp.deny.length = 0
    const script =
      'echo $GIVEN; ulimit -Sn; grep -E CapEff /proc/self/status; uname 2>&1 || true; echo > /dev/tcp/1.2.3.4/443'
    const { stdout } = await box.execFile('bash', ['-c', script], { reject: false, timeout: 20_000 })
    expect(stdout.split('\n').slice(0, 3)).toEqual(['first', '100', `CapEff:\t${'0'.repeat(16)}`])
    expect(stdout).toContain('not implemented')
    const refusal = await box.refusals().next()
    expect(refusal.value).toMatchObject({ what: 'network', network: { address: '1.2.3.4', reason: 'not-allowed' } })
  })

  test('inherited options count', async () => {
    class Limits {
      get openFiles() {
        return 123
      }
    }
    const network = Object.create({ allow: ['allowed.example:443'] })
    await using box = await Sandbox.create({ limits: new Limits(), network })
    const script = 'ulimit -n; echo > /dev/tcp/1.2.3.4/443'
    const { stdout } = await box.execFile('bash', ['-c', script], { reject: false, timeout: 20_000 })
    expect(stdout).toBe('123\n')
    expect((await box.refusals().next()).value).toMatchObject({ network: { reason: 'not-allowed' } })
  })
})

describe('messages name the option', () => {
  const create = (options: unknown) => () => Sandbox.create(untyped(options))
  refuses([
    ['a limit of the control group', create({ cgroup: { memory: '1G' } }), type('options.cgroup.memory')],
    ['a way in', create({ network: { publish: [8080] } }), type('options.network.publish[0]')],
    [
      'a way in without target',
      create({ network: { publish: [{ port: 1 }] } }),
      value('options.network.publish[0].to'),
    ],
    ['a user', create({ user: 'nobody' }), value('options.user', 'a user id')],
    ['a user of a set', () => NamespaceSet.unshare('user', untyped({ mapUser: 'me' })), value('mapUser', 'a user id')],
  ])
})
