/** `npm run faults` finds defects: it runs on the package, and on modules that handle a failing call wrongly. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { choose } from '../../scripts/faults/choose.ts'
import { documentedCodes, whyUndocumented } from '../../scripts/faults/documented.ts'
import { type Call, faultName, parseFault } from '../../scripts/faults/fault.ts'
import { OPERATIONS } from '../../scripts/faults/operations/index.ts'
import { faultsAt } from '../../scripts/faults/possible.ts'
import type { Report } from '../../scripts/faults/try-operation.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = `${ROOT}node_modules/.bin/tsx`
const isThereCompiler = spawnSync('cc', ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0

/** A call as the injector reports it. */
function call(name: string, more: Partial<Call> = {}): Call {
  return { role: 'main', name, nth: 1, flags: 0, isNonBlocking: false, target: '?', ...more }
}

/** The names of errors and signals at a call. */
function at(name: string, more: Partial<Call> = {}): string[] {
  return faultsAt(call(name, more)).map(({ what }) => what)
}

interface Run {
  status: number | null
  output: string
  reports: Report[]
}

/** Runs it on one fault of an operation, with a module in place of the package, or with the package. */
function runOn(fault: string, module?: string, operation = 'unshare-user'): Run {
  using directory = temporaryDirectory()
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' }
  if (module !== undefined) {
    writeFileSync(directory.file('package.mjs'), module)
    env['NSSET_FAULTS_ENTRY'] = pathToFileURL(directory.file('package.mjs')).href
  }
  const json = directory.file('result.json')
  const args = [`${ROOT}scripts/faults/run.ts`, '--operation', operation, '--fault', fault, '--json', json]
  const { status, stdout, stderr } = spawnSync(TSX, args, { encoding: 'utf8', env, timeout: 60_000 })
  if (stderr !== '') throw new Error(stderr)
  return { status, output: stdout, reports: JSON.parse(readFileSync(json, 'utf8')).reports }
}

/** A package whose `unshare` opens a file, and does this when the open fails. */
function failing(consequence: string): string {
  return `
    import { closeSync, openSync } from 'node:fs'
    export class NamespaceSet {
      close() {}
      static async unshare() {
        try {
          closeSync(openSync('/proc/version'))
        } catch (error) {
          ${consequence}
        }
        return new NamespaceSet()
      }
    }`
}

describe('a run', () => {
  const FAULT = 'main/openat/1/ENOMEM'
  const problemsOf = ({ reports }: Run) =>
    reports.flatMap(({ outcomes }) => outcomes.flatMap(({ problems }) => problems))

  test('of a fault without consequences says so, and exits with 0', (context) => {
    if (!isThereCompiler) context.skip('needs cc, which compiles the injector')
    const run = runOn('child-1/unshare/1/ENOSPC')
    expect(run.output).toContain('1 operations, 1 faults hit, 0 faults left something')
    expect(run.status).toBe(0)
  })

  const WRONGS = [
    ['a leaked descriptor', "openSync('/dev/null'); throw error", 'it left 1 descriptor /dev/null'],
    [
      'an error without a documented code',
      "throw Object.assign(new Error('odd'), { code: 'EODD' })",
      'the code EODD is not documented: odd',
    ],
    ['an uncaught error', "setImmediate(() => { throw new Error('stray') }); throw error", 'uncaught: stray'],
    [
      'a package that no longer works',
      "NamespaceSet.unshare = () => Promise.reject(new Error('broken')); throw error",
      'the next call failed: broken',
    ],
    ['a crash of the process', 'process.abort()', 'Node ended: signal 6'],
  ] as const
  for (const [wrong, consequence, problem] of WRONGS) {
    test(`finds ${wrong}, and prints the command that repeats it`, (context) => {
      if (!isThereCompiler) context.skip('needs cc, which compiles the injector')
      const run = runOn(FAULT, failing(consequence))
      expect(problemsOf(run)).toEqual([expect.stringContaining(problem)])
      expect(run.output).toContain(`npm run faults -- --operation unshare-user --fault ${FAULT}`)
      expect(run.status).toBe(1)
    })
  }
})

describe('the outcome of an operation when', () => {
  const CASES = [
    // Errors whose numbers libuv does not know keep their codes through Node's handles.
    ['connect', 'child-1/dup3/1/SIGKILL', 'ECHILD'],
    ['http', 'child-1/dup3/1/SIGKILL', 'ECHILD'],
    ['udp', 'child-1/dup3/1/SIGKILL', 'ECHILD'],
    ['listen', 'child-1/dup3/1/SIGKILL', 'ECHILD'],
    ['connect', 'child-1/sendmsg/1/ETOOMANYREFS', 'ETOOMANYREFS'],
    ['udp', 'child-1/sendmsg/1/ETOOMANYREFS', 'ETOOMANYREFS'],
    // The network is as before, and an aborted dump does not block later calls.
    ['links-add', 'nsset-network/sendto/3/EPERM', 'EPERM'],
    ['links-add', 'nsset-network/sendto/3/ENOMEM', 'ENOMEM'],
    ['links-add', 'nsset-network/recvfrom/1/ENOMEM', undefined],
    ['links-list', 'nsset-network/recvfrom/1/ENOMEM', undefined],
    // When a refresh of resolv.conf and hosts fails beside a lookup, the lookup does not fail.
    ['lookup-refresh', 'nsset-waiting/newfstatat/1/ENOMEM', undefined],
    ['lookup-refresh', 'nsset-waiting/newfstatat/2/ENOMEM', undefined],
    // What a close removes is removed later when memory was short for a moment.
    ['netns-temporary', 'main/newfstatat/3/ENOMEM', undefined],
    ['netns-temporary', 'main/newfstatat/4/ENOMEM', undefined],
    // There was no pipe for a stream to read.
    ['exec-file', 'main/openat/1/ENOMEM', 'ENOMEM'],
    ['exec-file', 'main/openat/1/EPERM', 'EPERM'],
    ['exec-file', 'main/socketpair/1/ENOMEM', 'ENOMEM'],
    // The helper goes where the home thread could not come back, and a failed return is tried again.
    ['unshare-net', 'nsset-home/setns/1/EPERM', undefined],
    ['unshare-net', 'nsset-home/setns/2/EPERM', undefined],
    ['unshare-net', 'nsset-home/openat/1/EMFILE', 'EMFILE'],
    // A signal interrupts.
    ['unshare-user', 'child-1/sendmsg/1/EINTR', undefined],
    ['unshare-user', 'child-1/read/1/EINTR', undefined],
    ['unshare-user', 'node/recvmsg/1/EINTR', undefined],
    ['unshare-user', 'node/sendmsg/1/EINTR', undefined],
    ['sysctls-user', 'nsset-waiting/recvmsg/1/EINTR', undefined],
  ] as const

  for (const [operation, fault, code] of CASES) {
    test(`${fault} hits ${operation}`, (context) => {
      if (!isThereCompiler) context.skip('needs cc, which compiles the injector')
      if (!isRoot && OPERATIONS[operation]?.isRoots) context.skip('names below /run/netns need root')
      const [outcome] = runOn(fault, undefined, operation).reports[0]?.outcomes ?? []
      expect(outcome).toMatchObject({ isHit: true, problems: [] })
      expect(outcome?.thrown?.code).toBe(code)
    })
  }
})

describe('the faults of a call are those that the kernel can return there', () => {
  test('EMFILE only for calls that create files, and ENOSPC only for new namespaces', () => {
    expect(at('socket')).toEqual(['EMFILE', 'ENOMEM'])
    expect(at('setns')).not.toContain('EMFILE')
    expect(at('clone', { flags: 0x40000000 })).toContain('ENOSPC')
    expect(at('clone', { flags: 17 })).not.toContain('ENOSPC')
  })

  test('EINTR only for calls that may block, and EAGAIN only for those that do not', () => {
    expect(at('read', { target: 'socket:[1]' })).toEqual(['EINTR'])
    expect(at('read', { target: 'socket:[1]', isNonBlocking: true })).toEqual(['EINTR', 'EAGAIN'])
    expect(at('read', { target: '/proc/version' })).toEqual(['ENOMEM'])
  })

  test('a child is killed and stopped at each of its calls, Node.js at none', () => {
    expect(at('close', { role: 'child-1' })).toEqual(['SIGKILL', 'SIGSTOP'])
    expect(at('close')).toEqual([])
  })
})

test('an error is documented when docs/errors.md has its code', () => {
  const codes = documentedCodes()
  expect(whyUndocumented({ name: 'NamespaceError', code: 'EPERM', message: '' }, codes)).toBeUndefined()
  expect(whyUndocumented({ name: 'NamespaceError', code: 'EODD', message: '' }, codes)).toContain('EODD')
  expect(whyUndocumented({ name: 'OddError', code: 'EPERM', message: '' }, codes)).toContain('OddError')
})

test('the sample of the faults is the same for the same seed, and begins with one of each kind', () => {
  const faults = ['child-1/close/1/SIGKILL', 'child-1/close/2/SIGKILL', 'main/socket/1/EMFILE', 'main/socket/2/EMFILE']
  const chosen = choose(faults.map(parseFault), 0.5, 7).map(faultName)
  expect(chosen).toEqual(choose(faults.map(parseFault), 0.5, 7).map(faultName))
  expect(chosen.map((name) => name.split('/')[1]).sort()).toEqual(['close', 'socket'])
})
