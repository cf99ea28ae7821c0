/** `fromContainer` asks an engine: one of the test's own, which answers as Docker and Podman do, and worse. */
import { chmodSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Engine, enginesOf } from '../../src/containers/engines/engines.ts'
import { fromContainer } from '../../src/containers/from-container.ts'
import { growthSince } from '../setup/guards/growth.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { type Outsider, unshareProgram } from '../setup/oracles/unshare-program.ts'
import { expectFailure, failureOf, system } from '../setup/sets/failure.ts'
import { type FakeEngine, fakeEngine, inspected, type Reply } from '../setup/sets/fake-engine.ts'
import { asOrdinaryUser } from '../setup/sets/privilege.ts'
import { fromContainerOf, idOf, recordedCgroups } from '../setup/sets/recorded-cgroups.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const ID = idOf('3f2a9c81d')
const OTHER = idOf('3f2a9c0')

let container: Outsider
let stranger: Outsider
/** A `/proc` where the one is in Docker's cgroup of `ID`, and the other in Podman's of `OTHER`. */
let proc: TemporaryDirectory

beforeAll(async () => {
  container = await unshareProgram('--user', '--map-root-user', '--mount', '--uts')
  stranger = await unshareProgram('--user', '--map-root-user', '--mount', '--uts')
  proc = temporaryDirectory()
  addProcess(container.pid, `0::/docker/${ID}\n`)
  addProcess(stranger.pid, `9:pids:/libpod_parent/libpod-${OTHER}\n0::/\n`)
})
afterAll(async () => {
  proc[Symbol.dispose]()
  await container[Symbol.asyncDispose]()
  await stranger[Symbol.asyncDispose]()
})

function addProcess(pid: number, cgroup: string): void {
  mkdirSync(proc.file(String(pid)))
  for (const name of ['stat', 'status']) symlinkSync(`/proc/${pid}/${name}`, `${proc.file(String(pid))}/${name}`)
  writeFileSync(`${proc.file(String(pid))}/cgroup`, cgroup)
}

const running = (pid = container.pid) => ({ Status: 'running', Running: true, Paused: false, Pid: pid })
const pathOf = (reference: string) => `/containers/${reference}/json`
const LIST = '/containers/json?all=true'
const usual = (socketPath: string): Engine => ({
  name: socketPath,
  address: { socketPath },
  isNamed: false,
  isFinal: false,
})
const chosen = (socketPath: string): Engine => ({ ...usual(socketPath), isNamed: true, isFinal: true })

/** Looks where these engines are, and in these trees. */
function lookUp(reference: string, engines: Engine[], options: object = {}, hierarchies: string[] = []) {
  return fromContainerOf({ engines, hierarchies, proc: proc.path, timeLimit: 10_000 }, reference, options)
}

function expectContainer(set: NamespaceSet, of = container): void {
  expect(set.id('uts')).toBe(readlinkSync(`/proc/${of.pid}/ns/uts`))
  set.close()
}

describe('a running container', () => {
  test('by name, id and prefix, as the engine understands them', async () => {
    const web = inspected(ID, 'web', running())
    const replies = Object.fromEntries(['web', ID, ID.slice(0, 12), '3'].map((reference) => [pathOf(reference), web]))
    await using engine = await fakeEngine(replies)
    const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    for (const reference of ['web', ID, ID.slice(0, 12), '3']) {
      expectContainer(await lookUp(reference, [chosen(engine.socketPath)]))
    }
    expect(engine.asked).toEqual(Object.keys(replies))
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(timers)
    expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
  })

  test.each([
    ['paused, as Docker says it', { Status: 'paused', Running: true, Paused: true }],
    ['paused, as others may', { Status: 'paused', Running: false, Paused: true }],
    ['running, as Podman says it', { Status: 'running', Running: true, Health: { Status: '', Log: null } }],
  ])('%s', async (_, state) => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', { ...state, Pid: container.pid }) })
    expectContainer(await lookUp('web', [chosen(engine.socketPath)]))
  })

  test('of the real options: a socketPath, and the kinds', async () => {
    const web = inspected(ID, 'web', running())
    await using engine = await fakeEngine({ [pathOf('web')]: web, [pathOf(ID)]: web })
    // The real /proc does not have the process in such a cgroup: the engine is not believed.
    const failure = await failureOf(() => NamespaceSet.fromContainer('web', { socketPath: engine.socketPath }))
    expectFailure(failure, system('ESRCH', ID, String(container.pid), 'another machine'))
    const set = await lookUp('web', [chosen(engine.socketPath)], { kinds: 'uts' })
    expect(set.kinds).toEqual(['uts'])
    set.close()
  })
})

describe('not running', () => {
  test.each([
    ['exited', { Status: 'exited', Running: false, Paused: false, Pid: 0 }],
    ['created', { Status: 'created', Running: false, Paused: false, Pid: 0 }],
    ['restarting', { Status: 'restarting', Running: true, Restarting: true, Pid: 0 }],
    ['exited', { Status: 'exited', Running: false, Pid: 4711 }],
  ])('%s', async (status, state) => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', state) })
    const failure = await failureOf(() => lookUp('web', [chosen(engine.socketPath)]))
    expectFailure(failure, system('ESRCH', "'web'", 'not running', status, engine.socketPath))
  })
})

describe('created and not started', () => {
  const created = (pid: number) => ({ Status: 'created', Running: false, Paused: false, Pid: pid })

  test('is found where it has a first process already, which the cgroups confirm', async () => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', created(container.pid)) })
    expectContainer(await lookUp('web', [chosen(engine.socketPath)]))
  })

  test('is not running where the process is in no cgroup of it: the pid may have been used again', async () => {
    mkdirSync(proc.file('self'), { recursive: true })
    const inner = await unshareProgram('--user', '--map-root-user', '--uts')
    try {
      addProcess(inner.pid, '0::/\n')
      rmSync(`${proc.file(String(inner.pid))}/status`)
      writeFileSync(`${proc.file(String(inner.pid))}/status`, `NSpid:\t${inner.pid}\t1\n`)
      for (const pid of [inner.pid, stranger.pid]) {
        const web = inspected(ID, 'web', created(pid))
        await using engine = await fakeEngine({ [pathOf('web')]: web, [pathOf(ID)]: web })
        const failure = await failureOf(() => lookUp('web', [chosen(engine.socketPath)]))
        expectFailure(failure, system('ESRCH', "'web'", 'not running', 'created', engine.socketPath))
      }
    } finally {
      await inner[Symbol.asyncDispose]()
    }
  })
})

describe('a name that no engine was asked for', () => {
  const hint = 'Only engines know names'

  test('says so, and that an id is found without an engine', async () => {
    const absent = [usual('/nowhere/docker.sock'), usual('/nowhere/podman.sock')]
    for (const name of ['web', 'cafe']) {
      const failure = await failureOf(() => lookUp(name, absent))
      expectFailure(failure, system('ENOENT', `'${name}'`, hint, 'socketPath', "six digits of the container's id"))
    }
    const chosenOne = await failureOf(() => lookUp('web', [chosen('/nowhere/docker.sock')]))
    expectFailure(chosenOne, system('ENOENT', 'cannot be asked', hint))
    for (const id of [ID, ID.slice(0, 12)]) {
      const failure = await failureOf(() => lookUp(id, absent))
      expectFailure(failure, system('ENOENT', id))
      expect(failure.message).not.toContain(hint)
    }
  })

  test('is not the reason where an engine does not know it', async () => {
    await using engine = await fakeEngine()
    for (const engines of [[chosen(engine.socketPath)], [usual(engine.socketPath), usual('/nowhere/podman.sock')]]) {
      const failure = await failureOf(() => lookUp('web', engines))
      expectFailure(failure, system('ENOENT', "'web'"))
      expect(failure.message).not.toContain(hint)
    }
  })
})

describe('no such container', () => {
  test('is looked for in all places, which are listed', async () => {
    await using docker = await fakeEngine()
    await using podman = await fakeEngine({
      [pathOf('web')]: [
        404,
        { cause: 'no such container', message: 'no container with name or ID "web" found', response: 404 },
      ],
    })
    using tree = recordedCgroups()
    const engines = [usual(docker.socketPath), usual('/nowhere/docker.sock'), usual(podman.socketPath)]
    const failure = await failureOf(() => lookUp('web', engines, {}, [tree.path]))
    expectFailure(failure, system('ENOENT', "'web'", docker.socketPath, podman.socketPath, tree.path))
    expect(failure).toMatchObject({ errno: -2, syscall: 'fromContainer' })
  })

  test('goes on to the cgroups, but not when the caller chose the engine', async () => {
    await using engine = await fakeEngine()
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectContainer(await lookUp(ID, [usual(engine.socketPath)], {}, [tree.path]))
    expectContainer(await lookUp(ID, [chosen('/nowhere/docker.sock')], {}, [tree.path]))
    const failure = await failureOf(() => lookUp(ID, [chosen(engine.socketPath)], {}, [tree.path]))
    expectFailure(failure, system('ENOENT', ID, engine.socketPath))
    expect(failure.message).not.toContain(tree.path)
  })

  test('a chosen engine that is not there is told of', async () => {
    const failure = await failureOf(() => lookUp('web', [chosen('/nowhere/docker.sock')]))
    expectFailure(failure, system('ENOENT', '/nowhere/docker.sock', 'cannot be asked'))
    expect(failure).toMatchObject({ path: '/nowhere/docker.sock' })
  })
})

describe('ambiguous', () => {
  const list = [ID, OTHER, idOf('77')].map((id, index) => ({ Id: id, Names: [`/name-${index}`], State: 'running' }))
  const refusals: [string, number, unknown][] = [
    ['Docker 20', 500, { message: 'Multiple IDs found with provided prefix: 3f2a9c' }],
    ['Docker 28', 400, { message: 'multiple IDs found with provided prefix: 3f2a9c' }],
    [
      'Podman',
      404,
      { cause: 'container already exists', message: 'more than one result for container ID', response: 404 },
    ],
  ]
  test.each(refusals)('a prefix, as %s refuses it', async (_, status, body) => {
    await using engine = await fakeEngine({ [pathOf('3f2a9c')]: [status, body], [LIST]: [200, list] })
    const failure = await failureOf(() => lookUp('3f2a9c', [chosen(engine.socketPath)]))
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', "'3f2a9c'", ID, OTHER, 'name-0', 'name-1'])
    expect(failure.message).not.toContain('name-2')
  })

  test('one name with two engines; a whole id is one, and so is one container behind two sockets', async () => {
    await using docker = await fakeEngine({
      [pathOf('web')]: inspected(ID, 'web', running()),
      [pathOf(ID)]: inspected(ID, 'web', running()),
    })
    await using podman = await fakeEngine({ [pathOf('web')]: inspected(OTHER, 'web', running(stranger.pid)) })
    const both = [usual(docker.socketPath), usual(podman.socketPath)]
    const failure = await failureOf(() => lookUp('web', both))
    const mentions = [ID, OTHER, docker.socketPath, podman.socketPath]
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', ...mentions])
    expectContainer(await lookUp(ID, both))
    expectContainer(await lookUp('web', [chosen(podman.socketPath)]), stranger)
    expectContainer(await lookUp('web', [usual(docker.socketPath), usual(docker.socketPath)]))
  })

  test('a whole id outdoes a name with another engine', async () => {
    await using docker = await fakeEngine({ [pathOf(ID)]: inspected(OTHER, ID, running(stranger.pid)) })
    await using podman = await fakeEngine({ [pathOf(ID)]: inspected(ID, 'web', running()) })
    expectContainer(await lookUp(ID, [usual(docker.socketPath), usual(podman.socketPath)]))
  })

  test('a name outdoes the start of an id with another engine', async () => {
    await using docker = await fakeEngine({ [pathOf('3f2a9c')]: inspected(ID, 'web', running()) })
    await using podman = await fakeEngine({ [pathOf('3f2a9c')]: inspected(OTHER, '3f2a9c', running(stranger.pid)) })
    expectContainer(await lookUp('3f2a9c', [usual(docker.socketPath), usual(podman.socketPath)]), stranger)
  })

  test('a prefix that a container without an engine has, too', async () => {
    await using engine = await fakeEngine({ [pathOf('3f2a9c')]: inspected(ID, 'web', running()) })
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectContainer(await lookUp('3f2a9c', [usual(engine.socketPath)], {}, [tree.path]))
    tree.add(`kubepods/${OTHER}`, stranger.pid)
    const failure = await failureOf(() => lookUp('3f2a9c', [usual(engine.socketPath)], {}, [tree.path]))
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', ID, OTHER, tree.path])
  })

  test('no more than ten are listed', async () => {
    const many = Array.from({ length: 25 }, (_, index) => ({
      Id: idOf(`3f2a9c${index + 10}`),
      Names: [],
      State: 'exited',
    }))
    await using engine = await fakeEngine({ [pathOf('3f2a9c')]: [500, {}], [LIST]: [200, many] })
    const failure = await failureOf(() => lookUp('3f2a9c', [chosen(engine.socketPath)]))
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', 'and 15 more'])
  })
})

describe('the pid that an engine tells', () => {
  test("is not opened when it is another container's, or none's", async () => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', running(stranger.pid)) })
    for (const pid of [stranger.pid, process.pid, 0x7ffffffe]) {
      engine.reply(pathOf('web'), inspected(ID, 'web', running(pid)))
      engine.reply(pathOf(ID), inspected(ID, 'web', running(pid)))
      const failure = await failureOf(() => lookUp('web', [chosen(engine.socketPath)]))
      expectFailure(failure, system('ESRCH', ID, String(pid)))
      expect(failure).toMatchObject({ pid })
    }
  })

  test('gives way to the cgroups, where the engine counts in another pid namespace', async () => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', running(stranger.pid)) })
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectContainer(await lookUp('web', [chosen(engine.socketPath)], {}, [tree.path]))
  })

  test('is believed without a cgroup when it is pid 1 of a pid namespace: rootless Podman on version 1', async () => {
    mkdirSync(proc.file('self'), { recursive: true })
    const inner = await unshareProgram('--user', '--map-root-user', '--uts')
    try {
      const directory = proc.file(String(inner.pid))
      mkdirSync(directory)
      symlinkSync(`/proc/${inner.pid}/stat`, `${directory}/stat`)
      writeFileSync(`${directory}/cgroup`, '0::/user.slice/user-1000.slice/session-3.scope\n')
      const web = inspected(ID, 'web', running(inner.pid))
      await using engine = await fakeEngine({ [pathOf('web')]: web, [pathOf(ID)]: web })
      const look = () => lookUp('web', [chosen(engine.socketPath)])
      writeFileSync(`${directory}/status`, `NSpid:\t${inner.pid}\t1\n`)
      expectContainer(await look(), inner)
      for (const pids of [`${inner.pid}`, `${inner.pid}\t2`, '1']) {
        writeFileSync(`${directory}/status`, `NSpid:\t${pids}\n`)
        expectFailure(await failureOf(look), system('ESRCH'))
      }
      // Nor one that is in another container's cgroup.
      writeFileSync(`${directory}/status`, `NSpid:\t${inner.pid}\t1\n`)
      writeFileSync(`${directory}/cgroup`, `0::/docker/${OTHER}\n`)
      expectFailure(await failureOf(look), system('ESRCH'))
      writeFileSync(`${directory}/cgroup`, '0::/\n')
      expectContainer(await look(), inner)
      // Of another machine's engine, never.
      const [host, port] = engine.host.split(':') as [string, string]
      const remote = { ...usual(''), name: engine.host, address: { host, port: Number(port) } }
      expectFailure(await failureOf(() => lookUp('web', [remote])), system('ESRCH', engine.host))
    } finally {
      await inner[Symbol.asyncDispose]()
    }
  })

  test('is looked at again once it is open', async () => {
    const own = await unshareProgram('--user', '--map-root-user', '--uts')
    try {
      const directory = proc.file(String(own.pid))
      mkdirSync(directory)
      symlinkSync(`/proc/${own.pid}/stat`, `${directory}/stat`)
      writeFileSync(`${directory}/status`, `NSpid:\t${own.pid}\t1\n`)
      const web = inspected(ID, 'web', running(own.pid))
      await using engine = await fakeEngine({ [pathOf('web')]: web, [pathOf(ID)]: web })
      const places = { engines: [chosen(engine.socketPath)], hierarchies: [], proc: proc.path }
      /** What is opened and closed, when that happens in between. */
      const logOf = async (between: () => void): Promise<string[]> => {
        const log: string[] = []
        const open = (pid: number) => {
          log.push(`open ${pid}`)
          between()
          return { close: () => log.push(`close ${pid}`) }
        }
        await fromContainer('web', {}, open, places)
        return log
      }
      const retried = [`open ${own.pid}`, `close ${own.pid}`, `open ${container.pid}`]
      const restart = () => {
        for (const path of ['web', ID].map(pathOf)) engine.reply(path, inspected(ID, 'web', running()))
      }
      // Without a cgroup, the engine is asked.
      writeFileSync(`${directory}/cgroup`, '0::/\n')
      expect(await logOf(restart)).toEqual(retried)
      // With one, the cgroup says it: the pid has become another process' there.
      for (const path of ['web', ID].map(pathOf)) engine.reply(path, web)
      writeFileSync(`${directory}/cgroup`, `0::/docker/${ID}\n`)
      const reuse = () => {
        restart()
        writeFileSync(`${directory}/cgroup`, '0::/\n')
      }
      expect(await logOf(reuse)).toEqual(retried)
    } finally {
      await own[Symbol.asyncDispose]()
    }
  })

  test('is asked for again when the container has restarted', async () => {
    await using engine = await fakeEngine()
    engine.reply(pathOf('web'), (_, response) => {
      const times = engine.asked.filter((path) => path === pathOf('web')).length
      response.end(JSON.stringify(inspected(ID, 'web', running(times === 1 ? 0x7ffffffe : container.pid))))
    })
    engine.reply(pathOf(ID), inspected(ID, 'web', running()))
    expectContainer(await lookUp('web', [chosen(engine.socketPath)]))
    expect(engine.asked).toEqual([pathOf('web'), pathOf(ID), pathOf('web')])
  })
})

describe('an engine that cannot be asked', () => {
  /** An answer as it is written. */
  const raw = (text: string, then: 'end' | 'nothing' = 'nothing'): Reply => {
    return (_, { socket }) => void socket?.write(text, () => then === 'end' && socket.end())
  }
  /** So begins what never ends. */
  const drip = (response: ServerResponse, beginning: string, drop = 'x'): void => {
    const { socket } = response
    socket?.write(beginning)
    const tap = setInterval(() => socket?.write(drop), 20)
    socket?.once('close', () => clearInterval(tap)).on('error', () => undefined)
  }
  const cases: [string, Reply, code: string | RegExp, ...mentions: string[]][] = [
    ['an error of its own', [500, { message: 'the \x1b[31mdisk\n is full' }], 'EPROTO', '500', 'disk is full'],
    ['no JSON', [200, '<html>hello</html>'], 'EPROTO', 'is not JSON', 'hello'],
    ['JSON that is no container', [200, []], 'EPROTO', 'Id'],
    ['null', [200, null], 'EPROTO', 'Id'],
    ['an id that is none', inspected('../..', 'web', running(1)), 'EPROTO', 'Id'],
    ['a pid that is none', inspected(ID, 'web', { ...running(1), Pid: -1 }), 'EPROTO', 'State.Pid'],
    ['a pid as text', inspected(ID, 'web', { ...running(1), Pid: '1' }), 'EPROTO', 'State.Pid'],
    ['no state', { Id: ID, Name: '/web' }, 'EPROTO', 'State.Pid'],
    ['a redirection', [301, {}], 'EPROTO', '301'],
    ['a line that breaks off', (_, response) => void response.socket?.destroy(), 'ECONNRESET'],
    [
      'an answer that breaks off',
      (_, response) => {
        response.writeHead(200, { 'Content-Length': '100' })
        response.write('{"Id":', () => response.socket?.destroy())
      },
      'ECONNRESET',
    ],
    [
      'another protocol',
      raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
      'EPROTO',
      '101',
    ],
    ['another protocol that it does not name', raw('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 'EPROTO', '101'],
    ['an upgrade with an answer', raw('HTTP/1.1 200 OK\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'), 'ETIMEDOUT'],
    ['an end before the answer', (_, response) => void response.socket?.end(), 'ECONNRESET'],
    ['an end in the middle of the headers', raw('HTTP/1.1 200 OK\r\nContent-', 'end'), /ECONNRESET|EPROTO/],
    ['headers without an end', raw(`HTTP/1.1 200 OK\r\n${'X-Padding: 0\r\n'.repeat(10_000)}`), 'EPROTO'],
    ['one byte after the other', (_, response) => drip(response, 'HTTP/1.1 200 OK\r\nX-Padding: '), 'ETIMEDOUT'],
    ['words to be patient', (_, response) => drip(response, '', 'HTTP/1.1 100 Continue\r\n\r\n'), 'ETIMEDOUT'],
    ['a body, one byte after the other', (_, response) => drip(response, 'HTTP/1.1 200 OK\r\n\r\n'), 'ETIMEDOUT'],
    ['more values than are to be taken', [200, `[${'{},'.repeat(1_000_000)}{}]`], 'EPROTO', 'more than 500000 values'],
    ['arrays in arrays', [200, '['.repeat(1_000_000)], 'EPROTO', 'more than 500000 values'],
    ['silence', () => undefined, 'ETIMEDOUT', 'no answer within 0.5 s'],
    [
      'an answer that does not go on',
      (_, response) => void response.writeHead(200, { 'Content-Length': '100' }).write('{"Id":'),
      'ETIMEDOUT',
      'no answer within 0.5 s',
    ],
  ]
  test.each(cases)('%s', async (_, reply, code, ...mentions) => {
    await using engine = await fakeEngine({ [pathOf('web')]: reply })
    const timeLimit = code === 'ETIMEDOUT' ? 500 : 10_000
    for (const one of [chosen(engine.socketPath), usual(engine.socketPath)]) {
      const failure = await failureOf(() => fromContainerOf({ engines: [one], timeLimit }, 'web'))
      if (code instanceof RegExp) expect(failure).toMatchObject({ code: expect.stringMatching(code) })
      else expectFailure(failure, system(code, "'web'", engine.socketPath, ...mentions))
      expect(failure.message).not.toContain('\x1b')
    }
    expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
  })

  test('one that is just in time each time, with another pid, is given three times as long as for one question', async () => {
    let pid = 0x7ffffff0
    const slow: Reply = (_, response) => {
      pid -= 1
      setTimeout(() => response.end(JSON.stringify(inspected(ID, 'web', running(pid)))), 400)
    }
    await using engine = await fakeEngine({ [pathOf('web')]: slow, [pathOf(ID)]: slow })
    const start = performance.now()
    const engines = [chosen(engine.socketPath)]
    const failure = await failureOf(() => fromContainerOf({ engines, hierarchies: [], timeLimit: 500 }, 'web'))
    expectFailure(failure, system('ETIMEDOUT', engine.socketPath))
    expect(performance.now() - start).toBeLessThan(2_200)
    expect(engine.asked.length).toBe(4)
    expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
  })

  test('an error of its own to the prefix of only one', async () => {
    const list = [{ Id: ID, Names: ['/web'], State: 'running' }]
    await using engine = await fakeEngine({
      [pathOf('3f2a9c')]: [500, { message: 'disk is full' }],
      [LIST]: [200, list],
    })
    const failure = await failureOf(() => lookUp('3f2a9c', [chosen(engine.socketPath)]))
    expectFailure(failure, system('EPROTO', '500', 'disk is full'))
  })

  test('an answer without an end', async () => {
    await using engine = await fakeEngine({
      [pathOf('web')]: (_, response) => {
        const chunk = Buffer.alloc(1 << 20, ' ')
        const more = () => {
          while (!response.destroyed && response.write(chunk));
        }
        response.on('drain', more)
        more()
      },
    })
    const engines = [chosen(engine.socketPath)]
    const failure = await failureOf(() => fromContainerOf({ engines, timeLimit: 20_000 }, 'web'))
    expectFailure(failure, system('EPROTO', 'longer than 16777216 bytes'))
    expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
  })

  test('no HTTP', async () => {
    using directory = temporaryDirectory()
    const server = createServer((socket: Socket) => socket.end('220 mail.example.org\r\n')).listen(directory.file('s'))
    try {
      const failure = await failureOf(() => lookUp('web', [chosen(directory.file('s'))]))
      expectFailure(failure, system('EPROTO', directory.file('s')))
    } finally {
      server.close()
    }
  })

  test.each([
    ['a file', 'ECONNREFUSED', (path: string) => writeFileSync(path, '')],
    ['a path that is too long for a socket', /^(EINVAL|ENAMETOOLONG|ENOENT)$/, undefined],
  ])('%s', async (_, code, make) => {
    using directory = temporaryDirectory()
    const path = directory.file(make === undefined ? 'x'.repeat(200) : 'file')
    make?.(path)
    const failure = await failureOf(() => lookUp('web', [chosen(path)]))
    expect(failure).toMatchObject({ name: 'NamespaceError', code: expect.stringMatching(code), path })
  })

  asOrdinaryUser('a socket that is not ours to open is told of, unless the container is found elsewhere', async () => {
    await using closed = await fakeEngine()
    chmodSync(closed.socketPath, 0)
    const failure = await failureOf(() => lookUp('web', [usual(closed.socketPath)]))
    const remedy = 'as root or as a member of its group'
    expectFailure(failure, system('EACCES', closed.socketPath, 'Only engines know names', remedy))
    await using open = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', running()) })
    expectContainer(await lookUp('web', [usual(closed.socketPath), usual(open.socketPath)]))
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectContainer(await lookUp(ID, [usual(closed.socketPath)], {}, [tree.path]))
  })
})

describe('an abort', () => {
  test('ends the wait for an engine that is stuck, and leaves nothing', async () => {
    await using engine: FakeEngine = await fakeEngine({ [pathOf('web')]: () => undefined })
    const before = resources()
    const controller = new AbortController()
    const reason = new Error('enough')
    const engines = [chosen(engine.socketPath)]
    const found = fromContainerOf({ engines, timeLimit: 60_000 }, 'web', { signal: controller.signal })
    await eventually(
      () => engine.asked.length,
      (count) => count === 1,
    )
    controller.abort(reason)
    await expect(found).rejects.toBe(reason)
    expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
    expect(await growthSince(before)).toEqual({})
  })

  test('ends it where the engine has switched protocols, and where its answer drips', async () => {
    for (const text of ['HTTP/1.1 101 Switching Protocols\r\n', 'HTTP/1.1 200 OK\r\n\r\n[']) {
      await using engine = await fakeEngine({
        [pathOf('web')]: (_, { socket }) => void socket?.on('error', () => undefined).write(text),
      })
      const found = lookUp('web', [chosen(engine.socketPath)], { signal: AbortSignal.timeout(200) })
      await expect(found).rejects.toMatchObject({ name: 'TimeoutError' })
      expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
    }
  })

  test('ends it in the middle of an answer, and before anything is asked', async () => {
    await using engine = await fakeEngine({
      [pathOf('web')]: (_, response) => void response.writeHead(200).write('{'),
    })
    const late = lookUp('web', [chosen(engine.socketPath)], { signal: AbortSignal.timeout(200) })
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' })
    const asked = engine.asked.length
    const early = lookUp('web', [chosen(engine.socketPath)], { signal: AbortSignal.abort() })
    await expect(early).rejects.toMatchObject({ name: 'AbortError' })
    expect(engine.asked.length).toBe(asked)
  })

  test('at any moment closes what was opened', async () => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', running()) })
    expectContainer(await lookUp('web', [chosen(engine.socketPath)]))
    const before = resources()
    for (let count = 0; count < 100; count += 1) {
      const found = lookUp('web', [chosen(engine.socketPath)], { signal: AbortSignal.timeout(count % 5) })
      await found.then(
        (set) => set.close(),
        (error: Error) => expect(error.name).toBe('TimeoutError'),
      )
    }
    expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
    expect(await growthSince(before)).toEqual({})
  })
})

describe('where engines are', () => {
  const addresses = (environment: NodeJS.ProcessEnv) => enginesOf(environment).map(({ address }) => address)

  test('DOCKER_HOST, and nothing else when it is there', () => {
    expect(addresses({ DOCKER_HOST: 'unix:///run/my docker.sock' })).toEqual([{ socketPath: '/run/my docker.sock' }])
    expect(addresses({ DOCKER_HOST: 'tcp://box:1234' })).toEqual([{ host: 'box', port: 1234 }])
    expect(addresses({ DOCKER_HOST: 'tcp://[::1]' })).toEqual([{ host: '::1', port: 2375 }])
  })

  test('the usual sockets of root and of the user', () => {
    const ofRoot = [{ socketPath: '/var/run/docker.sock' }, { socketPath: '/run/podman/podman.sock' }]
    const ofUser = [{ socketPath: '/run/user/5/podman/podman.sock' }, { socketPath: '/run/user/5/docker.sock' }]
    expect(addresses({})).toEqual(ofRoot)
    expect(addresses({ DOCKER_HOST: '', XDG_RUNTIME_DIR: 'relative' })).toEqual(ofRoot)
    expect(addresses({ XDG_RUNTIME_DIR: '/run/user/5' })).toEqual([...ofRoot, ...ofUser])
  })

  test.each([
    [{ DOCKER_HOST: 'ssh://me@box' }, 'ssh'],
    [{ DOCKER_HOST: 'https://box:2376' }, 'TLS'],
    [{ DOCKER_HOST: 'tcp://box:2376', DOCKER_TLS_VERIFY: '1' }, 'TLS'],
    [{ DOCKER_HOST: 'unix://relative' }, 'unix:///PATH'],
    [{ DOCKER_HOST: 'tcp://box:99999' }, 'tcp://HOST:PORT'],
    [{ DOCKER_HOST: 'box' }, 'tcp://HOST:PORT'],
    [{ DOCKER_HOST: 'npipe:////./pipe/docker' }, 'unix:///PATH'],
  ])('%o is refused, by name', async (environment, mention) => {
    for (const [name, given] of Object.entries(environment)) vi.stubEnv(name, given)
    try {
      const expected = ['TypeError', 'ERR_INVALID_ARG_VALUE', 'DOCKER_HOST', environment.DOCKER_HOST, mention] as const
      expectFailure(await failureOf(() => NamespaceSet.fromContainer('web')), expected)
      // It does not matter to who names a socket.
      const failure = await failureOf(() => NamespaceSet.fromContainer('web', { socketPath: '/nowhere/docker.sock' }))
      expectFailure(failure, system('ENOENT', '/nowhere/docker.sock'))
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('DOCKER_HOST is asked, over TCP and over a socket', async () => {
    const exited = inspected(ID, 'web', { Status: 'exited', Running: false, Pid: 0 })
    await using engine = await fakeEngine({ [pathOf('web')]: exited })
    for (const host of [`tcp://${engine.host}`, `unix://${engine.socketPath}`]) {
      vi.stubEnv('DOCKER_HOST', host)
      try {
        const failure = await failureOf(() => NamespaceSet.fromContainer('web'))
        expectFailure(failure, system('ESRCH', 'DOCKER_HOST', 'exited'))
      } finally {
        vi.unstubAllEnvs()
      }
    }
  })
})
