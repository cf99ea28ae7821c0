/** A spawned program in a pid namespace, and what happens when the namespace ends. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { initsOf, readStat } from '../setup/guards/proc-stat.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { failureOf } from '../setup/sets/failure.ts'

const MODULE = fileURLToPath(new URL('../setup/programs/forked.cjs', import.meta.url))

const withProc = () =>
  NamespaceSet.unshareSync(['user', 'pid', 'mnt'], { mapUser: 'root', mounts: [{ type: 'proc', target: '/proc' }] })

/** The pids outside and inside: proc_pid_status(5), "NSpid". */
const pidsOf = (pid: number) =>
  /^NSpid:\t(.*)$/m
    .exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    ?.split('\t')
    .map(Number)

test('child.pid is the pid outside, and the program sees its pid inside', async () => {
  using set = withProc()
  const child = set.spawn('sh', ['-c', 'echo $$; readlink /proc/self/ns/pid; exec sleep 60'])
  const [first] = await once(child.stdout as Readable, 'data')
  const inside = Number.parseInt(String(first), 10)
  expect(pidsOf(child.pid as number)).toEqual([child.pid, inside])
  expect(inside).toBeLessThan(100)
  expect(readStat(child.pid as number)?.parent).toBe(process.pid)
  child.kill('SIGKILL')
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
})

test('a proc mount shows PID 1 and the processes started inside, and no others', async () => {
  using set = withProc()
  const others = [1, 2].map(() => set.spawn('sleep', ['60'], { stdio: 'ignore' }))
  const inside = others.map(({ pid }) => pidsOf(pid as number)?.[1] ?? 0)
  const { stdout } = await set.execFile('sh', ['-c', 'echo $$; echo /proc/[0-9]*'])
  const [own = '', list = ''] = stdout.trim().split('\n')
  const seen = list.split(' ').map((path) => Number(path.slice('/proc/'.length)))
  expect(seen.sort((one, other) => one - other)).toEqual([1, ...inside, Number(own)].sort((one, other) => one - other))
  for (const child of others) child.kill('SIGKILL')
  await Promise.all(others.map((child) => once(child, 'close')))
})

test('closing the set ends all processes: spawned, detached, forked, and their descendants', async () => {
  const before = resources()
  const set = withProc()
  const children = [
    set.spawn('sleep', ['60'], { stdio: 'ignore' }),
    set.spawn('sleep', ['60'], { stdio: 'ignore', detached: true }),
    set.spawn('sh', ['-c', 'trap "" TERM HUP; sleep 60 & sleep 60 & wait'], { stdio: 'ignore' }),
    set.fork(MODULE, ['wait'], { execArgv: [], silent: true }),
  ]
  const ends = children.map((child) => once(child, 'exit'))
  await once(children[3] as (typeof children)[0], 'message')
  set.close()
  expect(await Promise.all(ends)).toEqual(children.map(() => [null, 'SIGKILL']))
  expect(await growthSince(before)).toEqual({})
})

test('orphans are reaped by PID 1 without any event', async () => {
  using set = withProc()
  const child = set.spawn('sh', ['-c', "sh -c 'sleep 0.2 & echo $!' & wait; echo left"])
  let output = ''
  child.stdout?.on('data', (text) => (output += text))
  expect(await once(child, 'close')).toEqual([0, null])
  const orphan = Number.parseInt(output, 10)
  expect(orphan).toBeGreaterThan(1)
  const isThere = async () => (await set.execFile('test', ['-e', `/proc/${orphan}`], { reject: false })).exitCode === 0
  for (let count = 0; count < 100 && (await isThere()); count++);
  expect(await isThere()).toBe(false)
})

test('after PID 1 has died, spawn, execFile and fork fail with that reason, and nothing is left', async () => {
  const others = initsOf()
  using set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
  const [init = 0] = initsOf().filter((pid) => !others.includes(pid))
  process.kill(init, 'SIGKILL')
  await eventually(
    () => readStat(init),
    (stat) => stat === undefined,
  )
  const dead = { name: 'NamespaceError', code: 'ENOMEM', kind: 'pid', message: expect.stringContaining('PID 1') }
  const before = resources()
  for (const start of [() => set.spawn('true'), () => set.fork(MODULE, ['exit', '0'], { execArgv: [] })]) {
    const child = start()
    const [error] = await once(child, 'error')
    expect(error).toMatchObject(dead)
    expect([child.pid, child.exitCode === 0]).toEqual([undefined, false])
  }
  expect(await failureOf(() => set.execFile('true'))).toMatchObject({ ...dead, exitCode: null, command: ['true'] })
  expect(await growthSince(before)).toEqual({})
})

test('/proc/self/uid_map and gid_map of a program show the requested maps', async () => {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  using set = NamespaceSet.unshareSync('user', {
    uidMaps: [{ containerId: 7, hostId: uid, size: 1 }],
    gidMaps: [{ containerId: 8, hostId: gid, size: 1 }],
  })
  const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
  // Read by a process of the parent namespace, the outer numbers are its own.
  const map = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8').trim().split(/\s+/).map(Number)
  expect([map('uid_map'), map('gid_map')]).toEqual([
    [7, uid, 1],
    [8, gid, 1],
  ])
  child.kill('SIGKILL')
  await once(child, 'close')
})
