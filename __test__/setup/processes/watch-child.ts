/** What can be seen of a child of `node:child_process` from its start to its event `'close'`. */
import { ChildProcess } from 'node:child_process'
import type { Stream } from 'node:stream'
import { setTimeout as pass } from 'node:timers/promises'

/** Milliseconds, after which a child is killed. */
const TIME_LIMIT = 15_000

export interface Seen {
  /** Before anything has happened. */
  first: object
  /** The child's events, each with what came with it. */
  events: string[]
  /** Those of each of its streams; data that came in pieces is in one. */
  streams: (string[] | null)[]
  /** Whether no stream told anything after the child's `'close'`. */
  isCloseLast: boolean
  /** When all is over. */
  last: object
}

export interface WatchOptions {
  /** Whether the output is read; it is unless told. */
  isRead?: boolean
}

/** Listens to everything; call it before the event loop goes on. Never rejects: errors are among the events. */
export function watch(child: ChildProcess, { isRead = true }: WatchOptions = {}): Promise<Seen> {
  const events: string[] = []
  let isCloseLast = true
  for (const event of ['spawn', 'exit', 'close', 'disconnect']) {
    child.on(event, (...details) => events.push([event, ...details].join(' ')))
  }
  child.on('error', (error) => events.push(`error ${JSON.stringify(tellError(error, child.spawnfile))}`))
  const streams = (child.stdio ?? []).map((stream, index) => {
    if (stream === null || stream === undefined) return null
    const told = listen(stream, isRead && index > 0)
    stream.on('end', () => (isCloseLast &&= !isClosed(events)))
    return told
  })
  const first = properties(child)
  const limit = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT)
  return end(child).then(() => {
    clearTimeout(limit)
    return { first, events, streams, isCloseLast, last: properties(child) }
  })
}

/**
 * Some moments after its `'close'`, and that of its stdin: the latter comes after it, in Node's order or in ours, and on
 * a busy machine late. A forked child whose parent has let go of the channel has no `'close'`, in Node either: then it
 * is its `'exit'`, and its streams' ends.
 */
async function end(child: ChildProcess): Promise<void> {
  const closed = closeOf(child)
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const streams = (child.stdio ?? []).map((stream) => stream && closeOf(stream))
  await Promise.race([closed, Promise.all([exited, ...streams]).then(() => pass(100))])
  // Limited: what a test hands in as stdin may stay open.
  await Promise.race([streams.at(0), pass(1_000)])
  await pass(10)
}

const closeOf = (emitter: ChildProcess | Stream) => new Promise((resolve) => emitter.once('close', resolve))

const isClosed = (events: string[]) => events.some((event) => event.startsWith('close'))

function listen(stream: Stream, isRead: boolean): string[] {
  const told: string[] = []
  let data = ''
  const tell = (text: string) => {
    if (data !== '') told.push(`data ${data}`)
    data = ''
    told.push(text)
  }
  if (isRead) stream.on('data', (chunk) => (data += String(chunk)))
  for (const event of ['end', 'finish', 'close']) stream.on(event, () => tell(event))
  stream.on('error', (error: NodeJS.ErrnoException) => tell(`error ${error.code} ${error.syscall}`))
  return told
}

/** All that is documented of a child, but what is bound to differ. */
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

/** Where the program itself is not reached, our errors name the step instead. */
const STEPS = ['chdir', 'setgroups', 'setresgid', 'setresuid', 'fcntl(F_DUPFD_CLOEXEC)']

/**
 * The fields of an error that Node documents. Ours differs on purpose in its class, with the message, and in `syscall`
 * and `path` where they name the step that failed: these are made to be Node's here.
 */
export function tellError(error: unknown, program: string | null): object {
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

/** What a call throws at once; Node names neither the program nor the step then. */
export function thrownBy(call: () => unknown): object {
  try {
    call()
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException
    return { isError: error instanceof Error, code, errno }
  }
  return { isThrown: false }
}
