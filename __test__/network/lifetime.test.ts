/** The lifetime of a network: with its set, its namespace and its thread, and while links come and go in it. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { ActionError, action, type Link, NamespaceSet, netns } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { noIdleHelper } from '../setup/guards/idle-helpers.ts'
import { resources } from '../setup/guards/resources.ts'
import { namesOf, outputOf } from '../setup/oracles/iproute.ts'
import { inWorker } from '../setup/processes/worker.ts'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { expectFailure, failureOf } from '../setup/sets/failure.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const CLOSED = ['TypeError', 'ERR_NSSET_CLOSED', 'closed'] as const

/** How programs in plain Node.js create a set with a network. */
const MAKE = isRoot
  ? `NamespaceSet.unshareSync('net')`
  : `NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })`

/** This many addresses keep the kernel busy for a while. */
const manyAddresses = (count: number) =>
  Array.from({ length: count }, (_, index) => action.addresses.add('lo', `10.0.${index >> 8}.${index & 0xff}/32`))

describe('the network of a set', () => {
  test('is the same object at each access', () => {
    using set = anyonesSet(['net'])
    using dup = set.dup()
    expect(set.network).toBe(set.network)
    expect(dup.network).not.toBe(set.network)
  })

  test('requires a net namespace in the set', async () => {
    using uts = NamespaceSet.current('uts')
    expectFailure(await failureOf(() => uts.network), ['RangeError', 'ERR_NSSET_NOT_IN_SET', 'net', 'uts'])
  })

  test('opens its socket on first use, and only one', async () => {
    using set = anyonesSet(['net'])
    const before = resources()
    const { network } = set
    expect(await growthSince(before)).toEqual({})
    await Promise.all([network.links.list(), network.routes.list(), network.addresses.list(), network.qdiscs.list()])
    expect(resources().descriptors - before.descriptors).toBe(1)
  })

  test('of a dup stays usable when the other set is closed', async () => {
    using set = anyonesSet(['net'])
    const dup = set.dup()
    await dup.network.links.add({ kind: 'bridge', name: 'br0' })
    dup.close()
    expect(await set.network.links.get('br0')).toMatchObject({ kind: 'bridge' })
  })
})

describe('after a set is closed', () => {
  test('its network rejects every call', async () => {
    const set = anyonesSet(['net'])
    const { network } = set
    await network.links.list()
    set.close()
    expectFailure(await failureOf(() => set.network), CLOSED)
    let calls = 0
    const calling = action.call('count', () => calls++)
    for (const call of [
      () => network.apply([]),
      () => network.apply([calling]),
      () => network.links.list(),
      () => network.links.add({ kind: 'bridge', name: 'br0' }),
      () => network.sysctls.get('net.ipv4.ip_forward'),
      () => network.wireguard.get('wg0'),
    ]) {
      expectFailure(await failureOf(call), CLOSED)
    }
    expect(calls).toBe(0)
  })

  test('its network rejects every call, even if it was never used', async () => {
    const before = resources()
    const set = anyonesSet(['net'])
    const { network } = set
    set.close()
    expectFailure(await failureOf(() => network.links.list()), CLOSED)
    expect(await growthSince(before)).toEqual({})
  })

  test('by one of its own actions, the next action fails, with the results so far', async () => {
    const set = anyonesSet(['net'])
    for (const next of [action.links.list(), action.call('never', () => expect.unreachable())]) {
      const closing = set.dup()
      const actions = [action.links.get('lo'), action.call('close', () => closing.close()), next]
      const error = await failureOf(() => closing.network.apply(actions))
      expectFailure(error, ['ActionError', 'ERR_NSSET_CLOSED', 'action 2', 'closed'])
      expect(error).toMatchObject({ index: 2, action: next.name, results: [{ name: 'lo' }, undefined] })
    }
    set.close()
  })

  test('during a list, the promise settles with everything that was done, and nothing is left', async () => {
    using set = anyonesSet(['net'])
    await set.network.links.list()
    const before = resources()
    for (let turn = 0; turn < 30; turn++) {
      const closing = set.dup()
      const actions = Array.from({ length: 300 }, () => action.links.get('lo'))
      const applied = closing.network.apply(actions).then(
        (results) => ({ results, error: undefined }),
        (error) => ({ results: error.results, error }),
      )
      const listed = Promise.allSettled(Array.from({ length: 10 }, () => closing.network.links.list()))
      if (turn % 3 === 1) await new Promise((resolve) => setImmediate(resolve))
      if (turn % 3 === 2) await new Promise((resolve) => setTimeout(resolve, turn % 7))
      closing.close()
      const { results, error } = await applied
      if (error !== undefined) {
        expect(error).toBeInstanceOf(ActionError)
        expect(error).toMatchObject({ code: 'ERR_NSSET_CLOSED', index: results.length, action: 'links.get' })
      }
      expect(results.length).toBe(error?.index ?? 300)
      for (const outcome of await listed) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
      }
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('while another set needs it, the action fails or succeeds', async () => {
    using set = anyonesSet(['net'])
    await set.network.links.list()
    // What is created once: the helper's descriptor.
    set.unshareSync('net').close()
    const before = resources()
    for (let turn = 0; turn < 20; turn++) {
      const other = set.unshareSync('net')
      const peer = { name: 'far0', set: other }
      const outcome = set.network.links.add({ kind: 'veth', name: `v${turn}`, peer }).catch((error) => error)
      if (turn % 2 === 1) await new Promise((resolve) => setImmediate(resolve))
      other.close()
      const made = (await outcome) as Link | ActionError
      if (made instanceof ActionError) expect(made.code).toBe('ERR_NSSET_CLOSED')
      else expect(made).toMatchObject({ kind: 'veth' })
    }
    expect(await growthSince(before)).toEqual({})
  })
})

describe('concurrent changes', () => {
  test('a link that a script deletes between two actions is ENODEV', async () => {
    using set = anyonesSet(['net'])
    const error = await failureOf(() =>
      set.network.apply([
        action.links.add({ kind: 'bridge', name: 'br0' }),
        action.script('ip link delete br0'),
        action.call('wait', ({ results }) => once(results[1] as NodeJS.EventEmitter, 'exit')),
        action.addresses.add(({ results }) => results[0] as Link, '10.0.0.1/24'),
      ]),
    )
    expect(error).toMatchObject({ index: 3, action: 'addresses.add', code: 'ENODEV', errno: -19 })
    expect(error).toMatchObject({ results: [{ name: 'br0' }, {}, [0, null]] })
  })

  test('a link that a call deletes and creates again has another name and index', async () => {
    using set = anyonesSet(['net'])
    const anew = action.call('anew', async ({ network }) => {
      await network.links.delete('br0')
      await network.links.add({ kind: 'bridge', name: 'br0' })
    })
    const add = action.links.add({ kind: 'bridge', name: 'br0' })
    const [old, , found] = await set.network.apply([add, anew, action.links.get('br0')])
    expect(found.index).not.toBe(old.index)
    const error = await failureOf(() => set.network.links.get(old))
    expectFailure(error, ['ActionError', 'ENODEV', `links.get index ${old.index}`])
    expect(await set.network.links.delete(old, { force: true })).toBeUndefined()
  })

  test('links that many lists create and delete at the same time give documented errors', async () => {
    using set = anyonesSet(['net'])
    const list = [
      action.links.ensure({ kind: 'bridge', name: 'br0' }),
      action.links.set('br0', { up: true, mtu: 1400 }),
      action.links.delete('br0', { force: true }),
      action.links.list(),
    ]
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => set.network.apply(list)))
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      // It existed already, or no longer.
      expect(['ENODEV', 'EEXIST']).toContain(outcome.reason.code)
    }
    await set.network.links.delete('br0', { force: true })
    expect(await namesOf(set)).toEqual([])
  })

  asRoot('a name that is removed while its network is used is ENOENT', 'to mount a name', async () => {
    using directory = temporaryDirectory()
    const where = { directory: directory.path }
    const before = resources()
    {
      using blue = await netns.create('blue', where)
      using opened = netns.open('blue', where)
      await opened.network.links.add({ kind: 'bridge', name: 'br0' })
      const listing = opened.network.links.list()
      await netns.remove('blue', where)
      expect((await listing).map(({ name }) => name)).toContain('br0')
      expect(await namesOf(blue)).toEqual(['br0'])
      const error = await failureOf(() =>
        opened.network.apply([action.links.get('br0'), action.inside({ name: 'blue', ...where }, [])]),
      )
      expectFailure(error, ['ActionError', 'ENOENT', 'action 1 (inside blue)', directory.file('blue')])
    }
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('a name that is mounted again refers to the new namespace at its turn', 'to mount a name', async () => {
    using directory = temporaryDirectory()
    const where = { directory: directory.path }
    using base = NamespaceSet.unshareSync('net')
    using first = await netns.create('blue', where)
    const [swapped, made] = await base.network.apply([
      action.call('swap', async () => {
        await netns.remove('blue', where)
        return await netns.create('blue', { ...where, temporary: true })
      }),
      action.inside({ name: 'blue', ...where }, [action.links.add({ kind: 'bridge', name: 'br0' })]),
    ])
    expect(made).toMatchObject([{ name: 'br0' }])
    expect(await namesOf(first)).toEqual([])
    using second = swapped
    expect(await namesOf(second)).toEqual(['br0'])
  })

  test('a process that exits before its turn is an error', async () => {
    using set = anyonesSet(['net'])
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const pid = child.pid as number
    const error = await failureOf(() =>
      set.network.apply([
        action.inside({ pid }, [action.links.get('lo')]),
        action.call('kill', () => {
          child.kill('SIGKILL')
          return once(child, 'exit')
        }),
        action.inside({ pid }, [action.links.get('lo')]),
      ]),
    )
    expectFailure(error, ['ActionError', 'ESRCH', 'action 2 (inside', String(pid)])
    expect(error).toMatchObject({ results: [[{ name: 'lo' }], [null, 'SIGKILL']] })
  })

  test('the namespace exists as long as its network is open', async () => {
    using set = anyonesSet(['net'])
    const other = set.unshareSync('net')
    await set.network.links.add({ kind: 'veth', name: 'here0', peer: { name: 'there0', set: other } })
    const { network } = other
    expect(await network.links.get('there0')).toMatchObject({ kind: 'veth' })
    other.close()
    // The kernel frees an unused namespace asynchronously, and the veth with it.
    const end = Date.now() + 10_000
    while ((await namesOf(set)).length > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await namesOf(set)).toEqual([])
  })
})

describe('many networks', () => {
  test('200 at the same time use a few threads, and leave nothing open', async () => {
    using base = anyonesSet(['net'])
    await base.network.links.list()
    const before = resources()
    const sets = Array.from({ length: 200 }, () => base.unshareSync('net'))
    const during = resources()
    const names = await Promise.all(
      sets.map(async ({ network }, index) => {
        await network.links.add({ kind: 'bridge', name: `br${index}`, up: true })
        const [, bridge] = (await network.links.list()).filter(({ kind }) => kind === 'loopback' || kind === 'bridge')
        return bridge?.name
      }),
    )
    expect(names).toEqual(sets.map((_, index) => `br${index}`))
    // Sets with `user` wait for their helpers on another thread, and on more when one is blocked, as on a busy machine.
    expect(resources().threads).toBeLessThanOrEqual(before.threads + sets.length / 10)
    // Each of these has a helper that stays for some seconds.
    await noIdleHelper()
    expect(resources().descriptors - during.descriptors).toBe(200)
    for (const set of sets) set.close()
    expect(await growthSince(before)).toEqual({})
  }, 60_000)

  test('all of them, and those of Workers, share one named thread', async () => {
    using set = anyonesSet(['net'])
    await set.network.links.list()
    const threads = () =>
      readdirSync('/proc/self/task').map((tid) => readFileSync(`/proc/self/task/${tid}/comm`, 'utf8').trim())
    const named = () => threads().filter((name) => name === 'nsset-network').length
    expect(named()).toBe(1)
    const body = `
      const set = nsset.${MAKE}
      const [lo] = await set.network.links.list()
      set.close()
      return lo.name`
    const answers = await Promise.all([1, 2, 3].map(() => inWorker(body)))
    expect(answers).toEqual(['lo', 'lo', 'lo'])
    expect(named()).toBe(1)
  })

  test('listing 1,000 links does not block the event loop', async () => {
    using set = anyonesSet(['net'])
    const batch = Array.from({ length: 500 }, (_, index) => `link add a${index} type veth peer name b${index}`)
    await outputOf(set, 'ip', '-batch -', batch.join('\n'))
    const longest: number[] = []
    for (let turn = 0; turn < 5; turn++) {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      const links = await set.network.links.list()
      await new Promise((resolve) => setTimeout(resolve, 5))
      delay.disable()
      expect(links.length).toBeGreaterThanOrEqual(1001)
      longest.push(delay.max / 1e6)
    }
    // Other processes use this machine, too: one quiet attempt is enough.
    expect(Math.min(...longest)).toBeLessThan(50)
  }, 60_000)
})

describe('the event loop', () => {
  test('runs until a request is answered, and then ends', async () => {
    const reported = await askPlainNode<string[]>(`
      import { NamespaceSet, action } from 'nsset'
      const set = ${MAKE}
      const list = Array.from({ length: 200 }, () => action.links.get('lo'))
      set.network.apply([...list, action.links.list()])
        .then((results) => console.log(JSON.stringify([results.length, results.at(-1)[0].name])))`)
    expect(reported).toEqual([201, 'lo'])
  })

  test('runs until failures are reported, and those of later calls, too', async () => {
    const reported = await askPlainNode<string[]>(`
      import { NamespaceSet, action } from 'nsset'
      const set = ${MAKE}
      const reported = []
      process.on('exit', () => console.log(JSON.stringify(reported)))
      const report = (error) => reported.push(error.code)
      set.network.links.get('none0').catch((error) => {
        report(error)
        set.network.links.get('none1').catch(report)
      })
      set.network.addresses.add('lo', { cidr: '10.0.0.1/32', peer: 'fd00::1' }).catch(report)`)
    expect(reported.sort()).toEqual(['ENODEV', 'ENODEV', 'ERR_INVALID_ARG_VALUE'])
  })

  test('is not kept running by an idle network', async () => {
    const started = Date.now()
    const { stdout, stderr, code } = await runPlainNode(`
      import { NamespaceSet } from 'nsset'
      globalThis.set = ${MAKE}
      await set.network.links.list()
      await set.network.links.get('none0').catch(() => undefined)
      console.log('idle')`)
    expect({ stdout, stderr, code }).toEqual({ stdout: 'idle\n', stderr: '', code: 0 })
    expect(Date.now() - started).toBeLessThan(20_000)
  })

  test('process.exit() does not wait for running requests', async () => {
    const { stderr, code, signal } = await runPlainNode(`
      import { NamespaceSet, action } from 'nsset'
      const set = ${MAKE}
      for (let index = 0; index < 10; index++) set.network.apply(Array.from({ length: 500 }, () => action.links.list()))
      setImmediate(() => process.exit(7))`)
    expect({ stderr, code, signal }).toEqual({ stderr: '', code: 7, signal: null })
  })
})

describe('a set that is not closed', () => {
  test('is garbage-collected with its network and its sockets', async () => {
    const { before, open, after } = await askPlainNode<Record<'before' | 'open' | 'after', number>>(
      `import { readdirSync } from 'node:fs'
       import { setTimeout } from 'node:timers/promises'
       import { NamespaceSet } from 'nsset'
       process.removeAllListeners('warning').on('warning', () => undefined)
       const count = () => readdirSync('/proc/self/fd').length
       const base = ${MAKE}
       await base.network.links.list()
       base.unshareSync('net').close() // has the helper's descriptor made, once
       const before = count()
       const held = await Promise.all(Array.from({ length: 10 }, async () => {
         const set = base.unshareSync('net')
         await set.network.links.list()
         return set
       }))
       const open = count()
       held.length = 0
       for (let turn = 0; turn < 300 && count() > before; turn++) { gc(); await setTimeout(10) }
       console.log(JSON.stringify({ before, open, after: count() }))`,
      { flags: ['--expose-gc'] },
    )
    // A descriptor for each namespace and a socket for each network; the user namespace is shared.
    expect(open - before).toBeGreaterThanOrEqual(20)
    expect(after).toBe(before)
  })

  test('is not collected while a request is running', async () => {
    const reported = await askPlainNode<number[]>(
      `import { NamespaceSet, action } from 'nsset'
       process.removeAllListeners('warning').on('warning', () => undefined)
       const base = ${MAKE}
       const start = () => base.unshareSync('net').network.apply([
         action.links.add({ kind: 'bridge', name: 'br0' }),
         action.call('collect', async () => { for (let turn = 0; turn < 20; turn++) { gc(); await null } }),
         action.links.get('br0'),
       ])
       const results = await Promise.all([start(), start(), start()])
       console.log(JSON.stringify(results.map((result) => result[2].index === result[0].index ? 1 : 0)))`,
      { flags: ['--expose-gc'] },
    )
    expect(reported).toEqual([1, 1, 1])
  })
})

describe('Workers', () => {
  test('have their own networks', async () => {
    const answer = await inWorker<string[]>(`
      const set = nsset.${MAKE}
      const { action } = nsset
      const [made, failed] = await Promise.all([
        set.network.apply([action.links.add({ kind: 'bridge', name: 'br0', up: true }), action.links.get('br0')]),
        set.network.links.get('none0').catch((error) => [error.name, error.code]),
      ])
      set.close()
      return [made[1].name, ...failed]`)
    expect(answer).toEqual(['br0', 'ActionError', 'ENODEV'])
  })

  test('100 of them are terminated during their requests: no crash, no hang, nothing left', async () => {
    const { early, late, names } = await askPlainNode<{ early: number[]; late: number[]; names: number }>(`
      import { readdirSync, readFileSync } from 'node:fs'
      import { setTimeout } from 'node:timers/promises'
      import { Worker } from 'node:worker_threads'
      import { NamespaceSet } from 'nsset'
      const body = \`
        import { parentPort } from 'node:worker_threads'
        import { action, NamespaceSet } from 'nsset'
        const sets = [${MAKE}, ${MAKE}]
        const cidr = (index) => '10.0.' + (index >> 8) + '.' + (index & 255) + '/32'
        const list = Array.from({ length: 500 }, (_, index) => action.addresses.add('lo', cidr(index)))
        const again = action.call('again', ({ network }) => network.routes.list())
        for (const { network } of sets) {
          network.apply(list).catch(() => undefined)
          for (let index = 0; index < 20; index++) network.apply([action.links.list(), again])
        }
        parentPort.postMessage('under way')\`
      const main = ${MAKE}
      await main.network.links.list()
      async function live(index) {
        const worker = new Worker(body, { eval: true })
        const [exited, received] = ['exit', 'message'].map((name) => new Promise((resolve) => worker.once(name, resolve)))
        await received
        if (index % 4 !== 0) await setTimeout(index % 4)
        await worker.terminate()
        await exited
      }
      const look = () => [readdirSync('/proc/self/task').length, readdirSync('/proc/self/fd').length]
      const settle = async (limits) => {
        const end = Date.now() + 10_000
        while (look().some((count, index) => count > limits[index]) && Date.now() < end) await setTimeout(10)
        return look()
      }
      for (let index = 0; index < 10; index++) await live(index)
      await setTimeout(500)
      const early = look()
      for (let index = 10; index < 100; index += 3) {
        await Promise.all([live(index), live(index + 1), live(index + 2), main.network.links.list()])
      }
      const late = await settle(early)
      if ((await main.network.links.list())[0].name !== 'lo') throw new Error('the thread of networks is gone')
      const names = readdirSync('/proc/self/task')
        .filter((tid) => readFileSync('/proc/self/task/' + tid + '/comm', 'utf8') === 'nsset-network\\n').length
      console.log(JSON.stringify({ early, late, names }))`)
    expect(late[0]).toBeLessThanOrEqual(early[0] as number)
    expect(late[1]).toBeLessThanOrEqual(early[1] as number)
    expect(names).toBe(1)
  }, 90_000)

  test('one that ends during requests does not wait for them and does not crash', async () => {
    const reported = await askPlainNode<number[]>(`
      import { Worker } from 'node:worker_threads'
      const body = \`
        import { action, NamespaceSet } from 'nsset'
        const set = ${MAKE}
        set.network.apply(Array.from({ length: 500 }, () => action.links.list()))
        setImmediate(() => process.exit(3))\`
      const codes = await Promise.all(Array.from({ length: 10 }, () => new Promise((resolve, reject) =>
        new Worker(body, { eval: true }).once('exit', resolve).once('error', reject))))
      console.log(JSON.stringify(codes))`)
    expect(reported).toEqual(Array.from({ length: 10 }, () => 3))
  })
})

describe('in another namespace', () => {
  asRoot('a network is that of its set, whatever set the thread is in', 'to enter a network namespace', async () => {
    using one = NamespaceSet.unshareSync('net')
    using other = NamespaceSet.unshareSync('net')
    // Both its socket and its requests are created from there.
    const made = one.do(() => ({ link: other.network.links.add({ kind: 'bridge', name: 'br0' }) }))
    expect(await made.link).toMatchObject({ name: 'br0' })
    const links = other.do(() => ({ list: one.network.links.list() }))
    expect((await links.list).map(({ name }) => name)).not.toContain('br0')
    expect(await namesOf(one)).toEqual([])
    expect(await namesOf(other)).toEqual(['br0'])
  })

  asRoot('an action that runs inside uses the network of the other set', 'to enter a network namespace', async () => {
    using one = NamespaceSet.unshareSync('net')
    using other = NamespaceSet.unshareSync('net')
    const kept: Promise<unknown>[] = []
    await one.network.apply([
      action.do('from inside', () => {
        kept.push(other.network.links.add({ kind: 'bridge', name: 'br0' }), one.network.links.get('lo'))
      }),
    ])
    expect(await Promise.all(kept)).toMatchObject([{ name: 'br0' }, { name: 'lo' }])
    expect(await namesOf(one)).toEqual([])
  })

  asRoot(
    'a process that gives up root reads what is open, and gets errors for what is no longer allowed',
    'starts as root',
    async () => {
      const reported = await askPlainNode<Record<string, unknown>>(`
      import { NamespaceSet } from 'nsset'
      const [open, fresh] = [${MAKE}, ${MAKE}]
      await open.network.links.add({ kind: 'bridge', name: 'br0' })
      process.setgid(1234)
      process.setuid(1234)
      const codeOf = (promise) => promise.then(() => 'done', (error) => [error.name, error.code, error.index])
      const links = (await open.network.links.list()).map(({ name }) => name)
      console.log(JSON.stringify({
        links: links.includes('br0'),
        change: await codeOf(open.network.links.set('br0', { up: true })),
        remove: await codeOf(open.network.links.delete('br0')),
        fresh: await codeOf(fresh.network.links.list()),
        again: await codeOf(open.network.links.get('br0')),
      }))`)
      expect(reported).toEqual({
        links: true,
        change: ['ActionError', 'EPERM', 0],
        remove: ['ActionError', 'EPERM', 0],
        fresh: ['ActionError', 'EPERM', 0],
        again: 'done',
      })
    },
  )
})

test('a list that is running when the test ends its set settles soon', async () => {
  const set = anyonesSet(['net'])
  const started = Date.now()
  const applied = failureOf(() => set.network.apply([...manyAddresses(1000), ...manyAddresses(1)]))
  set.close()
  expect(await applied).toMatchObject({ name: 'ActionError', code: 'ERR_NSSET_CLOSED' })
  expect(Date.now() - started).toBeLessThan(10_000)
})
