/** The thread that waits for processes sleeps when there is nothing to reap. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { childrenOf, eventually } from '../setup/guards/resources.ts'

/** Nanoseconds of CPU time of the thread: the first number of /proc/PID/task/TID/schedstat. */
function reaperTime(): number {
  const task = readdirSync('/proc/self/task').find(
    (tid) => readFileSync(`/proc/self/task/${tid}/comm`, 'utf8') === 'nsset-reaper\n',
  )
  return Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[0])
}

test('the reaper sleeps, also after PID 1 of an open set was killed', async () => {
  const before = childrenOf()
  using set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
  const [init] = childrenOf().filter((pid) => !before.includes(pid))
  process.kill(init as number, 'SIGKILL')
  expect(await eventually(childrenOf, (children) => !children.includes(init as number))).not.toContain(init)
  expect(set.closed).toBe(false)

  // Asleep it uses no CPU time at all; awake it would use most of the time.
  const start = reaperTime()
  await sleep(500)
  expect((reaperTime() - start) / 1e6).toBeLessThan(20)
})
