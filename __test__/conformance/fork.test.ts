/** `set.fork()` behaves as `child_process.fork()`: messages in both directions, both serializations, handles, exits. */
import type { ChildProcess, ForkOptions, Serializable } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { afterAll, describe, expect } from 'vitest'
import { type Starter, twins, twinsAsRoot, twinsWithSameMounts } from '../setup/processes/twins.ts'
import { errorFields, type Seen, thrownBy, watch } from '../setup/processes/watch-child.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const directory = temporaryDirectory()
afterAll(() => directory[Symbol.dispose]())

const MODULE = fileURLToPath(new URL('../setup/programs/forked.cjs', import.meta.url))
/** Quiet, without the environment that vitest gives its own processes, and valid in another mount namespace, too. */
const QUIET = { execArgv: [], cwd: process.cwd(), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] } satisfies ForkOptions

interface SeenFork extends Seen {
  messages: unknown[]
  /** Messages and exits, in their order. */
  order: string[]
}

/** Everything that {@link watch} records, and the messages. */
function watchFork(child: ChildProcess): Promise<SeenFork> {
  const messages: unknown[] = []
  const order: string[] = []
  child.on('message', (message) => messages.push(message) && order.push('message'))
  for (const event of ['disconnect', 'exit', 'close']) child.on(event, () => order.push(event))
  return watch(child).then((seen) => ({ ...seen, messages, order }))
}

/** Forks the module with these arguments and waits until it exits. */
const run =
  (what: string[], options: ForkOptions = {}) =>
  ({ fork }: Starter) =>
    watchFork(fork(MODULE, what, { ...QUIET, ...options }))

/** Sends each message, and waits for the reply to each. */
async function exchange(child: ChildProcess, messages: unknown[]): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const message of messages) {
    const answer = once(child, 'message')
    child.send(message as Serializable)
    answers.push((await answer)[0])
  }
  return answers
}

describe('messages', () => {
  twins('travel in both directions, in order', async ({ fork }) => {
    const child = fork(MODULE, ['echo'], QUIET)
    const seen = watchFork(child)
    const last = new Promise((resolve) =>
      child.on('message', ({ index }: { index: number }) => index === 99 && resolve(0)),
    )
    for (let index = 0; index < 100; index++) child.send({ index })
    await last
    child.disconnect()
    return seen
  })
  twins('that are sent before an exit are all received before it', run(['flood', '500']))
  twins('of megabytes', async ({ fork }) => {
    const child = fork(MODULE, ['echo'], QUIET)
    const seen = watchFork(child)
    const [answer] = await exchange(child, ['x'.repeat(3_000_000)])
    child.disconnect()
    return [(answer as string).length, (await seen).order]
  })

  const PLAIN = [
    0,
    -0,
    1.5,
    'text é \0',
    true,
    null,
    [1, [2]],
    { a: { b: undefined, c: null } },
    new Date(0),
    Number.NaN,
  ]
  const circular: { self?: unknown; name: string } = { name: 'circular' }
  circular.self = circular
  const RICH = [
    new Map([['a', new Set([1])]]),
    2n ** 70n,
    circular,
    Object.assign(new TypeError('an error'), { stack: 'its stack' }),
    Buffer.from('bytes'),
    new Float64Array([1, Number.NaN]),
    /regular/giu,
    new Date(0),
  ]
  for (const serialization of ['json', 'advanced', undefined] as const) {
    const some = serialization === 'advanced' ? [...PLAIN, ...RICH] : PLAIN
    twins(`serialized as ${serialization ?? 'json, the default'}`, async ({ fork }) => {
      const child = fork(MODULE, ['inspect'], { ...QUIET, serialization })
      const seen = watchFork(child)
      // Not every value is a message on its own.
      const answers = await exchange(
        child,
        some.map((value) => ({ value })),
      )
      child.disconnect()
      await seen
      return inspect(answers, { depth: 9 })
    })
  }
  twins('that cannot be serialized throw', async ({ fork }) => {
    const child = fork(MODULE, ['wait'], QUIET)
    const seen = watchFork(child)
    await once(child, 'message')
    const thrown = [1n, circular, undefined, Symbol('x'), () => 0].map((message) =>
      codeOf(() => child.send(message as never)),
    )
    child.disconnect()
    return [thrown, await seen]
  })
  twins('call their callback once sent', async ({ fork }) => {
    const child = fork(MODULE, ['echo'], QUIET)
    const seen = watchFork(child)
    const order: unknown[] = []
    const last = new Promise((resolve) => child.on('message', (message) => message === 3 && resolve(0)))
    const sent = [1, 2, 3].map((message) => child.send(message, (error) => order.push([message, error])))
    await last
    child.disconnect()
    await seen
    return [sent, order]
  })
  twins('to an exited child fail, with and without a callback', async ({ fork }) => {
    const child = fork(MODULE, ['exit', '0'], QUIET)
    await watchFork(child)
    const failure = new Promise((resolve) => child.once('error', (error) => resolve(errorFields(error, null))))
    const sent = child.send('unheard')
    const called = await new Promise((resolve) => child.send('unheard', (error) => resolve(errorFields(error, null))))
    return [sent, called, await failure]
  })
})

function codeOf(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return [(error as Error).name, (error as NodeJS.ErrnoException).code]
  }
}

describe('the channel', () => {
  twins('is closed by the parent', async ({ fork }) => {
    const child = fork(MODULE, ['wait'], QUIET)
    const seen = watchFork(child)
    const before = [child.connected, typeof child.channel, typeof child.send]
    await once(child, 'message')
    child.disconnect()
    return [before, [child.connected, child.channel], await seen]
  })
  twins('is closed by the child', run(['disconnect']))
  twins('is closed twice', async ({ fork }) => {
    const child = fork(MODULE, ['wait'], QUIET)
    const seen = watchFork(child)
    await once(child, 'message')
    child.disconnect()
    const failure = once(child, 'error')
    child.disconnect()
    return [errorFields((await failure)[0], null), (await seen).order]
  })
  twins('is closed immediately', async ({ fork }) => {
    const child = fork(MODULE, ['wait'], QUIET)
    const seen = watchFork(child)
    child.disconnect()
    const { order, events } = await seen
    return [order.filter((event) => event !== 'message'), events.filter((event) => !event.startsWith('exit'))[0]]
  })
  twins('does not expose its descriptor', async ({ fork }) => {
    const child = fork(MODULE, ['wait'], QUIET)
    const seen = watchFork(child)
    const fd = (child.channel as unknown as { fd: number }).fd
    await once(child, 'message')
    child.disconnect()
    await seen
    return [typeof fd, fd > 2]
  })
})

describe('the child ends', () => {
  twins('with a code', run(['exit', '7']))
  twins('with nothing left to do', run(['surroundings']))
  twins('with an uncaught exception', async (start) => {
    const { streams, ...seen } = await run(['throw'])(start)
    expect(String(streams[2])).toContain('on purpose')
    return seen
  })
  twins('with a missing module', async ({ fork }) => {
    const { streams, ...seen } = await watchFork(fork(directory.file('missing.js'), [], QUIET))
    expect(String(streams[2])).toContain('MODULE_NOT_FOUND')
    return seen
  })
  twins('by a signal', async ({ fork }) => {
    const child = fork(MODULE, ['wait'], QUIET)
    const seen = watchFork(child)
    await once(child, 'message')
    child.kill('SIGKILL')
    return seen
  })
  twins('by an AbortSignal', async ({ fork }) => {
    const controller = new AbortController()
    const child = fork(MODULE, ['wait'], { ...QUIET, signal: controller.signal, killSignal: 'SIGKILL' })
    const seen = watchFork(child)
    await once(child, 'message')
    controller.abort()
    return seen
  })
  twins('by a timeout', run(['wait'], { timeout: 1_000 }))
  twins('before it started: execPath does not exist', run([], { execPath: directory.file('no-node') }))
})

describe('options', () => {
  twins('pass arguments, and the child finds the same surroundings', run(['surroundings', 'one', 'two words', '']))
  twins('execArgv', run(['surroundings'], { execArgv: ['--no-warnings', '--stack-size=900'] }))
  twinsWithSameMounts('execArgv and cwd default to the caller’s', async ({ fork }) =>
    watchFork(fork(MODULE, ['surroundings'], { stdio: QUIET.stdio })),
  )
  twins('execPath', async (start) => {
    const other = directory.file('other-node')
    try {
      symlinkSync(process.execPath, other)
    } catch {
      // The file exists since the first of the two runs.
    }
    return run(['surroundings'], { execPath: other })(start)
  })
  twins('env', run(['surroundings'], { env: { GIVEN: 'yes', PATH: '/usr/bin' } }))
  twins('env with NODE_CHANNEL_FD of another channel', run(['surroundings'], { env: { NODE_CHANNEL_FD: '99' } }))
  twins('cwd', run(['surroundings'], { cwd: '/usr' }))
  twins('argv0', run(['surroundings'], { argv0: 'name' } as ForkOptions))
  twins('an unknown serialization', ({ fork }) =>
    thrownBy(() => fork(MODULE, [], { ...QUIET, serialization: 'xml' as never })),
  )
  twinsAsRoot(
    'uid and gid',
    'changing the user id requires CAP_SETUID',
    run(['surroundings'], { cwd: '/', uid: 1234, gid: 1234 }),
  )
  twins('a module as a URL', ({ fork }) => watchFork(fork(pathToFileURL(MODULE), ['surroundings'], QUIET)))
  twinsWithSameMounts('a module by a relative path', ({ fork }) => {
    copyFileSync(MODULE, directory.file('copy.cjs'))
    return watchFork(fork('./copy.cjs', ['surroundings'], { ...QUIET, cwd: directory.path }))
  })
  twins('omitted arguments', ({ fork }) =>
    watchFork(
      (fork as unknown as (...args: unknown[]) => ChildProcess)(MODULE, { ...QUIET, execArgv: ['--eval', '0'] }),
    ),
  )
})

describe('stdio', () => {
  twins('silent', ({ fork }) => watchFork(fork(MODULE, ['speak'], { execArgv: [], silent: true })))
  twins('silent, not', ({ fork }) =>
    watchFork(fork(MODULE, ['disconnect'], { execArgv: [], silent: false, stdio: 'ignore' })),
  )
  for (const stdio of ['pipe', 'ignore', 'overlapped'] as const) {
    twins(stdio, ({ fork }) => watchFork(fork(MODULE, ['speak'], { execArgv: [], stdio })))
  }
  twins(
    'the channel at another position',
    run(['speak'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ignore', 'ipc'] }),
  )
  twins('the channel for stdin', run(['echo'], { stdio: ['ipc', 'pipe', 'pipe'], timeout: 1_000 }))
  twins(
    'stdio takes precedence over silent',
    run(['speak'], { silent: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }),
  )
  // The codes ERR_CHILD_PROCESS_IPC_REQUIRED and ERR_IPC_ONE_PIPE are Node's.
  twins('no channel, or two, throws', ({ fork }) =>
    [['pipe', 'pipe', 'pipe'], ['pipe', 'pipe', 'pipe', 'ipc', 'ipc'], []].map((stdio) => {
      const { isError } = thrownBy(() => fork(MODULE, [], { stdio: stdio as never })) as { isError?: boolean }
      return isError
    }),
  )
})

describe('handles', () => {
  /** Everything that a server in this process' namespace sends to a client in this process' namespace. */
  const ask = (port: number) => text(connect(port, '127.0.0.1'))

  async function listening(): Promise<{ server: Server; port: number }> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { server, port: (server.address() as { port: number }).port }
  }

  twins('a server sent to the child accepts connections from outside', async ({ fork }) => {
    const child = fork(MODULE, ['handles'], QUIET)
    const seen = watchFork(child)
    const { server, port } = await listening()
    const answer = once(child, 'message')
    child.send('a server', server)
    expect(await answer).toEqual(['Server', undefined])
    // From now on only the server inside accepts them.
    await new Promise((resolve) => server.close(resolve))
    const answers = [await ask(port), await ask(port)]
    child.kill()
    return [answers, (await seen).events.at(0)]
  })
  twins('a socket sent to the child is answered there', async ({ fork }) => {
    const child = fork(MODULE, ['handles'], QUIET)
    const seen = watchFork(child)
    const { server, port } = await listening()
    server.on('connection', (socket: Socket) => child.send('a socket', socket))
    const message = once(child, 'message')
    const answer = await ask(port)
    await message
    child.disconnect()
    server.close()
    return [answer, (await seen).messages]
  })
  twins('a closed socket is sent as no handle', async ({ fork }) => {
    const child = fork(MODULE, ['handles'], QUIET)
    const seen = watchFork(child)
    const { server, port } = await listening()
    const accepted = once(server, 'connection')
    const client = connect(port, '127.0.0.1')
    const [socket] = (await accepted) as [Socket]
    socket.destroy()
    client.destroy()
    await once(socket, 'close')
    const answer = once(child, 'message')
    child.send('nothing', socket)
    expect(await answer).toEqual(['no handle', undefined])
    child.disconnect()
    server.close()
    return (await seen).order
  })
  twins('an invalid handle throws', async ({ fork }) => {
    const child = fork(MODULE, ['wait'], QUIET)
    const seen = watchFork(child)
    await once(child, 'message')
    const code = codeOf(() => child.send('something', {} as never))
    child.disconnect()
    await seen
    return code
  })
})
