/** `fromContainer` with the real Podman and the real runc, where they run. */
import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, expect, type TestContext, test, vi } from 'vitest'
import { cgroupsCalled, watchDirectories } from '../setup/guards/leftovers.ts'
import { nsenter } from '../setup/oracles/nsenter.ts'
import { ownPodman } from '../setup/oracles/podman.ts'
import { busyboxRoot, installed } from '../setup/programs/busybox-root.ts'
import { expectFailure, failureOf, system } from '../setup/sets/failure.ts'
import { privateMounts } from '../setup/sets/private-mounts.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

// Of the machine that runs the test.
beforeAll(() => void vi.stubEnv('DOCKER_HOST', ''))
afterAll(() => void vi.unstubAllEnvs())

/** The paths of the programs; the test is skipped when one is missing. */
function needed(context: TestContext, ...programs: string[]): string[] {
  if (!isRoot) context.skip('needs root: containers of an ordinary user require delegated cgroups')
  return programs.map((program) => installed(program) ?? context.skip(`needs ${program}, which is not installed`))
}

/** Starts a container; when that fails, the test is skipped with the error. */
function started<T>(context: TestContext, start: () => T): T {
  try {
    return start()
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: Buffer | string }
    return context.skip(
      `does not start here: ${String(stderr ?? message)
        .trim()
        .slice(-300)}`,
    )
  }
}

function expectProcess(set: NamespaceSet, pid: number): void {
  for (const kind of set.kinds) expect(set.id(kind)).toBe(readlinkSync(`/proc/${pid}/ns/${kind}`))
  expect(set.has('mnt')).toBe(true)
  set.close()
}

test('Podman: a container is found by name from its engine, by id from the cgroups; paused, stopped', async (context) => {
  const [program = '', busybox = ''] = needed(context, 'podman', 'busybox')
  await using own = await ownPodman(program, busybox)
  const id = started(context, () => own.run('blue', '/bin/sleep', '600'))
  const pid = Number(own.podman('inspect', '--format', '{{.State.Pid}}', id))
  for (const reference of [id, id.slice(0, 12)]) expectProcess(await NamespaceSet.fromContainer(reference), pid)
  const socketPath = await own.serve()
  const byEngine = (reference: string) => NamespaceSet.fromContainer(reference, { socketPath })
  for (const reference of ['blue', id, id.slice(0, 12), id.slice(0, 4)]) expectProcess(await byEngine(reference), pid)
  using uts = await NamespaceSet.fromContainer('blue', { socketPath, kinds: 'uts' })
  expect(nsenter(uts, 'hostname')).toBe(own.podman('exec', 'blue', '/bin/hostname').trim())
  expectFailure(await failureOf(() => byEngine('red')), system('ENOENT', "'red'", socketPath))

  own.podman('pause', 'blue')
  expectProcess(await byEngine('blue'), pid)
  own.podman('unpause', 'blue')
  own.podman('stop', '--time', '0', 'blue')
  expectFailure(await failureOf(() => byEngine('blue')), system('ESRCH', "'blue'", 'exited'))
  expectFailure(await failureOf(() => NamespaceSet.fromContainer(id)), system('ENOENT', id))
})

test('Podman: a created container is found by name and by id, so that its network can be set up before it starts', async (context) => {
  const [program = '', busybox = ''] = needed(context, 'podman', 'busybox')
  await using own = await ownPodman(program, busybox)
  const id = started(context, () => own.create('green', '/bin/sleep', '600'))
  const socketPath = await own.serve()
  const byEngine = (reference: string) => NamespaceSet.fromContainer(reference, { socketPath })
  expectFailure(await failureOf(() => byEngine('green')), system('ESRCH', "'green'", 'created'))
  started(context, () => own.podman('init', 'green'))
  const { Pid: pid, Running: isRunning } = JSON.parse(own.podman('inspect', '--format', '{{json .State}}', id))
  expect({ isRunning, hasProcess: pid > 0 }).toEqual({ isRunning: false, hasProcess: true })
  for (const reference of ['green', id, id.slice(0, 4)]) expectProcess(await byEngine(reference), pid)
  expectProcess(await NamespaceSet.fromContainer(id), pid)
  // A link created now exists when its program starts.
  using network = await NamespaceSet.fromContainer('green', { socketPath, kinds: 'net' })
  await network.network.links.add({ kind: 'bridge', name: 'early0' })
  own.podman('start', 'green')
  expect(own.podman('exec', 'green', '/bin/busybox', 'ls', '/sys/class/net').split(/\s+/)).toContain('early0')
  expectProcess(await byEngine('green'), pid)
})

test('Podman: the prefix of several containers is ambiguous', async (context) => {
  const [program = '', busybox = ''] = needed(context, 'podman', 'busybox')
  await using own = await ownPodman(program, busybox)
  const ids = [started(context, () => own.run('c0', '/bin/true'))]
  const shared = () => ids.map((id) => id.slice(0, 1)).find((digit, index, all) => all.indexOf(digit) !== index)
  while (shared() === undefined) ids.push(own.run(`c${ids.length}`, '/bin/true'))
  const digit = shared() as string
  const socketPath = await own.serve()
  const failure = await failureOf(() => NamespaceSet.fromContainer(digit, { socketPath }))
  const meant = ids.filter((id) => id.startsWith(digit))
  expectFailure(failure, ['RangeError', 'ERR_NSSET_AMBIGUOUS', `'${digit}'`, ...meant])
}, 60_000)

test('runc: a container is found by a custom id, from the cgroups', async (context) => {
  const [runc = '', busybox = ''] = needed(context, 'runc', 'busybox')
  const id = `nsset-test.${process.pid}`
  using directory = temporaryDirectory()
  using mounts = privateMounts()
  const removeLeftovers = watchDirectories('/run/runc', ...(await cgroupsCalled(id)))
  const run = (...args: string[]) =>
    execFileSync(...mounts.inside(directory.path, runc, ['--root', directory.file('state'), ...args]), {
      encoding: 'utf8',
      timeout: 20_000,
      // A container inherits its descriptors: a pipe would be waited for.
      stdio: args[0] === 'run' || args[0] === 'create' ? 'ignore' : ['ignore', 'pipe', 'pipe'],
    })
  try {
    busyboxRoot(directory, busybox)
    run('spec')
    const spec = JSON.parse(readFileSync(directory.file('config.json'), 'utf8'))
    Object.assign(spec, { hostname: 'free-choice' })
    Object.assign(spec.process, { terminal: false, args: ['/bin/sleep', '600'] })
    writeFileSync(directory.file('config.json'), JSON.stringify(spec))
    started(context, () => run('run', '--detach', id))
    const { pid } = JSON.parse(run('state', id)) as { pid: number }
    expectProcess(await NamespaceSet.fromContainer(id), pid)
    using uts = await NamespaceSet.fromContainer(id, { kinds: 'uts' })
    expect(nsenter(uts, 'hostname')).toBe('free-choice')
    const part = id.slice(0, -1)
    expectFailure(await failureOf(() => NamespaceSet.fromContainer(part)), system('ENOENT', `'${part}'`))
    run('delete', '--force', id)
    expectFailure(await failureOf(() => NamespaceSet.fromContainer(id)), system('ENOENT', `'${id}'`))
    run('create', id)
    const created = JSON.parse(run('state', id)) as { pid: number; status: string }
    expect(created.status).toBe('created')
    expectProcess(await NamespaceSet.fromContainer(id), created.pid)
    run('delete', '--force', id)
  } finally {
    run('delete', '--force', id)
    await removeLeftovers()
  }
})
