/** `fromContainer` with the real Docker: the test starts its own engine, and containers of busybox. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, expect, type TestContext, test, vi } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { type Dockerd, startDockerd } from '../setup/oracles/dockerd.ts'
import { nsenter } from '../setup/oracles/nsenter.ts'
import { installed } from '../setup/programs/busybox-root.ts'
import { expectFailure, failureOf, system } from '../setup/sets/failure.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const FOREVER = ['sleep', '600']

interface Inspected {
  State: { Pid: number; Status: string; Restarting: boolean }
}

let missing: string | undefined
let docker: Dockerd
let web: string

beforeAll(async () => {
  // The Docker engine of the test's machine.
  vi.stubEnv('DOCKER_HOST', '')
  const [dockerd, busybox] = [installed('dockerd'), installed('busybox')]
  if (!isRoot) missing = 'needs root: Docker requires it, and opening its containers does, too'
  else if (dockerd === undefined) missing = 'needs dockerd, from the package docker.io'
  else if (busybox === undefined) missing = 'needs busybox, from the package busybox-static'
  else {
    docker = await startDockerd(dockerd, busybox)
    web = await docker.run('web', FOREVER, { Hostname: 'web-host' })
  }
}, 60_000)
afterAll(async () => {
  vi.unstubAllEnvs()
  await docker?.[Symbol.asyncDispose]()
}, 60_000)

/** A test that is skipped, with the reason, without Docker. */
function withDocker(name: string, body: (context: TestContext) => Promise<void>): void {
  test(name, async (context) => {
    if (missing !== undefined) context.skip(missing)
    await body(context)
  })
}

const inspect = (reference: string) => docker.ask<Inspected>('GET', `/containers/${reference}/json`)
const byEngine = (reference: string, options: object = {}) =>
  NamespaceSet.fromContainer(reference, { socketPath: docker.socketPath, ...options })
/** The test's Docker socket is not at a usual path, so that only the cgroups are searched. */
const byCgroup = (reference: string, options?: object) => NamespaceSet.fromContainer(reference, options)

/** What /proc shows for the pid that Docker reports. */
async function linksOf(reference: string): Promise<string[]> {
  const { Pid } = (await inspect(reference)).State
  const kinds = readdirSync(`/proc/${Pid}/ns`).filter((name) => !name.endsWith('_for_children'))
  return kinds.map((kind) => readlinkSync(`/proc/${Pid}/ns/${kind}`)).sort()
}

async function expectContainer(found: Promise<NamespaceSet>, reference = web): Promise<void> {
  using set = await found
  expect(set.kinds.map((kind) => set.id(kind)).sort()).toEqual(await linksOf(reference))
}

withDocker('a container is found by name, id and prefix, from the engine', async () => {
  for (const reference of ['web', web, web.slice(0, 12), web.slice(0, 4)]) await expectContainer(byEngine(reference))
})

withDocker('a container is found by id and prefix, from the cgroups', async () => {
  for (const reference of [web, web.slice(0, 12), web.slice(0, 6)]) await expectContainer(byCgroup(reference))
  expectFailure(await failureOf(() => byCgroup('web')), system('ENOENT', "'web'", '/var/run/docker.sock', 'cgroup'))
  expectFailure(await failureOf(() => byCgroup('docker')), system('ENOENT', "'docker'"))
})

withDocker('a container is found through DOCKER_HOST', async () => {
  vi.stubEnv('DOCKER_HOST', `unix://${docker.socketPath}`)
  try {
    await expectContainer(NamespaceSet.fromContainer('web'))
  } finally {
    vi.stubEnv('DOCKER_HOST', '')
  }
})

withDocker('the set is in the container’s namespaces, as nsenter(1) and programs see them', async () => {
  for (const find of [byEngine, byCgroup]) {
    using uts = await find(web, { kinds: 'uts' })
    expect(uts.kinds).toEqual(['uts'])
    expect(nsenter(uts, 'hostname')).toBe('web-host')
    expect(uts.do(() => process.getBuiltinModule('node:os').hostname())).toBe('web-host')
    using set = await find(web, { kinds: ['mnt', 'pid', 'uts', 'net'] })
    const { stdout } = await set.execFile('/bin/busybox', ['cat', '/proc/1/cmdline'])
    expect(stdout).toBe('sleep\x00600\x00')
  }
})

withDocker("a container in the host's pid and network namespaces is found", async () => {
  const id = await docker.run('host', FOREVER, {}, { PidMode: 'host', NetworkMode: 'host' })
  await expectContainer(byEngine('host'), id)
  await expectContainer(byCgroup(id), id)
  await docker.ask('DELETE', `/containers/${id}?force=true`)
})

withDocker('paused', async () => {
  await docker.ask('POST', '/containers/web/pause')
  try {
    expect((await inspect('web')).State.Status).toBe('paused')
    await expectContainer(byEngine('web'))
    await expectContainer(byCgroup(web))
  } finally {
    await docker.ask('POST', '/containers/web/unpause')
  }
})

withDocker('a container is found or not when created, stopped, started again, removed', async () => {
  const id = await docker.create('late', FOREVER)
  expectFailure(await failureOf(() => byEngine('late')), system('ESRCH', "'late'", 'created'))
  expectFailure(await failureOf(() => byCgroup(id)), system('ENOENT', id))
  await docker.ask('POST', '/containers/late/start')
  await expectContainer(byEngine('late'), id)
  using before = await byCgroup(id)
  await docker.ask('POST', '/containers/late/kill')
  await docker.ask('POST', '/containers/late/wait')
  expectFailure(await failureOf(() => byEngine('late')), system('ESRCH', "'late'", 'exited'))
  expectFailure(await failureOf(() => byCgroup(id)), system('ENOENT', id))
  await docker.ask('POST', '/containers/late/start')
  await expectContainer(byEngine(id), id)
  await expectContainer(byCgroup(id), id)
  using after = await byEngine(id)
  expect(after.equals(before, 'mnt')).toBe(false)
  await docker.ask('DELETE', '/containers/late?force=true')
  for (const find of [byEngine, byCgroup]) expectFailure(await failureOf(() => find(id)), system('ENOENT', id))
  expectFailure(await failureOf(() => byEngine('late')), system('ENOENT', "'late'", docker.socketPath))
})

withDocker(
  'a container that restarts all the time is found or reported as not running, and nothing is left open',
  async () => {
    const id = await docker.run('restless', ['true'], {}, { RestartPolicy: { Name: 'always' } })
    const before = resources()
    const codes = new Set<string>()
    const end = Date.now() + 3_000
    while (Date.now() < end) {
      for (const find of [byEngine, byCgroup]) {
        await find(id).then(
          (set) => set.close(),
          (error: { code: string }) => codes.add(error.code),
        )
      }
    }
    for (let tries = 0; tries < 100 && !(await inspect(id)).State.Restarting; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expectFailure(await failureOf(() => byEngine('restless')), system('ESRCH', 'restarting'))
    expect([...codes].filter((code) => code !== 'ENOENT')).toEqual(['ESRCH'])
    await docker.ask('DELETE', `/containers/${id}?force=true`)
    expect(await growthSince(before)).toEqual({})
  },
)

withDocker('the prefix of several containers is ambiguous, as for Docker itself', async () => {
  const ids = [web]
  const shared = () => ids.map((id) => id.slice(0, 1)).find((digit, index, all) => all.indexOf(digit) !== index)
  while (shared() === undefined) ids.push(await docker.create(undefined, FOREVER))
  const digit = shared() as string
  const failure = await failureOf(() => byEngine(digit))
  const meant = ids.filter((id) => id.startsWith(digit))
  expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', `'${digit}'`, ...meant])
  for (const id of ids.slice(1)) await docker.ask('DELETE', `/containers/${id}?force=true`)
})

/** The states of a process's threads, each once: proc_pid_stat(5). */
function statesOfThreads(pid: number): string[] {
  const states = readdirSync(`/proc/${pid}/task`).map((tid) => {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1')
    return stat.charAt(stat.lastIndexOf(')') + 2)
  })
  return [...new Set(states)]
}

withDocker('an abort ends the wait for a stopped engine', async () => {
  process.kill(docker.pid, 'SIGSTOP')
  try {
    // The signal is delivered before all of its threads have stopped.
    await expect.poll(() => statesOfThreads(docker.pid)).toEqual(['T'])
    const found = byEngine('web', { signal: AbortSignal.timeout(300) })
    await expect(found).rejects.toMatchObject({ name: 'TimeoutError' })
    // The cgroups do not need the engine.
    using set = await byCgroup(web, { kinds: 'uts' })
    expect(nsenter(set, 'hostname')).toBe('web-host')
  } finally {
    process.kill(docker.pid, 'SIGCONT')
  }
  await expectContainer(byEngine('web'))
})
