/** Where engines are looked for: the usual sockets, and DOCKER_HOST. */
import { NamespaceSet } from 'nsset'
import { describe, expect, test, vi } from 'vitest'
import { enginesOf } from '../../src/containers/engines/engines.ts'
import { expectFailure, failureOf, system } from '../setup/sets/failure.ts'
import { fakeEngine, inspected } from '../setup/sets/fake-engine.ts'
import { idOf } from '../setup/sets/recorded-cgroups.ts'

describe('the addresses of engines', () => {
  const addresses = (environment: NodeJS.ProcessEnv) => enginesOf(environment).map(({ address }) => address)

  test('are only DOCKER_HOST when it is set', () => {
    expect(addresses({ DOCKER_HOST: 'unix:///run/my docker.sock' })).toEqual([{ socketPath: '/run/my docker.sock' }])
    expect(addresses({ DOCKER_HOST: 'tcp://box:1234' })).toEqual([{ host: 'box', port: 1234 }])
    expect(addresses({ DOCKER_HOST: 'tcp://[::1]' })).toEqual([{ host: '::1', port: 2375 }])
  })

  test('are the usual sockets of root and of the user', () => {
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
  ])('reject %o, by name', async (environment, mention) => {
    for (const [name, given] of Object.entries(environment)) vi.stubEnv(name, given)
    try {
      const expected = ['TypeError', 'ERR_INVALID_ARG_VALUE', 'DOCKER_HOST', environment.DOCKER_HOST, mention] as const
      expectFailure(await failureOf(() => NamespaceSet.fromContainer('web')), expected)
      // A socket needs no name of a host.
      const failure = await failureOf(() => NamespaceSet.fromContainer('web', { socketPath: '/nowhere/docker.sock' }))
      expectFailure(failure, system('ENOENT', '/nowhere/docker.sock'))
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('are queried over TCP and over a socket', async () => {
    const exited = inspected(idOf('3f2a9c81d'), 'web', { Status: 'exited', Running: false, Pid: 0 })
    await using engine = await fakeEngine({ '/containers/web/json': exited })
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
