/** Ending an unshare early. What takes its time is `newuidmap`, which a slow program of that name stands in for. */
import { readFileSync, writeFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { readStat } from '../setup/guards/proc-stat.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { OWN_RESOURCES } from '../setup/programs/own-resources.ts'
import { askPlainNode, type PlainNodeOptions } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** A directory with a `newuidmap` that tells its pid and then does nothing. */
function slowMapper(): TemporaryDirectory {
  const directory = temporaryDirectory()
  writeFileSync(directory.file('newuidmap'), `#!/bin/sh\necho $$ > ${directory.file('pid')}\nexec sleep 25\n`, {
    mode: 0o755,
  })
  return directory
}

/** Finds the slow mapper first; root without CAP_SETUID needs it like other users. */
function behind(mapper: TemporaryDirectory): PlainNodeOptions {
  const env = { PATH: `${mapper.path}:${process.env['PATH']}` }
  return isRoot ? { env, prefix: ['setpriv', '--bounding-set', '-setuid,-setgid'] } : { env }
}

const PRELUDE = `
  import { existsSync, readdirSync, readFileSync } from 'node:fs'
  import { setTimeout as pass } from 'node:timers/promises'
  import { NamespaceSet } from 'nsset'
  const maps = { uidMaps: [{ containerId: 0, hostId: 100000, size: 10 }] }
  ${OWN_RESOURCES}
`

/** That newuidmap, or what stands for it, has ended. */
async function expectGone(mapper: TemporaryDirectory): Promise<void> {
  const pid = Number(readFileSync(mapper.file('pid'), 'utf8'))
  expect(
    await eventually(
      () => readStat(pid),
      (stat) => stat === undefined,
    ),
  ).toBeUndefined()
}

test('a signal that was aborted before makes nothing', async () => {
  const reason = new Error('not today')
  const before = resources()
  const made = NamespaceSet.unshare(['user', 'pid', 'net'], { mapUser: 'root', signal: AbortSignal.abort(reason) })
  await expect(made).rejects.toBe(reason)
  expect(await growthSince(before)).toEqual({})
  await expect(NamespaceSet.unshare('user', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  })
})

test('a signal that is never aborted, or too late, changes nothing', async () => {
  const controller = new AbortController()
  using set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', signal: controller.signal })
  controller.abort()
  expect(set.closed).toBe(false)
  expect((await set.execFile('id', ['-u'])).stdout).toBe('0\n')
})

test('aborted while it is under way: what was made meanwhile is let go, and the reason thrown', async () => {
  const before = resources()
  for (let count = 0; count < 50; count += 1) {
    const controller = new AbortController()
    const made = NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', signal: controller.signal })
    controller.abort(count)
    await expect(made).rejects.toBe(count)
  }
  expect(await growthSince(before)).toEqual({})
})

test('aborted at any moment: the promise settles, and no process is left', async () => {
  const outcome = await askPlainNode<{ made: number; aborted: number; other: string[]; children: string }>(`${PRELUDE}
    const outcome = { made: 0, aborted: 0, other: [] }
    for (let count = 0; count < 1500; count += 1) {
      const controller = new AbortController()
      const made = NamespaceSet.unshare(['user', 'pid', 'net', 'mnt'], { mapUser: 'root', signal: controller.signal })
      setTimeout(() => controller.abort('enough'), 2 * Math.random())
      try {
        (await made).close()
        outcome.made += 1
      } catch (error) {
        if (error === 'enough') outcome.aborted += 1
        else outcome.other.push(String(error))
      }
    }
    for (let count = 0; count < 500 && children().length > 0; count += 1) await pass(10)
    console.log(JSON.stringify({ ...outcome, children: children().join(' ') }))`)
  expect(outcome.made + outcome.aborted).toBe(1500)
  expect(outcome.other).toEqual([])
  expect(outcome.children).toBe('')
})

test('a signal holds no descriptor once the promise is settled', async () => {
  const { before, after } = await askPlainNode<{ before: number; after: number }>(`${PRELUDE}
    const { signal } = new AbortController()
    const make = async () => (await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', signal })).close()
    NamespaceSet.unshareSync('user').close()
    const before = descriptors()
    for (let count = 0; count < 20; count += 1) await make()
    console.log(JSON.stringify({ before, after: descriptors() }))`)
  expect(after).toBe(before)
})

test('aborted while newuidmap takes its time: the reason is thrown, and nothing is left', async () => {
  using mapper = slowMapper()
  const outcome = await askPlainNode<{ isReason: boolean; before: number; after: number; children: string }>(
    `${PRELUDE}
      NamespaceSet.unshareSync('user', { mapUser: 'root' }).close()
      const before = descriptors()
      const controller = new AbortController()
      const reason = new Error('enough')
      const made = NamespaceSet.unshare(['user', 'pid', 'mnt'], { ...maps, signal: controller.signal })
      const caught = made.then((set) => String(set), (error) => error)
      while (!existsSync('${mapper.file('pid')}')) await pass(5)
      controller.abort(reason)
      const isReason = (await caught) === reason
      console.log(JSON.stringify({ isReason, before, after: descriptors(), children: children().join(' ') }))`,
    behind(mapper),
  )
  expect(outcome).toEqual({ isReason: true, before: outcome.before, after: outcome.before, children: '' })
  await expectGone(mapper)
})

test('AbortSignal.timeout ends it, too', async () => {
  using mapper = slowMapper()
  const name = await askPlainNode<string>(
    `${PRELUDE}
      const made = NamespaceSet.unshare('user', { ...maps, signal: AbortSignal.timeout(100) })
      console.log(JSON.stringify(await made.then((set) => String(set), (error) => error.name)))`,
    behind(mapper),
  )
  expect(name).toBe('TimeoutError')
})

test('without a signal it is given up after a while, and named', async () => {
  using mapper = slowMapper()
  const outcome = await askPlainNode<{ code: string; syscall: string; children: string }>(
    `${PRELUDE}
      const error = await NamespaceSet.unshare('user', maps).catch((error) => error)
      console.log(JSON.stringify({ code: error.code, syscall: error.syscall, children: children().join(' ') }))`,
    behind(mapper),
  )
  expect(outcome).toEqual({ code: 'ETIMEDOUT', syscall: 'newuidmap', children: '' })
  await expectGone(mapper)
})

test('what newuidmap leaves running does not hold the call up', async () => {
  using mapper = temporaryDirectory()
  const script = `#!/bin/sh\nsleep 15 &\necho $! > ${mapper.file('pid')}\necho complaint >&2\nexit 1\n`
  writeFileSync(mapper.file('newuidmap'), script, { mode: 0o755 })
  const error = await askPlainNode<{ code: string; message: string }>(
    `${PRELUDE}
      const { code, message } = await NamespaceSet.unshare('user', maps).catch((error) => error)
      console.log(JSON.stringify({ code, message }))`,
    behind(mapper),
  )
  expect(error).toMatchObject({ code: 'EPERM', message: expect.stringContaining('complaint') })
  const left = readStat(Number(readFileSync(mapper.file('pid'), 'utf8')))
  expect(left?.comm).toBe('sleep')
  if (left !== undefined) process.kill(left.pid, 'SIGKILL')
})
