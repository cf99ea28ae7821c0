/**
 * Into net, uts, ipc and cgroup alone the child enters by itself, while it still shares Node's memory, and executes one
 * program. What guards memory (user, pid, mnt) and what would change the whole of it is left to the helper.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { asOrdinaryUser, asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** As root everything may be entered; an ordinary user enters nothing, and starts a program where it stands. */
const SET = isRoot
  ? "NamespaceSet.unshareSync(['net', 'uts', 'ipc', 'cgroup'])"
  : "NamespaceSet.current(['net', 'uts'])"

interface Trace {
  /** How often a program was executed: the helper by execveat(2), what was asked for by execve(2). */
  helpers: number
  programs: number
  joined: string[]
}

/** What starting this program takes: `options` is an expression. */
async function traceSpawn(set: string, options = '{}'): Promise<Trace> {
  using directory = temporaryDirectory()
  const file = directory.file('trace')
  const program = `
    import { NamespaceSet } from 'nsset'
    import { once } from 'node:events'
    const set = ${set}
    process.getBuiltinModule('node:fs').existsSync('/begins')
    const [code] = await once(set.spawn('/bin/true', [], { stdio: 'ignore', ...${options} }), 'exit')
    process.exit(code)`
  const prefix = [
    'strace',
    '-f',
    '-q',
    '-e',
    'trace=execve,execveat,setns,access,faccessat,faccessat2,stat,statx,newfstatat',
  ]
  const { code, stderr } = await runPlainNode(program, { prefix: [...prefix, '-o', file] })
  expect(code, stderr).toBe(0)
  const calls = readFileSync(file, 'utf8').split('"/begins"')[1] ?? ''
  return {
    helpers: calls.match(/execveat\(/g)?.length ?? 0,
    programs: calls.match(/execve\(/g)?.length ?? 0,
    joined: [...calls.matchAll(/setns\(\d+, CLONE_NEW(\w+)/g)].map(([, kind = '']) => kind).toSorted(),
  }
}

describe('one program is executed', () => {
  test('in a set that shares what guards memory', async () => {
    const joined = isRoot ? ['CGROUP', 'IPC', 'NET', 'UTS'] : []
    expect(await traceSpawn(SET)).toEqual({ helpers: 0, programs: 1, joined })
    expect(await traceSpawn(SET, '{ detached: true, noNewPrivileges: true, cwd: "/" }')).toMatchObject({ helpers: 0 })
    const confined = '{ limits: { openFiles: 100 }, umask: 0, nice: 1, capabilities: [], noNewPrivileges: true }'
    expect(await traceSpawn(SET, confined)).toMatchObject({ helpers: 0 })
  })
})

describe('the helper goes', () => {
  for (const kind of ['uts', 'pid', 'mnt', 'time'] as const) {
    test(`where user and ${kind} are entered`, async () => {
      const set = `NamespaceSet.unshareSync(['user', '${kind}'], { mapUser: 'root' })`
      expect(await traceSpawn(set)).toMatchObject({ helpers: 1, programs: 1 })
    })
  }

  for (const kind of ['pid', 'mnt', 'time'] as const) {
    asRoot(`where ${kind} is entered`, 'an ordinary user enters none of them alone', async () => {
      expect(await traceSpawn(`NamespaceSet.unshareSync(['${kind}'])`)).toMatchObject({ helpers: 1, programs: 1 })
    })
  }

  const CHANGES: Record<string, string> = {
    'another user': '{ uid: process.getuid() }',
    'another group': '{ gid: process.getgid() }',
    'a death signal': "{ deathSignal: 'SIGKILL' }",
  }
  for (const [change, options] of Object.entries(CHANGES)) {
    test(`for ${change}`, async () => {
      expect(await traceSpawn(SET, options)).toMatchObject({ helpers: 1, programs: 1 })
    })
  }
})

test('signals are as a new program expects them, and Node keeps its own', async () => {
  const { inside, before, after } = await askPlainNode<Record<'inside' | 'before' | 'after', string[]>>(`
    import { readFileSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    process.on('SIGUSR2', () => 0)
    const signals = (status) => status.split('\\n').filter((line) => /^Sig(Blk|Ign|Cgt)/.test(line)).map((line) => line.replace('\\t', ' '))
    const own = () => signals(readFileSync('/proc/thread-self/status', 'utf8'))
    const before = own()
    const { stdout } = await ${SET}.execFile('cat', ['/proc/self/status'])
    console.log(JSON.stringify({ inside: signals(stdout), before, after: own() }))`)
  const none = '0'.repeat(16)
  expect(inside).toEqual([`SigBlk: ${none}`, `SigIgn: ${none}`, `SigCgt: ${none}`])
  expect(after).toEqual(before)
  expect(before).toContain(`SigBlk: ${none}`)
})

asOrdinaryUser('Node stays as dumpable as it was, with any ids of the programs', async () => {
  const owners = await askPlainNode<number[]>(`
    import { statSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    const set = ${SET}
    // The kernel gives the files of a process that is not dumpable to root.
    const owners = [statSync('/proc/self/environ').uid]
    for (const options of [{}, { uid: process.getuid() }, { gid: process.getgid() }, { capabilities: [], noNewPrivileges: true }]) {
      await set.execFile('true', [], options)
      owners.push(statSync('/proc/self/environ').uid)
    }
    console.log(JSON.stringify(owners))`)
  expect(new Set(owners)).toEqual(new Set([process.getuid?.()]))
})

describe('a failure is reported as the helper reports it', () => {
  const FAILURES: Record<string, [file: string, options: string]> = {
    'a program that is not there': ['/nonexistent', '{}'],
    'a program that PATH does not lead to': ['nonexistent', "{ env: { PATH: '/etc:/dev' } }"],
    'no program': ['/etc/passwd', '{}'],
    'a directory': ['/etc', '{}'],
    'a working directory that is not there': ['/bin/true', "{ cwd: '/nonexistent' }"],
    'a working directory that is none': ['/bin/true', "{ cwd: '/etc/passwd' }"],
  }
  for (const [name, [file, options]] of Object.entries(FAILURES)) {
    test(name, async () => {
      const [here, byHelper] = await askPlainNode<object[]>(`
        import { NamespaceSet } from 'nsset'
        const set = ${SET}
        const failure = (more) => new Promise((resolve) => {
          const report = ({ code, errno, syscall, path, message }) => resolve({ code, errno, syscall, path, message })
          try {
            set.spawn('${file}', [], { ...${options}, ...more }).once('error', report).once('exit', resolve)
          } catch (error) { report(error) }
        })
        console.log(JSON.stringify([await failure({}), await failure({ deathSignal: 'SIGKILL' })]))`)
      expect(here).toMatchObject({ code: expect.stringMatching(/^E/) })
      expect(here).toEqual(byHelper)
    })
  }
})

asRoot('groups are those that were given, and Node keeps its own', 'it takes CAP_SETGID', async () => {
  const [inside, before, after] = await askPlainNode<string[]>(`
    import { NamespaceSet } from 'nsset'
    const own = () => process.getgroups().join(' ')
    const before = own()
    const { stdout } = await ${SET}.execFile('id', ['-G'], { groups: [7, 8] })
    console.log(JSON.stringify([stdout, before, own()]))`)
  expect(inside?.split(' ').map(Number)).toEqual(expect.arrayContaining([7, 8]))
  expect(after).toBe(before)
})

test('a shell script without a first line of its own is run by the shell', async () => {
  using directory = temporaryDirectory()
  const stdout = await askPlainNode<string>(`
    import { writeFileSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    writeFileSync(${JSON.stringify(directory.file('script'))}, 'echo "$0" "$1"', { mode: 0o755 })
    const { stdout } = await ${SET}.execFile(${JSON.stringify(directory.file('script'))}, ['given'])
    console.log(JSON.stringify(stdout))`)
  expect(stdout).toBe(`${directory.file('script')} given\n`)
})
