/** Actions that are no requests to the kernel: lists in other sets, functions inside and outside, programs and scripts. */
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { ActionError, action, type NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { actionErrorOf, bridge, linksOf } from '../../setup/sets/actions.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { asOrdinaryUser, asRoot } from '../../setup/sets/privilege.ts'

let set: NamespaceSet
/** Of the same user namespace. */
let other: NamespaceSet

beforeAll(() => {
  set = anyonesSet(['net'])
  other = set.unshareSync('net')
})

afterAll(() => {
  set.close()
  other.close()
})

describe('action.inside', () => {
  test('does a list in another set, and one in a third from there', async () => {
    using third = set.unshareSync('net')
    const sets: NamespaceSet[] = []
    const note = action.call('note', (context) => sets.push(context.set))
    const results = await set.network.apply([
      note,
      action.inside(other, [
        note,
        action.links.get('lo'),
        action.inside(third, [note, bridge('deep0'), action.call('results', ({ results }) => [...results])]),
      ]),
      note,
    ])
    expect(results).toMatchObject([1, [2, { name: 'lo' }, [3, { name: 'deep0' }, [3, { name: 'deep0' }]]], 4])
    expect(sets).toEqual([set, other, third, set])
    expect(await linksOf(third)).toEqual(['deep0'])
    expect(await linksOf(other)).not.toContain('deep0')
  })

  test('tells where in the nested lists it failed', async () => {
    const error = await actionErrorOf(() =>
      set.network.apply([
        action.links.get('lo'),
        action.inside(other, [action.links.get('lo'), action.inside(set, [action.links.get('none0')])]),
      ]),
    )
    expect(error).toMatchObject({ index: 1, action: 'inside', code: 'ENODEV', errno: -19, syscall: 'RTM_GETLINK' })
    const middle = error.cause as ActionError
    expect(middle).toBeInstanceOf(ActionError)
    expect(middle).toMatchObject({ index: 1, action: 'inside', code: 'ENODEV', results: [{ name: 'lo' }] })
    const inner = middle.cause as ActionError
    expect(inner).toMatchObject({ index: 0, action: 'links.get', target: 'none0', code: 'ENODEV', results: [] })
    expect(error.message).toMatch(
      /^action 1 \(inside.*\): action 1 \(inside.*\): links\.get none0: ENODEV: no such device/,
    )
  })

  test('is given the same signal', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const error = await actionErrorOf(() =>
      set.network.apply(
        [
          action.inside(other, [
            action.call('abort', () => controller.abort()),
            action.call('never', () => expect.unreachable()),
          ]),
        ],
        { signal },
      ),
    )
    expect(error).toMatchObject({ index: 0, action: 'inside', code: 'ABORT_ERR' })
    expect(error.cause).toMatchObject({ index: 1, action: 'call', code: 'ABORT_ERR', results: [undefined] })
  })
})

describe('action.do', () => {
  asRoot('runs a function inside, on this thread', 'to enter a network namespace', async () => {
    const fs = await import('node:fs')
    const [before, id, links, after] = await set.network.apply([
      action.call('outside', () => fs.readlinkSync('/proc/thread-self/ns/net')),
      action.do('inside', () => fs.readlinkSync('/proc/thread-self/ns/net')),
      action.do('with its context', ({ results }) => results.length),
      action.call('outside again', () => fs.readlinkSync('/proc/thread-self/ns/net')),
    ])
    expect(id).toBe(set.id('net'))
    expect(links).toBe(2)
    expect([before, after]).toEqual([fs.readlinkSync('/proc/self/ns/net'), before])
  })

  asRoot('fails its action when the function throws, or is asynchronous', 'to enter a network namespace', async () => {
    const thrown = new RangeError('out of luck')
    const error = await actionErrorOf(() =>
      set.network.apply([
        bridge('do0'),
        action.do('fail', () => {
          throw thrown
        }),
      ]),
    )
    expect(error).toMatchObject({ index: 1, action: 'do', target: 'fail', code: 'ERR_NSSET_ACTION' })
    expect(error.cause).toBe(thrown)
    expect(error.results).toMatchObject([{ name: 'do0' }])
    await set.network.links.delete('do0')
    const asynchronous = action.do('later', (async () => 1) as () => never)
    const refused = await actionErrorOf(() => set.network.apply([asynchronous]))
    expect(refused).toMatchObject({ action: 'do', target: 'later', code: 'ERR_NSSET_ASYNC_CALLBACK' })
  })

  asOrdinaryUser('is refused for a set with a user namespace, with what to use instead', async () => {
    const error = await actionErrorOf(() =>
      set.network.apply([action.links.list(), action.do('no', () => expect.unreachable())]),
    )
    expect(error).toMatchObject({ index: 1, action: 'do', target: 'no', code: 'ERR_NSSET_NOT_ENTERABLE' })
    expect(error.message).toContain('spawn')
  })
})

describe('action.call', () => {
  test('waits for what the function returns, and comes to it', async () => {
    const order: string[] = []
    const results = await set.network.apply([
      action.call('slow', async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        order.push('slow')
        return { some: 'thing' }
      }),
      action.call('quick', () => order.push('quick')),
      action.call('nothing', () => undefined),
      action.call('nested', ({ network }) => network.apply([action.links.get('lo')])),
    ])
    expect(order).toEqual(['slow', 'quick'])
    expect(results).toMatchObject([{ some: 'thing' }, 2, undefined, [{ name: 'lo' }]])
  })

  test.each<[string, unknown, string]>([
    ['an error', new Error('a reason'), 'a reason'],
    ['a text', 'a reason', 'a reason'],
    ['nothing at all', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object without a prototype', Object.create(null), 'the function threw an object that is not an error'],
    ['what another realm takes for an error', { message: 'a reason' }, 'a reason'],
    ['a symbol', Symbol('reason'), 'Symbol(reason)'],
  ])('fails with the cause that was thrown: %s', async (_, thrown, message) => {
    const error = await actionErrorOf(() =>
      set.network.apply([
        action.call('throw', () => {
          throw thrown
        }),
      ]),
    )
    expect(error).toMatchObject({ index: 0, action: 'call', target: 'throw', code: 'ERR_NSSET_ACTION', results: [] })
    expect(error.cause).toBe(thrown)
    expect(error.message).toBe(`call throw: ${message}`)
  })
})

describe('action.spawn and action.script', () => {
  test('come to the process, as it runs inside', async () => {
    const [child, script] = await set.network.apply([
      action.spawn('readlink', ['/proc/self/ns/net'], { stdio: ['ignore', 'pipe', 'inherit'] }),
      action.script('readlink /proc/self/ns/net; echo "$VALUE"', { env: { ...process.env, VALUE: 'text' } }),
    ])
    expect(child.pid).toBeGreaterThan(0)
    const outputs = await Promise.all([text(child.stdout), text(script.stdout)])
    expect(outputs).toEqual([`${set.id('net')}\n`, `${set.id('net')}\ntext\n`])
  })

  test('do not wait for its end', async () => {
    const [child, link] = await set.network.apply([
      action.spawn('sleep', ['60'], { stdio: 'ignore' }),
      action.links.get('lo'),
    ])
    expect(link).toMatchObject({ name: 'lo' })
    expect(child.exitCode).toBeNull()
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
  })

  test('take options without arguments, and a program of one’s own for a script', async () => {
    const [silent, script] = await set.network.apply([
      action.spawn('true', { stdio: 'ignore' }),
      action.script('process.stdout.write(process.argv.length + " " + process.execPath)', {
        subcommand: [process.execPath, '--no-warnings', '-e'],
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    ])
    expect(silent.stdout).toBeNull()
    expect(await text(script.stdout)).toBe(`1 ${process.execPath}`)
  })

  test('fail for a program that is not there', async () => {
    for (const [failing, target] of [
      [action.spawn('/nowhere/program', ['x']), '/nowhere/program'],
      [action.script('exit 0', { subcommand: ['/nowhere/shell', '-c'] }), '/nowhere/shell'],
    ] as const) {
      const error = await actionErrorOf(() => set.network.apply([action.links.get('lo'), failing, bridge('never0')]))
      expect(error).toMatchObject({ index: 1, target, code: 'ENOENT', errno: -2, syscall: `spawn ${target}` })
      expect(error.results).toMatchObject([{ name: 'lo' }])
    }
    expect(await linksOf(set)).not.toContain('never0')
  })

  test('a script that changes the network has done so only once it has ended', async () => {
    using empty = set.unshareSync('net')
    const [, , link] = await empty.network.apply([
      action.script('ip link add script0 type bridge', { stdio: 'inherit' }),
      action.call('wait', ({ results }) => once(results[0] as NodeJS.EventEmitter, 'exit')),
      action.links.get('script0'),
    ])
    expect(link).toMatchObject({ kind: 'bridge', name: 'script0' })
  })
})
