/** The system calls of one operation, which are the same on every machine, compared with `bench/budgets.json`. */
import { beforeAll, describe, expect, test } from 'vitest'
import { complaintsOf, readBudgets } from '../../bench/budgets/budget.ts'
import { type Counts, rowsOf, totalOf } from '../../bench/budgets/calls.ts'
import { countCalls } from '../../bench/budgets/count.ts'
import { OPERATIONS } from '../../bench/budgets/operations.ts'
import { runsIn } from '../../bench/budgets/runs.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'

const budgets = readBudgets()
let counts: Counts

beforeAll(async () => {
  counts = await countCalls()
}, 120_000)

/** The same rows with this many times the calls. */
function scaled(rows: Counts, factor: number): Counts {
  const each = Object.entries(rows).map(([row, calls]) => {
    return [row, Object.fromEntries(Object.entries(calls).map(([name, count]) => [name, count * factor]))] as const
  })
  return Object.fromEntries(each)
}

describe('the system calls stay within the budget of', () => {
  for (const { name, isRoots } of OPERATIONS) {
    test(name, (context) => {
      if (isRoots && !isRoot) context.skip('needs root: an ordinary user cannot enter a set of these kinds')
      const { node, helper } = rowsOf(name)
      const rows = Object.entries(counts).filter(([row]) => row === node || row === helper)
      expect(rows.map(([row]) => row)).toContain(node)
      expect(complaintsOf(Object.fromEntries(rows), budgets)).toEqual([])
    })
  }

  asRoot('every row with a budget', 'an ordinary user does not run all rows', () => {
    expect(Object.keys(counts)).toEqual(Object.keys(budgets))
  })
})

describe('the check of the budgets', () => {
  const rows = Object.entries(budgets).filter(([, calls]) => totalOf(calls) > 0)

  test('reports every row whose budget is a fifth too low, with the budget, the count, and the calls', () => {
    const complaints = complaintsOf(counts, scaled(budgets, 0.8))
    const counted = rows.filter(([row]) => row in counts)
    expect(complaints).toEqual(counted.map(([row]) => expect.stringContaining(`${row}: the budget is `)))
    if (isRoot) {
      expect(complaints[0]).toBe(
        "do, a set of 'net': the budget is 1.6 system calls, and these are 2; more are setns 2 (1.6)",
      )
    }
  })

  test('reports every row with a fifth more calls', () => {
    const complaints = complaintsOf(scaled(budgets, 1.2), budgets)
    expect(complaints).toEqual(rows.map(([row]) => expect.stringContaining(`${row}: the budget is `)))
  })

  test('allows a row a tenth more, and no more', () => {
    expect(complaintsOf({ row: { close: 11 } }, { row: { close: 10 } })).toEqual([])
    expect(complaintsOf({ row: { close: 11, fcntl: 1 } }, { row: { close: 10, dup: 0 } })).toEqual([
      'row: the budget is 10 system calls, and these are 12; more are close 11 (10), fcntl 1 (0)',
    ])
  })

  test('requires a budget for each row', () => {
    expect(complaintsOf({ row: { close: 2 } }, {})).toEqual([
      'row: 2 system calls, and no budget: npm run budgets -- --record',
    ])
  })
})

test('a trace counts each call once, the helper’s separately, and none of the program that it starts', () => {
  const trace = [
    '10  execve("/usr/bin/node", ["node"], 0x7ffe /* 20 vars */) = 0',
    '10  close(3</etc/ld.so.cache>) = 0',
    '10  access("/nsset-budgets/5/8", F_OK) = -1 ENOENT (No such file or directory)',
    '10  close(3<socket:[1]> <unfinished ...>',
    '12  write(9<anon_inode:[eventfd]>, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) = 8',
    '10  <... close resumed>)              = 0',
    '11  close(4<socket:[2]>) = 0',
    '11  execveat(5</memfd:nsset-helper>, "", ["nsset-helper"], 0x7ffe /* 0 vars */, AT_EMPTY_PATH) = 0',
    '11  execve("/bin/true", ["/bin/true"], 0x7ffe /* 0 vars */) = 0',
    '11  openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>',
    '13  setns(28<net:[4026532177]>, CLONE_NEWNET) = 0',
    '13  execve("/bin/true", ["/bin/true"], 0x7ffe /* 0 vars */) = 0',
    '13  openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>',
    '10  pidfd_send_signal(7<anon_inode:[pidfd]>, SIGCONT, NULL, 0) = 0',
    '10  pidfd_send_signal(7<anon_inode:[pidfd]>, SIGKILL, NULL, 0) = 0',
    '10  access("/nsset-budgets/end", F_OK) = -1 ENOENT (No such file or directory)',
    '10  close(6<socket:[3]>) = 0',
  ]
  const [run, ...others] = runsIn(trace.join('\n'))
  expect(others).toEqual([])
  expect(run).toMatchObject({ operation: 5, times: 8 })
  expect(Object.fromEntries(run?.node ?? [])).toEqual({ close: 1, setns: 1, execve: 1, pidfd_send_signal: 1 })
  expect(Object.fromEntries(run?.helper ?? [])).toEqual({ close: 1, execveat: 1, execve: 1 })
})
