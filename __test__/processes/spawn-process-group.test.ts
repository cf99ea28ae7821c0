/** A terminal signals and stops whole process groups: a program belongs to Node's, as one of child_process does. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { isRoot } from '../setup/sets/privilege.ts'

/** proc_pid_stat(5): the process group and the session. */
function groupOf(pid: number): { group: number; session: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { group: Number(group), session: Number(session) }
}

for (const kinds of [['uts'], ['user', 'net'], ['user', 'pid'], ['user', 'pid', 'mnt', 'time']] as const) {
  test(`in a set of ${kinds.join(', ')}`, async () => {
    using set = anyonesSet(kinds)
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const detached = set.spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
    const [pid = 0, leader = 0] = [child.pid, detached.pid]
    expect(groupOf(pid)).toEqual(groupOf(process.pid))
    expect(groupOf(leader)).toEqual({ group: leader, session: leader })
    child.kill('SIGKILL')
    detached.kill('SIGKILL')
  })
}

test('also where that group is one of an outer pid namespace, without a number inside', async () => {
  const program = `
    import { readFileSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    const group = (pid) => Number(readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1].split(' ')[2])
    const set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const groups = [group('self'), group(child.pid)]
    child.kill('SIGKILL')
    console.log(JSON.stringify(groups))
    process.exit()`
  const user = isRoot ? [] : ['--user', '--map-root-user']
  const prefix = ['unshare', ...user, '--pid', '--fork', '--mount-proc', '--kill-child']
  expect(await askPlainNode(program, { prefix })).toEqual([0, 0])
})
