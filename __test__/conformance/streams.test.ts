/** The streams of a child of a set behave as those of `child_process.spawn`. */
import { once } from 'node:events'
import type { Duplex, Readable, Writable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as pass } from 'node:timers/promises'
import { describe } from 'vitest'
import { twins } from '../setup/processes/twins.ts'
import { watch } from '../setup/processes/watch-child.ts'

const shell = (script: string) => ['sh', ['-c', script]] as const
const SIZE = 5_000_000

describe('output', () => {
  twins('that is not read does not delay the exit', ({ spawn }) =>
    watch(spawn(...shell('echo out; echo err >&2')), { isRead: false }),
  )
  twins('that is not read and exceeds the pipe', ({ spawn }) =>
    // The child exits only after its output is read, which never happens here: its timeout ends it.
    watch(spawn(...shell('head -c 5000000 /dev/zero'), { timeout: 300 }), { isRead: false }),
  )
  twins('of megabytes arrives completely', async ({ spawn }) => {
    const child = spawn(...shell(`head -c ${SIZE} /dev/zero; printf end`))
    const seen = watch(child, { isRead: false })
    const bytes = await buffer(child.stdout as Readable)
    return [bytes.length, String(bytes.subarray(-5)), (await seen).events]
  })
  twins('on two streams at the same time', async ({ spawn }) => {
    const child = spawn(...shell(`head -c ${SIZE} /dev/zero >&2 & head -c ${SIZE} /dev/zero; wait`))
    const seen = watch(child, { isRead: false })
    const both = [child.stdout, child.stderr].map((stream) => buffer(stream as Readable))
    return [(await Promise.all(both)).map((bytes) => bytes.length), (await seen).events]
  })
  twins('with an encoding, split within a character', async ({ spawn }) => {
    const child = spawn(...shell('printf "\\303"; sleep 0.05; printf "\\251"'))
    child.stdout?.setEncoding('utf8')
    return watch(child)
  })
  twins('that is paused and resumed', async ({ spawn }) => {
    const child = spawn(...shell('echo one; sleep 0.1; echo two'))
    const seen = watch(child)
    child.stdout?.pause()
    await pass(50)
    child.stdout?.resume()
    return seen
  })
  twins('read after the exit', async ({ spawn }) => {
    const child = spawn(...shell('echo late; exit 3'))
    const seen = watch(child, { isRead: false })
    await once(child, 'exit')
    return [await text(child.stdout as Readable), (await seen).events]
  })
  twins('read after the exit, and after the close of a child that ran longer', async ({ spawn }) => {
    const child = spawn(...shell('echo late; exit 3'))
    await watch(child, { isRead: false })
    return [child.stdout?.read(), child.stdout?.readableEnded, child.stdout?.destroyed]
  })
  twins('held by a grandchild: exit first, close when the grandchild ends', async ({ spawn }) => {
    const child = spawn(...shell('(sleep 0.3; echo grandchild) & echo child; exit 5'))
    const order: string[] = []
    for (const event of ['exit', 'close']) child.on(event, () => order.push(event))
    child.stdout?.on('end', () => order.push('end of stdout'))
    return { seen: await watch(child), order }
  })
  twins('held by a grandchild: exit first, even when it is not read', async ({ spawn }) => {
    const child = spawn(...shell('(sleep 0.3; echo grandchild) & echo child; exit 5'))
    const order: string[] = []
    for (const event of ['exit', 'close']) child.on(event, () => order.push(event))
    child.stdout?.on('end', () => order.push('end of stdout'))
    return { seen: await watch(child, { isRead: false }), order }
  })
  twins('destroyed: a writer is killed by SIGPIPE', async ({ spawn }) => {
    // Not immediately: with written and unread data it would be ECONNRESET.
    const child = spawn(...shell('sleep 0.2; exec yes'))
    const seen = watch(child, { isRead: false })
    child.stdout?.destroy()
    return seen
  })
  twins('destroyed with an error', async ({ spawn }) => {
    const child = spawn(...shell('sleep 0.2; exec yes'))
    const seen = watch(child, { isRead: false })
    child.stdout?.destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' }))
    return seen
  })
  twins('of one child piped to another through Node.js', async ({ spawn }) => {
    const [first, second] = [spawn('printf', ['b\\na\\n']), spawn('sort')]
    const seen = [watch(first, { isRead: false }), watch(second)]
    first.stdout?.pipe(second.stdin as Writable)
    return Promise.all(seen)
  })
})

describe('input', () => {
  twins('of megabytes waits for its reader', async ({ spawn }) => {
    const child = spawn(...shell('sleep 0.1; wc -c'))
    const seen = watch(child)
    const stdin = child.stdin as Writable
    const isTaken = stdin.write(Buffer.alloc(SIZE))
    const waiting = stdin.writableNeedDrain
    await once(stdin, 'drain')
    stdin.end()
    return [isTaken, waiting, await seen]
  })
  twins('in many pieces', async ({ spawn }) => {
    const child = spawn('cat')
    const seen = watch(child)
    for (let index = 0; index < 500; index++) child.stdin?.write(`${index} `)
    child.stdin?.end()
    return seen
  })
  twins('alternates with output', async ({ spawn }) => {
    const child = spawn('cat')
    const answers: string[] = []
    for (let index = 0; index < 20; index++) {
      child.stdin?.write(`${index}\n`)
      answers.push(String((await once(child.stdout as Readable, 'data'))[0]))
    }
    child.stdin?.end()
    return [answers, (await watch(child)).events]
  })
  twins('ends when destroyed', async ({ spawn }) => {
    const child = spawn('cat')
    const seen = watch(child)
    child.stdin?.destroy()
    return seen
  })
  twins('closed by the program is EPIPE', async ({ spawn }) => {
    const child = spawn(...shell('exec <&-; echo closed; sleep 0.3'))
    const seen = watch(child)
    await once(child.stdout as Readable, 'data')
    child.stdin?.write('text')
    return seen
  })
  twins('written after the exit', async ({ spawn }) => {
    const child = spawn('true')
    await watch(child)
    const failure = new Promise((resolve) => child.stdin?.write('text', (error) => resolve(error)))
    child.stdin?.on('error', () => undefined)
    return [((await failure) as NodeJS.ErrnoException).code, child.stdin?.destroyed]
  })
  twins('written in the callback of a write', async ({ spawn }) => {
    const child = spawn('cat')
    const seen = watch(child)
    child.stdin?.write('one ', () => child.stdin?.end('two'))
    return seen
  })
})

describe('an additional pipe', () => {
  twins('works in both directions', async ({ spawn }) => {
    const child = spawn(...shell('read line <&3; echo "$line and back" >&3'), {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    ;(child.stdio[3] as Duplex).write('there\n')
    return watch(child)
  })
  twins('ends for its reader with end()', async ({ spawn }) => {
    const child = spawn(...shell('cat <&3 >&4'), { stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'] })
    ;(child.stdio[3] as Duplex).end('all of it')
    return watch(child)
  })
  twins('delays the close event as the others do', async ({ spawn }) => {
    const child = spawn(...shell('sleep 0.2 3>&1 & exec 3>&-; exit 1'), {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    })
    const order: string[] = []
    for (const event of ['exit', 'close']) child.on(event, () => order.push(event))
    child.stdout?.on('end', () => order.push('end of stdout'))
    return { seen: await watch(child), order }
  })
})
