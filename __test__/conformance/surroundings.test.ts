/** A program in a set finds what a child of `child_process.spawn` finds: signals, descriptors, limits, groups. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { descriptorsAtRest } from '../setup/guards/descriptors.ts'
import { type Starter, twins, twinsWithSameMounts, twinsWithSamePids } from '../setup/processes/twins.ts'
import { watch } from '../setup/processes/watch-child.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

describe('a program reports the same', () => {
  const SAME: Record<string, string> = {
    'blocked and ignored signals': "grep -E '^Sig(Blk|Ign)' /proc/self/status",
    'pending signals': "grep -E '^(SigPnd|ShdPnd)' /proc/self/status",
    'caught signals, without a shell': 'exec grep SigCgt /proc/self/status',
    'umask, no_new_privs, seccomp': "grep -E '^(Umask|NoNewPrivs|Seccomp):' /proc/self/status",
    'inheritable capabilities': "grep -E '^Cap(Inh|Amb)' /proc/self/status",
    limits: 'cat /proc/self/limits',
    'niceness, scheduling and out-of-memory score': 'nice; chrt -p 0 | cut -d: -f2; cat /proc/self/oom_score_adj',
    'processors and memory nodes': "grep -E '^(Cpus|Mems)_allowed' /proc/self/status",
    'arguments and name': 'cat /proc/self/cmdline; cat /proc/self/comm',
    'personality and timer slack': 'cat /proc/self/personality /proc/self/timerslack_ns',
    'core dump filter': 'cat /proc/self/coredump_filter',
    'user and groups': 'id -u; id -g',
    'trace and parent': "grep -E '^(TracerPid|Threads)' /proc/self/status",
  }
  for (const [name, script] of Object.entries(SAME)) {
    twins(name, async ({ spawn }) => {
      const { streams } = await watch(spawn('sh', ['-c', `{ ${script}; } 2>&1`]))
      const [output] = streams[1] ?? []
      expect(output).toMatch(/^data ./)
      expect(output).not.toMatch(/not found|No such file|invalid/)
      return output
    })
  }
})

/** Fields of `/proc/PID/stat`; the caller's numbers and the child's are replaced by these words: proc_pid_stat(5). */
function statOf(pid: number): object {
  const fields = (file: string) => {
    const stat = readFileSync(file, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  }
  const [own, its] = [fields('/proc/self/stat'), fields(`/proc/${pid}/stat`)]
  const [, parent, group, session, terminal, foreground] = its
  const named = (value: string | undefined, index: number) =>
    value === own[index] ? 'the caller’s' : Number(value) === pid ? 'its own' : value
  return {
    parent: Number(parent) === process.pid,
    group: named(group, 2),
    session: named(session, 3),
    terminal: named(terminal, 4),
    foreground: named(foreground, 5),
    niceness: named(its[16], 16),
    // The signal that its parent receives when it exits.
    exitSignal: its[35],
  }
}

/** Descriptors without close-on-exec are left out: child_process passes them on, and a set does not. */
async function ownDescriptors(pid: number): Promise<object> {
  const all = Object.entries(await descriptorsAtRest(pid))
  return Object.fromEntries(all.filter(([fd]) => Number(fd) < 10))
}

async function lookAt({ spawn }: Starter, look: (pid: number) => unknown, options: object = {}): Promise<unknown> {
  const child = spawn('sleep', ['60'], options)
  const seen = watch(child)
  await once(child, 'spawn')
  const result = await look(child.pid as number)
  child.kill('SIGKILL')
  await seen
  return result
}

describe('/proc shows the same', () => {
  // In a pid namespace it leads its own session: processes/spawn-process-group.test.ts.
  twinsWithSamePids('parent, group, session, terminal, niceness', (start) => lookAt(start, statOf))
  twins('the same fields when it is not detached', (start) => lookAt(start, statOf, { detached: false }))
  twins('the same fields when it is detached', (start) => lookAt(start, statOf, { detached: true }))
  twins('its descriptors', (start) => lookAt(start, ownDescriptors))
  twins('a gap between descriptors', (start) =>
    lookAt(start, ownDescriptors, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'ignore', 'pipe'] }),
  )

  twins('a FIFO passed as stdin, blocking there and non-blocking here', async (start) => {
    using directory = temporaryDirectory()
    const fifo = directory.file('fifo')
    execFileSync('mkfifo', [fifo], { timeout: 10_000 })
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    const seen = await lookAt(start, ownDescriptors, { stdio: [fd, fd, 'ignore', fd] })
    // Both share one open file description: the child's is blocking here, too.
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').split('\n')[1]
    closeSync(fd)
    return [JSON.stringify(seen).replaceAll(fifo, 'FIFO'), info]
  })
})

describe('changes in the caller are inherited', () => {
  twins('umask', async ({ spawn }) => {
    const before = process.umask(0o027)
    try {
      return (await watch(spawn('sh', ['-c', 'umask']))).streams[1]
    } finally {
      process.umask(before)
    }
  })
  twinsWithSameMounts('its working directory', async ({ spawn }) => {
    using directory = temporaryDirectory()
    const before = process.cwd()
    process.chdir(directory.path)
    const child = spawn('pwd', ['-P'])
    process.chdir(before)
    const { streams } = await watch(child)
    return String(streams[1]).replace(directory.path, 'DIRECTORY')
  })
})
