/** Many children, few descriptors, other threads: nothing is lost and nothing is left. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { childrenOf, eventually, resources } from '../setup/guards/resources.ts'
import { ALL_KINDS } from '../setup/guards/thread-place.ts'
import { inWorker } from '../setup/processes/worker.ts'
import { OWN_RESOURCES } from '../setup/programs/own-resources.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const zombies = () =>
  childrenOf().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')
    } catch {
      return false
    }
  })

test('200 children at the same time have their own output and exit code, and leave no zombie', async () => {
  using set = NamespaceSet.unshareSync([...ALL_KINDS], { mapUser: 'root' })
  await set.execFile('true')
  const before = resources()
  const runs = Array.from({ length: 200 }, async (_, index) => {
    const child = set.spawn('sh', ['-c', `echo ${index}; exit ${index % 100}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout?.on('data', (chunk) => (output += chunk))
    const [code] = await once(child, 'close')
    return [output, code]
  })
  expect(await Promise.all(runs)).toEqual(Array.from({ length: 200 }, (_, index) => [`${index}\n`, index % 100]))
  expect(await eventually(zombies, (found) => found.length === 0)).toEqual([])
  expect(await growthSince(before)).toEqual({})
})

test('500 children one after another, killed by signals, leave nothing open', async () => {
  using set = anyonesSet(['uts'])
  await set.execFile('true')
  const before = resources()
  for (let turn = 0; turn < 500; turn++) {
    const child = set.spawn('sleep', ['60'], { stdio: turn % 2 === 0 ? 'ignore' : 'pipe' })
    child.kill('SIGKILL')
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
  }
  expect(await growthSince(before)).toEqual({})
})

test('a program may have two thousand arguments and a large environment', async () => {
  using set = anyonesSet(['uts'])
  const args = Array.from({ length: 2_000 }, (_, index) => `argument ${index}`)
  const { stdout } = await set.execFile('printf', ['%s\n', ...args], { env: { LARGE: 'x'.repeat(100_000) } })
  expect(stdout.trim().split('\n')).toEqual(args)
})

test('exceeding the limits of execve(2) is an error that says so', async () => {
  using set = anyonesSet(['uts'])
  await expect(set.execFile('true', ['x'.repeat(200_000)])).rejects.toMatchObject({
    code: 'E2BIG',
    message: expect.stringMatching(/arguments and the environment/),
  })
})

test('children of a Worker are inside, and their events are emitted in the Worker', async () => {
  const seen = await inWorker<object>(
    `const set = nsset.NamespaceSet.unshareSync(...data)
    const { stdout } = await set.execFile('hostname')
    const child = set.spawn('sh', ['-c', 'exit 3'])
    return { stdout, exit: await new Promise((resolve) => child.on('exit', (...how) => resolve(how))) }`,
    [['user', 'uts'], { mapUser: 'root', hostname: 'inside' }],
  )
  expect(seen).toEqual({ stdout: 'inside\n', exit: [3, null] })
})

test('at the limit of descriptors spawn is EMFILE, with an explanation, and releases its resources', async () => {
  const program = `
    import { closeSync, openSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    ${OWN_RESOURCES}
    const set = NamespaceSet.unshareSync(${isRoot ? "['uts', 'net', 'pid']" : "['user', 'uts', 'net', 'pid'], { mapUser: 'root' }"})
    const codes = new Set()
    const silent = new Set()
    const held = []
    const attempt = () => new Promise((resolve) => {
      set.spawn('true').on('error', (error) => { 
        codes.add(error.code)
        // Each names the limit.
        if (!/RLIMIT_NOFILE/.test(error.message)) silent.add(error.message)
        resolve(false)
      })
        .on('close', () => resolve(true))
    })
    const filled = () => { try { held.push(openSync('/dev/null')); return false } catch { return true } }
    await attempt()
    // The next helper is started meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 200))
    // One descriptor fewer each time, and once more without any.
    while (!filled()) {}
    const outcomes = []
    const counts = new Set()
    for (let free = 0; free < 24; free++) {
      const before = await steadyCount()
      outcomes.push(await attempt())
      // The helper of a program that did not start is reaped asynchronously.
      for (let turn = 0; turn < 100 && before !== countOr(); turn++) await new Promise((resolve) => setTimeout(resolve, 10))
      counts.add(before === countOr())
      closeSync(held.pop())
    }
    async function steadyCount() {
      for (let before = countOr(); ; ) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        const now = countOr()
        if (now === before) return now
        before = now
      }
    }
    function countOr() {
      // The test itself needs one.
      const fd = held.pop()
      closeSync(fd)
      const count = descriptors()
      held.push(openSync('/dev/null'))
      return count
    }
    console.log(JSON.stringify({ codes: [...codes], silent: [...silent], outcomes, isFlat: [...counts] }))`
  const seen = await askPlainNode<{ outcomes: boolean[] }>(program, { prefix: ['prlimit', '--nofile=100'] })
  expect(seen).toMatchObject({ codes: ['EMFILE'], silent: [], isFlat: [true] })
  expect(seen.outcomes[0]).toBe(false)
  // With enough free descriptors it works again.
  expect(seen.outcomes.at(-1)).toBe(true)
  expect(seen.outcomes).toEqual([...seen.outcomes].sort())
})
