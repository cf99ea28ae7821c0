/** Every form of the option `stdio`, as `child_process.spawn` has it: streams here, descriptors there. */
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

/** A program that rests with what it was given, looked at from outside. */
async function given({ spawn }: Starter, stdio: StdioOptions | undefined): Promise<object> {
  const child = spawn('sleep', ['60'], stdio === undefined ? {} : { stdio })
  const seen = watch(child)
  await once(child, 'spawn')
  const descriptors = await descriptorsAtRest(child.pid as number)
  child.kill('SIGKILL')
  // What this process forgot to make close-on-exec is inherited by child_process, and by nothing of a set's.
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
    'none at all': () => [],
    'fewer than three': () => ['ignore'],
    'null and undefined, which are pipes': () => [null, undefined, null],
    'null and undefined beyond the third, which are nothing': () => ['ignore', 'ignore', 'ignore', null, undefined],
    'overlapped beside pipe': () => ['overlapped', 'overlapped', 'pipe', 'overlapped'],
    'holes between': () => ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe', 'ignore'],
    'numbers, one for several': () => ['ignore', fd, fd, fd],
    'numbers that are their own places, turned': () => [1, 0, 2],
    'a stream of this process': () => ['ignore', process.stdout, process.stderr],
    'an object with a descriptor': () => ['ignore', { fd }, 'ignore'],
    'thirty pipes': () => Array(30).fill('pipe'),
  }
  for (const [name, form] of Object.entries(forms)) twins(name, (start) => given(start, form() as StdioOptions))

  twins('inherit beyond the third is the descriptor of that number', ({ spawn }) => {
    // The descriptor has to be open at a number that is known.
    const stdio = Array(fd).fill('ignore').concat('inherit')
    return given({ spawn } as Starter, stdio)
  })
})

describe('a stream', () => {
  twins('of a file, once it is open', async (start) => {
    const [input, output] = [createReadStream(FILE), createWriteStream(`${FILE}-copy`)]
    await Promise.all([once(input, 'open'), once(output, 'open')])
    const child = start.spawn('cat', [], { stdio: [input, output, 'inherit'] })
    const seen = await watch(child)
    for (const stream of [input, output]) if (!stream.destroy().closed) await once(stream, 'close')
    return [seen, readFileSync(`${FILE}-copy`, 'utf8')]
  })
  twins('of a file that is not open yet is refused', async ({ spawn }) => {
    const stream = createReadStream(FILE)
    const thrown = thrownBy(() => spawn('cat', [], { stdio: [stream, 'ignore', 'ignore'] }))
    stream.destroy()
    await once(stream, 'close')
    return thrown
  })
  twins('of Node’s own making is refused', ({ spawn }) =>
    thrownBy(() => spawn('cat', [], { stdio: [new PassThrough(), 'ignore', 'ignore'] })),
  )
  twins('that is a connection', async ({ spawn }) => {
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
  twins('that is another child’s: a pipeline', async ({ spawn }) => {
    const first = spawn(...shell('echo b; echo a'))
    const second = spawn('sort', [], { stdio: [first.stdout as Readable, 'pipe', 'inherit'] })
    // Nobody here reads the first one's stream any more, so it does not end by itself.
    const [seen] = await Promise.all([watch(second), once(first, 'exit')])
    first.stdout?.destroy()
    return [seen, properties(first)]
  })
  twins('that is another child’s input', async ({ spawn }) => {
    const second = spawn('cat', [])
    const seen = watch(second)
    const first = spawn('echo', ['text'], { stdio: ['ignore', second.stdin as never, 'inherit'] })
    await watch(first)
    second.stdin?.end()
    return seen
  })
})

describe('what the caller gave', () => {
  twins('stays open, and is where the program left it', async ({ spawn }) => {
    const file = openSync(FILE, 'w+')
    const { events } = await watch(spawn(...shell('echo out; echo err >&2'), { stdio: ['ignore', file, file] }))
    writeSync(file, 'mine\n')
    closeSync(file)
    return [events, readFileSync(FILE, 'utf8')]
  })
  twins('is shared by several', async ({ spawn }) => {
    const file = openSync(FILE, 'w+')
    for (const word of ['one', 'two', 'three']) {
      await watch(spawn('echo', [word], { stdio: ['ignore', file, 'ignore'] }))
    }
    closeSync(file)
    return readFileSync(FILE, 'utf8')
  })
})
