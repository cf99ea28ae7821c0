/** `fromContainer` with an engine of the test, which answers as Docker and Podman do, and also wrongly. */
import { chmodSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/containers/engines/engines.ts'
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
/** A `/proc` in which one process is in Docker's cgroup of `ID`, and the other in Podman's of `OTHER`. */
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

/** `fromContainer` with these engines and these trees. */
function lookUp(reference: string, engines: Engine[], options: object = {}, hierarchies: string[] = []) {
  return fromContainerOf({ engines, hierarchies, proc: proc.path, timeLimit: 10_000 }, reference, options)
}

function expectContainer(set: NamespaceSet, of = container): void {
  expect(set.id('uts')).toBe(readlinkSync(`/proc/${of.pid}/ns/uts`))
  set.close()
}

describe('a running container', () => {
  test('is found by name, id and prefix, as the engine resolves them', async () => {
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
    ['is paused, in Docker’s words', { Status: 'paused', Running: true, Paused: true }],
    ['is paused, in other words', { Status: 'paused', Running: false, Paused: true }],
    ['is running, in Podman’s words', { Status: 'running', Running: true, Health: { Status: '', Log: null } }],
  ])('%s', async (_, state) => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', { ...state, Pid: container.pid }) })
    expectContainer(await lookUp('web', [chosen(engine.socketPath)]))
  })

  test('is found with the public options socketPath and kinds', async () => {
    const web = inspected(ID, 'web', running())
    await using engine = await fakeEngine({ [pathOf('web')]: web, [pathOf(ID)]: web })
    // The real /proc does not have the process in such a cgroup, so the engine is not trusted.
    const failure = await failureOf(() => NamespaceSet.fromContainer('web', { socketPath: engine.socketPath }))
    expectFailure(failure, system('ESRCH', ID, String(container.pid), 'another machine'))
    const set = await lookUp('web', [chosen(engine.socketPath)], { kinds: 'uts' })
    expect(set.kinds).toEqual(['uts'])
    set.close()
  })
})

describe('a container that is not running', () => {
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

describe('a created container that is not started', () => {
  const created = (pid: number) => ({ Status: 'created', Running: false, Paused: false, Pid: pid })

  test('is found when it has a first process already, which the cgroups confirm', async () => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', created(container.pid)) })
    expectContainer(await lookUp('web', [chosen(engine.socketPath)]))
  })

  test('is not running when the process is not in its cgroup: the pid may have been reused', async () => {
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

describe('a name without a reachable engine', () => {
  const hint = 'Only engines know names'

  test('is an error that says so, and that an id is found without an engine', async () => {
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

  test('is not the reason when an engine does not know the name', async () => {
    await using engine = await fakeEngine()
    for (const engines of [[chosen(engine.socketPath)], [usual(engine.socketPath), usual('/nowhere/podman.sock')]]) {
      const failure = await failureOf(() => lookUp('web', engines))
      expectFailure(failure, system('ENOENT', "'web'"))
      expect(failure.message).not.toContain(hint)
    }
  })
})

describe('an unknown container', () => {
  test('is searched in all places, and the error lists them', async () => {
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

  test('is searched in the cgroups, too, unless the caller chose the engine', async () => {
    await using engine = await fakeEngine()
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectContainer(await lookUp(ID, [usual(engine.socketPath)], {}, [tree.path]))
    expectContainer(await lookUp(ID, [chosen('/nowhere/docker.sock')], {}, [tree.path]))
    const failure = await failureOf(() => lookUp(ID, [chosen(engine.socketPath)], {}, [tree.path]))
    expectFailure(failure, system('ENOENT', ID, engine.socketPath))
    expect(failure.message).not.toContain(tree.path)
  })

  test('is an error that names the chosen engine when that does not exist', async () => {
    const failure = await failureOf(() => lookUp('web', [chosen('/nowhere/docker.sock')]))
    expectFailure(failure, system('ENOENT', '/nowhere/docker.sock', 'cannot be asked'))
    expect(failure).toMatchObject({ path: '/nowhere/docker.sock' })
  })
})

describe('an ambiguous reference', () => {
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
  test.each(refusals)('is a prefix that %s rejects', async (_, status, body) => {
    await using engine = await fakeEngine({ [pathOf('3f2a9c')]: [status, body], [LIST]: [200, list] })
    const failure = await failureOf(() => lookUp('3f2a9c', [chosen(engine.socketPath)]))
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', "'3f2a9c'", ID, OTHER, 'name-0', 'name-1'])
    expect(failure.message).not.toContain('name-2')
  })

  test('is one name with two engines; a full id is not, and neither is one container behind two sockets', async () => {
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

  test('is not a full id that is a name with another engine', async () => {
    await using docker = await fakeEngine({ [pathOf(ID)]: inspected(OTHER, ID, running(stranger.pid)) })
    await using podman = await fakeEngine({ [pathOf(ID)]: inspected(ID, 'web', running()) })
    expectContainer(await lookUp(ID, [usual(docker.socketPath), usual(podman.socketPath)]))
  })

  test('is not a name that begins an id with another engine', async () => {
    await using docker = await fakeEngine({ [pathOf('3f2a9c')]: inspected(ID, 'web', running()) })
    await using podman = await fakeEngine({ [pathOf('3f2a9c')]: inspected(OTHER, '3f2a9c', running(stranger.pid)) })
    expectContainer(await lookUp('3f2a9c', [usual(docker.socketPath), usual(podman.socketPath)]), stranger)
  })

  test('is a prefix shared with a container without an engine', async () => {
    await using engine = await fakeEngine({ [pathOf('3f2a9c')]: inspected(ID, 'web', running()) })
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectContainer(await lookUp('3f2a9c', [usual(engine.socketPath)], {}, [tree.path]))
    tree.add(`kubepods/${OTHER}`, stranger.pid)
    const failure = await failureOf(() => lookUp('3f2a9c', [usual(engine.socketPath)], {}, [tree.path]))
    expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', ID, OTHER, tree.path])
  })

  test('lists at most ten matches', async () => {
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

describe('the pid that an engine reports', () => {
  test('is not opened when it belongs to another container, or to none', async () => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', running(stranger.pid)) })
    for (const pid of [stranger.pid, process.pid, 0x7ffffffe]) {
      engine.reply(pathOf('web'), inspected(ID, 'web', running(pid)))
      engine.reply(pathOf(ID), inspected(ID, 'web', running(pid)))
      const failure = await failureOf(() => lookUp('web', [chosen(engine.socketPath)]))
      expectFailure(failure, system('ESRCH', ID, String(pid)))
      expect(failure).toMatchObject({ pid })
    }
  })

  test('is ignored for the cgroups when the engine is in another pid namespace', async () => {
    await using engine = await fakeEngine({ [pathOf('web')]: inspected(ID, 'web', running(stranger.pid)) })
    using tree = recordedCgroups()
    tree.add(`docker/${ID}`, container.pid)
    expectContainer(await lookUp('web', [chosen(engine.socketPath)], {}, [tree.path]))
  })

  test('is trusted without a cgroup when it is pid 1 of a pid namespace: rootless Podman on version 1', async () => {
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
      // Nor a process in another container's cgroup.
      writeFileSync(`${directory}/status`, `NSpid:\t${inner.pid}\t1\n`)
      writeFileSync(`${directory}/cgroup`, `0::/docker/${OTHER}\n`)
      expectFailure(await failureOf(look), system('ESRCH'))
      writeFileSync(`${directory}/cgroup`, '0::/\n')
      expectContainer(await look(), inner)
      // Never from an engine on another machine.
      const [host, port] = engine.host.split(':') as [string, string]
      const remote = { ...usual(''), name: engine.host, address: { host, port: Number(port) } }
      expectFailure(await failureOf(() => lookUp('web', [remote])), system('ESRCH', engine.host))
    } finally {
      await inner[Symbol.asyncDispose]()
    }
  })

  test('is verified again once it is open', async () => {
    const own = await unshareProgram('--user', '--map-root-user', '--uts')
    try {
      const directory = proc.file(String(own.pid))
      mkdirSync(directory)
      symlinkSync(`/proc/${own.pid}/stat`, `${directory}/stat`)
      writeFileSync(`${directory}/status`, `NSpid:\t${own.pid}\t1\n`)
      const web = inspected(ID, 'web', running(own.pid))
      await using engine = await fakeEngine({ [pathOf('web')]: web, [pathOf(ID)]: web })
      const places = { engines: [chosen(engine.socketPath)], hierarchies: [], proc: proc.path }
      /** What is opened and closed, when the pid is reused in between. */
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
      // Without a cgroup, the engine is queried.
      writeFileSync(`${directory}/cgroup`, '0::/\n')
      expect(await logOf(restart)).toEqual(retried)
      // With one, the cgroup decides: the pid belongs to another process there.
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

  test('is queried again when the container has restarted', async () => {
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

describe('an unusable engine answers with', () => {
  /** Writes an answer as raw bytes. */
  const raw = (text: string, then: 'end' | 'nothing' = 'nothing'): Reply => {
    return (_, { socket }) => void socket?.write(text, () => then === 'end' && socket.end())
  }
  /** Begins an answer that never ends. */
  const drip = (response: ServerResponse, beginning: string, drop = 'x'): void => {
    const { socket } = response
    socket?.write(beginning)
    const tap = setInterval(() => socket?.write(drop), 20)
    socket?.once('close', () => clearInterval(tap)).on('error', () => undefined)
  }
  const cases: [string, Reply, code: string | RegExp, ...mentions: string[]][] = [
    ['an error', [500, { message: 'the \x1b[31mdisk\n is full' }], 'EPROTO', '500', 'disk is full'],
    ['no JSON', [200, '<html>hello</html>'], 'EPROTO', 'is not JSON', 'hello'],
    ['JSON that is not a container', [200, []], 'EPROTO', 'Id'],
    ['null', [200, null], 'EPROTO', 'Id'],
    ['an invalid id', inspected('../..', 'web', running(1)), 'EPROTO', 'Id'],
    ['an invalid pid', inspected(ID, 'web', { ...running(1), Pid: -1 }), 'EPROTO', 'State.Pid'],
    ['a pid as text', inspected(ID, 'web', { ...running(1), Pid: '1' }), 'EPROTO', 'State.Pid'],
    ['no state', { Id: ID, Name: '/web' }, 'EPROTO', 'State.Pid'],
    ['a redirection', [301, {}], 'EPROTO', '301'],
    ['a connection that breaks off', (_, response) => void response.socket?.destroy(), 'ECONNRESET'],
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
    ['another protocol without its name', raw('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 'EPROTO', '101'],
    ['an upgrade and a response', raw('HTTP/1.1 200 OK\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'), 'ETIMEDOUT'],
    ['an end before the response', (_, response) => void response.socket?.end(), 'ECONNRESET'],
    ['an end within the headers', raw('HTTP/1.1 200 OK\r\nContent-', 'end'), /ECONNRESET|EPROTO/],
    ['headers without an end', raw(`HTTP/1.1 200 OK\r\n${'X-Padding: 0\r\n'.repeat(10_000)}`), 'EPROTO'],
    ['one byte after another', (_, response) => drip(response, 'HTTP/1.1 200 OK\r\nX-Padding: '), 'ETIMEDOUT'],
    [
      'endless 100 Continue responses',
      (_, response) => drip(response, '', 'HTTP/1.1 100 Continue\r\n\r\n'),
      'ETIMEDOUT',
    ],
    ['a body, one byte after another', (_, response) => drip(response, 'HTTP/1.1 200 OK\r\n\r\n'), 'ETIMEDOUT'],
    ['more values than the limit', [200, `[${'{},'.repeat(1_000_000)}{}]`], 'EPROTO', 'more than 500000 values'],
    ['nested arrays', [200, '['.repeat(1_000_000)], 'EPROTO', 'more than 500000 values'],
    ['silence', () => undefined, 'ETIMEDOUT', 'no answer within 0.5 s'],
    [
      'a response that stalls',
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

  test('a slow response with another pid each time, until three times the limit of one query', async () => {
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

  test('an error for the prefix of a single container', async () => {
    const list = [{ Id: ID, Names: ['/web'], State: 'running' }]
    await using engine = await fakeEngine({
      [pathOf('3f2a9c')]: [500, { message: 'disk is full' }],
      [LIST]: [200, list],
    })
    const failure = await failureOf(() => lookUp('3f2a9c', [chosen(engine.socketPath)]))
    expectFailure(failure, system('EPROTO', '500', 'disk is full'))
  })

  test('a response without an end', async () => {
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

  test('something other than HTTP', async () => {
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

  asOrdinaryUser('a socket without permission is reported, unless the container is found elsewhere', async () => {
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

describe('an abort signal', () => {
  test('ends the wait for an engine that hangs, and leaves nothing open', async () => {
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

  test('ends it after a switch of protocols, and during a slow response', async () => {
    for (const text of ['HTTP/1.1 101 Switching Protocols\r\n', 'HTTP/1.1 200 OK\r\n\r\n[']) {
      await using engine = await fakeEngine({
        [pathOf('web')]: (_, { socket }) => void socket?.on('error', () => undefined).write(text),
      })
      const found = lookUp('web', [chosen(engine.socketPath)], { signal: AbortSignal.timeout(200) })
      await expect(found).rejects.toMatchObject({ name: 'TimeoutError' })
      expect(await eventually(engine.connections, (open) => open === 0)).toBe(0)
    }
  })

  test('ends it within a response, and before the first request', async () => {
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

  test('closes what was opened, at any moment', async () => {
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
