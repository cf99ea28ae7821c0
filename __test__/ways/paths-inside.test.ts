/** Unix sockets whose paths are in the mount namespace of the set. */
import { once } from 'node:events'
import net from 'node:net'
import { NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** `/run` is an empty directory in memory, which nothing outside sees. */
function setWithOwnRun(kinds: 'user' | 'net'): NamespaceSet {
  return NamespaceSet.unshareSync(kinds === 'user' ? ['user', 'net', 'mnt'] : ['net', 'mnt'], {
    loopback: true,
    mounts: [{ type: 'tmpfs', target: '/run' }],
    ...(kinds === 'user' ? { mapUser: 'root' as const } : {}),
  })
}

/** A server of the set that sends back what it receives in capitals. */
async function serve(set: NamespaceSet, path: string): Promise<AsyncDisposable> {
  const server = set.spawn('socat', [`UNIX-LISTEN:${path},fork`, 'SYSTEM:tr a-z A-Z'], { stdio: 'ignore' })
  await set.execFile('sh', ['-c', `until test -S ${path}; do sleep 0.02; done`], { timeout: 10_000 })
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = once(server, 'exit')
      server.kill('SIGKILL')
      await ended
    },
  }
}

async function ask(port: number | undefined, question: string): Promise<string> {
  const socket = net.connect({ port: port ?? 0, host: '127.0.0.1' })
  socket.end(question)
  let answer = ''
  for await (const part of socket) answer += part
  return answer
}

describe.each(isRoot ? (['net', 'user'] as const) : (['user'] as const))('in a set with %s', (kinds) => {
  test('a path inside is published, also after its server has started anew', async () => {
    await using set = setWithOwnRun(kinds)
    const forwarding = await set.network.publish({ port: 0, to: { path: '/run/service.sock' } })
    for (const question of ['first', 'second']) {
      const early = await failureOf(() => ask(forwarding.port, 'too early'))
      expect(early).toMatchObject({ code: 'ECONNRESET' })
      await using _server = await serve(set, '/run/service.sock')
      expect(await ask(forwarding.port, question)).toBe(question.toUpperCase())
      await set.execFile('rm', ['/run/service.sock'])
    }
    await forwarding.close()
  })

  test('a program inside connects to a path inside, whose server is outside, and the file is removed at the end', async () => {
    const before = resources()
    {
      using directory = temporaryDirectory()
      await using set = setWithOwnRun(kinds)
      await using server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
      await once(server.listen(directory.file('agent.sock')), 'listening')
      const forwarding = await set.network.forward({
        path: '/run/agent.sock',
        to: { path: directory.file('agent.sock') },
      })
      expect(forwarding.addresses).toEqual([{ path: '/run/agent.sock' }])
      const { stdout } = await set.execFile('socat', ['-t5', '-', 'UNIX-CONNECT:/run/agent.sock'], { input: 'a key' })
      expect(stdout).toBe('a key')
      const taken = await failureOf(() => set.network.forward({ path: '/run/agent.sock', to: { port: 1 } }))
      expect(taken).toMatchObject({ code: 'EADDRINUSE' })
      await forwarding.close()
      expect((await set.execFile('ls', ['/run'])).stdout).toBe('')
    }
    expect(await growthSince(before)).toEqual({})
  })

  test('a symbolic link in the place of the socket leads to nothing outside', async () => {
    using directory = temporaryDirectory()
    await using set = setWithOwnRun(kinds)
    await using server = net.createServer((socket) => socket.end('reached'))
    await once(server.listen(directory.file('host.sock')), 'listening')
    await set.execFile('ln', ['-s', directory.file('host.sock'), '/run/service.sock'])
    await using forwarding = await set.network.publish({ port: 0, to: { path: '/run/service.sock' } })
    const caught = await failureOf(() => ask(forwarding.port, ''))
    expect(caught).toMatchObject({ code: 'ECONNRESET' })
    expect(forwarding.statistics()).toMatchObject({ failed: 1 })
  })

  test('a directory that is missing inside is reported', async () => {
    await using set = setWithOwnRun(kinds)
    const published = await failureOf(() => set.network.publish({ port: 0, to: { path: '/run/none/service.sock' } }))
    expect(published).toMatchObject({ code: 'ENOENT', message: expect.stringContaining('/run/none') })
    const forwarded = await failureOf(() => set.network.forward({ path: '/run/none/in.sock', to: { port: 1 } }))
    expect(forwarded).toMatchObject({ code: 'ENOENT' })
  })
})
