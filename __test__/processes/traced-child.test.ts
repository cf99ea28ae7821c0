/**
 * A traced child stays after its exit until its tracer has waited for it. A tracer that never does blocks only that
 * child.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { eventually } from '../setup/guards/resources.ts'

function tracerOf(pid: number): number {
  return Number(/^TracerPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1])
}

test('a child that is traced and killed does not block others', async () => {
  using set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root' })
  const child = set.spawn('sleep', ['25'], { stdio: 'ignore' })
  const pid = child.pid ?? 0
  const tracer = spawn('strace', ['-qq', '-o', '/dev/null', '-p', String(pid)], { stdio: 'ignore', timeout: 20_000 })
  try {
    expect(
      await eventually(
        () => tracerOf(pid),
        (tracerPid) => tracerPid !== 0,
      ),
    ).toBe(tracer.pid)
    tracer.kill('SIGSTOP')
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    for (let turn = 0; turn < 5; turn++) expect((await set.execFile('echo', ['on'])).stdout).toBe('on\n')
    expect(child.signalCode).toBeNull()
    tracer.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
  } finally {
    tracer.kill('SIGKILL')
    child.kill('SIGKILL')
  }
})
