/** `nsset/testing`: what a test leaves behind is named, and fixtures close themselves. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { NamespaceSet, netns } from 'nsset'
import { expectNoLeaks, type LeakOptions, type TestHooks, useFixtures } from 'nsset/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

// These tests too leave nothing behind.
const outer = expectNoLeaks({ beforeEach, afterEach })

/** Runs a test between the hooks of `expectNoLeaks`, as a runner does. Returns the message of the error, or undefined. */
async function verdictOn(body: () => unknown, options: LeakOptions = { patience: 100 }): Promise<string | undefined> {
  const hooks = runner()
  expectNoLeaks(hooks, options)
  await hooks.before?.()
  await body()
  return (await hooks.after?.().catch((error: Error) => error.message)) ?? undefined
}

interface Runner extends TestHooks {
  before?: () => Promise<void>
  after?: () => Promise<void>
}

/** Hooks that are kept, to be called by hand. */
function runner(): Runner {
  const hooks: Runner = {
    beforeEach: (run) => {
      hooks.before = run
    },
    afterEach: (run) => {
      hooks.after = run
    },
  }
  // Only these two are passed on: unknown keys are refused.
  Object.defineProperty(hooks, 'before', { enumerable: false, writable: true })
  Object.defineProperty(hooks, 'after', { enumerable: false, writable: true })
  return hooks
}

describe('expectNoLeaks', () => {
  test('accepts a test that closes what it uses', async () => {
    expect(await verdictOn(() => anyonesSet(['net', 'uts']).close())).toBeUndefined()
  })

  test('names the namespaces of a set that stays open', async () => {
    let set: NamespaceSet | undefined
    const verdict = await verdictOn(() => {
      set = anyonesSet(['net'])
    })
    expect(verdict).toContain('the test has left behind:')
    expect(verdict).toContain(`- namespace ${set?.id('net')}`)
    set?.close()
  })

  test('names a descriptor by its file', async () => {
    let fd = -1
    const verdict = await verdictOn(() => {
      fd = openSync('/etc/hostname', 'r')
    })
    expect(verdict).toBe('the test has left behind:\n- descriptor /etc/hostname')
    closeSync(fd)
  })

  test('names a child process', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    const exit = once(child, 'exit')
    child.kill()
    await exit
    let left: ReturnType<typeof spawn> | undefined
    const verdict = await verdictOn(() => {
      left = spawn('sleep', ['60'], { stdio: 'ignore' })
    })
    expect(verdict).toContain(`- child ${left?.pid} (sleep)`)
    const end = once(left as NonNullable<typeof left>, 'exit')
    left?.kill()
    await end
  })

  test('names a thread', async () => {
    let worker: Worker | undefined
    const verdict = await verdictOn(async () => {
      worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
      await once(worker, 'online')
    })
    expect(verdict).toContain('- thread ')
    await worker?.terminate()
  })

  asRoot('names a mount, a link and a name', 'they require root', async () => {
    using directory = temporaryDirectory()
    const [path, name] = [directory.file('uts'), `nsset-test-${process.pid}-leak`]
    const link = `leak${process.pid}`
    const verdict = await verdictOn(async () => {
      using set = NamespaceSet.unshareSync('uts')
      await set.mount({ uts: path })
      execFileSync('ip', ['netns', 'add', name])
      execFileSync('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', `${link}p`])
    })
    await NamespaceSet.unmount(path)
    await netns.remove(name)
    execFileSync('ip', ['link', 'delete', link])
    expect(verdict).toContain(`- mount ${path}`)
    expect(verdict).toContain(`- name ${name}`)
    expect(verdict).toContain(`- link ${link}\n`)
  })

  test('waits for what is about to end', async () => {
    const verdict = await verdictOn(
      () => {
        spawn('sleep', ['0.2'], { stdio: 'ignore' })
      },
      { patience: 10_000 },
    )
    expect(verdict).toBeUndefined()
  })

  test('ignores what the option says', async () => {
    let fd = -1
    const verdict = await verdictOn(
      () => {
        fd = openSync('/etc/hostname', 'r')
      },
      { patience: 0, ignore: (leak) => leak === 'descriptor /etc/hostname' },
    )
    expect(verdict).toBeUndefined()
    closeSync(fd)
  })

  test('closes the fixtures that it returns before it looks', async () => {
    const hooks = runner()
    const { use, useNamespace } = expectNoLeaks(hooks)
    await hooks.before?.()
    const set = await useNamespace(isRoot ? 'net' : ['user', 'net'], isRoot ? {} : { mapUser: 'root' })
    const other = use(set.dup('net'))
    await hooks.after?.()
    expect([set.closed, other.closed]).toEqual([true, true])
  })
})

describe('useFixtures', () => {
  test('closes in the reverse order, also if one fails', async () => {
    const hooks = runner()
    const { use } = useFixtures({ afterEach: hooks.afterEach })
    const closed: string[] = []
    use({ [Symbol.dispose]: () => void closed.push('first') })
    use({
      [Symbol.asyncDispose]: async () => {
        closed.push('second')
        throw new Error('second')
      },
    })
    use({ [Symbol.dispose]: () => void closed.push('third') })
    await expect(hooks.after?.()).rejects.toThrow('second')
    expect(closed).toEqual(['third', 'second', 'first'])
  })

  test('works with the hooks of this runner', async () => {
    const set = outer.use(anyonesSet(['uts']))
    expect(set.closed).toBe(false)
  })
})

describe('bad input', () => {
  refuses([
    ['no hooks, where none are global', () => expectNoLeaks(), value('hooks.beforeEach', 'no global')],
    ['a hook that is no function', () => expectNoLeaks({ beforeEach: untyped(1) }), type('hooks.beforeEach')],
    ['an unknown hook', () => useFixtures(untyped({ afterAll: afterEach })), value('afterAll')],
    [
      'a patience below 0',
      () => expectNoLeaks(runner(), { patience: -1 }),
      ['RangeError', 'ERR_INVALID_ARG_VALUE', 'patience'],
    ],
    ['an unknown option', () => expectNoLeaks(runner(), untyped({ wait: 1 })), value('wait')],
  ])
})

test('works with node:test', async () => {
  const program = `
    import { test, beforeEach, afterEach } from 'node:test'
    import { NamespaceSet } from 'nsset'
    import { expectNoLeaks } from 'nsset/testing'
    const { useNamespace } = expectNoLeaks({ beforeEach, afterEach }, { patience: 100 })
    const [kinds, options] = [['user', 'uts'], { mapUser: 'root' }]
    test('closes', () => useNamespace(kinds, options))
    test('leaks', async () => { globalThis.left = await NamespaceSet.unshare(kinds, options) })
  `
  const { stdout } = await runPlainNode(program)
  expect(stdout).toMatch(/^ok \d+ - closes$/m)
  expect(stdout).toMatch(/^not ok \d+ - leaks$/m)
  expect(stdout).toMatch(/- namespace user:\[\d+\]/)
})

asRoot(
  'leaves out that the first name makes its directory a mount',
  'names are mounts, which require root',
  async () => {
    const program = `
    import { test, beforeEach, afterEach } from 'node:test'
    import { netns } from 'nsset'
    import { expectNoLeaks } from 'nsset/testing'
    expectNoLeaks({ beforeEach, afterEach })
    test('by nsset', async () => {
      ;(await netns.create('first')).close()
      await netns.remove('first')
    })`
    // A /run in which there has never been a name.
    const inside = 'mount -t tmpfs tmpfs /run && exec "$@"'
    const prefix = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', inside, 'sh']
    const { stdout } = await runPlainNode(program, { prefix })
    expect(stdout).toMatch(/^ok 1 - by nsset$/m)
  },
)

test('leaves out what nsset starts at the first call and keeps', async () => {
  const program = `
    import { once } from 'node:events'
    import { test, beforeEach, afterEach } from 'node:test'
    import { expectNoLeaks } from 'nsset/testing'
    const { use, useNamespace } = expectNoLeaks({ beforeEach, afterEach }, { patience: 500 })
    const network = async () => (await useNamespace(['user', 'net'], { mapUser: 'root', loopback: true })).network
    test('requests', async () => (await network()).sysctls.set('net.ipv4.ip_forward', true))
    test('capture', async () => use((await network()).capture('lo')))
    test('uplink', async () => use(await (await network()).uplink()))
    test('publish', async () => use(await (await network()).publish({ port: 0, to: { port: 80 } })))
    test('an open uplink', async () => { globalThis.left = await (await network()).uplink() })
    test('blocking calls', async () => (await network()).sync.links.list())
    test('a socket', async () => {
      globalThis.socket = (await network()).createSocket('udp4').bind()
      await once(socket, 'listening')
    })
    test('the end', () => socket.close())
  `
  const { stdout } = await runPlainNode(program)
  const verdicts = [...stdout.matchAll(/^((?:not )?ok) \d+ - (.*)$/gm)].map(
    ([, verdict, name]) => `${name}: ${verdict}`,
  )
  expect(verdicts).toEqual([
    'requests: ok',
    'capture: ok',
    'uplink: ok',
    'publish: ok',
    // It ends with its set.
    'an open uplink: ok',
    'blocking calls: ok',
    'a socket: not ok',
    'the end: ok',
  ])
  expect(stdout).toContain('- descriptor socket')
})
