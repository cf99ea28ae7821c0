/** Every form of the option `stdio` of `child_process.spawn`: streams in the parent, descriptors in the child. */
import type { StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { afterAll, afterEach, beforeEach, describe } from 'vitest'
import { descriptorsAtRest } from '../setup/guards/descriptors.ts'
import { type Starter, twins } from '../setup/processes/twins.ts'
import { properties, thrownBy, watch } from '../setup/processes/watch-child.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const shell = (script: string) => ['sh', ['-c', script]] as const

const directory = temporaryDirectory()
const FILE = directory.file('file')
let fd: number
beforeEach(() => {
  writeFileSync(FILE, 'some text\n')
  fd = openSync(FILE, 'r+')
})
afterEach(() => closeSync(fd))
afterAll(() => directory[Symbol.dispose]())

/** A sleeping program with these descriptors, examined from outside. */
async function given({ spawn }: Starter, stdio: StdioOptions | undefined): Promise<object> {
  const child = spawn('sleep', ['60'], stdio === undefined ? {} : { stdio })
  const seen = watch(child)
  await once(child, 'spawn')
  const descriptors = await descriptorsAtRest(child.pid as number)
  child.kill('SIGKILL')
  // Descriptors of this process without close-on-exec are inherited by child_process, and not by programs of a set.
  const count = child.stdio.length
  const own = Object.entries(descriptors).filter(([fd]) => Number(fd) < count)
  return { descriptors: Object.fromEntries(own), ...(await seen) }
}

describe('for all three', () => {
  twins('left out', (start) => given(start, undefined))
  for (const word of ['pipe', 'overlapped', 'ignore', 'inherit'] as const) twins(word, (start) => given(start, word))
  twins('null', (start) => given(start, null as never))
})

describe('for each', () => {
  const forms: Record<string, () => unknown[]> = {
    'words, mixed': () => ['ignore', 'pipe', 'inherit'],
    'an empty array': () => [],
    'fewer than three': () => ['ignore'],
    'null and undefined are pipes': () => [null, undefined, null],
    'null and undefined beyond the third are nothing': () => ['ignore', 'ignore', 'ignore', null, undefined],
    'overlapped and pipe': () => ['overlapped', 'overlapped', 'pipe', 'overlapped'],
    'holes between': () => ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe', 'ignore'],
    'one descriptor several times': () => ['ignore', fd, fd, fd],
    'descriptors 0 to 2, rotated': () => [1, 0, 2],
    'a stream of this process': () => ['ignore', process.stdout, process.stderr],
    'an object with a descriptor': () => ['ignore', { fd }, 'ignore'],
    'thirty pipes': () => Array(30).fill('pipe'),
  }
  for (const [name, form] of Object.entries(forms)) twins(name, (start) => given(start, form() as StdioOptions))

  twins('inherit beyond the third passes the descriptor of that number', ({ spawn }) => {
    // The descriptor must be open at a known number.
    const stdio = Array(fd).fill('ignore').concat('inherit')
    return given({ spawn } as Starter, stdio)
  })
})

describe('a stream', () => {
  twins('of a file, once open', async (start) => {
    const [input, output] = [createReadStream(FILE), createWriteStream(`${FILE}-copy`)]
    await Promise.all([once(input, 'open'), once(output, 'open')])
    const child = start.spawn('cat', [], { stdio: [input, output, 'inherit'] })
    const seen = await watch(child)
    for (const stream of [input, output]) if (!stream.destroy().closed) await once(stream, 'close')
    return [seen, readFileSync(`${FILE}-copy`, 'utf8')]
  })
  twins('of a file that is not open yet throws', async ({ spawn }) => {
    const stream = createReadStream(FILE)
    const thrown = thrownBy(() => spawn('cat', [], { stdio: [stream, 'ignore', 'ignore'] }))
    stream.destroy()
    await once(stream, 'close')
    return thrown
  })
  twins('created by Node.js without a descriptor throws', ({ spawn }) =>
    thrownBy(() => spawn('cat', [], { stdio: [new PassThrough(), 'ignore', 'ignore'] })),
  )
  twins('of a connection', async ({ spawn }) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const client = connect((server.address() as { port: number }).port, '127.0.0.1')
    const [socket] = (await accepted) as [Socket]
    const child = spawn(...shell('read line; echo "got $line"'), { stdio: [socket, socket, 'inherit'] })
    const seen = watch(child)
    client.write('text\n')
    const [answer] = await once(client, 'data')
    const result = [String(answer), await seen, properties(child)]
    socket.destroy()
    client.destroy()
    server.close()
    return result
  })
  twins('of another child’s output forms a pipeline', async ({ spawn }) => {
    const first = spawn(...shell('echo b; echo a'))
    const second = spawn('sort', [], { stdio: [first.stdout as Readable, 'pipe', 'inherit'] })
    // This process stops reading the first child's stream, so that stream does not end by itself.
    const [seen] = await Promise.all([watch(second), once(first, 'exit')])
    first.stdout?.destroy()
    return [seen, properties(first)]
  })
  twins('of another child’s input', async ({ spawn }) => {
    const second = spawn('cat', [])
    const seen = watch(second)
    const first = spawn('echo', ['text'], { stdio: ['ignore', second.stdin as never, 'inherit'] })
    await watch(first)
    second.stdin?.end()
    return seen
  })
})

describe('a descriptor of the caller', () => {
  twins('stays open, at the offset where the program left it', async ({ spawn }) => {
    const file = openSync(FILE, 'w+')
    const { events } = await watch(spawn(...shell('echo out; echo err >&2'), { stdio: ['ignore', file, file] }))
    writeSync(file, 'mine\n')
    closeSync(file)
    return [events, readFileSync(FILE, 'utf8')]
  })
  twins('may be shared by several children', async ({ spawn }) => {
    const file = openSync(FILE, 'w+')
    for (const word of ['one', 'two', 'three']) {
      await watch(spawn('echo', [word], { stdio: ['ignore', file, 'ignore'] }))
    }
    closeSync(file)
    return readFileSync(FILE, 'utf8')
  })
})
