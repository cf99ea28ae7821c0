/** Records a child of `node:child_process` from its start to its event `'close'`. */
import { ChildProcess } from 'node:child_process'
import type { Stream } from 'node:stream'
import { setTimeout as pass } from 'node:timers/promises'

/** Milliseconds, after which a child is killed. */
const TIME_LIMIT = 15_000

export interface Seen {
  /** Before any event. */
  first: object
  /** The child's events, each with its arguments. */
  events: string[]
  /** The events of each of its streams; consecutive data events are merged. */
  streams: (string[] | null)[]
  /** Whether no stream emitted anything after the child's `'close'`. */
  isCloseLast: boolean
  /** At the end. */
  last: object
}

export interface WatchOptions {
  /** Whether the output is read. Default: `true`. */
  isRead?: boolean
}

/** Listens to everything; call it synchronously after the start. Never rejects: errors are among the events. */
export function watch(child: ChildProcess, { isRead = true }: WatchOptions = {}): Promise<Seen> {
  const events: string[] = []
  let isCloseLast = true
  for (const event of ['spawn', 'exit', 'close', 'disconnect']) {
    child.on(event, (...details) => events.push([event, ...details].join(' ')))
  }
  child.on('error', (error) => events.push(`error ${JSON.stringify(errorFields(error, child.spawnfile))}`))
  const streams = (child.stdio ?? []).map((stream, index) => {
    if (stream === null || stream === undefined) return null
    const recorded = listen(stream, isRead && index > 0)
    stream.on('end', () => (isCloseLast &&= !isClosed(events)))
    return recorded
  })
  const first = properties(child)
  const limit = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT)
  return end(child).then(() => {
    clearTimeout(limit)
    return { first, events, streams, isCloseLast, last: properties(child) }
  })
}

/**
 * A few moments after its `'close'`, and that of its stdin: the latter follows it, in Node.js and in nsset, and late on
 * a busy machine. A forked child whose parent has closed the channel has no `'close'`, in Node.js either: then it
 * is its `'exit'`, and the ends of its streams.
 */
async function end(child: ChildProcess): Promise<void> {
  const closed = closeOf(child)
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const streams = (child.stdio ?? []).map((stream) => stream && closeOf(stream))
  await Promise.race([closed, Promise.all([exited, ...streams]).then(() => pass(100))])
  // With a limit: a stdin passed by a test may stay open.
  await Promise.race([streams.at(0), pass(1_000)])
  await pass(10)
}

const closeOf = (emitter: ChildProcess | Stream) => new Promise((resolve) => emitter.once('close', resolve))

const isClosed = (events: string[]) => events.some((event) => event.startsWith('close'))

function listen(stream: Stream, isRead: boolean): string[] {
  const recorded: string[] = []
  let data = ''
  const record = (text: string) => {
    if (data !== '') recorded.push(`data ${data}`)
    data = ''
    recorded.push(text)
  }
  if (isRead) stream.on('data', (chunk) => (data += String(chunk)))
  for (const event of ['end', 'finish', 'close']) stream.on(event, () => record(event))
  stream.on('error', (error: NodeJS.ErrnoException) => record(`error ${error.code} ${error.syscall}`))
  return recorded
}

/** All documented properties of a child, except those that must differ. */
export function properties(child: ChildProcess): object {
  return {
    isChildProcess: child instanceof ChildProcess,
    pid: typeof child.pid,
    exitCode: child.exitCode,
    signalCode: child.signalCode,
    killed: child.killed,
    connected: child.connected,
    channel: typeof child.channel,
    spawnfile: child.spawnfile,
    spawnargs: child.spawnargs,
    stdio: child.stdio?.map((stream) => stream && [stream.constructor.name, isReadable(stream), isWritable(stream)]),
    named:
      child.stdio && [child.stdin, child.stdout, child.stderr].map((stream, index) => stream === child.stdio[index]),
    send: typeof child.send,
  }
}

const isReadable = (stream: object) => (stream as { readable?: boolean }).readable
const isWritable = (stream: object) => (stream as { writable?: boolean }).writable

/** When the program is not reached, nsset's errors name the step instead. */
const STEPS = ['chdir', 'setgroups', 'setresgid', 'setresuid', 'fcntl(F_DUPFD_CLOEXEC)']

/**
 * The fields of an error that Node.js documents. nsset's deliberately differ in class and message, and in `syscall`
 * and `path` when they name the step that failed: these are replaced by Node's here.
 */
export function errorFields(error: unknown, program: string | null): object {
  const { name, code, errno, syscall, path, ...rest } = error as NodeJS.ErrnoException & { spawnargs?: string[] }
  const isStep = STEPS.includes(syscall ?? '')
  return {
    name: name === 'NamespaceError' ? 'Error' : name,
    code,
    errno,
    syscall: isStep ? `spawn ${program}` : syscall,
    path: isStep ? program : path,
    spawnargs: rest.spawnargs,
    cause: (error as Error).cause === undefined ? undefined : String((error as Error).cause),
  }
}

/** The error that a call throws; Node.js names neither the program nor the step then. */
export function thrownBy(call: () => unknown): object {
  try {
    call()
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException
    return { isError: error instanceof Error, code, errno }
  }
  return { isThrown: false }
}
