/**
 * A thread that works for a caller resumes on the caller's CPU (decision 0035). Its CPU affinity, that of all other threads and
 * that of programs inside stay as they were.
 */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { AS_ROOT_INSIDE, askPlainNode } from '../setup/programs/plain-node.ts'

const hasTwo = availableParallelism() > 1
if (!hasTwo) console.warn('skipped: the process may run on one CPU only')

const HEADING = `
  import { execFileSync } from 'node:child_process'
  import { readdirSync, readFileSync } from 'node:fs'
  import { NamespaceSet } from 'nsset'
  const nameOf = (tid) => readFileSync('/proc/self/task/' + tid + '/comm', 'utf8').trim()
  const cpusIn = (status) => /^Cpus_allowed_list:\\s+(.*)$/m.exec(status)[1]
  const cpusOf = (tid) => cpusIn(readFileSync('/proc/self/task/' + tid + '/status', 'utf8'))
  /** The affinities of the threads of nsset. */
  const affinities = () => Object.fromEntries(readdirSync('/proc/self/task').flatMap((tid) => {
    try { return nameOf(tid).startsWith('nsset-') ? [[nameOf(tid), cpusOf(tid)]] : [] } catch { return [] }
  }))
  const own = cpusOf(process.pid)
  const moveTo = (cpus) => execFileSync('taskset', ['--cpu-list', '--pid', cpus, String(process.pid)], { stdio: 'ignore' })
  const ends = own.split(',').flatMap((range) => range.split('-'))
  const twoCpus = [...new Set(ends)].slice(0, 2)
`

test.runIf(hasTwo)('calls from every CPU leave the affinity of all threads as it was', async () => {
  const { before, after, own } = await askPlainNode<Record<string, unknown>>(
    `${HEADING}
    const before = affinities()
    const after = []
    const set = NamespaceSet.unshareSync('net')
    for (let turn = 0; turn < 6; turn++) {
      moveTo(twoCpus[turn % 2])
      for (let call = 0; call < 5; call++) {
        NamespaceSet.unshareSync('uts').close()
        ;(await NamespaceSet.unshare('uts')).close()
        await set.network.links.list()
      }
      after.push(affinities())
    }
    moveTo(own)
    set.close()
    console.log(JSON.stringify({ before, after, own }))`,
    { prefix: AS_ROOT_INSIDE },
  )
  expect(Object.values(before as object)).toEqual([own, own, own])
  expect(after).toEqual(Array.from({ length: 6 }, () => before))
})

test.runIf(hasTwo)('a program inside has the affinity of the thread that starts it', async () => {
  const { ofPrograms, asked } = await askPlainNode<Record<string, unknown>>(
    `${HEADING}
    const plain = NamespaceSet.unshareSync('net')
    const owned = NamespaceSet.unshareSync(['user', 'net', 'pid', 'mnt'], { mapUser: 'root' })
    const asked = [...twoCpus, own]
    const ofPrograms = []
    for (const cpus of asked) {
      moveTo(cpus)
      NamespaceSet.unshareSync('uts').close()
      await owned.network.links.list()
      for (const set of [plain, owned]) {
        ofPrograms.push(cpusIn((await set.execFile('cat', ['/proc/self/status'])).stdout))
      }
    }
    plain.close()
    owned.close()
    console.log(JSON.stringify({ ofPrograms, asked }))`,
    { prefix: AS_ROOT_INSIDE },
  )
  expect(ofPrograms).toEqual((asked as string[]).flatMap((cpus) => [cpus, cpus]))
})

test.runIf(hasTwo)('a process that may run on one CPU stays there', async () => {
  const [cpu = ''] =
    /\d+/.exec(
      execFileSync('taskset', ['--cpu-list', '--pid', String(process.pid)], { encoding: 'utf8' }).split(':')[1] ?? '',
    ) ?? []
  const affinities = await askPlainNode<Record<string, string>>(
    `${HEADING}
    NamespaceSet.unshareSync('uts').close()
    const set = NamespaceSet.unshareSync('net')
    await set.network.links.list()
    set.close()
    console.log(JSON.stringify(affinities()))`,
    { prefix: ['taskset', '--cpu-list', cpu, ...AS_ROOT_INSIDE] },
  )
  expect(new Set(Object.values(affinities))).toEqual(new Set([cpu]))
})
